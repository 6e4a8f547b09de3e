/**
 * What a browser carries while its person is at the identity provider: state, nonce and PKCE verifier, sealed (JWE, A256GCM) in a
 * cookie that no script reads. It ties the answer to the browser that asked, and needs no row for logins that never come back.
 */
import { EncryptJWT, jwtDecrypt } from 'jose'

export interface LoginState {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** With what the person wants beside logging in. */
export interface SealedLogin extends LoginState {
  /** Id of the invitation that it accepts; null: none. */
  readonly invitation: string | null
}

/** Seconds that a person has. */
export const loginLifetimeSec = 600
const audience = 'login'

/** @param key 32 bytes, `loginState` of `deriveKeys` */
export function sealLoginState(login: SealedLogin, key: Uint8Array, nowSec: number): Promise<string> {
  const { state, nonce, codeVerifier, invitation } = login
  return new EncryptJWT({ state, nonce, codeVerifier, invitation })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setAudience(audience)
    .setIssuedAt(nowSec)
    .setExpirationTime(nowSec + loginLifetimeSec)
    .encrypt(key)
}

/** @returns null for what we did not seal, or too long ago */
export async function openLoginState(sealed: string, key: Uint8Array, now: Date): Promise<SealedLogin | null> {
  try {
    const { payload } = await jwtDecrypt(sealed, key, {
      audience,
      requiredClaims: ['exp'],
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
      currentDate: now,
    })
    const { state, nonce, codeVerifier, invitation } = payload
    if (typeof state !== 'string' || typeof nonce !== 'string' || typeof codeVerifier !== 'string') return null
    return { state, nonce, codeVerifier, invitation: typeof invitation === 'string' ? invitation : null }
  } catch {
    return null
  }
}
