/**
 * `concentrator`: terminates devices' IKEv2/ESP tunnels on one address of each family. Needs root (or CAP_NET_ADMIN) and /dev/net/tun.
 */
import { availableParallelism } from 'node:os'
import {
  ConfigError,
  databaseSettings,
  loadConfig,
  logSettings,
  nodeSettings,
  redisSettings,
  zoneSettings,
} from '@culvert/config'
import { isDatabaseUnavailable } from '@culvert/db'
import { createLogger, type LogLevel } from '@culvert/observability'
import { QueueStoreError, requireQueueStore } from '@culvert/queue'
import { Type } from 'typebox'
import { startConcentrator, type Concentrator } from './concentrator.ts'
import { applyEngineSettings } from './engine-settings.ts'
import type { ConcentratorSettings } from './settings.ts'

const schema = Type.Object({
  ...databaseSettings,
  ...redisSettings,
  ...nodeSettings,
  ...logSettings,
  ...zoneSettings,
  CONCENTRATOR_ADDRESS: Type.String({ description: 'the outer IPv4 address that devices reach' }),
  CONCENTRATOR_ADDRESS6: Type.Optional(Type.String({ description: 'the outer IPv6 address that devices reach too' })),
  CONCENTRATOR_IKE_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 500 }),
  CONCENTRATOR_ESP_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 4500 }),
  CONCENTRATOR_IDENTITY: Type.Optional(
    Type.String({ description: 'its IKE identity, concentrator.<zone> unless set' }),
  ),
  CONCENTRATOR_SLOT: Type.Integer({
    minimum: 1,
    maximum: 255,
    default: 1,
    description: 'its number in every SPI, 1 to 255',
  }),
  CONCENTRATOR_TUN_NAMESPACE: Type.String({ default: 'culvert-tun', pattern: '^[A-Za-z0-9_.-]{1,64}$' }),
  CONCENTRATOR_TUN_NAME: Type.String({ default: 'culvert0', pattern: '^[A-Za-z0-9_-]{1,15}$' }),
  CONCENTRATOR_DIAL_ADDRESS: Type.String({
    default: '10.127.0.1',
    description: 'the inner address gateways dial from',
  }),
  CONCENTRATOR_SERVICE_PREFIX: Type.String({
    default: '10.127.0.0/24',
    description: 'the prefix that devices may reach',
  }),
  CONCENTRATOR_POOL_PREFIX: Type.String({
    default: '10.128.0.0/9',
    description: 'the prefix all inner addresses come from',
  }),
  CONCENTRATOR_DIAL_ADDRESS6: Type.String({
    default: 'fd43:756c:7665:7f00::1',
    description: 'the inner IPv6 address gateways dial from, none for no IPv6 in tunnels',
  }),
  CONCENTRATOR_SERVICE_PREFIX6: Type.String({
    default: 'fd43:756c:7665:7f00::/64',
    description: 'the IPv6 prefix that devices may reach',
  }),
  CONCENTRATOR_POOL_PREFIX6: Type.String({
    default: 'fd43:756c:7665:8000::/49',
    description: 'the prefix all inner IPv6 addresses come from',
  }),
  CONCENTRATOR_MAX_DEVICES: Type.Integer({ minimum: 1, maximum: 60_000, default: 20_000 }),
  CONCENTRATOR_IKE_REKEY_SEC: Type.Integer({
    minimum: 0,
    default: 28_800,
    description: 'age of an IKE SA at which it is rekeyed, 0 never',
  }),
  CONCENTRATOR_CHILD_REKEY_SEC: Type.Integer({
    minimum: 0,
    default: 7200,
    description: 'age of a Child SA at which it is rekeyed, 0 never',
  }),
  CONCENTRATOR_CHILD_REKEY_BYTES: Type.Optional(
    Type.Integer({ minimum: 1, description: 'inner octets of one direction at which a Child SA is rekeyed' }),
  ),
  CONCENTRATOR_CHILD_REKEY_PACKETS: Type.Optional(Type.Integer({ minimum: 1, description: 'the same in packets' })),
  CONCENTRATOR_CHILD_MAX_BYTES: Type.Optional(
    Type.Integer({ minimum: 1, description: 'inner octets of one direction after which a Child SA carries nothing' }),
  ),
  CONCENTRATOR_CHILD_MAX_PACKETS: Type.Optional(Type.Integer({ minimum: 1, description: 'the same in packets' })),
  CONCENTRATOR_LIVENESS_SEC: Type.Integer({
    minimum: 1,
    default: 30,
    description: 'silence after which a device is asked whether it lives',
  }),
  CONCENTRATOR_TICKET_SEC: Type.Integer({
    minimum: 0,
    maximum: 86_400,
    default: 43_200,
    description: 'life of a resumption ticket, 0 gives none',
  }),
  CONCENTRATOR_RUNG: Type.Optional(Type.Union([Type.Literal('native'), Type.Literal('portable')])),
  CONCENTRATOR_DATA_THREADS: Type.Integer({
    minimum: 1,
    maximum: 16,
    default: Math.min(4, Math.max(1, availableParallelism() - 1)),
    description: 'threads that forward packets, native rung only',
  }),
  CONCENTRATOR_PATH_MTU: Type.Union([Type.Literal('discover'), Type.Literal('fragment')], {
    default: 'discover',
    description: 'whether ESP packets are sized to the path, or fragmented on it',
  }),
  CONCENTRATOR_DSCP: Type.Union([Type.Literal('none'), Type.Literal('copy')], {
    default: 'none',
    description: 'whether ESP packets show the traffic class of what is in them',
  }),
  CONCENTRATOR_NATIVE_ESP: Type.Boolean({
    default: false,
    description: 'whether ESP goes without UDP (IP protocol 50) where no NAT is in the way, native rung only',
  }),
  CONCENTRATOR_AH: Type.Boolean({
    default: false,
    description:
      'whether devices of the tier compat may have AH, which does not encrypt; needs CONCENTRATOR_NATIVE_ESP',
  }),
  CONCENTRATOR_KEY_LOG_FOLDER: Type.Optional(
    Type.String({ description: 'for debugging only: writes the keys of every SA there, as Wireshark reads them' }),
  ),
  SEALING_PRIVATE_KEY_FILE: Type.String({ description: 'the file with the key that opens sealed credentials' }),
})

