/**
 * The stack as a sequence: servers, schema, first key, programs, and the demo where this machine can carry tunnels.
 *
 * ```
 *   api-1 ─┬─ PostgreSQL ─┬─ wrk-1      con-1 ── 192.0.2.1 ══ veth ══ 192.0.2.10 ── demo device
 *          └─ jobs ───────┴─ gw-1 ── culvert-tun ──┘
 * ```
 */
import { openPool, type Pool } from '@culvert/db'
import path from 'node:path'
import { demoPagePort, ensureDemoDevice, openDemoTunnel, waitAttached } from './demo-device.ts'
import { demoNetwork, lowerDemoNetwork, raiseDemoNetwork, reasonAgainstTunnels } from './demo-network.ts'
import { ensureLogins } from './logins.ts'
import { ensureFirstKeys } from './first-organization.ts'
import { type Folders, isInside, shortPath } from './folders.ts'
import { requireTcpPort, requireUdpPort } from './ports.ts'
import { createPrograms, type Programs } from './programs.ts'
import type { RunFile } from './run-file.ts'
import { restOf } from './rest.ts'
import { type DemoReady, progress, type ReadyScreen } from './screen.ts'
import { ensureSealingKey, ensureWebhookKey, holdsCredentials } from './sealing-key.ts'
import { type Servers, startServers } from './servers.ts'
import { Problem } from './problem.ts'
import type { LaunchSettings } from './settings.ts'
import type { Teardown } from './teardown.ts'
import { until } from './waiting.ts'

const READY_TIMEOUT_MS = 60_000

export interface StackOptions {
  readonly settings: LaunchSettings
  readonly folders: Folders
  readonly run: RunFile
  readonly teardown: Teardown
  /** Aborted when the stack goes down. */
  readonly signal: AbortSignal
  /** Told when a program or server ends by itself. */
  readonly onDeath: (problem: Problem) => void
}

interface Addresses {
  readonly apiHost: string
  readonly apiPort: number
  readonly apiUrl: string
  readonly concentrator: string
  readonly ikePort: number
  readonly espPort: number
}

/** Starts everything. @returns what the person is shown */
export async function startStack(options: StackOptions): Promise<ReadyScreen> {
  const { settings, folders, teardown, signal, onDeath } = options
  const since = new Date()
  const addresses = chooseAddresses(settings)
  await requireTcpPort(addresses.apiHost, addresses.apiPort, { host: 'API_HOST', port: 'API_PORT' })
  const against = reasonAgainstTunnels()
  if (!against) await raiseNetwork(addresses, teardown)
  signal.throwIfAborted()
  const servers = await startServers(settings, folders, teardown, (name, how) =>
    onDeath(new Problem(`${name} has ended (${how}); its log is in ${shortPath(path.dirname(folders.postgres))}.`)),
  )
  signal.throwIfAborted()
  const sealingPublicKey = await ensureSealingKey(folders, {
    givenUrl: settings.DATABASE_URL ?? null,
    holdCredentials: () => holdsCredentials(servers.databaseUrl),
  })
  const webhookPublicKey = await ensureWebhookKey(folders)
  const key = await ensureFirstKeys(folders, servers.databaseUrl)
  signal.throwIfAborted()

  const programs = createPrograms(folders, options.run, teardown, onDeath)
  startPrograms(programs, {
    settings,
    addresses,
    servers,
    logins: await ensureLogins(servers.databaseUrl),
    sealingPublicKey,
    webhookPublicKey,
    folders,
    withTunnels: !against,
  })
  await waitReady(options, servers, addresses.apiUrl, { since, withTunnels: !against })
  progress(`API, worker, signer, gateway${against ? '' : ' and concentrator'} are ready`)
  const demo = against ?? (await startDemo(options, programs, addresses, key))
  return {
    apiUrl: addresses.apiUrl,
    key,
    keyFile: shortPath(folders.firstKey),
    logs: shortPath(folders.logs),
    database: settings.DATABASE_URL || isInside(folders.data, folders.postgres) ? null : shortPath(folders.postgres),
    demo,
  }
}

function chooseAddresses(settings: LaunchSettings): Addresses {
  const { API_HOST: apiHost, API_PORT: apiPort } = settings
  return {
    apiHost,
    apiPort,
    apiUrl: `http://${apiHost === '0.0.0.0' ? '127.0.0.1' : apiHost}:${apiPort}`,
    concentrator: settings.CONCENTRATOR_ADDRESS ?? demoNetwork.concentratorAddress,
    ikePort: settings.CONCENTRATOR_IKE_PORT,
    espPort: settings.CONCENTRATOR_ESP_PORT,
  }
}

async function raiseNetwork({ concentrator, ikePort, espPort }: Addresses, teardown: Teardown): Promise<void> {
  await raiseDemoNetwork()
  teardown.add('network', lowerDemoNetwork)
  await requireUdpPort(concentrator, ikePort, { host: 'CONCENTRATOR_ADDRESS', port: 'CONCENTRATOR_IKE_PORT' })
  await requireUdpPort(concentrator, espPort, { host: 'CONCENTRATOR_ADDRESS', port: 'CONCENTRATOR_ESP_PORT' })
}

interface ProgramSettings {
  readonly settings: LaunchSettings
  readonly addresses: Addresses
  readonly servers: Servers
  readonly logins: Awaited<ReturnType<typeof ensureLogins>>
  readonly sealingPublicKey: string
  readonly webhookPublicKey: string
  readonly folders: Folders
  readonly withTunnels: boolean
}

