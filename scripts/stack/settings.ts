/**
 * The environment variables that `npm start` reads, checked before anything starts. The programs read their own again, from the
 * same environment.
 */
import {
  ConfigError,
  databaseSettings,
  type Environment,
  loadConfig,
  logSettings,
  redisSettings,
  zoneSettings,
} from '@culvert/config'
import { type Static, Type } from 'typebox'

const BYTE = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = (meaning: string) => ({
  pattern: `^${BYTE}(\\.${BYTE}){3}$`,
  description: `an IPv4 address, ${meaning}`,
})
const port = (usual: number) => Type.Integer({ minimum: 1, maximum: 65_535, default: usual })

const schema = Type.Object({
  DATABASE_URL: Type.Optional(databaseSettings.DATABASE_URL),
  ...redisSettings,
  ...logSettings,
  ...zoneSettings,
  API_HOST: Type.String({ default: '127.0.0.1' }),
  API_PORT: port(8080),
  CONCENTRATOR_ADDRESS: Type.Optional(Type.String(ipv4('one of this machine that devices reach'))),
  CONCENTRATOR_IKE_PORT: port(500),
  CONCENTRATOR_ESP_PORT: port(4500),
  CONCENTRATOR_IDENTITY: Type.Optional(Type.String()),
  GATEWAY_BIND: Type.String({ default: '127.0.0.1' }),
  GATEWAY_PUBLIC_HOST: Type.String({ default: '127.0.0.1' }),
  GATEWAY_PORT_RANGE: Type.String({
    pattern: '^[1-9]\\d{0,4}-[1-9]\\d{0,4}$',
    default: '20000-20999',
    examples: ['20000-20999'],
  }),
})
export type LaunchSettings = Static<typeof schema>

/** @throws ConfigError for the first variable that is wrong */
export function readSettings(env: Environment): LaunchSettings {
  const settings = loadConfig(schema, env)
  for (const name of ['DATABASE_URL', 'REDIS_URL'] as const) {
    const url = settings[name]
    if (url !== undefined && !URL.canParse(url)) {
      throw new ConfigError(name, `The environment variable ${name} is not a URL that can be read.`)
    }
  }
  const [from = 0, to = 0] = settings.GATEWAY_PORT_RANGE.split('-').map(Number)
  if (from > to || to > 65_535) {
    const sentence = 'The environment variable GATEWAY_PORT_RANGE must be a range within 1-65535, the lower port first.'
    throw new ConfigError('GATEWAY_PORT_RANGE', sentence)
  }
  return settings
}
