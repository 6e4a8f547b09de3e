/**
 * A whole Culvert in a laboratory: api, worker, gateway and concentrator as real processes on one host of the lab, each with the
 * capabilities that its unit in infra/systemd leaves it, and with the test run's PostgreSQL (and Redis) behind them. Customers and devices are other hosts.
 *
 * ```
 *   customer 192.0.2.200 ──╮                       ╭── device 192.0.2.11 ...
 *                          ╰── server 192.0.2.1 ───╯
 * ```
 */
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { createApiKey, ensureOrganization, generateSealingKeyPair, openPool, type Pool } from '@culvert/db'
import { createDatabase, waitFor, type Lab, type LabProcess, type Namespace } from '@culvert/testkit'
import { closedOnFailure, type Closings } from './closings.ts'
import { openRelay } from './relay.ts'
import { withCapabilitiesOf } from './unit-capabilities.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const API_PORT = 8080
const POSTGRES_PORT = 5432
const REDIS_PORT = 6379

export const SERVER_ADDRESS = '192.0.2.1'
/** Of the server too, where an installation is asked to be reached over IPv6. */
export const SERVER_ADDRESS6 = '2001:db8::1'

export interface InstallationOptions {
  readonly lab: Lab
  /** Server of the test run; the installation gets a database of its own there. */
  readonly serverUrl: string
  /** A migrated database to use instead, for tests that stop its server. */
  readonly databaseUrl?: string
  /** Null puts the jobs into PostgreSQL. */
  readonly redisUrl: string | null
  readonly rung?: 'native' | 'portable'
  readonly env?: Readonly<Record<string, string>>
  /** Devices reach the concentrator at SERVER_ADDRESS6 too. */
  readonly isReachedOverIpv6?: boolean
  /** With the authority for certificates; without it devices with shared keys are served. */
  readonly hasSigner?: boolean
}

export interface ApiAnswer<T = Record<string, unknown>> {
  readonly status: number
  readonly body: T
  readonly text: string
}

