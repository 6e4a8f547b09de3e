/** What the API process reads from its environment. */
import {
  ConfigError,
  databaseSettings,
  egressSettings,
  logSettings,
  redisSettings,
  zoneSettings,
} from '@culvert/config'
import { egressOptions } from '@culvert/egress'
import { Type, type Static } from 'typebox'
import type { LoginOptions } from './login.ts'
import type { WebhookOptions } from './webhooks.ts'

export const ApiSettings = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...logSettings,
  ...zoneSettings,
  ...egressSettings,
  API_HOST: Type.String({ default: '127.0.0.1', description: 'the address the API listens on' }),
  API_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8080,
    description: 'the TCP port the API listens on',
  }),
  API_TRUST_PROXY: Type.Optional(
    Type.String({
      pattern: '^[0-9A-Fa-f:./, ]+$',
      description: 'addresses or prefixes of proxies whose X-Forwarded-For is believed, separated by commas',
    }),
  ),
  API_PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#@]+/?$',
      description: 'where people reach the API: in links, for logging in, and as issuer of its access tokens',
      examples: ['https://api.example.com'],
    }),
  ),
  OIDC_ISSUER: Type.Optional(
    Type.String({
      pattern: '^(https://[^?#@]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]+)?(/[^?#@]*)?)$',
      description: 'the OpenID Connect provider that people log in at; without it API keys alone are good',
      examples: ['https://login.example.com'],
    }),
  ),
  OIDC_CLIENT_ID: Type.Optional(Type.String({ minLength: 1, description: 'what that provider calls this API' })),
  OIDC_CLIENT_SECRET: Type.Optional(
    Type.String({ minLength: 1, description: 'its secret there; without it the API is a public client' }),
  ),
  AUTH_SECRET: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: 'the secret that seals signing keys and proves refresh tokens, 32 random bytes in base64url',
    }),
  ),
  RATE_LIMIT_ORGANIZATION: Type.Integer({
    minimum: 0,
    default: 6_000,
    description: 'calls per minute of one organization; 0 for any number',
  }),
  RATE_LIMIT_KEY: Type.Integer({
    minimum: 0,
    default: 3_000,
    description: 'calls per minute with one API key, or of one person; 0 for any number',
  }),
  RATE_LIMIT_ADDRESS: Type.Integer({
    minimum: 0,
    default: 300,
    description: 'calls per minute from one address that need no key or come without a valid one; 0 for any number',
  }),
  SEALING_PUBLIC_KEY: Type.String({
    pattern: '^[A-Za-z0-9_-]{43}$',
    description: "the concentrators' public key, 32 bytes in base64url",
  }),
  WEBHOOK_SEALING_PUBLIC_KEY: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: "the workers' public key, 32 bytes in base64url; without it there are no webhooks",
    }),
  ),
  SERVICE_PREFIX: Type.String({
    pattern: '^[0-9.]+/[0-9]+$',
    default: '10.127.0.0/24',
    description: 'the inner prefix of the dial addresses, which devices route into their tunnel',
  }),
  SERVICE_PREFIX6: Type.String({
    pattern: '^[0-9A-Fa-f:]+/[0-9]+$',
    default: 'fd43:756c:7665:7f00::/64',
    description: 'the same for IPv6',
  }),
  POOL_PREFIX6: Type.String({
    pattern: '^(none|[0-9A-Fa-f:]+/[0-9]+)$',
    default: 'fd43:756c:7665:8000::/49',
    description:
      'the prefix that networks get their inner IPv6 addresses from, a /64 each; none for no IPv6 in tunnels',
  }),
})
export type ApiSettings = Static<typeof ApiSettings>

/** @returns null when nobody is to log in. @throws ConfigError when only a part of it is set */
export function loginSettings(settings: ApiSettings): LoginOptions | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, API_PUBLIC_URL: publicUrl, AUTH_SECRET: authSecret } = settings
  if (issuer === undefined) return null
  if (clientId === undefined || publicUrl === undefined || authSecret === undefined) {
    throw new ConfigError('OIDC_ISSUER', 'OIDC_ISSUER needs OIDC_CLIENT_ID, API_PUBLIC_URL and AUTH_SECRET beside it.')
  }
  return { issuer, clientId, clientSecret: settings.OIDC_CLIENT_SECRET, publicUrl, authSecret }
}

/** @returns null when there are no webhooks */
export function webhookSettings(settings: ApiSettings): WebhookOptions | null {
  const { WEBHOOK_SEALING_PUBLIC_KEY: sealingPublicKey } = settings
  return sealingPublicKey === undefined ? null : { sealingPublicKey, egress: egressOptions(settings) }
}
