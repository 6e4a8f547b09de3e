/**
 * What a provider of cryptography offers to IKEv2 and ESP, by IANA transform id.
 *
 * Two providers implement it: `openssl` (node:crypto, what production runs) and `noble` (portable, the independent oracle).
 * Every method is synchronous and total on peer input: a bad public value, tag or padding is a `null` or `false`, never a
 * throw. A wrong length of our own key is a bug and throws. Outputs are fresh buffers unless a signature says otherwise.
 */

/** Fills a fresh array of `length` bytes with randomness; the only source of randomness anything here uses. */
export type Rng = (length: number) => Uint8Array

/** Pseudorandom function (IKEv2 transform type 2). */
export interface Prf {
  readonly id: number
  readonly keyBytes: number
  readonly outputBytes: number
  /** prf(key, chunks joined); the key may have any length. */
  compute(key: Uint8Array, ...chunks: Uint8Array[]): Uint8Array
  /** The first `rounds` (1 to 255) blocks of prf+ (RFC 7296 2.13) in one array; left out where `compute` is as good. */
  plus?(key: Uint8Array, seed: readonly Uint8Array[], rounds: number): Uint8Array
}

/** Integrity transform (type 3): a truncated MAC. */
export interface Integrity {
  readonly id: number
  readonly keyBytes: number
  readonly icvBytes: number
  compute(key: Uint8Array, ...chunks: Uint8Array[]): Uint8Array
}

/** Encryption transform (type 1) with authentication built in (AES-GCM, ChaCha20-Poly1305). */
export interface AeadCipher {
  readonly kind: 'aead'
  readonly id: number
  /** Length of the key alone, without the salt. */
  readonly keyBytes: number
  readonly saltBytes: number
  readonly ivBytes: number
  readonly icvBytes: number
  readonly blockBytes: number
  /** @returns ciphertext followed by the ICV. `nonce` is salt then IV, 12 bytes. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** @returns the plaintext, or null when the ICV does not match. `sealed` is ciphertext then ICV. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null
}

/** Encryption transform without authentication (AES-CBC), always used together with an Integrity transform. */
export interface BlockCipher {
  readonly kind: 'block'
  readonly id: number
  readonly keyBytes: number
  readonly saltBytes: 0
  readonly ivBytes: number
  readonly blockBytes: number
  /** `plaintext` must be a multiple of `blockBytes`; no padding is added. */
  encrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** @returns null when the length is not a multiple of `blockBytes`. */
  decrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | null
}

export type Cipher = AeadCipher | BlockCipher

/** One side's private value of a key exchange; forget it after use. */
export interface KeyExchangePrivate {
  /** As it stands in the KE payload; MODP values are padded to the prime's length (RFC 7296 3.4). */
  readonly publicValue: Uint8Array
  /** @returns g^ir in wire form, or null when the peer's value has a wrong length or fails the tests of RFC 6989. */
  sharedSecret(peerPublicValue: Uint8Array): Uint8Array | null
  /** Clears what the library holds, at once instead of when this is collected; it gives no secret afterwards. */
  destroy(): void
}

/** Key exchange method (transform type 4). */
export interface KeyExchangeMethod {
  readonly id: number
  /** Length of the initiator's value. */
  readonly publicBytes: number
  readonly sharedBytes: number
  generate(rng: Rng): KeyExchangePrivate
  /**
   * The responder's half at once; the only way to answer a KEM, whose answer depends on the question.
   *
   * @returns null when the peer's value has a wrong length or fails its tests.
   */
  respond(rng: Rng, peerPublicValue: Uint8Array): KeyExchangeAnswer | null
}

export interface KeyExchangeAnswer {
  readonly publicValue: Uint8Array
  readonly sharedSecret: Uint8Array
}

export type SignatureHash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** How a signature is made over octets (RFC 7427, RFC 7296 3.8, RFC 8420). */
export type SignatureScheme =
  | { readonly kind: 'rsaPkcs1'; readonly hash: SignatureHash }
  /** `saltBytes`: of the PSS salt. */
  | { readonly kind: 'rsaPss'; readonly hash: SignatureHash; readonly saltBytes: number }
  /** `form`: ECDSA-Sig-Value in DER (method 14), or r | s (methods 9 to 11). */
  | { readonly kind: 'ecdsa'; readonly hash: SignatureHash; readonly form: 'der' | 'raw' }
  | { readonly kind: 'ed25519' }

export type SignatureKeyKind = 'rsa' | 'p256' | 'p384' | 'p521' | 'ed25519'

export interface VerifyingKey {
  readonly kind: SignatureKeyKind
  /** Length of the modulus or of a coordinate, in bits. */
  readonly bits: number
  /** @returns false for a bad signature and for a scheme that does not go with the key. */
  verify(scheme: SignatureScheme, octets: Uint8Array, signature: Uint8Array): boolean
}

export interface SigningKey {
  readonly kind: SignatureKeyKind
  readonly bits: number
  /** @throws InvariantError for a scheme that does not go with the key. */
  sign(scheme: SignatureScheme, octets: Uint8Array): Uint8Array
}

/** Lookups return null for ids (or key lengths) that this provider does not implement. */
export interface CryptoProvider {
  readonly name: 'openssl' | 'noble' | 'native'
  prf(id: number): Prf | null
  integrity(id: number): Integrity | null
  /** @param keyBits value of the Key Length attribute, or null where the transform has none. */
  cipher(id: number, keyBits: number | null): Cipher | null
  keyExchange(id: number): KeyExchangeMethod | null
  /** SHA-1 of the joined chunks: NAT detection only (RFC 7296 2.23). */
  sha1(...chunks: Uint8Array[]): Uint8Array
  sha256(...chunks: Uint8Array[]): Uint8Array
}