export type Api = <T = Record<string, never>>(
  method: string,
  route: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<ApiAnswer<T>>

export type AppName = 'api' | 'worker' | 'gateway' | 'concentrator' | 'signer'

export interface Installation {
  readonly server: Namespace
  readonly customer: Namespace
  /** Where the concentrator's TUN lives. */
  readonly tun: Namespace
  readonly pool: Pool
  /** REST calls with the key of one organization. */
  readonly acme: Api
  readonly globex: Api
  /** As who runs the installation. */
  readonly operator: Api
  /** The API key of acme, for programs that call the API themselves. */
  readonly acmeKey: string
  /** With which secrets of devices are sealed. */
  readonly sealingPublicKey: string
  readonly organizationIds: { readonly acme: string; readonly globex: string }
  /** What a process wrote so far. */
  output(app: AppName): string
  process(app: AppName): LabProcess
  /** Starts a process again that was ended, with these settings beside its own from now on, and waits until it serves. */
  restart(app: AppName, settings?: Readonly<Record<string, string>>): Promise<void>
  /** The same without waiting. */
  relaunch(app: AppName): Promise<void>
  stop(): Promise<void>
}

export function startInstallation(options: InstallationOptions): Promise<Installation> {
  return closedOnFailure((closings) => assemble(options, closings))
}

async function assemble(options: InstallationOptions, closings: Closings): Promise<Installation> {
  const { lab, serverUrl, redisUrl } = options
  const folder = await closings.folder()
  const databaseUrl = options.databaseUrl ?? (await createDatabase(serverUrl))
  const pool = openPool(databaseUrl, { max: 3 })
  closings.add(() => pool.end())
  const acme = await addOrganization(pool, 'acme')
  const globex = await addOrganization(pool, 'globex')
  const operator = await createApiKey(pool, {
    organizationId: acme.id,
    name: 'operator',
    scopes: ['installation:read'],
  })
  const server = await lab.addHost('server', `${SERVER_ADDRESS}/24`)
  if (options.isReachedOverIpv6) await addAddress6(server, SERVER_ADDRESS6)
  const customer = await lab.addHost('customer', '192.0.2.200/24')
  const tun = await lab.addNamespace('tun')

  const relays = [await openRelay(`unix:${folder}/pg`, `tcp:127.0.0.1:${new URL(databaseUrl).port}`)]
  const pairs = [`tcp:127.0.0.1:${POSTGRES_PORT}=unix:${folder}/pg`, `unix:${folder}/api=tcp:127.0.0.1:${API_PORT}`]
  if (redisUrl) {
    relays.push(await openRelay(`unix:${folder}/redis`, `tcp:127.0.0.1:${new URL(redisUrl).port}`))
    pairs.push(`tcp:127.0.0.1:${REDIS_PORT}=unix:${folder}/redis`)
  }
  for (const relay of relays) closings.add(() => relay.close())
  const inside = server.spawn(process.execPath, [
    '--conditions=source',
    path.join(ROOT, 'test/support/relay.ts'),
    ...pairs,
  ])
  closings.add(() => inside.stop())
  await waitFor(() => inside.output().includes('relay ready'), { message: 'the relay' })

  const sealing = await generateSealingKeyPair()
  const keyFile = path.join(folder, 'sealing.key')
  fs.writeFileSync(keyFile, sealing.privateKey, { mode: 0o600 })
  const insideUrl = new URL(databaseUrl)
  insideUrl.port = String(POSTGRES_PORT)
  const env = {
    ...process.env,
    DATABASE_URL: insideUrl.href,
    REDIS_URL: redisUrl ? `redis://127.0.0.1:${REDIS_PORT}` : '',
    LOG_LEVEL: 'debug',
    API_HOST: '127.0.0.1',
    API_PORT: String(API_PORT),
    SEALING_PUBLIC_KEY: sealing.publicKey,
    SEALING_PRIVATE_KEY_FILE: keyFile,
    WEBHOOK_SEALING_PUBLIC_KEY: sealing.publicKey,
    WEBHOOK_SEALING_KEY_FILE: keyFile,
    SIGNER_KEY_FILE: path.join(folder, 'authority.pem'),
    CONCENTRATOR_ADDRESS: SERVER_ADDRESS,
    ...(options.isReachedOverIpv6 && { CONCENTRATOR_ADDRESS6: SERVER_ADDRESS6 }),
    CONCENTRATOR_TUN_NAMESPACE: tun.name,
    CONCENTRATOR_RUNG: options.rung ?? '',
    GATEWAY_BIND: SERVER_ADDRESS,
    GATEWAY_PUBLIC_HOST: SERVER_ADDRESS,
    GATEWAY_PORT_RANGE: '20000-20999',
    ...options.env,
  }
  const names: Record<AppName, string> = {
    api: 'api-1',
    worker: 'wrk-1',
    gateway: 'gw-1',
    concentrator: 'con-1',
    signer: 'sig-1',
  }
  const processes = new Map<AppName, LabProcess>()
  const changed = new Map<AppName, Readonly<Record<string, string>>>()
  const launch = (app: AppName): void => {
    const main = path.join(ROOT, `apps/${app}/src/main.ts`)
    const [command, ...limits] = withCapabilitiesOf(app)
    const run = [...limits, process.execPath, '--conditions=source', main]
    processes.set(app, server.spawn(command, run, { env: { ...env, ...changed.get(app), NODE_NAME: names[app] } }))
  }
  const call = caller(`${folder}/api`)
  const ready = (app: AppName): Promise<unknown> =>
    waitFor(() => isReady(app, pool, call), { timeoutMs: 90_000, message: `${app} to be ready` }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${processes.get(app)?.output() ?? ''}`)
      },
    )
  const apps: readonly AppName[] = [
    'api',
    'worker',
    'gateway',
    'concentrator',
    ...(options.hasSigner ? (['signer'] as const) : []),
  ]
  closings.add(async () => {
    for (const app of apps) await processes.get(app)?.stop()
  })
  for (const app of apps) launch(app)
  await Promise.all(apps.map(ready))

  const relaunch = async (app: AppName): Promise<void> => {
    await processes.get(app)?.stop('SIGKILL')
    launch(app)
  }

  return {
    server,
    customer,
    tun,
    pool,
    acme: withKey(call, acme.key),
    globex: withKey(call, globex.key),
    operator: withKey(call, operator.key),
    acmeKey: acme.key,
    sealingPublicKey: sealing.publicKey,
    organizationIds: { acme: acme.id, globex: globex.id },
    output: (app) => processes.get(app)?.output() ?? '',
    process: (app) => processes.get(app) as LabProcess,
    async restart(app, settings) {
      if (settings) changed.set(app, settings)
      await relaunch(app)
      await ready(app)
    },
    relaunch,
    stop: closings.close,
  }
}

/** Usable at once: nobody else in a lab has it. */
export async function addAddress6(host: Namespace, address: string): Promise<void> {
  await host.ip('addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad')
}

async function addOrganization(pool: Pool, slug: string): Promise<{ id: string; key: string }> {
  const { id } = await ensureOrganization(pool, { name: slug, slug })
  const { key } = await createApiKey(pool, { organizationId: id, name: 'test' })
  return { id, key }
}

async function isReady(app: AppName, pool: Pool, call: Api): Promise<boolean> {
  if (app === 'api') return (await call('GET', '/health/ready')).status === 200
  if (app === 'worker') return true
  // Also that a device with a certificate need not wait for the concentrator's.
  if (app === 'signer') {
    const { rows } = await pool.query(
      `SELECT 1 FROM gateway_certificates WHERE issuance = 'issued' AND key_kind = 'p256'`,
    )
    return rows.length > 0 && (await call('GET', '/v1/ca')).status === 200
  }
  const table = app === 'gateway' ? 'gateways' : 'concentrators'
  const { rows } = await pool.query<{ state: string; fresh: boolean }>(
    `SELECT state, heartbeat_at > now() - interval '20 seconds' AS fresh FROM ${table}`,
  )
  return rows.some((row) => row.state === 'ready' && row.fresh)
}

function withKey(call: Api, key: string): Api {
  return (method, route, body, headers) => call(method, route, body, { authorization: `Bearer ${key}`, ...headers })
}

function caller(socketPath: string): Api {
  return <T>(method: string, route: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<ApiAnswer<T>>((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const request = http.request(
        {
          socketPath,
          method,
          path: route,
          headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
          timeout: 40_000,
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            const isJson = /json/.test(response.headers['content-type'] ?? '')
            resolve({ status: response.statusCode ?? 0, text, body: (isJson && text ? JSON.parse(text) : {}) as T })
          })
        },
      )
      request.on('error', reject)
      request.on('timeout', () => request.destroy(new Error(`${method} ${route}: no answer`)))
      request.end(payload)
    })
}
