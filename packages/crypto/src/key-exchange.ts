/**
 * Key exchange methods over a library's primitives: MODP (RFC 2409, RFC 3526), ECP (RFC 5903), Curve25519 (RFC 8031); ML-KEM is in
 * `ml-kem.ts`.
 *
 * Private values are drawn from the caller's `rng` only and in the same way for every provider, so that equal randomness
 * gives equal public values. Every test of RFC 6989 that does not need curve arithmetic is made here, before a library sees
 * the peer's value: exact wire length, and 1 < r < p-1 for MODP. Public and shared MODP values are padded on the left to the
 * length of the prime (RFC 7296 2.14, 3.4); libraries do not do that reliably.
 */
import { InvariantError, compareBytes, zeroize } from '@culvert/bytes'
import { exchange } from './key-exchange-private.ts'
import { mlKemMethods } from './ml-kem.ts'
import { MODP_GROUPS } from './modp-groups.ts'
import type { ModpGroup } from './modp-groups.ts'
import type { CurveName, Primitives } from './primitives.ts'
import type { KeyExchangeAnswer, KeyExchangeMethod, Rng } from './provider.ts'
import { KE } from './transform-names.ts'

export function keyExchangeMethods(primitives: Primitives): ReadonlyMap<number, KeyExchangeMethod> {
  const methods = [
    ...MODP_GROUPS.map((group) => modpMethod(group, primitives)),
    ...CURVES.map((curve) => ecpMethod(curve, primitives)),
    curve25519Method(primitives),
    ...mlKemMethods(primitives),
  ]
  return new Map(methods.map((method) => [method.id, method]))
}

interface Curve {
  readonly id: number
  readonly name: CurveName
  readonly coordinateBytes: number
  /** Order n of the base point. */
  readonly order: bigint
}

const CURVES: readonly Curve[] = [
  {
    id: KE.ECP_256,
    name: 'p256',
    coordinateBytes: 32,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  {
    id: KE.ECP_384,
    name: 'p384',
    coordinateBytes: 48,
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  {
    id: KE.ECP_521,
    name: 'p521',
    coordinateBytes: 66,
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
]

const CURVE25519_BYTES = 32
/** A draw is rejected with a probability of at most 2^-32: this many in a row means that the generator is broken. */
const MAX_DRAWS = 16

function modpMethod(group: ModpGroup, primitives: Primitives): KeyExchangeMethod {
  const length = group.prime.length
  return diffieHellman({
    id: group.id,
    publicBytes: length,
    sharedBytes: length,
    generate: (rng) => {
      const exponent = draw(rng, group.exponentBytes)
      exponent[0] = (exponent[0] ?? 0) | 0x80 // a fixed bit length: never 0 or 1, and modular exponentiation takes equal time
      const own = withSecret(exponent, () => primitives.modp(group.id, exponent))
      return exchange(own, padLeft(own.publicValue, length), (peer) => {
        if (!isModpValueInRange(peer, group.prime)) return null
        const shared = own.derive(peer)
        return shared === null ? null : padLeft(shared, length)
      })
    },
  })
}

function ecpMethod(curve: Curve, primitives: Primitives): KeyExchangeMethod {
  const publicBytes = 2 * curve.coordinateBytes
  const order = bigEndian(curve.order, curve.coordinateBytes)
  return diffieHellman({
    id: curve.id,
    publicBytes,
    sharedBytes: curve.coordinateBytes,
    generate: (rng) => {
      const scalar = drawScalar(rng, order)
      const own = withSecret(scalar, () => primitives.ecp(curve.name, scalar))
      return exchange(own, own.publicValue, (peer) => (peer.length === publicBytes ? own.derive(peer) : null))
    },
  })
}

function curve25519Method(primitives: Primitives): KeyExchangeMethod {
  const method = diffieHellman({
    id: KE.CURVE25519,
    publicBytes: CURVE25519_BYTES,
    sharedBytes: CURVE25519_BYTES,
    generate: (rng) => {
      const scalar = draw(rng, CURVE25519_BYTES)
      const own = withSecret(scalar, () => primitives.x25519(scalar))
      return exchange(own, own.publicValue, (peer) => (peer.length === CURVE25519_BYTES ? own.derive(peer) : null))
    },
  })
  const { respondX25519 } = primitives
  if (respondX25519 === undefined) return method
  return Object.freeze<KeyExchangeMethod>({
    ...method,
    respond: (rng, peer) => {
      const scalar = draw(rng, CURVE25519_BYTES)
      return withSecret(scalar, () => (peer.length === CURVE25519_BYTES ? respondX25519(scalar, peer) : null))
    },
  })
}

/** Both sides of a Diffie-Hellman exchange do the same. */
function diffieHellman(method: Omit<KeyExchangeMethod, 'respond'>): KeyExchangeMethod {
  return Object.freeze<KeyExchangeMethod>({
    ...method,
    respond: (rng, peer): KeyExchangeAnswer | null => {
      const own = method.generate(rng)
      const sharedSecret = own.sharedSecret(peer)
      own.destroy()
      return sharedSecret === null ? null : { publicValue: own.publicValue, sharedSecret }
    },
  })
}

/** RFC 6989 2.1: exactly the prime's length and 1 < r < p-1. The value is public: the comparison need not be constant-time. */
function isModpValueInRange(value: Uint8Array, prime: Uint8Array): boolean {
  if (value.length !== prime.length) return false
  const atMostOne = value.subarray(0, -1).every((octet) => octet === 0) && (value.at(-1) ?? 0) <= 1
  const pMinus1 = prime.slice()
  pMinus1[prime.length - 1] = (prime.at(-1) ?? 0) - 1 // p is odd: no borrow
  return !atMostOne && compareBytes(value, pMinus1) < 0
}

/** Uniform in 1..n-1 by testing candidates (FIPS 186-5 A.2.2). */
function drawScalar(rng: Rng, order: Uint8Array): Uint8Array {
  const excessBits = Math.clz32(order[0] ?? 0) - 24
  for (let draws = 0; draws < MAX_DRAWS; draws++) {
    const candidate = draw(rng, order.length)
    candidate[0] = (candidate[0] ?? 0) & (0xff >>> excessBits)
    if (candidate.some((octet) => octet !== 0) && compareBytes(candidate, order) < 0) return candidate
    zeroize(candidate)
  }
  throw new InvariantError('the random number generator repeats itself')
}

function draw(rng: Rng, length: number): Uint8Array {
  const bytes = rng(length)
  if (bytes.length !== length) throw new InvariantError('the random number generator returned a wrong length')
  return bytes
}

/** The library keeps its own copy of the private value for as long as the exchange lives; ours goes at once. */
function withSecret<T>(secret: Uint8Array, use: () => T): T {
  try {
    return use()
  } finally {
    zeroize(secret)
  }
}

function padLeft(value: Uint8Array, length: number): Uint8Array {
  if (value.length === length) return value
  if (value.length > length) throw new InvariantError('a group element is longer than its prime')
  const padded = new Uint8Array(length)
  padded.set(value, length - value.length)
  return padded
}

function bigEndian(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return bytes
}
