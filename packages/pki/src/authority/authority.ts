/**
 * A certificate authority for devices and gateways: makes a root, signs requests, says what is revoked.
 *
 * It runs where its private key is, in the signer and nowhere else. Time and lifetimes come in; randomness (serial numbers, keys) is
 * OpenSSL's. What it signs is read back and validated like the certificate of a stranger before it is handed out.
 */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { InvariantError, compareBytes, parseIp, toHex } from '@culvert/bytes'
import { signingKey, type SigningKey, verifyingKey } from '@culvert/crypto'
import type { Certificate } from '../certificate/read-certificate.ts'
import { trustAnchors, type TrustAnchors } from '../chain/trust-anchors.ts'
import type { Purpose } from '../chain/purpose.ts'
import { validateChain } from '../chain/validate-chain.ts'
import { createCrlSet } from '../crl/crl-set.ts'
import { fault, good, type Result } from '../fault.ts'
import { hostName, mailbox } from '../identity/registry-identity.ts'
import { checkCertificationRequest } from './certification-request.ts'
import { encodeCrl } from './revocation-list.ts'
import { encodeCertificate, importKey, type CertificatePlan, type EncoderKey } from './encoder.ts'
import { makeKeyPair, type KeyKind } from './key-pair.ts'

export interface RootOptions {
  /** Common name, for people; 1 to 64 characters. */
  readonly name: string
  /** Left out: P-256. */
  readonly keyKind?: KeyKind
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly lifetimeMs: number
}

/** What the signer keeps. */
export interface AuthorityMaterial {
  /** DER. */
  readonly certificate: Uint8Array
  /** PKCS #8; sealed wherever it rests, zeroed by who holds it. */
  readonly privateKey: Uint8Array
}

export interface DeviceCertificateOptions {
  /** Identity in the registry: a host name or a mailbox. It alone becomes subjectAltName and common name. */
  readonly identity: string
  readonly atMs: number
  readonly lifetimeMs: number
  /** Hexadecimal, at most 16 octets, never used before by this authority. Left out: 128 random bits. */
  readonly serial?: string
  /** Where the list of revoked certificates will lie. */
  readonly crlUrl?: string
}

export interface GatewayCertificateOptions {
  /** SubjectPublicKeyInfo of the gateway. */
  readonly publicKey: Uint8Array
  /** Host names and textual addresses by which devices reach it, at least one; the first host name is the common name. */
  readonly names: readonly string[]
  readonly atMs: number
  readonly lifetimeMs: number
}

export interface CrlOptions {
  /** Counts up with each list. */
  readonly number: number
  readonly atMs: number
  /** Time after which the list is stale. */
  readonly lifetimeMs: number
  /** `serial` as in `IssuedCertificate`. */
  readonly revoked: readonly { readonly serial: string; readonly atMs: number }[]
}

