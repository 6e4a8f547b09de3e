/**
 * What every vector test needs: the providers, transforms that must be there, and private values given by a vector.
 */
import { nobleProvider, opensslProvider } from '@culvert/crypto'
import type { AeadCipher, BlockCipher, CryptoProvider, Integrity, KeyExchangePrivate, Prf } from '@culvert/crypto'
import { openCrypto } from '@culvert/dataplane'

/** The last one is OpenSSL called directly, where that works. */
export const PROVIDERS: readonly CryptoProvider[] = [opensslProvider, nobleProvider, await openCrypto()]

export function aead(provider: CryptoProvider, id: number, keyBits: number | null): AeadCipher {
  const cipher = provider.cipher(id, keyBits)
  if (cipher?.kind !== 'aead') throw new Error(`no AEAD ${id}`)
  return cipher
}

export function blockCipher(provider: CryptoProvider, id: number, keyBits: number): BlockCipher {
  const cipher = provider.cipher(id, keyBits)
  if (cipher?.kind !== 'block') throw new Error(`no block cipher ${id}`)
  return cipher
}

export function prf(provider: CryptoProvider, id: number): Prf {
  const found = provider.prf(id)
  if (found === null) throw new Error(`no PRF ${id}`)
  return found
}

export function integrity(provider: CryptoProvider, id: number): Integrity {
  const found = provider.integrity(id)
  if (found === null) throw new Error(`no integrity transform ${id}`)
  return found
}

/** The exchange whose private value is the vector's, padded on the left to the length that the provider draws. */
export function privateValue(provider: CryptoProvider, id: number, secret: Uint8Array): KeyExchangePrivate {
  const method = provider.keyExchange(id)
  if (method === null) throw new Error(`no key exchange ${id}`)
  return method.generate((length) => rightmost(secret, length))
}

/** The last `length` octets, zeros in front when there are fewer: vectors write one number in several lengths. */
export function rightmost(number: Uint8Array, length: number): Uint8Array {
  const fixed = new Uint8Array(length)
  const significant = number.subarray(Math.max(0, number.length - length))
  fixed.set(significant, length - significant.length)
  return fixed
}

export function sameBytes(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && Buffer.compare(a, b) === 0
}
