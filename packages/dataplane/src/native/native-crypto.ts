/**
 * The provider of cryptography for IKE on the OpenSSL inside Node, and the comparison with node:crypto that it has to pass.
 */
import { concatBytes } from '@culvert/bytes'
import { createProvider, opensslPrimitives, type CryptoProvider, type HashName, type Primitives } from '@culvert/crypto'
import { createEvpPrimitives, NativeUnavailableError, PacketMemory, PRIMITIVES_BYTES } from '../foreign/index.ts'

const HASHES: readonly HashName[] = ['sha1', 'sha256', 'sha384', 'sha512']
const AEADS = [
  { name: 'aes-gcm', keyBytes: 16, icvBytes: 8 },
  { name: 'aes-gcm', keyBytes: 24, icvBytes: 12 },
  { name: 'aes-gcm', keyBytes: 32, icvBytes: 16 },
  { name: 'chacha20-poly1305', keyBytes: 32, icvBytes: 16 },
] as const

/** @throws NativeUnavailableError when the functions are missing or do not compute what node:crypto computes. */
export function createNativeCrypto(): CryptoProvider {
  const primitives = createEvpPrimitives(new PacketMemory(PRIMITIVES_BYTES), opensslPrimitives)
  for (const [what, passes] of CHECKS) {
    if (!passes(primitives)) throw new NativeUnavailableError(`${what} is not what node:crypto computes`)
  }
  return createProvider('native', primitives)
}

const CHECKS: readonly (readonly [what: string, passes: (primitives: Primitives) => boolean])[] = [
  ['a hash', (native) => HASHES.every((name) => equal(native.hash(name, TEXT), opensslPrimitives.hash(name, TEXT)))],
  ['HMAC', (native) => HASHES.every((name) => [0, 32, 200].every((keyBytes) => macsAgree(native, name, keyBytes)))],
  ['an AEAD', (native) => AEADS.every((aead) => aeadsAgree(native, aead))],
  ['X25519', x25519Agrees],
]

const TEXT: readonly Uint8Array[] = [counting(3), counting(0), counting(150)]

function macsAgree(native: Primitives, name: HashName, keyBytes: number): boolean {
  const key = counting(keyBytes)
  const mac = opensslPrimitives.hmac(name, key, TEXT)
  const seed = counting(40)
  const first = opensslPrimitives.hmac(name, key, [seed, Uint8Array.of(1)])
  const second = opensslPrimitives.hmac(name, key, [first, seed, Uint8Array.of(2)])
  const third = opensslPrimitives.hmac(name, key, [second, seed, Uint8Array.of(3)])
  const blocks = native.hmacPlus?.(name, key, [seed.subarray(0, 15), seed.subarray(15)], 3)
  const isPlus = blocks !== undefined && equal(blocks, concatBytes(first, second, third))
  return isPlus && equal(native.hmac(name, key, TEXT), mac)
}

function aeadsAgree(native: Primitives, { name, keyBytes, icvBytes }: (typeof AEADS)[number]): boolean {
  const call = { name, icvBytes, key: counting(keyBytes), nonce: counting(12), aad: counting(29) }
  const plaintext = counting(77)
  const sealed = opensslPrimitives.seal(call, plaintext)
  const forged = sealed.with(sealed.length - 1, (sealed.at(-1) ?? 0) ^ 1)
  const opened = native.open(call, sealed)
  const isForgedOpened = native.open(call, forged) !== null
  return equal(native.seal(call, plaintext), sealed) && opened !== null && equal(opened, plaintext) && !isForgedOpened
}

/** Both ends of an exchange come to one secret, and a public value of small order is refused (RFC 7748 6.1). */
function x25519Agrees({ respondX25519, x25519 }: Primitives): boolean {
  if (respondX25519 === undefined) return false
  const initiator = opensslPrimitives.x25519(counting(32))
  const isSamePublic = equal(x25519(counting(32)).publicValue, initiator.publicValue)
  const answer = respondX25519(counting(32).fill(7), initiator.publicValue)
  const shared = answer === null ? null : initiator.derive(answer.publicValue)
  const isZeroRefused = respondX25519(counting(32), new Uint8Array(32)) === null
  return isSamePublic && answer !== null && shared !== null && equal(shared, answer.sharedSecret) && isZeroRefused
}

/** Octets 1, 2, 3 ... */
function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index + 1)
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
