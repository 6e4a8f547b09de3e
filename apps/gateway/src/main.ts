/**
 * `gateway`: customers' TCP ports for tunnels. Needs root (or CAP_SYS_ADMIN) only to dial from a network namespace.
 */
import { ConfigError, databaseSettings, loadConfig, logSettings, nodeSettings, redisSettings } from '@culvert/config'
import { isDatabaseUnavailable } from '@culvert/db'
import { createLogger, type LogLevel } from '@culvert/observability'
import { QueueStoreError, requireQueueStore } from '@culvert/queue'
import { Type } from 'typebox'
import { type Gateway, startGateway } from './gateway.ts'
import { gatewayDefaults, type GatewaySettings } from './settings.ts'

const schema = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...nodeSettings,
  ...logSettings,
  GATEWAY_BIND: Type.String({ default: '0.0.0.0', description: 'the address its listeners bind to' }),
  GATEWAY_PUBLIC_HOST: Type.String({ minLength: 1, description: 'the name or address that customers are told' }),
  GATEWAY_PORT_RANGE: Type.String({
    pattern: '^[1-9]\\d{0,4}-[1-9]\\d{0,4}$',
    default: `${gatewayDefaults.portRange.from}-${gatewayDefaults.portRange.to}`,
    description: 'the ports for customers, such as 20000-20999',
  }),
  GATEWAY_QUARANTINE_SECONDS: Type.Integer({
    minimum: 0,
    maximum: 86_400,
    default: gatewayDefaults.quarantineMs / 1000,
  }),
  GATEWAY_MAX_CONNECTIONS: Type.Integer({ minimum: 1, maximum: 100_000, default: gatewayDefaults.maxConnections }),
  GATEWAY_MAX_CONNECTIONS_PER_TUNNEL: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: gatewayDefaults.maxConnectionsPerTunnel,
  }),
})

async function main(): Promise<void> {
  const { logLevel, ...settings } = readSettings()
  await requireQueueStore(settings)
  const log = createLogger(settings.nodeName, logLevel)
  let running: Gateway | null = null
  let stopping = false
  const stop = async (code: number): Promise<void> => {
    if (stopping) return
    stopping = true
    await running?.stop()
    process.exit(code)
  }
  process.once('SIGTERM', () => void stop(0))
  process.once('SIGINT', () => void stop(0))
  running = await startGateway(settings, log, (error) => {
    log.fatal({ err: error }, 'this gateway stops')
    void stop(1)
  })
}

function readSettings(): GatewaySettings & { logLevel: LogLevel } {
  const env = loadConfig(schema, process.env)
  const [from = 0, to = 0] = env.GATEWAY_PORT_RANGE.split('-').map(Number)
  if (from > to || to > 65_535) {
    throw new ConfigError(
      'GATEWAY_PORT_RANGE',
      'The environment variable GATEWAY_PORT_RANGE is not a range within 1-65535.',
    )
  }
  return {
    logLevel: env.LOG_LEVEL,
    nodeName: env.NODE_NAME,
    databaseUrl: env.DATABASE_URL,
    redisUrl: env.REDIS_URL ?? null,
    bindAddress: env.GATEWAY_BIND,
    publicHost: env.GATEWAY_PUBLIC_HOST,
    portRange: { from, to },
    quarantineMs: env.GATEWAY_QUARANTINE_SECONDS * 1000,
    dialTimeoutMs: gatewayDefaults.dialTimeoutMs,
    maxConnectionsPerTunnel: env.GATEWAY_MAX_CONNECTIONS_PER_TUNNEL,
    maxConnections: env.GATEWAY_MAX_CONNECTIONS,
    drainMs: gatewayDefaults.drainMs,
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${sentence(error)}\n`)
  process.exit(1)
})

function sentence(error: unknown): string {
  if (error instanceof ConfigError || error instanceof QueueStoreError) return error.message
  if (isDatabaseUnavailable(error))
    return 'The gateway cannot reach PostgreSQL: check DATABASE_URL and that the server runs.'
  return `The gateway cannot start: ${error instanceof Error ? error.message : String(error)}`
}
