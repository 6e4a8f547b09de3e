/**
 * Makes a `CryptoProvider` out of a library's primitives: the transform tables of RFC 4868, 4106, 3602 and 7634, and the
 * length rules that are the same whatever library does the work.
 *
 * A key or nonce of wrong length is a bug of ours and throws; a ciphertext of wrong length comes from the peer and is null.
 */
import { InvariantError } from '@culvert/bytes'
import { keyExchangeMethods } from './key-exchange.ts'
import type { AeadName, HashName, Primitives } from './primitives.ts'
import type { AeadCipher, BlockCipher, Cipher, CryptoProvider, Integrity, Prf } from './provider.ts'
import { ENCR, INTEG, PRF } from './transform-names.ts'

export function createProvider(name: CryptoProvider['name'], primitives: Primitives): CryptoProvider {
  const prfs = new Map(PRF_SPECS.map((spec) => [spec.id, createPrf(spec, primitives)]))
  const integrities = new Map(INTEG_SPECS.map((spec) => [spec.id, createIntegrity(spec, primitives)]))
  const ciphers = createCiphers(primitives)
  const methods = keyExchangeMethods(primitives)
  return Object.freeze<CryptoProvider>({
    name,
    prf: (id) => prfs.get(id) ?? null,
    integrity: (id) => integrities.get(id) ?? null,
    cipher: (id, keyBits) => ciphers.get(cipherKey(id, keyBits)) ?? null,
    keyExchange: (id) => methods.get(id) ?? null,
    sha1: (...chunks) => primitives.hash('sha1', chunks),
    sha256: (...chunks) => primitives.hash('sha256', chunks),
  })
}

interface MacSpec {
  readonly id: number
  readonly hash: HashName
  readonly keyBytes: number
  readonly outputBytes: number
}

/** Output and preferred key are as long as the hash (RFC 7296 2.13, RFC 4868 2.4). */
const PRF_SPECS: readonly MacSpec[] = [
  { id: PRF.HMAC_SHA1, hash: 'sha1', keyBytes: 20, outputBytes: 20 },
  { id: PRF.HMAC_SHA2_256, hash: 'sha256', keyBytes: 32, outputBytes: 32 },
  { id: PRF.HMAC_SHA2_384, hash: 'sha384', keyBytes: 48, outputBytes: 48 },
  { id: PRF.HMAC_SHA2_512, hash: 'sha512', keyBytes: 64, outputBytes: 64 },
]

/** The key is as long as the hash, the ICV half of it (RFC 4868 2.1), 96 bits for SHA-1 (RFC 2404). */
const INTEG_SPECS: readonly MacSpec[] = [
  { id: INTEG.HMAC_SHA1_96, hash: 'sha1', keyBytes: 20, outputBytes: 12 },
  { id: INTEG.HMAC_SHA2_256_128, hash: 'sha256', keyBytes: 32, outputBytes: 16 },
  { id: INTEG.HMAC_SHA2_384_192, hash: 'sha384', keyBytes: 48, outputBytes: 24 },
  { id: INTEG.HMAC_SHA2_512_256, hash: 'sha512', keyBytes: 64, outputBytes: 32 },
]

interface AeadSpec {
  readonly id: number
  readonly name: AeadName
  readonly keyBytes: number
  readonly icvBytes: number
}

const AES_KEY_BITS: readonly number[] = [128, 192, 256]
const GCM_ICV_BYTES: readonly (readonly [id: number, icvBytes: number])[] = [
  [ENCR.AES_GCM_8, 8],
  [ENCR.AES_GCM_12, 12],
  [ENCR.AES_GCM_16, 16],
]
/** Salt from the key material, then the explicit IV (RFC 4106 4, RFC 7634 2). */
const AEAD_SALT_BYTES = 4
const AEAD_IV_BYTES = 8
const AES_BLOCK_BYTES = 16

