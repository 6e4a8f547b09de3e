/**
 * ML-KEM through node:crypto: there since Node 24 with OpenSSL 3.5. Keys go in as their octets.
 *
 * Key pairs come from the caller's seed. The randomness of an encapsulation cannot be given to node:crypto: OpenSSL draws it from
 * its own generator, so an answer differs at every call.
 */
import * as nodeCrypto from 'node:crypto'
import type { KemName, Primitives, PrivateValue } from '../primitives.ts'
import type { KeyExchangeAnswer } from '../provider.ts'
import { bufferOf, plainBytes } from './plain-bytes.ts'

const { createPrivateKey, createPublicKey, decapsulate, encapsulate } = nodeCrypto

/** Undefined where node:crypto does not have it. */
export const mlKem: Primitives['mlKem'] = isThere() ? { generate, encapsulate: answer } : undefined

function generate(name: KemName, seed: Uint8Array): PrivateValue {
  const own = createPrivateKey({ key: bufferOf(seed), format: 'raw-seed', asymmetricKeyType: name })
  return {
    publicValue: plainBytes(createPublicKey(own).export({ format: 'raw-public' })),
    derive: (ciphertext) => orNull(() => plainBytes(decapsulate(own, bufferOf(ciphertext)))),
  }
}

function answer(name: KemName, peerPublicValue: Uint8Array): KeyExchangeAnswer | null {
  return orNull(() => {
    const key = createPublicKey({ key: bufferOf(peerPublicValue), format: 'raw-public', asymmetricKeyType: name })
    const { ciphertext, sharedKey } = encapsulate(key)
    return { publicValue: plainBytes(ciphertext), sharedSecret: plainBytes(sharedKey) }
  })
}

function isThere(): boolean {
  if (typeof encapsulate !== 'function') return false
  return orNull(() => generate('ml-kem-768', new Uint8Array(64)).publicValue.length === 1184) ?? false
}

function orNull<T>(compute: () => T): T | null {
  try {
    return compute()
  } catch {
    return null
  }
}
