/**
 * ML-KEM as a key exchange method of IKEv2 (FIPS 203, draft-ietf-ipsecme-ikev2-mlkem): the initiator sends an encapsulation key,
 * the responder answers with a ciphertext, both hold the same 32 octets.
 *
 * Made here, before a library sees the peer's value: the exact wire length, and the modulus check of the encapsulation key
 * (FIPS 203 7.2; RFC 6989 asks the like of other methods). A ciphertext of the right length always gives a secret: one that was
 * tampered with gives another secret (implicit rejection), and the next message fails its ICV.
 */
import { InvariantError, zeroize } from '@culvert/bytes'
import { exchange } from './key-exchange-private.ts'
import type { KemName, Primitives } from './primitives.ts'
import type { KeyExchangeMethod, Rng } from './provider.ts'
import { KE } from './transform-names.ts'

interface KemSpec {
  readonly id: number
  readonly name: KemName
  /** Rank k of the module. */
  readonly rank: number
  readonly ciphertextBytes: number
}

const SPECS: readonly KemSpec[] = [
  { id: KE.ML_KEM_512, name: 'ml-kem-512', rank: 2, ciphertextBytes: 768 },
  { id: KE.ML_KEM_768, name: 'ml-kem-768', rank: 3, ciphertextBytes: 1088 },
  { id: KE.ML_KEM_1024, name: 'ml-kem-1024', rank: 4, ciphertextBytes: 1568 },
]

/** d then z (FIPS 203 7.1). */
const SEED_BYTES = 64
/** m (FIPS 203 7.2). */
const MESSAGE_BYTES = 32
const SHARED_BYTES = 32
const Q = 3329
/** 256 coefficients of 12 bits. */
const POLYNOMIAL_BYTES = 384
/** The seed of the matrix, behind the polynomials. */
const RHO_BYTES = 32

/** @returns none where the library has no ML-KEM. */
export function mlKemMethods({ mlKem }: Primitives): readonly KeyExchangeMethod[] {
  return mlKem === undefined ? [] : SPECS.map((spec) => method(spec, mlKem))
}

function method(
  { id, name, rank, ciphertextBytes }: KemSpec,
  kem: NonNullable<Primitives['mlKem']>,
): KeyExchangeMethod {
  const publicBytes = POLYNOMIAL_BYTES * rank + RHO_BYTES
  return Object.freeze<KeyExchangeMethod>({
    id,
    publicBytes,
    sharedBytes: SHARED_BYTES,
    generate: (rng) => {
      const seed = draw(rng, SEED_BYTES)
      const own = kem.generate(name, seed)
      zeroize(seed)
      return exchange(own, own.publicValue, (ciphertext) =>
        ciphertext.length === ciphertextBytes ? own.derive(ciphertext) : null,
      )
    },
    respond: (rng, peer) => {
      if (peer.length !== publicBytes || !isReduced(peer.subarray(0, -RHO_BYTES))) return null
      return kem.encapsulate(name, peer, () => draw(rng, MESSAGE_BYTES))
    },
  })
}

/** Every 12-bit coefficient is below q, so encoding the decoded key gives the key again. The value is public. */
function isReduced(polynomials: Uint8Array): boolean {
  for (let index = 0; index < polynomials.length; index += 3) {
    const middle = polynomials[index + 1] ?? 0
    const first = (polynomials[index] ?? 0) | ((middle & 0x0f) << 8)
    const second = (middle >>> 4) | ((polynomials[index + 2] ?? 0) << 4)
    if (first >= Q || second >= Q) return false
  }
  return true
}

function draw(rng: Rng, length: number): Uint8Array {
  const bytes = rng(length)
  if (bytes.length !== length) throw new InvariantError('the random number generator returned a wrong length')
  return bytes
}