function createCiphers(primitives: Primitives): ReadonlyMap<string, Cipher> {
  const ciphers = new Map<string, Cipher>()
  for (const keyBits of AES_KEY_BITS) {
    const keyBytes = keyBits / 8
    ciphers.set(cipherKey(ENCR.AES_CBC, keyBits), createCbc(keyBytes, primitives))
    for (const [id, icvBytes] of GCM_ICV_BYTES) {
      ciphers.set(cipherKey(id, keyBits), createAead({ id, name: 'aes-gcm', keyBytes, icvBytes }, primitives))
    }
  }
  const chacha: AeadSpec = { id: ENCR.CHACHA20_POLY1305, name: 'chacha20-poly1305', keyBytes: 32, icvBytes: 16 }
  ciphers.set(cipherKey(chacha.id, null), createAead(chacha, primitives))
  return ciphers
}

function cipherKey(id: number, keyBits: number | null): string {
  return `${id}/${keyBits}`
}

function createPrf(spec: MacSpec, primitives: Primitives): Prf {
  const { id, hash, keyBytes, outputBytes } = spec
  const { hmacPlus } = primitives
  return Object.freeze<Prf>({
    id,
    keyBytes,
    outputBytes,
    compute: (key, ...chunks) => primitives.hmac(hash, key, chunks),
    ...(hmacPlus && { plus: (key, seed, rounds) => hmacPlus(hash, key, seed, rounds) }),
  })
}

function createIntegrity(spec: MacSpec, primitives: Primitives): Integrity {
  const { id, hash, keyBytes, outputBytes: icvBytes } = spec
  const compute: Integrity['compute'] = (key, ...chunks) => {
    requireLength('integrity key', key, keyBytes)
    return primitives.hmac(hash, key, chunks).slice(0, icvBytes)
  }
  return Object.freeze<Integrity>({ id, keyBytes, icvBytes, compute })
}

function createAead(spec: AeadSpec, primitives: Primitives): AeadCipher {
  const { id, name, keyBytes, icvBytes } = spec
  const call = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array) => {
    requireLength('key', key, keyBytes)
    requireLength('nonce', nonce, AEAD_SALT_BYTES + AEAD_IV_BYTES)
    return { name, icvBytes, key, nonce, aad }
  }
  return Object.freeze<AeadCipher>({
    kind: 'aead',
    id,
    keyBytes,
    saltBytes: AEAD_SALT_BYTES,
    ivBytes: AEAD_IV_BYTES,
    icvBytes,
    blockBytes: 1,
    seal: (key, nonce, aad, plaintext) => primitives.seal(call(key, nonce, aad), plaintext),
    open: (key, nonce, aad, sealed) => {
      const checked = call(key, nonce, aad)
      return sealed.length < icvBytes ? null : primitives.open(checked, sealed)
    },
  })
}

function createCbc(keyBytes: number, primitives: Primitives): BlockCipher {
  const requireLengths = (key: Uint8Array, iv: Uint8Array): void => {
    requireLength('key', key, keyBytes)
    requireLength('IV', iv, AES_BLOCK_BYTES)
  }
  return Object.freeze<BlockCipher>({
    kind: 'block',
    id: ENCR.AES_CBC,
    keyBytes,
    saltBytes: 0,
    ivBytes: AES_BLOCK_BYTES,
    blockBytes: AES_BLOCK_BYTES,
    encrypt: (key, iv, plaintext) => {
      requireLengths(key, iv)
      if (plaintext.length % AES_BLOCK_BYTES !== 0) throw new InvariantError('plaintext is not padded to whole blocks')
      return primitives.encryptCbc(key, iv, plaintext)
    },
    decrypt: (key, iv, ciphertext) => {
      requireLengths(key, iv)
      return ciphertext.length % AES_BLOCK_BYTES === 0 ? primitives.decryptCbc(key, iv, ciphertext) : null
    },
  })
}

function requireLength(what: string, value: Uint8Array, length: number): void {
  if (value.length !== length) throw new InvariantError(`${what} has ${value.length} octets instead of ${length}`)
}
