/** Keys for the different uses of the API's one secret (HKDF, RFC 5869), so that none of them tells another. */
import { hkdfSync } from 'node:crypto'

/** 32 bytes each. */
export interface DerivedKeys {
  /** Seals keys that sign tokens. */
  readonly signingKeys: Uint8Array
  /** Proves that a refresh token was made here. */
  readonly refreshTokens: Uint8Array
  /** Seals what a browser carries while it is at the identity provider. */
  readonly loginState: Uint8Array
  /** Has a part in what seals answers kept for people. */
  readonly keptAnswers: Uint8Array
}

/** @param secret 32 random bytes in base64url. @throws when it is anything else */
export function deriveKeys(secret: string): DerivedKeys {
  const bytes = Buffer.from(secret, 'base64url')
  if (bytes.length !== 32) throw new Error('the secret is 32 bytes in base64url')
  const derive = (use: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', bytes, Buffer.alloc(0), `culvert ${use} v1`, 32))
  return {
    signingKeys: derive('signing keys'),
    refreshTokens: derive('refresh tokens'),
    loginState: derive('login state'),
    keptAnswers: derive('kept answers'),
  }
}
