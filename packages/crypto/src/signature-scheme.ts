/**
 * Which signature scheme goes with which key (RFC 7427 3, RFC 4754 3, RFC 8420 2).
 */
import type { SignatureHash, SignatureKeyKind, SignatureScheme } from './provider.ts'

const HASH_BYTES: Readonly<Record<SignatureHash, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

/** r | s exists as methods 9, 10 and 11 only, each a curve together with a hash (RFC 4754 3). */
const RAW_HASH: Readonly<Record<Exclude<SignatureKeyKind, 'rsa' | 'ed25519'>, SignatureHash>> = {
  p256: 'sha256',
  p384: 'sha384',
  p521: 'sha512',
}

/** Total: an unknown name of scheme, hash or form fits nothing. @param bits of the key. */
export function fitsKey(scheme: SignatureScheme, kind: SignatureKeyKind, bits: number): boolean {
  switch (scheme.kind) {
    case 'rsaPkcs1':
      return kind === 'rsa' && Object.hasOwn(HASH_BYTES, scheme.hash)
    case 'rsaPss':
      return kind === 'rsa' && isSaltGood(scheme.saltBytes, scheme.hash, bits)
    case 'ecdsa':
      if (kind === 'rsa' || kind === 'ed25519' || !Object.hasOwn(HASH_BYTES, scheme.hash)) return false
      return scheme.form === 'der' || RAW_HASH[kind] === scheme.hash
    case 'ed25519':
      return kind === 'ed25519'
  }
}

/** EMSA-PSS holds a hash, a salt and two octets (RFC 8017 9.1.1), in one bit less than the modulus has. */
function isSaltGood(saltBytes: number, hash: SignatureHash, bits: number): boolean {
  const hashBytes = Object.hasOwn(HASH_BYTES, hash) ? HASH_BYTES[hash] : Number.POSITIVE_INFINITY
  return Number.isInteger(saltBytes) && saltBytes >= 0 && saltBytes <= Math.ceil((bits - 1) / 8) - hashBytes - 2
}