export interface IssuedCertificate {
  /** DER. */
  readonly certificate: Uint8Array
  /** Hexadecimal, as lists of revoked certificates and `Certificate.serial` have it. */
  readonly serial: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

export interface Authority {
  /** DER. */
  readonly certificate: Uint8Array
  /**
   * @param request PKCS #10 in DER.
   * @returns faults of `checkCertificationRequest`, `keyOfAuthority`, `notOneIdentity`, `wrongLifetime`, `outlivesAuthority`.
   */
  signDeviceCertificate(request: Uint8Array, options: DeviceCertificateOptions): Promise<Result<IssuedCertificate>>
  issueGatewayCertificate(options: GatewayCertificateOptions): Promise<Result<IssuedCertificate>>
  /** @returns the list in DER. */
  issueCrl(options: CrlOptions): Promise<Uint8Array>
}

/** Clocks of devices are late now and then. */
const BACKDATE_MS = 5 * 60_000
const MIN_LIFETIME_MS = 60_000
const MAX_LIFETIME_MS = 20 * 366 * 86_400_000
const SERIAL_BYTES = 16
/** ub-common-name (RFC 5280 appendix A). */
const MAX_COMMON_NAME_CHARS = 64
const MAX_GATEWAY_NAMES = 32

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
/** Old name of a purpose that macOS asked for, and Windows tells gateways apart by. */
const IKE_INTERMEDIATE = '1.3.6.1.5.5.8.2.2'

/** A root of our own: signs devices and gateways, no further authorities. */
export async function makeRoot(options: RootOptions): Promise<Result<AuthorityMaterial>> {
  const { name, keyKind = 'p256', atMs, lifetimeMs } = options
  if (name.length === 0 || name.length > MAX_COMMON_NAME_CHARS) return fault('notOneIdentity')
  if (!isLifetime(lifetimeMs)) return fault('wrongLifetime')
  const { privateKey, publicKey } = await makeKeyPair(keyKind)
  const signer = await importKey(privateKey)
  if (signer === null) throw new InvariantError('a key of ours does not sign')
  const plan: CertificatePlan = {
    serial: randomSerial(),
    subject: name,
    ...validity(atMs, lifetimeMs),
    publicKey,
    names: [],
    isAuthority: true,
    purposes: [],
    crlUrl: null,
  }
  return good({ certificate: await encodeCertificate(plan, signer), privateKey })
}

/**
 * @param material copied; the caller zeroes its own private key.
 * @returns faults of `trustAnchors`, `unusableKey`, `keyMismatch`.
 */
export async function openAuthority(material: AuthorityMaterial): Promise<Result<Authority>> {
  const anchors = trustAnchors([material.certificate])
  if (!anchors.ok) return anchors
  const certificate = anchors.value.all[0]?.certificate
  const signer = await importKey(material.privateKey)
  const key = signingKey(material.privateKey)
  if (certificate === undefined || signer === null || key === null) return fault('unusableKey')
  if (!isPair(material.privateKey, certificate.spki)) return fault('keyMismatch')
  return good(createAuthority({ certificate, signer, key, anchors: anchors.value }))
}

interface OpenAuthority {
  readonly certificate: Certificate
  readonly signer: EncoderKey
  readonly key: SigningKey
  readonly anchors: TrustAnchors
}

function createAuthority(own: OpenAuthority): Authority {
  return {
    certificate: own.certificate.der,
    async signDeviceCertificate(request, { identity, atMs, lifetimeMs, serial, crlUrl }) {
      const checked = checkCertificationRequest(request)
      if (!checked.ok) return checked
      const name = deviceName(identity)
      if (name === null) return fault('notOneIdentity')
      const leaf: Leaf = { publicKey: checked.value.spki, names: [name], purposes: [CLIENT_AUTH] }
      return issue(own, leaf, { atMs, lifetimeMs, serial, crlUrl, purpose: 'device' })
    },
    async issueGatewayCertificate({ publicKey, names, atMs, lifetimeMs }) {
      const read = names.map(gatewayName)
      const good = read.filter((name) => name !== null)
      if (good.length !== read.length || good.length === 0 || good.length > MAX_GATEWAY_NAMES) {
        return fault('notOneIdentity')
      }
      if (verifyingKey(publicKey) === null) return fault('unusableKey')
      const leaf: Leaf = { publicKey, names: good, purposes: [SERVER_AUTH, IKE_INTERMEDIATE] }
      return issue(own, leaf, { atMs, lifetimeMs, purpose: 'gateway' })
    },
    issueCrl: (options) => issueCrl(own, options),
  }
}

interface Leaf {
  readonly publicKey: Uint8Array
  readonly names: CertificatePlan['names']
  readonly purposes: readonly string[]
}

interface IssueOptions {
  readonly atMs: number
  readonly lifetimeMs: number
  readonly serial?: string | undefined
  readonly crlUrl?: string | undefined
  readonly purpose: Purpose
}

async function issue(own: OpenAuthority, leaf: Leaf, options: IssueOptions): Promise<Result<IssuedCertificate>> {
  const { certificate: issuer, signer, anchors } = own
  const { atMs, lifetimeMs, serial = randomSerial(), crlUrl = null, purpose } = options
  if (compareBytes(leaf.publicKey, issuer.spki) === 0) return fault('keyOfAuthority')
  const span = validity(atMs, lifetimeMs)
  if (!isLifetime(lifetimeMs)) return fault('wrongLifetime')
  if (span.notAfterMs > issuer.notAfterMs) return fault('outlivesAuthority')
  const subject = leaf.names.find(({ type }) => type !== 'ip')?.value ?? null
  const plan: CertificatePlan = {
    ...leaf,
    ...span,
    serial,
    subject: subject !== null && subject.length <= MAX_COMMON_NAME_CHARS ? subject : null,
    issuer: issuer.subject,
    issuerKey: issuer.spki,
    isAuthority: false,
    crlUrl,
  }
  const der = await encodeCertificate(plan, signer)
  const checked = validateChain([der], { anchors, atMs, purpose })
  if (!checked.ok) return checked
  const { notBeforeMs, notAfterMs } = checked.value.certificate
  return good({ certificate: der, serial: checked.value.certificate.serial, notBeforeMs, notAfterMs })
}

async function issueCrl({ certificate: issuer, key }: OpenAuthority, options: CrlOptions): Promise<Uint8Array> {
  const { number, atMs, lifetimeMs, revoked } = options
  const { notBeforeMs: thisUpdateMs, notAfterMs: nextUpdateMs } = validity(atMs, lifetimeMs)
  const issuerKeyId = issuer.extensions.subjectKeyIdentifier
  const plan = { issuer: issuer.subject, issuerKeyId, number, thisUpdateMs, nextUpdateMs }
  const der = encodeCrl({ ...plan, revoked: [...new Map(revoked.map((each) => [each.serial, each])).values()] }, key)
  const checked = createCrlSet().add(der, issuer, atMs)
  if (!checked.ok) throw new InvariantError(`a list of revoked certificates of ours is not good: ${checked.fault.code}`)
  return der
}

function deviceName(identity: string): CertificatePlan['names'][number] | null {
  const octets = new TextEncoder().encode(identity)
  const host = hostName(octets)
  if (host !== null) return { type: 'dns', value: host }
  const mail = mailbox(octets)
  return mail === null ? null : { type: 'email', value: mail }
}

/** An address first: digits and dots are a host name too. */
function gatewayName(name: string): CertificatePlan['names'][number] | null {
  if (parseIp(name) !== undefined) return { type: 'ip', value: name }
  const host = hostName(new TextEncoder().encode(name))
  return host === null ? null : { type: 'dns', value: host }
}

/** Whole seconds, which is what a certificate holds. */
function validity(atMs: number, lifetimeMs: number): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const seconds = (ms: number): number => Math.floor(ms / 1000) * 1000
  return { notBeforeMs: seconds(atMs - BACKDATE_MS), notAfterMs: seconds(atMs + lifetimeMs) }
}

function isLifetime(lifetimeMs: number): boolean {
  return lifetimeMs >= MIN_LIFETIME_MS && lifetimeMs <= MAX_LIFETIME_MS
}

function randomSerial(): string {
  return toHex(randomBytes(SERIAL_BYTES))
}

function isPair(privateKey: Uint8Array, spki: Uint8Array): boolean {
  const der = Buffer.from(privateKey)
  const publicKey = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  der.fill(0)
  return compareBytes(new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })), spki) === 0
}
