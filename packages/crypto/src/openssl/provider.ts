/**
 * The provider that production runs: OpenSSL as built into Node, through node:crypto.
 */
import { createProvider } from '../create-provider.ts'
import type { CryptoProvider } from '../provider.ts'
import { ecp, modp, x25519 } from './key-agreement.ts'
import { decryptCbc, encryptCbc, hash, hmac, open, seal } from './symmetric.ts'

export const opensslProvider: CryptoProvider = createProvider('openssl', {
  hash,
  hmac,
  seal,
  open,
  encryptCbc,
  decryptCbc,
  modp,
  ecp,
  x25519,
})
