/**
 * Diffie-Hellman through node:crypto with private values given by the caller.
 *
 * OpenSSL throws on a peer's value that fails its tests (point off the curve, coordinate too large, all-zero X25519 result):
 * each throw becomes null. OpenSSL keeps its own copy of a private value and clears it when the object is collected.
 * P-256 goes through an ECDH object, which takes a scalar in 20 us where importing a key takes 60 us.
 */
import { DiffieHellman, createECDH, createPublicKey, diffieHellman, getDiffieHellman } from 'node:crypto'
import type { DiffieHellmanGroup } from 'node:crypto'
import { InvariantError, concatBytes } from '@culvert/bytes'
import type { CurveName, PrivateValue } from '../primitives.ts'
import { KE } from '../transform-names.ts'
import { plainBytes } from './plain-bytes.ts'
import { X25519_KEYS } from './x25519-keys.ts'

const MODP_NAMES: ReadonlyMap<number, string> = new Map([
  [KE.MODP_1024, 'modp2'],
  [KE.MODP_1536, 'modp5'],
  [KE.MODP_2048, 'modp14'],
  [KE.MODP_3072, 'modp15'],
  [KE.MODP_4096, 'modp16'],
])

const CURVE_NAMES: Readonly<Record<CurveName, string>> = { p256: 'prime256v1', p384: 'secp384r1', p521: 'secp521r1' }

const setPrivateKey: (this: DiffieHellmanGroup, exponent: Uint8Array) => void = DiffieHellman.prototype.setPrivateKey

const UNCOMPRESSED = Uint8Array.of(4)

export function modp(group: number, exponent: Uint8Array): PrivateValue {
  const name = MODP_NAMES.get(group)
  if (name === undefined) throw new InvariantError(`no MODP group ${group}`)
  const own = getDiffieHellman(name)
  // A named group has no setter of its own, but it is the same kind of object. Making a DiffieHellman from the prime instead
  // tests that prime again: 0.3 s for group 14 and 4 s for group 16.
  setPrivateKey.call(own, exponent)
  own.generateKeys()
  return {
    publicValue: plainBytes(own.getPublicKey()),
    derive: (peer) => orNull(() => own.computeSecret(peer)),
  }
}

export function ecp(curve: CurveName, scalar: Uint8Array): PrivateValue {
  const own = createECDH(CURVE_NAMES[curve])
  own.setPrivateKey(scalar)
  return {
    publicValue: plainBytes(own.getPublicKey()).slice(1),
    derive: (peer) => orNull(() => own.computeSecret(concatBytes(UNCOMPRESSED, peer))),
  }
}

export function x25519(scalar: Uint8Array): PrivateValue {
  const own = X25519_KEYS.importPrivate(scalar)
  return {
    publicValue: X25519_KEYS.exportPublic(createPublicKey(own)),
    derive: (peer) => orNull(() => diffieHellman({ privateKey: own, publicKey: X25519_KEYS.importPublic(peer) })),
  }
}

function orNull(derive: () => Uint8Array): Uint8Array | null {
  try {
    return plainBytes(derive())
  } catch {
    return null
  }
}
