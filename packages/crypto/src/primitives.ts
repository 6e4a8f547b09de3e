/**
 * What a library has to bring so that `createProvider` can make a `CryptoProvider` of it.
 *
 * Here lengths have been checked already: keys, nonces and IVs fit, a sealed text holds an ICV, a public value has its wire
 * length and a MODP value lies in range (RFC 6989 2.1). What is left to the primitive is the mathematics, which includes
 * the tests a library makes better than we could: point on the curve, all-zero X25519 result.
 */

import type { KeyExchangeAnswer } from './provider.ts'

export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512'
export type AeadName = 'aes-gcm' | 'chacha20-poly1305'
export type CurveName = 'p256' | 'p384' | 'p521'
export type KemName = 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024'

export interface AeadCall {
  readonly name: AeadName
  readonly icvBytes: number
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
}

/** One side of an exchange; `derive` returns null when the peer's value fails a test of the library. */
export interface PrivateValue {
  readonly publicValue: Uint8Array
  derive(peerPublicValue: Uint8Array): Uint8Array | null
  /** Clears the private value, where the library lets us; at the latest the collector does. */
  destroy?(): void
}

/** ML-KEM (FIPS 203) with encapsulation keys and ciphertexts as their octets. */
export interface MlKem {
  /** `seed` is d then z, 64 octets, copied; `derive` takes a ciphertext. */
  generate(name: KemName, seed: Uint8Array): PrivateValue
  /**
   * @param drawMessage gives m, 32 octets; not called by a library that draws it itself.
   * @returns ciphertext and secret, null when the library refuses the key.
   */
  encapsulate(name: KemName, encapsulationKey: Uint8Array, drawMessage: () => Uint8Array): KeyExchangeAnswer | null
}

export interface Primitives {
  hash(name: HashName, chunks: readonly Uint8Array[]): Uint8Array
  hmac(name: HashName, key: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array
  /** All blocks of prf+ (RFC 7296 2.13) with HMAC at once, where a library does that faster; `rounds` is 1 to 255. */
  hmacPlus?(name: HashName, key: Uint8Array, seed: readonly Uint8Array[], rounds: number): Uint8Array
  seal(call: AeadCall, plaintext: Uint8Array): Uint8Array
  open(call: AeadCall, sealed: Uint8Array): Uint8Array | null
  encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array
  decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array
  /** A group of `MODP_GROUPS`; `exponent` big-endian. Values may lack leading zeros. */
  modp(group: number, exponent: Uint8Array): PrivateValue
  /** `scalar` in 1..n-1, big-endian, as long as a coordinate. Public values are x | y, the result is x (RFC 5903 7). */
  ecp(curve: CurveName, scalar: Uint8Array): PrivateValue
  /** `scalar` 32 bytes, clamped by the primitive. */
  x25519(scalar: Uint8Array): PrivateValue
  /** Left out by a library that has none. */
  readonly mlKem?: MlKem | undefined
  /** Both at once, where a library does that faster than in two steps; null when the peer's value fails its tests. */
  respondX25519?(scalar: Uint8Array, peerPublicValue: Uint8Array): KeyExchangeAnswer | null
}
