export { nobleProvider } from './noble/provider.ts'
export { nobleVerifyingKey } from './noble/signature.ts'
export { opensslProvider } from './openssl/provider.ts'
export { signingKey, verifyingKey } from './openssl/signature.ts'
export type {
  AeadCipher,
  BlockCipher,
  Cipher,
  CryptoProvider,
  Integrity,
  KeyExchangeAnswer,
  KeyExchangeMethod,
  KeyExchangePrivate,
  Prf,
  Rng,
  SignatureHash,
  SignatureKeyKind,
  SignatureScheme,
  SigningKey,
  VerifyingKey,
} from './provider.ts'
export { ENCR, ESN, INTEG, KE, PRF, TRANSFORM_TYPE, transformName } from './transform-names.ts'