async function main(): Promise<void> {
  applyEngineSettings()
  const settings = readSettings()
  await requireQueueStore(settings)
  const log = createLogger('concentrator', settings.logLevel)
  let running: Concentrator | null = null
  let stopping = false
  const stop = async (code: number): Promise<void> => {
    if (stopping) return
    stopping = true
    await running?.stop()
    process.exit(code)
  }
  process.once('SIGTERM', () => void stop(0))
  process.once('SIGINT', () => void stop(0))
  running = await startConcentrator(settings, log, (error) => {
    log.fatal({ err: error }, 'the data plane failed; this node stops')
    void stop(1)
  })
}

function readSettings(): ConcentratorSettings & { logLevel: LogLevel } {
  const env = loadConfig(schema, process.env)
  if (env.CONCENTRATOR_AH && !env.CONCENTRATOR_NATIVE_ESP) {
    // Else every device is told that a NAT is in the way.
    throw new ConfigError('CONCENTRATOR_AH', 'CONCENTRATOR_AH needs CONCENTRATOR_NATIVE_ESP.')
  }
  return {
    logLevel: env.LOG_LEVEL,
    nodeName: env.NODE_NAME,
    slot: env.CONCENTRATOR_SLOT,
    databaseUrl: env.DATABASE_URL,
    redisUrl: env.REDIS_URL ?? null,
    address: env.CONCENTRATOR_ADDRESS,
    address6: env.CONCENTRATOR_ADDRESS6 ?? null,
    ikePort: env.CONCENTRATOR_IKE_PORT,
    espPort: env.CONCENTRATOR_ESP_PORT,
    ikeIdentity: env.CONCENTRATOR_IDENTITY ?? `concentrator.${env.CULVERT_ZONE}`,
    tunNamespace: env.CONCENTRATOR_TUN_NAMESPACE,
    tunName: env.CONCENTRATOR_TUN_NAME,
    tunMtuBytes: 1400,
    dialAddress: env.CONCENTRATOR_DIAL_ADDRESS,
    servicePrefix: env.CONCENTRATOR_SERVICE_PREFIX,
    poolPrefix: env.CONCENTRATOR_POOL_PREFIX,
    inner6:
      env.CONCENTRATOR_DIAL_ADDRESS6 === 'none'
        ? null
        : {
            dialAddress: env.CONCENTRATOR_DIAL_ADDRESS6,
            servicePrefix: env.CONCENTRATOR_SERVICE_PREFIX6,
            poolPrefix: env.CONCENTRATOR_POOL_PREFIX6,
          },
    sealingPrivateKeyFile: env.SEALING_PRIVATE_KEY_FILE,
    rung: env.CONCENTRATOR_RUNG ?? null,
    dataThreads: env.CONCENTRATOR_DATA_THREADS,
    pathMtu: env.CONCENTRATOR_PATH_MTU,
    dscp: env.CONCENTRATOR_DSCP,
    nativeEsp: env.CONCENTRATOR_NATIVE_ESP,
    ah: env.CONCENTRATOR_AH,
    keyLogFolder: env.CONCENTRATOR_KEY_LOG_FOLDER ?? null,
    maxDevices: env.CONCENTRATOR_MAX_DEVICES,
    ikeRekeySec: env.CONCENTRATOR_IKE_REKEY_SEC,
    childRekeySec: env.CONCENTRATOR_CHILD_REKEY_SEC,
    childLifetime: {
      ...(env.CONCENTRATOR_CHILD_REKEY_BYTES && { softBytes: env.CONCENTRATOR_CHILD_REKEY_BYTES }),
      ...(env.CONCENTRATOR_CHILD_REKEY_PACKETS && { softPackets: env.CONCENTRATOR_CHILD_REKEY_PACKETS }),
      ...(env.CONCENTRATOR_CHILD_MAX_BYTES && { hardBytes: env.CONCENTRATOR_CHILD_MAX_BYTES }),
      ...(env.CONCENTRATOR_CHILD_MAX_PACKETS && { hardPackets: env.CONCENTRATOR_CHILD_MAX_PACKETS }),
    },
    livenessSec: env.CONCENTRATOR_LIVENESS_SEC,
    ticketLifetimeSec: env.CONCENTRATOR_TICKET_SEC,
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${sentenceOf(error)}\n`)
  process.exit(1)
})

/** One clear sentence for what a person can mend; the whole error for what is a bug. */
function sentenceOf(error: unknown): string {
  if (error instanceof ConfigError || error instanceof QueueStoreError) return error.message
  if (isDatabaseUnavailable(error)) return 'PostgreSQL cannot be reached: check DATABASE_URL and that the server runs.'
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return 'The IKE or ESP port is taken by another process: set CONCENTRATOR_IKE_PORT and CONCENTRATOR_ESP_PORT, or end it (ss -ulpn shows it).'
  if (code === 'EADDRNOTAVAIL')
    return 'CONCENTRATOR_ADDRESS or CONCENTRATOR_ADDRESS6 is not an address of this machine.'
  if (code === 'EACCES' || code === 'EPERM') return 'The concentrator needs root: start it with sudo.'
  if (error.name === 'NativeEspError') return `CONCENTRATOR_NATIVE_ESP: ${error.message}`
  return error.name === 'TunError' ? error.message : (error.stack ?? error.message)
}
