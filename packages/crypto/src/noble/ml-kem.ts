/**
 * ML-KEM through @noble/post-quantum: deterministic, all randomness comes from the caller.
 */
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import type { KemName, Primitives } from '../primitives.ts'

const KEMS = { 'ml-kem-512': ml_kem512, 'ml-kem-768': ml_kem768, 'ml-kem-1024': ml_kem1024 } as const

export const mlKem: NonNullable<Primitives['mlKem']> = {
  generate: (name: KemName, seed) => {
    const { publicKey, secretKey } = KEMS[name].keygen(seed)
    return {
      publicValue: publicKey,
      derive: (ciphertext) => orNull(() => KEMS[name].decapsulate(ciphertext, secretKey)),
    }
  },
  encapsulate: (name, peerPublicValue, drawMessage) => {
    const message = drawMessage()
    return orNull(() => {
      const { cipherText, sharedSecret } = KEMS[name].encapsulate(peerPublicValue, message)
      return { publicValue: cipherText, sharedSecret }
    })
  },
}

function orNull<T>(compute: () => T): T | null {
  try {
    return compute()
  } catch {
    return null
  }
}
