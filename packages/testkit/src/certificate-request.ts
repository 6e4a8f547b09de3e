/** A certificate request (PKCS#10, RFC 2986) as a device makes it: a key of its own, any subject, signed with that key. */
import { generateKeyPairSync, sign, type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto'

export interface CertificateRequest {
  /** PEM. */
  readonly csr: string
  readonly der: Uint8Array
  readonly privateKey: KeyObject
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
}

export type RequestKey = 'ecdsa-p256' | 'ecdsa-p521' | 'ed25519' | 'rsa-2048' | 'rsa-3072'

interface KeyKind {
  make(): KeyPairKeyObjectResult
  readonly hash: string | null
  /** Contents of the AlgorithmIdentifier of its signature. */
  readonly algorithm: string
}

const KEYS: Readonly<Record<RequestKey, KeyKind>> = {
  'ecdsa-p256': {
    make: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    hash: 'sha256',
    algorithm: '06082a8648ce3d040302',
  },
  'ecdsa-p521': {
    make: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    hash: 'sha512',
    algorithm: '06082a8648ce3d040304',
  },
  ed25519: { make: () => generateKeyPairSync('ed25519'), hash: null, algorithm: '06032b6570' },
  'rsa-2048': rsa(2048),
  'rsa-3072': rsa(3072),
}

function rsa(modulusLength: number): KeyKind {
  return {
    make: () => generateKeyPairSync('rsa', { modulusLength }),
    hash: 'sha256',
    algorithm: '06092a864886f70d01010b0500',
  }
}

/** @param subject common name that the device asks for */
export function newCertificateRequest(subject = 'anything', kind: RequestKey = 'ecdsa-p256'): CertificateRequest {
  const { make, hash, algorithm } = KEYS[kind]
  const { privateKey, publicKey } = make()
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const commonName = tlv(0x30, Buffer.from([0x06, 3, 0x55, 4, 3]), tlv(0x0c, Buffer.from(subject)))
  const info = tlv(0x30, Buffer.from([2, 1, 0]), tlv(0x30, tlv(0x31, commonName)), spki, tlv(0xa0))
  const signature = tlv(0x03, Buffer.of(0), sign(hash, info, privateKey))
  const der = tlv(0x30, info, tlv(0x30, Buffer.from(algorithm, 'hex')), signature)
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    csr: ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n'),
    der: new Uint8Array(der),
    privateKey,
    publicKey: new Uint8Array(spki),
  }
}

/** DER: short length or the two long ones that are needed here. */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts)
  const { length } = value
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), value])
}
