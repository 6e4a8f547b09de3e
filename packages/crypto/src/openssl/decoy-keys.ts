/**
 * Public keys of nobody. To check a signature with one takes as long as with the key that made it, so that who waits for the answer
 * does not learn whether that key is known here. They are made anew with each process; nobody has their private keys, and what a check
 * with one says is worth nothing.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { InvariantError } from '@culvert/bytes'
import { COORDINATE_BYTES } from '../public-key-info.ts'
import type { SignatureScheme, VerifyingKey } from '../provider.ts'
import { plainBytes } from './plain-bytes.ts'
import { DER_OVERHEAD_BYTES, verifyingKey } from './signature.ts'

export interface DecoyKeys {
  /**
   * @param signatureBytes length of the signature, which tells the size of the key
   * @returns null for sizes that hardly anybody's key has, and for dear ones that were not needed yet
   */
  of(scheme: SignatureScheme, signatureBytes: number): VerifyingKey | null
  /**
   * A signature of this kind and length is checked in earnest. P-384 and P-521 cost ten times as much as the others and more, which
   * strangers would have for the asking: where nobody has such a key, no time gives one away.
   */
  need(scheme: SignatureScheme, signatureBytes: number): void
}

const RSA_BITS = [2048, 3072, 4096] as const
/** Shortest first. */
const CURVES = ['p256', 'p384', 'p521'] as const

/** Takes some milliseconds. */
export function createDecoyKeys(): DecoyKeys {
  const rsa = new Map(RSA_BITS.map((bits) => [bits / 8, keyOf(rsaKey(bits))]))
  const curves = CURVES.map((curve) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: `P-${curve.slice(1)}` })
    return { rawBytes: 2 * COORDINATE_BYTES[curve], key: keyOf(publicKey), isNeeded: curve === 'p256' }
  })
  const curveOf = (form: 'der' | 'raw', bytes: number): (typeof curves)[number] | undefined => {
    const overhead = form === 'der' ? DER_OVERHEAD_BYTES : 0
    return curves.find(({ rawBytes }) => bytes <= rawBytes + overhead)
  }
  const ed25519 = keyOf(generateKeyPairSync('ed25519').publicKey)
  return {
    of(scheme, signatureBytes) {
      switch (scheme.kind) {
        case 'rsaPkcs1':
        case 'rsaPss':
          return rsa.get(signatureBytes) ?? null
        case 'ecdsa': {
          const curve = curveOf(scheme.form, signatureBytes)
          return curve?.isNeeded === true ? curve.key : null
        }
        case 'ed25519':
          return ed25519
      }
    },
    need(scheme, signatureBytes) {
      const curve = scheme.kind === 'ecdsa' ? curveOf(scheme.form, signatureBytes) : undefined
      if (curve) curve.isNeeded = true
    },
  }
}

/** A product of two primes takes long to find, and any odd number will do; it begins with ones, as a signature has to be below it. */
function rsaKey(bits: number): KeyObject {
  const modulus = randomBytes(bits / 8)
  modulus.fill(0xff, 0, 8)
  modulus[modulus.length - 1] = (modulus.at(-1) ?? 0) | 1
  return createPublicKey({ key: { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' }, format: 'jwk' })
}

function keyOf(key: KeyObject): VerifyingKey {
  const verifying = verifyingKey(plainBytes(key.export({ format: 'der', type: 'spki' })))
  if (verifying === null) throw new InvariantError('a decoy is a key as others are')
  return verifying
}
