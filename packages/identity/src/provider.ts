/**
 * The identity provider, spoken to as a client of OpenID Connect: authorization code with PKCE (S256), state and nonce; the ID
 * token is held to the provider's signature as well as to the connection it came over. What it says of itself is read when it is
 * first needed and again every hour; a provider that is away fails the logins of that time and nothing else.
 */
import * as client from 'openid-client'
import type { LoginState } from './login-state.ts'

export interface ProviderOptions {
  /** Such as https://login.example.com; plain http is for providers on this machine. */
  readonly issuer: string
  readonly clientId: string
  /** None: a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined
  /** Ours, registered at the provider. */
  readonly redirectUri: string
}

export interface ProvenPerson {
  readonly issuer: string
  readonly subject: string
  /** In lower case; null unless the provider has verified it. */
  readonly email: string | null
  readonly name: string | null
}

/** The provider does not answer, or not as one should. */
export class ProviderUnavailable extends Error {}
/** The answer that the browser brought is not one to our question, or the person said no. */
export class LoginRefused extends Error {}

const timeoutSec = 10
const metadataLifetimeMs = 3_600_000

export class IdentityProvider {
  readonly #options: ProviderOptions
  readonly #clock: () => number
  #known: { config: client.Configuration; untilMs: number } | null = null

  /** @param clock milliseconds, never running backwards */
  constructor(options: ProviderOptions, clock: () => number) {
    this.#options = options
    this.#clock = clock
  }

  /** @returns where to send the browser, and what it has to bring back. @throws ProviderUnavailable */
  async begin(): Promise<{ url: URL; login: LoginState }> {
    const config = await this.#configuration()
    const login = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
    }
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: this.#options.redirectUri,
      response_type: 'code',
      scope: 'openid email profile',
      state: login.state,
      nonce: login.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(login.codeVerifier),
      code_challenge_method: 'S256',
    })
    return { url, login }
  }

  /** @param query of the callback, as it came. @throws LoginRefused, ProviderUnavailable */
  async finish(query: string, login: LoginState): Promise<ProvenPerson> {
    const config = await this.#configuration()
    const url = new URL(this.#options.redirectUri)
    url.search = query
    try {
      const tokens = await client.authorizationCodeGrant(config, url, {
        expectedState: login.state,
        expectedNonce: login.nonce,
        pkceCodeVerifier: login.codeVerifier,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (!claims) throw new LoginRefused('the identity provider sent no ID token')
      const { email, email_verified: isVerified, name } = await this.#described(config, tokens.access_token, claims)
      return {
        issuer: claims.iss,
        subject: claims.sub,
        email: typeof email === 'string' && isVerified === true ? email.toLowerCase() : null,
        name: typeof name === 'string' ? name.slice(0, 200) : null,
      }
    } catch (cause) {
      if (cause instanceof LoginRefused) throw cause
      throw isAway(cause)
        ? new ProviderUnavailable('the identity provider does not answer', { cause })
        : new LoginRefused('the identity provider did not confirm the login', { cause })
    }
  }

  /** Some providers tell the address in the ID token, others where its holder asks for it; that answer is about the same subject. */
  async #described(
    config: client.Configuration,
    accessToken: string,
    claims: client.IDToken,
  ): Promise<Readonly<Record<string, unknown>>> {
    if (claims['email'] !== undefined || config.serverMetadata().userinfo_endpoint === undefined) return claims
    return client.fetchUserInfo(config, accessToken, claims.sub)
  }

  async #configuration(): Promise<client.Configuration> {
    if (this.#known && this.#known.untilMs > this.#clock()) return this.#known.config
    const { issuer, clientId, clientSecret } = this.#options
    const server = new URL(issuer)
    try {
      const config = await client.discovery(
        server,
        clientId,
        {},
        clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret),
        {
          timeout: timeoutSec,
          execute: [
            client.enableNonRepudiationChecks,
            ...(server.protocol === 'http:' ? [client.allowInsecureRequests] : []),
          ],
        },
      )
      this.#known = { config, untilMs: this.#clock() + metadataLifetimeMs }
      return config
    } catch (cause) {
      throw new ProviderUnavailable('the identity provider cannot be asked what it is', { cause })
    }
  }
}

/** Network, time and 5xx, as against an answer that says no. */
function isAway(error: unknown): boolean {
  if (error instanceof client.ResponseBodyError) return error.status >= 500
  if (error instanceof client.ClientError)
    return error.code === 'OAUTH_TIMEOUT' || (error.cause instanceof Response && error.cause.status >= 500)
  // What fetch throws when nobody answers has no code; the library's own complaints about arguments have one.
  return error instanceof TypeError && !('code' in error)
}
