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
