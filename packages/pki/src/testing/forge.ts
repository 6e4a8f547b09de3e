/** Makes certificates and lists of revoked ones for tests, with whatever is wrong with them. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { signingKey, type SignatureScheme } from '@culvert/crypto'
import { OID } from '../der/object-identifier.ts'
import { constructed, primitive, TAG } from '../der/reader.ts'
import {
  NULL,
  ascii,
  bitString,
  boolean,
  commonName,
  integer,
  objectId,
  octetString,
  sequence,
  time,
  tlv,
} from './der-writer.ts'

export const NOW_MS = Date.UTC(2026, 10, 21)
export const DAY_MS = 86_400_000

export interface TestKey {
  readonly spki: Uint8Array
  readonly pkcs8: Uint8Array
  readonly algorithm: Uint8Array
  readonly scheme: SignatureScheme
}

type KeyName = 'p256' | 'p384' | 'p521' | 'ed25519' | 'rsa2048' | 'rsa1024'

export function testKey(name: KeyName): TestKey {
  const { publicKey, privateKey } = pairOf(name)
  const [algorithm, scheme] = SIGNATURES[name]
  return {
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    pkcs8: new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' })),
    algorithm,
    scheme,
  }
}

function pairOf(name: KeyName) {
  if (name === 'ed25519') return generateKeyPairSync('ed25519')
  if (name.startsWith('rsa')) return generateKeyPairSync('rsa', { modulusLength: Number(name.slice(3)) })
  return generateKeyPairSync('ec', { namedCurve: `P-${name.slice(1)}` })
}

const RSA: [Uint8Array, SignatureScheme] = [
  sequence(objectId(OID.sha256WithRsa), NULL),
  { kind: 'rsaPkcs1', hash: 'sha256' },
]
const SIGNATURES: Readonly<Record<KeyName, [Uint8Array, SignatureScheme]>> = {
  p256: [sequence(objectId(OID.ecdsaWithSha256)), { kind: 'ecdsa', hash: 'sha256', form: 'der' }],
  p384: [sequence(objectId(OID.ecdsaWithSha384)), { kind: 'ecdsa', hash: 'sha384', form: 'der' }],
  p521: [sequence(objectId(OID.ecdsaWithSha512)), { kind: 'ecdsa', hash: 'sha512', form: 'der' }],
  ed25519: [sequence(objectId(OID.ed25519)), { kind: 'ed25519' }],
  rsa2048: RSA,
  rsa1024: RSA,
}

export interface Party {
  readonly name: Uint8Array
  readonly key: TestKey
  readonly der: Uint8Array
}

export interface CertificateOptions {
  /** Text of the common name, or a whole Name. */
  readonly name?: string | Uint8Array
  readonly issuerName?: Uint8Array
  readonly key?: TestKey
  readonly serial?: number | string
  readonly version?: number
  readonly notBeforeMs?: number
  readonly notAfterMs?: number
  readonly extensions?: readonly Uint8Array[]
  /** AlgorithmIdentifier inside, outside. */
  readonly algorithm?: Uint8Array
  readonly outerAlgorithm?: Uint8Array
  readonly scheme?: SignatureScheme
}

let serials = 1

/** @param issuer null for a self-signed one. */
export function certificate(issuer: Party | null, options: CertificateOptions = {}): Party {
  const key = options.key ?? testKey('p256')
  const signer = issuer?.key ?? key
  const name = typeof options.name === 'object' ? options.name : commonName(options.name ?? `Party ${serials}`)
  const algorithm = options.algorithm ?? signer.algorithm
  const tbs = sequence(
    tlv(constructed(0), integer(options.version ?? 2)),
    integer(options.serial ?? serials++),
    algorithm,
    options.issuerName ?? issuer?.name ?? name,
    sequence(time(options.notBeforeMs ?? NOW_MS - DAY_MS), time(options.notAfterMs ?? NOW_MS + DAY_MS)),
    name,
    key.spki,
    ...(options.extensions === undefined || options.extensions.length === 0
      ? []
      : [tlv(constructed(3), sequence(...options.extensions))]),
  )
  return { name, key, der: signed(tbs, signer, options.outerAlgorithm ?? algorithm, options.scheme) }
}

function signed(tbs: Uint8Array, signer: TestKey, outer = signer.algorithm, scheme = signer.scheme): Uint8Array {
  const signature = signingKey(signer.pkcs8)?.sign(scheme, tbs) ?? new Uint8Array(64)
  return sequence(tbs, outer, bitString(signature))
}

