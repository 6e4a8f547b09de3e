/**
 * Hashes, MACs and ciphers through @noble/hashes and @noble/ciphers: plain JavaScript, any runtime.
 *
 * noble's GCM knows only 16-octet tags. For the short ICVs of RFC 4106 the full tag is computed and its front compared.
 */
import { cbc, gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hmac as nobleHmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { constantTimeEqual, zeroize } from '@culvert/bytes'
import type { AeadCall, HashName } from '../primitives.ts'

const HASHES = { sha1, sha256, sha384, sha512 } as const
const FULL_TAG_BYTES = 16

export function hash(name: HashName, chunks: readonly Uint8Array[]): Uint8Array {
  const state = HASHES[name].create()
  for (const chunk of chunks) state.update(chunk)
  return state.digest()
}

export function hmac(name: HashName, key: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array {
  const state = nobleHmac.create(HASHES[name], key)
  for (const chunk of chunks) state.update(chunk)
  return state.digest()
}

export function seal(call: AeadCall, plaintext: Uint8Array): Uint8Array {
  const sealed = aead(call).encrypt(plaintext)
  return call.icvBytes === FULL_TAG_BYTES ? sealed : sealed.slice(0, plaintext.length + call.icvBytes)
}

export function open(call: AeadCall, sealed: Uint8Array): Uint8Array | null {
  if (call.icvBytes !== FULL_TAG_BYTES) return openShortIcv(call, sealed)
  try {
    return aead(call).decrypt(sealed)
  } catch {
    return null
  }
}

/** Counter mode is its own inverse: encrypting the ciphertext gives the plaintext, encrypting that gives the full tag. */
function openShortIcv(call: AeadCall, sealed: Uint8Array): Uint8Array | null {
  const length = sealed.length - call.icvBytes
  const unverified = aead(call).encrypt(sealed.subarray(0, length)).slice(0, length)
  const expected = aead(call).encrypt(unverified)
  if (constantTimeEqual(expected.subarray(length, sealed.length), sealed.subarray(length))) return unverified
  zeroize(unverified)
  return null
}

export function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return cbc(key, iv, { disablePadding: true }).encrypt(plaintext)
}

export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return cbc(key, iv, { disablePadding: true }).decrypt(ciphertext)
}

function aead(call: AeadCall): { encrypt(data: Uint8Array): Uint8Array; decrypt(data: Uint8Array): Uint8Array } {
  const { name, key, nonce, aad } = call
  return name === 'aes-gcm' ? gcm(key, nonce, aad) : chacha20poly1305(key, nonce, aad)
}
