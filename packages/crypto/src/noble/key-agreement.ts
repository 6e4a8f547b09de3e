/**
 * Diffie-Hellman through @noble/curves, and MODP on BigInt.
 *
 * Portable and independent, but not constant-time: for tests, simulation and runtimes without OpenSSL. noble throws on a
 * peer's value that fails its tests; each throw becomes null. Private values are copied and live as long as the exchange.
 */
import { pow } from '@noble/curves/abstract/modular.js'
import { x25519 as curve25519 } from '@noble/curves/ed25519.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js'
import { InvariantError, concatBytes } from '@culvert/bytes'
import { MODP_GENERATOR, MODP_GROUPS } from '../modp-groups.ts'
import type { CurveName, PrivateValue } from '../primitives.ts'

const CURVES = { p256, p384, p521 } as const
const UNCOMPRESSED = Uint8Array.of(4)

export function modp(id: number, exponentBytes: Uint8Array): PrivateValue {
  const group = MODP_GROUPS.find((candidate) => candidate.id === id)
  if (group === undefined) throw new InvariantError(`no MODP group ${id}`)
  const prime = bytesToNumberBE(group.prime)
  const exponent = bytesToNumberBE(exponentBytes)
  const raise = (base: bigint): Uint8Array => numberToBytesBE(pow(base, exponent, prime), group.prime.length)
  return {
    publicValue: raise(BigInt(MODP_GENERATOR)),
    derive: (peer) => raise(bytesToNumberBE(peer)),
  }
}

export function ecp(name: CurveName, scalar: Uint8Array): PrivateValue {
  const curve = CURVES[name]
  const own = scalar.slice()
  return {
    publicValue: curve.getPublicKey(own, false).slice(1),
    derive: (peer) =>
      orNull(() => curve.getSharedSecret(own, concatBytes(UNCOMPRESSED, peer), false).slice(1, 1 + own.length)),
  }
}

export function x25519(scalar: Uint8Array): PrivateValue {
  const own = scalar.slice()
  return {
    publicValue: curve25519.getPublicKey(own),
    derive: (peer) => orNull(() => curve25519.getSharedSecret(own, peer)),
    destroy: () => void own.fill(0),
  }
}

function orNull(derive: () => Uint8Array): Uint8Array | null {
  try {
    return derive()
  } catch {
    return null
  }
}