/** A certificate of an authority with what belongs into one. */
export function authority(issuer: Party | null, options: CertificateOptions & { pathLength?: number } = {}): Party {
  const key = options.key ?? testKey('p256')
  const extensions = [
    basicConstraints(true, options.pathLength),
    keyUsage(0b0000_0110),
    subjectKeyIdentifier(key),
    ...(issuer === null ? [] : [authorityKeyIdentifier(issuer.key)]),
    ...(options.extensions ?? []),
  ]
  return certificate(issuer, { name: 'Authority', ...options, key, extensions })
}

/** A certificate of a device with a host name. */
export function device(issuer: Party, options: CertificateOptions & { host?: string } = {}): Party {
  const key = options.key ?? testKey('p256')
  const host = options.host ?? 'device.example'
  const extensions = [
    basicConstraints(false),
    keyUsage(0b1000_0000),
    extension(OID.extKeyUsage, sequence(objectId(OID.clientAuth))),
    subjectAltName(dns(host)),
    authorityKeyIdentifier(issuer.key),
    ...(options.extensions ?? []),
  ]
  return certificate(issuer, { name: host, ...options, key, extensions })
}

export function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  return sequence(objectId(id), ...(isCritical ? [boolean(true)] : []), octetString(value))
}

export function basicConstraints(isAuthority: boolean, pathLength?: number): Uint8Array {
  const parts = [...(isAuthority ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])]
  return extension(OID.basicConstraints, sequence(...parts), true)
}

/** @param octet the first one, digitalSignature is its highest bit. */
export function keyUsage(octet: number): Uint8Array {
  let unused = 0
  while (unused < 7 && ((octet >> unused) & 1) === 0) unused++
  return extension(OID.keyUsage, tlv(TAG.BIT_STRING, Uint8Array.of(unused, octet)), true)
}

export function subjectAltName(...names: readonly Uint8Array[]): Uint8Array {
  return extension(OID.subjectAltName, sequence(...names))
}

export const dns = (name: string): Uint8Array => tlv(primitive(2), ascii(name))
export const mail = (name: string): Uint8Array => tlv(primitive(1), ascii(name))
export const uri = (name: string): Uint8Array => tlv(primitive(6), ascii(name))
export const ip = (...octets: readonly number[]): Uint8Array => tlv(primitive(7), Uint8Array.from(octets))
export const directory = (name: Uint8Array): Uint8Array => tlv(constructed(4), name)

export function nameConstraints(trees: { permitted?: readonly Uint8Array[]; excluded?: readonly Uint8Array[] }) {
  const list = (number: number, names: readonly Uint8Array[] | undefined): Uint8Array[] =>
    names === undefined ? [] : [tlv(constructed(number), ...names.map((name) => sequence(name)))]
  return extension(OID.nameConstraints, sequence(...list(0, trees.permitted), ...list(1, trees.excluded)), true)
}

function keyIdentifier(key: TestKey): Uint8Array {
  return new Uint8Array(createHash('sha1').update(key.spki).digest())
}

export function subjectKeyIdentifier(key: TestKey): Uint8Array {
  return extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(key)))
}

export function authorityKeyIdentifier(key: TestKey): Uint8Array {
  return extension(OID.authorityKeyIdentifier, sequence(tlv(primitive(0), keyIdentifier(key))))
}

export interface CrlTestOptions {
  readonly revoked?: readonly (number | string)[]
  /** A text is its octets in hexadecimal. */
  readonly number?: number | string
  readonly thisUpdateMs?: number
  readonly nextUpdateMs?: number | null
  readonly extensions?: readonly Uint8Array[]
  readonly entryExtensions?: readonly Uint8Array[]
  readonly issuerName?: Uint8Array
}

export function crl(issuer: Party, options: CrlTestOptions = {}): Uint8Array {
  const { revoked = [], entryExtensions, nextUpdateMs = NOW_MS + DAY_MS } = options
  const entries = revoked.map((serial) =>
    sequence(integer(serial), time(NOW_MS - DAY_MS), ...(entryExtensions ? [sequence(...entryExtensions)] : [])),
  )
  const extensions = [extension(OID.crlNumber, integer(options.number ?? 1)), ...(options.extensions ?? [])]
  const tbs = sequence(
    integer(1),
    issuer.key.algorithm,
    options.issuerName ?? issuer.name,
    time(options.thisUpdateMs ?? NOW_MS - DAY_MS),
    ...(nextUpdateMs === null ? [] : [time(nextUpdateMs)]),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    tlv(constructed(0), sequence(...extensions)),
  )
  return signed(tbs, issuer.key)
}
