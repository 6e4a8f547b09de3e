/**
 * The provider that production runs: OpenSSL as built into Node, through node:crypto.
 */
import { createProvider } from '../create-provider.ts'
import type { Primitives } from '../primitives.ts'
import type { CryptoProvider } from '../provider.ts'
import { ecp, modp, x25519 } from './key-agreement.ts'
import { mlKem } from './ml-kem.ts'
import { decryptCbc, encryptCbc, hash, hmac, open, seal } from './symmetric.ts'

/** For providers that do some of it another way. */
export const opensslPrimitives: Primitives = {
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
}

export const opensslProvider: CryptoProvider = createProvider('openssl', opensslPrimitives)
