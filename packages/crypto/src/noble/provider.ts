/**
 * The portable provider, and the independent oracle that every transform of `opensslProvider` is tested against.
 */
import { createProvider } from '../create-provider.ts'
import type { CryptoProvider } from '../provider.ts'
import { ecp, modp, x25519 } from './key-agreement.ts'
import { mlKem } from './ml-kem.ts'
import { decryptCbc, encryptCbc, hash, hmac, open, seal } from './symmetric.ts'

export const nobleProvider: CryptoProvider = createProvider('noble', {
  hash,
  hmac,
  seal,
  open,
  encryptCbc,
  decryptCbc,
  modp,
  ecp,
  x25519,
  mlKem,
})
