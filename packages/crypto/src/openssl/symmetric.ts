/**
 * Hashes, MACs and ciphers through node:crypto.
 *
 * `authTagLength` is always given: without it Node accepts a GCM tag cut to 4 octets. Keys go in as `KeyObject`, made per
 * call: that takes 1 us and spares 11 us that OpenSSL 3 spends on a raw key, and no cache has to hold secrets.
 * `decipher.update` yields plaintext before the tag is checked; it leaves this file only after `final` accepted it.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, createSecretKey } from 'node:crypto'
import type { CipherGCMTypes } from 'node:crypto'
import { zeroize } from '@culvert/bytes'
import type { AeadCall, HashName } from '../primitives.ts'
import { plainBytes } from './plain-bytes.ts'

export function hash(name: HashName, chunks: readonly Uint8Array[]): Uint8Array {
  const state = createHash(name)
  for (const chunk of chunks) state.update(chunk)
  return plainBytes(state.digest())
}

export function hmac(name: HashName, key: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array {
  const state = createHmac(name, createSecretKey(key))
  for (const chunk of chunks) state.update(chunk)
  return plainBytes(state.digest())
}

export function seal(call: AeadCall, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(aeadName(call), createSecretKey(call.key), call.nonce, {
    authTagLength: call.icvBytes,
  })
  cipher.setAAD(call.aad, { plaintextLength: plaintext.length })
  const sealed = new Uint8Array(plaintext.length + call.icvBytes)
  sealed.set(cipher.update(plaintext))
  cipher.final()
  sealed.set(cipher.getAuthTag(), plaintext.length)
  return sealed
}

export function open(call: AeadCall, sealed: Uint8Array): Uint8Array | null {
  const length = sealed.length - call.icvBytes
  const decipher = createDecipheriv(aeadName(call), createSecretKey(call.key), call.nonce, {
    authTagLength: call.icvBytes,
  })
  decipher.setAuthTag(sealed.subarray(length))
  decipher.setAAD(call.aad, { plaintextLength: length })
  const unverified = decipher.update(sealed.subarray(0, length))
  try {
    decipher.final()
  } catch {
    zeroize(unverified)
    return null
  }
  return plainBytes(unverified)
}

export function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(cbcName(key), createSecretKey(key), iv).setAutoPadding(false)
  const ciphertext = plainBytes(cipher.update(plaintext))
  cipher.final()
  return ciphertext
}

export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(cbcName(key), createSecretKey(key), iv).setAutoPadding(false)
  const plaintext = plainBytes(decipher.update(ciphertext))
  decipher.final()
  return plaintext
}

/** ChaCha20-Poly1305 has the same interface in Node as GCM; the type says it under the GCM names only. */
function aeadName(call: AeadCall): CipherGCMTypes {
  if (call.name === 'chacha20-poly1305') return 'chacha20-poly1305' as CipherGCMTypes
  return `aes-${call.key.length * 8}-gcm` as CipherGCMTypes
}

function cbcName(key: Uint8Array): string {
  return `aes-${key.length * 8}-cbc`
}
