export { nobleProvider } from './noble/provider.ts'
export { nobleVerifyingKey } from './noble/signature.ts'
export { createProvider } from './create-provider.ts'
export { hidesItsCost, isDearKey, isDearSignature } from './dear-signature.ts'
export { createDecoyKeys } from './openssl/decoy-keys.ts'
export type { DecoyKeys } from './openssl/decoy-keys.ts'
export { opensslPrimitives, opensslProvider } from './openssl/provider.ts'
export { signingKey, verifyingKey } from './openssl/signature.ts'
export type { AeadCall, HashName, Primitives, PrivateValue } from './primitives.ts'
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
