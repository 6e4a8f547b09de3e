export { nobleProvider } from './noble/provider.ts'
export { opensslProvider } from './openssl/provider.ts'
export type {
  AeadCipher,
  BlockCipher,
  Cipher,
  CryptoProvider,
  Integrity,
  KeyExchangeMethod,
  KeyExchangePrivate,
  Prf,
  Rng,
} from './provider.ts'
export { ENCR, ESN, INTEG, KE, PRF, TRANSFORM_TYPE, transformName } from './transform-names.ts'