function startPrograms(
  programs: Programs,
  { settings, addresses, servers, logins, sealingPublicKey, webhookPublicKey, folders, withTunnels }: ProgramSettings,
): void {
  const serversOf = (name: keyof typeof logins) => ({ DATABASE_URL: logins[name], REDIS_URL: servers.redisUrl ?? '' })
  const main = (app: string): string => `apps/${app}/src/main.ts`
  programs.start({
    name: 'api',
    main: main('api'),
    env: {
      ...serversOf('api'),
      NODE_NAME: 'api-1',
      API_HOST: addresses.apiHost,
      API_PORT: String(addresses.apiPort),
      SEALING_PUBLIC_KEY: sealingPublicKey,
      WEBHOOK_SEALING_PUBLIC_KEY: webhookPublicKey,
    },
  })
  programs.start({
    name: 'worker',
    main: main('worker'),
    env: { ...serversOf('worker'), NODE_NAME: 'wrk-1', WEBHOOK_SEALING_KEY_FILE: folders.webhookPrivateKey },
  })
  programs.start({
    name: 'signer',
    main: main('signer'),
    env: { ...serversOf('signer'), NODE_NAME: 'sig-1', SIGNER_KEY_FILE: folders.authority },
  })
  programs.start({
    name: 'gateway',
    main: main('gateway'),
    env: {
      ...serversOf('gateway'),
      NODE_NAME: 'gw-1',
      GATEWAY_BIND: settings.GATEWAY_BIND,
      GATEWAY_PUBLIC_HOST: settings.GATEWAY_PUBLIC_HOST,
      GATEWAY_PORT_RANGE: settings.GATEWAY_PORT_RANGE,
    },
  })
  if (!withTunnels) return
  programs.start({
    name: 'concentrator',
    main: main('concentrator'),
    env: {
      ...serversOf('concentrator'),
      NODE_NAME: 'con-1',
      CONCENTRATOR_SLOT: '1',
      CONCENTRATOR_ADDRESS: addresses.concentrator,
      CONCENTRATOR_IKE_PORT: String(addresses.ikePort),
      CONCENTRATOR_ESP_PORT: String(addresses.espPort),
      CONCENTRATOR_TUN_NAMESPACE: demoNetwork.tunNamespace,
      SEALING_PRIVATE_KEY_FILE: folders.sealingPrivateKey,
    },
  })
}

async function waitReady(
  { folders, signal }: StackOptions,
  { databaseUrl }: Servers,
  apiUrl: string,
  expected: { since: Date; withTunnels: boolean },
): Promise<void> {
  const pool = openPool(databaseUrl, { max: 1, applicationName: 'culvert-start' })
  const wait = (name: string, look: () => Promise<boolean>): Promise<true> =>
    until(async () => ((await look()) ? true : null), {
      timeoutMs: READY_TIMEOUT_MS,
      otherwise: `The ${name} was not ready within ${READY_TIMEOUT_MS / 1000} s: its log is ${shortPath(folders.logs)}/${name}.log.`,
      signal,
    })
  try {
    await wait('api', async () => (await fetch(`${apiUrl}/health/ready`, { signal: AbortSignal.timeout(5_000) })).ok)
    await wait('signer', async () => (await fetch(`${apiUrl}/v1/ca`, { signal: AbortSignal.timeout(5_000) })).ok)
    await wait('gateway', () => nodeIsReady(pool, 'gateways', 'gw-1', expected.since))
    if (expected.withTunnels) {
      await wait('concentrator', () => nodeIsReady(pool, 'concentrators', 'con-1', expected.since))
    }
  } finally {
    await pool.end()
  }
}

async function nodeIsReady(pool: Pool, table: 'gateways' | 'concentrators', id: string, since: Date): Promise<boolean> {
  const { rows } = await pool.query<{ state: string; heartbeat_at: Date | null }>(
    `SELECT state, heartbeat_at FROM ${table} WHERE id = $1`,
    [id],
  )
  const [row] = rows
  return row?.state === 'ready' && row.heartbeat_at !== null && row.heartbeat_at >= since
}

async function startDemo(
  { settings, folders, signal }: StackOptions,
  programs: Programs,
  addresses: Addresses,
  key: string,
): Promise<DemoReady> {
  const rest = restOf(addresses.apiUrl, key)
  const device = await ensureDemoDevice(folders, rest)
  const since = new Date()
  programs.start({
    name: 'device',
    main: 'apps/device-sim/src/main.ts',
    namespace: demoNetwork.deviceNamespace,
    env: {
      DEVICE_LOCAL: demoNetwork.deviceAddress,
      DEVICE_REMOTE: addresses.concentrator,
      DEVICE_REMOTE_IKE_PORT: String(addresses.ikePort),
      DEVICE_REMOTE_ESP_PORT: String(addresses.espPort),
      DEVICE_IDENTITY: device.ikeIdentity,
      DEVICE_REMOTE_IDENTITY: settings.CONCENTRATOR_IDENTITY ?? `concentrator.${settings.CULVERT_ZONE}`,
      DEVICE_PSK_FILE: folders.demoPsk,
      DEVICE_TUN: 'culvert-dev0',
      DEVICE_HTTP_PORT: String(demoPagePort),
    },
  })
  await waitAttached(rest, device, since, signal, shortPath(path.join(folders.logs, 'device.log')))
  progress('The demo device is attached')
  const url = await openDemoTunnel(rest, device, signal)
  progress('A tunnel to its web page is open')
  return { deviceName: device.name, deviceId: device.id, innerAddress: device.address, url }
}
