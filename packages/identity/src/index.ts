export {
  accessTokenAlgorithm,
  accessTokenLifetimeSec,
  clockSkewSec,
  signAccessToken,
  verifyAccessToken,
  type AccessTokenClaims,
  type SigningKey,
  type TokenParties,
  type VerifiedAccessToken,
} from './access-token.ts'
export { deriveKeys, type DerivedKeys } from './derived-keys.ts'
export { loginLifetimeSec, openLoginState, sealLoginState, type LoginState, type SealedLogin } from './login-state.ts'
export {
  IdentityProvider,
  LoginRefused,
  ProviderUnavailable,
  type ProvenPerson,
  type ProviderOptions,
} from './provider.ts'
export { makeRefreshToken, readRefreshToken, type RefreshToken } from './refresh-token.ts'
export { makeSigningKey, openSigningKey, publicKeyOf, type StoredKey } from './sealed-key.ts'
export {
  leastRsaBits,
  longestSshKey,
  looksLikePrivateKey,
  mostRsaBits,
  parseSshPublicKey,
  sshKeyTypes,
  type SshKeyFault,
  type SshKeyType,
  type SshPublicKey,
} from './ssh-public-key.ts'
