/**
 * Signatures through node:crypto: RSA PKCS#1 v1.5 and PSS (RFC 8017 8), ECDSA (FIPS 186-5 6), Ed25519 (RFC 8032).
 *
 * OpenSSL checks the signature itself; around it stand the checks that others forgot: bounds of modulus and exponent, exact
 * length of a signature, kind of key against scheme, salt length as a plain number (OpenSSL takes negative ones for "any").
 * Everything a peer sent ends in null or false, never in a throw.
 */
import { constants, createPrivateKey, createPublicKey, sign as opensslSign, verify as opensslVerify } from 'node:crypto'
import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import { InvariantError, compareBytes } from '@culvert/bytes'
import { COORDINATE_BYTES, CURVE_BITS, readPublicKeyInfo } from '../public-key-info.ts'
import type { SignatureKeyKind, SignatureScheme, SigningKey, VerifyingKey } from '../provider.ts'
import { fitsKey } from '../signature-scheme.ts'
import { bufferOf, plainBytes } from './plain-bytes.ts'

/** RFC 8247 asks for 2048; above 8192 a single verification costs too much to give to strangers. */
const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 8192
/** Odd and from 3 on (RFC 8017 3.1); 32 bits bound the work and are what Windows takes. Small ones are safe with OpenSSL's strict padding check. */
const MIN_RSA_EXPONENT = 3n
const MAX_RSA_EXPONENT = 0xffff_ffffn

/**
 * A public key to check signatures with.
 *
 * @param spki SubjectPublicKeyInfo in DER, of any length and content; copied.
 * @returns null for an unknown kind, a weak or malformed key and every encoding but the canonical one.
 */
export function verifyingKey(spki: Uint8Array): VerifyingKey | null {
  const info = readPublicKeyInfo(spki)
  if (info === null) return null
  const key = orNull(() => createPublicKey({ key: bufferOf(spki), format: 'der', type: 'spki' }))
  if (key === null || (info.kind === 'rsa' && !isCanonical(key, spki))) return null
  const bits = bitsOf(info.kind, key)
  if (bits === null) return null
  const { kind } = info
  return Object.freeze<VerifyingKey>({
    kind,
    bits,
    verify: (scheme, octets, signature) =>
      fitsKey(scheme, kind, bits) &&
      hasRightLength(signature, scheme, kind, bits) &&
      orNull(() => opensslVerify(hashOf(scheme), octets, { key, ...optionsOf(scheme) }, signature)) === true,
  })
}

/**
 * A private key of ours.
 *
 * @param pkcs8 unencrypted PKCS#8 in DER; copied, so the caller zeroes its own.
 * @returns null for a kind, size or exponent that `verifyingKey` would not take either.
 */
export function signingKey(pkcs8: Uint8Array): SigningKey | null {
  const key = orNull(() => createPrivateKey({ key: bufferOf(pkcs8), format: 'der', type: 'pkcs8' }))
  if (key === null) return null
  const spki = orNull(() => plainBytes(createPublicKey(key).export({ format: 'der', type: 'spki' })))
  const own = spki === null ? null : verifyingKey(spki)
  if (own === null) return null
  const { kind, bits } = own
  return Object.freeze<SigningKey>({
    kind,
    bits,
    sign: (scheme, octets) => {
      if (!fitsKey(scheme, kind, bits)) throw new InvariantError(`a ${kind} key does not sign with ${scheme.kind}`)
      return plainBytes(opensslSign(hashOf(scheme), octets, { key, ...optionsOf(scheme) }))
    },
  })
}

/** The other kinds have fixed frames; of RSA, OpenSSL also reads longer encodings and what trails behind. */
function isCanonical(key: KeyObject, spki: Uint8Array): boolean {
  return compareBytes(plainBytes(key.export({ format: 'der', type: 'spki' })), spki) === 0
}

/** @returns null when modulus or exponent of an RSA key is out of bounds. */
function bitsOf(kind: SignatureKeyKind, key: KeyObject): number | null {
  if (kind !== 'rsa') return CURVE_BITS[kind]
  const { modulusLength: bits, publicExponent: exponent } = key.asymmetricKeyDetails ?? {}
  if (bits === undefined || exponent === undefined) return null
  const isModulusGood = bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS
  const isExponentGood = exponent >= MIN_RSA_EXPONENT && exponent <= MAX_RSA_EXPONENT && (exponent & 1n) === 1n
  return isModulusGood && isExponentGood ? bits : null
}

/** SEQUENCE of two INTEGERs, each with a leading zero, and one long length octet (P-521). */
export const DER_OVERHEAD_BYTES = 9
const MIN_DER_SIGNATURE_BYTES = 8

function hasRightLength(signature: Uint8Array, scheme: SignatureScheme, kind: SignatureKeyKind, bits: number): boolean {
  if (kind === 'rsa') return signature.length === Math.ceil(bits / 8)
  const rawBytes = 2 * COORDINATE_BYTES[kind]
  if (scheme.kind !== 'ecdsa' || scheme.form === 'raw') return signature.length === rawBytes
  return signature.length >= MIN_DER_SIGNATURE_BYTES && signature.length <= rawBytes + DER_OVERHEAD_BYTES
}

/** Ed25519 hashes on its own. */
function hashOf(scheme: SignatureScheme): string | null {
  return scheme.kind === 'ed25519' ? null : scheme.hash
}

/** MGF1 takes the hash of the signature when nothing else is said. */
function optionsOf(scheme: SignatureScheme): Omit<SignKeyObjectInput, 'key'> {
  switch (scheme.kind) {
    case 'rsaPkcs1':
      return { padding: constants.RSA_PKCS1_PADDING }
    case 'rsaPss':
      return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltBytes }
    case 'ecdsa':
      return { dsaEncoding: scheme.form === 'raw' ? 'ieee-p1363' : 'der' }
    case 'ed25519':
      return {}
  }
}

function orNull<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    return null
  }
}
