/** What the API process reads from its environment. */
import { databaseSettings, logSettings, redisSettings, zoneSettings } from '@culvert/config'
import { Type, type Static } from 'typebox'

export const ApiSettings = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...logSettings,
  ...zoneSettings,
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
  SEALING_PUBLIC_KEY: Type.String({
    pattern: '^[A-Za-z0-9_-]{43}$',
    description: "the concentrators' public key, 32 bytes in base64url",
  }),
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
