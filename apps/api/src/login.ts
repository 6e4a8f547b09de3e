/** What logging in needs, out of the settings: the identity provider, the keys, and who our tokens are from and for. */
import type { Pool } from '@culvert/db'
import { deriveKeys, IdentityProvider, type DerivedKeys, type TokenParties } from '@culvert/identity'
import type { Logger } from '@culvert/observability'
import { KeyRing } from './key-ring.ts'

export interface LoginOptions {
  /** Where people reach the API, such as https://api.example.com. */
  readonly publicUrl: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** 32 random bytes in base64url. */
  readonly authSecret: string
}

export interface Login {
  readonly parties: TokenParties
  readonly keys: Pick<DerivedKeys, 'refreshTokens' | 'loginState' | 'keptAnswers'>
  readonly ring: KeyRing
  readonly provider: IdentityProvider
  /** The cookie goes over TLS only. */
  readonly isSecure: boolean
}

export const callbackPath = '/v1/auth/callback'

export function openLogin(options: LoginOptions, pool: Pool, logger: Logger): Login {
  const { issuer, clientId, clientSecret } = options
  const { signingKeys, refreshTokens, loginState, keptAnswers } = deriveKeys(options.authSecret)
  const publicUrl = new URL(options.publicUrl).origin
  return {
    parties: { issuer: publicUrl, audience: publicUrl },
    keys: { refreshTokens, loginState, keptAnswers },
    ring: new KeyRing(pool, signingKeys, logger),
    provider: new IdentityProvider({ issuer, clientId, clientSecret, redirectUri: `${publicUrl}${callbackPath}` }, () =>
      performance.now(),
    ),
    isSecure: publicUrl.startsWith('https:'),
  }
}
