/**
 * Checks of ECDSA and Ed25519 through @noble/curves: the oracle of the OpenSSL side, and for runtimes without OpenSSL.
 *
 * noble throws on some malformed signatures; each throw becomes false. RSA is not there.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@culvert/bytes'
import { CURVE_BITS, readPublicKeyInfo } from '../public-key-info.ts'
import type { CurveKind, PublicKeyInfo } from '../public-key-info.ts'
import type { SignatureScheme, VerifyingKey } from '../provider.ts'
import { fitsKey } from '../signature-scheme.ts'

const CURVES = { p256, p384, p521 } as const
const HASHES = { sha1, sha256, sha384, sha512 } as const
const UNCOMPRESSED = Uint8Array.of(4)

/** @param spki SubjectPublicKeyInfo in DER. @returns null for RSA, an unknown kind, and a point off its curve. */
export function nobleVerifyingKey(spki: Uint8Array): VerifyingKey | null {
  const info = readPublicKeyInfo(spki)
  if (info === null || info.kind === 'rsa') return null
  const { kind } = info
  const value = kind === 'ed25519' ? Uint8Array.from(info.value) : concatBytes(UNCOMPRESSED, info.value)
  if (!isOnCurve(kind, value)) return null
  const bits = CURVE_BITS[kind]
  return Object.freeze<VerifyingKey>({
    kind,
    bits,
    verify: (scheme, octets, signature) => {
      if (!fitsKey(scheme, kind, bits)) return false
      try {
        return check(scheme, { kind, value }, octets, signature)
      } catch {
        return false
      }
    },
  })
}

function check(scheme: SignatureScheme, key: PublicKeyInfo, octets: Uint8Array, signature: Uint8Array): boolean {
  if (scheme.kind === 'ed25519') return ed25519.verify(signature, octets, key.value, { zip215: false })
  if (scheme.kind !== 'ecdsa' || key.kind === 'rsa' || key.kind === 'ed25519') return false
  const format = scheme.form === 'raw' ? 'compact' : 'der'
  const digest = HASHES[scheme.hash](octets)
  return CURVES[key.kind].verify(signature, digest, key.value, { prehash: false, lowS: false, format })
}

function isOnCurve(kind: CurveKind, value: Uint8Array): boolean {
  try {
    if (kind === 'ed25519') ed25519.Point.fromBytes(value)
    else CURVES[kind].Point.fromBytes(value).assertValidity()
    return true
  } catch {
    return false
  }
}
