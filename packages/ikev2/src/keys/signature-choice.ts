/**
 * Which AUTH method and scheme we sign with, and how a signature of the peer is to be read (RFC 7296 2.15, 3.8; RFC 4754, 7427, 8420).
 *
 * ```
 *   peer announced hashes     method 14 with one of them
 *   it announced none         9, 10, 11 by curve; RSA by method 1 with SHA-1 where that is allowed, else nothing
 * ```
 *
 * RSA in method 14: as the peer signs, PKCS #1 v1.5 towards peers that did not sign, because more of them can check it.
 */
import type { SignatureHash, SignatureKeyKind, SignatureScheme, VerifyingKey } from '@culvert/crypto'
import { AUTH_METHOD } from '../message/numbers.ts'
import { HASH_BYTES, readSignature, writeSignature } from './signature-algorithm.ts'
import type { AnnouncedHash } from './signature-hashes.ts'

/** RSA keys below are refused (RFC 8247 4.1.1). */
const MIN_RSA_BITS = 2048

export interface SignatureChoice {
  readonly method: number
  readonly scheme: SignatureScheme
}

export interface PeerAbilities {
  /** What the peer announced; null when it sent no SIGNATURE_HASH_ALGORITHMS. */
  readonly hashes: readonly AnnouncedHash[] | null
  /** Method 1 with SHA-1 may be used where there is nothing better. */
  readonly allowsSha1: boolean
  readonly rsa: 'rsaPkcs1' | 'rsaPss'
}

/** @returns null when the peer could not check any signature of such a key. */
export function chooseSignature(kind: SignatureKeyKind, peer: PeerAbilities): SignatureChoice | null {
  if (peer.hashes === null) return legacyChoice(kind, peer.allowsSha1)
  const scheme = announcedScheme(kind, peer.hashes, peer.rsa)
  return scheme === null ? null : { method: AUTH_METHOD.DIGITAL_SIGNATURE, scheme }
}

function legacyChoice(kind: SignatureKeyKind, allowsSha1: boolean): SignatureChoice | null {
  if (kind === 'rsa') {
    if (!allowsSha1) return null
    return { method: AUTH_METHOD.RSA_SIGNATURE, scheme: { kind: 'rsaPkcs1', hash: 'sha1' } }
  }
  const ecdsa = LEGACY_ECDSA.find((entry) => entry.key === kind)
  return ecdsa === undefined ? null : { method: ecdsa.method, scheme: ecdsa.scheme }
}

const LEGACY_ECDSA = (
  [
    ['p256', AUTH_METHOD.ECDSA_SHA256_P256, 'sha256'],
    ['p384', AUTH_METHOD.ECDSA_SHA384_P384, 'sha384'],
    ['p521', AUTH_METHOD.ECDSA_SHA512_P521, 'sha512'],
  ] as const
).map(([key, method, hash]) => ({ key, method, scheme: { kind: 'ecdsa', hash, form: 'raw' } as const }))

/** Hashes in order of preference: the one of the key's own strength first. */
const PREFERRED: Readonly<Record<Exclude<SignatureKeyKind, 'ed25519'>, readonly Exclude<SignatureHash, 'sha1'>[]>> = {
  rsa: ['sha256', 'sha384', 'sha512'],
  p256: ['sha256', 'sha384', 'sha512'],
  p384: ['sha384', 'sha512', 'sha256'],
  p521: ['sha512', 'sha384', 'sha256'],
}

function announcedScheme(
  kind: SignatureKeyKind,
  hashes: readonly AnnouncedHash[],
  rsa: PeerAbilities['rsa'],
): SignatureScheme | null {
  if (kind === 'ed25519') return hashes.includes('identity') ? { kind: 'ed25519' } : null
  const hash = PREFERRED[kind].find((candidate) => hashes.includes(candidate))
  if (hash === undefined) return null
  if (kind !== 'rsa') return { kind: 'ecdsa', hash, form: 'der' }
  return rsa === 'rsaPss' ? { kind: 'rsaPss', hash, saltBytes: HASH_BYTES[hash] } : { kind: 'rsaPkcs1', hash }
}

/** AUTH data around a signature of ours. */
export function signatureData({ method, scheme }: SignatureChoice, value: Uint8Array): Uint8Array {
  return method === AUTH_METHOD.DIGITAL_SIGNATURE ? (writeSignature(scheme, value) ?? value) : value
}

/** A signature of the peer: it is good when it is good under one of the schemes, with a key of that kind. */
export interface PeerSignature {
  readonly schemes: readonly SignatureScheme[]
  /** Null: every kind the scheme goes with. */
  readonly keyKind: SignatureKeyKind | null
  readonly value: Uint8Array
  /** It is one of method 1, which only peers of the tier `compat` may use. */
  readonly isLegacyRsa: boolean
}

/**
 * What the AUTH payload says about its signature.
 *
 * @param hashes what both ends announced; null when nothing was: then there is no method 14 (RFC 7427 4), else no method 1.
 * @returns null for what is no signature we check.
 */
export function peerSignature(
  method: number,
  data: Uint8Array,
  hashes: readonly AnnouncedHash[] | null,
): PeerSignature | null {
  if (method === AUTH_METHOD.DIGITAL_SIGNATURE) {
    const read = hashes === null ? null : readSignature(data)
    return read && { schemes: [read.scheme], keyKind: null, value: read.value, isLegacyRsa: false }
  }
  if (method === AUTH_METHOD.RSA_SIGNATURE) {
    if (hashes !== null) return null
    const schemes = (['sha1', 'sha256'] as const).map((hash) => ({ kind: 'rsaPkcs1', hash }) as const)
    return { schemes, keyKind: 'rsa', value: data, isLegacyRsa: true }
  }
  const ecdsa = LEGACY_ECDSA.find((entry) => entry.method === method)
  return ecdsa === undefined ? null : { schemes: [ecdsa.scheme], keyKind: ecdsa.key, value: data, isLegacyRsa: false }
}

/** Whether `key` made this signature over `octets`; every scheme is tried. */
export function isSignedBy(key: VerifyingKey, signature: PeerSignature, octets: Uint8Array): boolean {
  let isGood = false
  for (const scheme of signature.schemes) if (key.verify(scheme, octets, signature.value)) isGood = true
  const isFit = signature.keyKind === null || signature.keyKind === key.kind
  return isGood && isFit && (key.kind !== 'rsa' || key.bits >= MIN_RSA_BITS)
}
