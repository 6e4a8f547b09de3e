/**
 * What chaos is done to: a whole installation in a laboratory with a PostgreSQL and a Redis of its own (both durable), a
 * simulated device that is attached, and a receiver of webhooks. Every part can be killed with SIGKILL and is started again.
 */
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { generateSealingKeyPair, migrate } from '@culvert/db'
import { findRedis, REDIS_PACKAGES, startPostgres, startRedis, unpackDebian, type Service } from '@culvert/services'
import { createLab, type LabProcess } from '@culvert/testkit'
import { closedOnFailure, type Closings } from '../support/closings.ts'
import { registerDevice, waitAttached } from '../support/fleet.ts'
import { SERVER_ADDRESS, startInstallation, type Installation } from '../support/installation.ts'
import { openArchive } from './archive.ts'
import { openEndpoints, RECEIVER_ADDRESS, RECEIVER_PORT, type Endpoints } from './deliveries.ts'
import { addRules, type Rules } from './rules.ts'
import { rulePath } from './temper.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const programs = ['api', 'worker', 'gateway', 'concentrator'] as const
type Program = (typeof programs)[number]

export type Victim = Program | 'postgres' | 'redis'

export interface World {
  readonly culvert: Installation
  /** Where the jobs are. */
  readonly store: 'redis' | 'postgres'
  readonly victims: readonly Victim[]
  readonly endpoints: Endpoints
  readonly rules: Rules
  /** The device that is attached. */
  readonly deviceId: string
  /** Ends a process with SIGKILL. */
  kill(victim: Victim): Promise<void>
  /** Starts it again; after the concentrator the device as well. */
  revive(victim: Victim): Promise<void>
  /** What a process that was killed had taken is free: the time is over for which it holds it, as far as others know. */
  letLeasesEnd(victim: Victim): Promise<void>
  /** Resolves when the device is there. */
  attached(): Promise<void>
  /** Processes that ended though nobody killed them, with what they said last. */
  readonly crashes: readonly string[]
  /** Redis forgets everything. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** @param seed of the receiver's tempers; an odd one has jobs in PostgreSQL */
export function openWorld(seed: number): Promise<World> {
  return closedOnFailure((closings) => assemble(closings, seed))
}

async function assemble(closings: Closings, seed: number): Promise<World> {
  const folder = await closings.folder()
  const servers = { postgres: path.join(folder, 'postgres'), redis: path.join(folder, 'redis') }
  let postgres = await startPostgres({ dataDir: servers.postgres })
  closings.add(() => postgres.stop())
  let redis = seed % 2 === 1 ? null : await startOwnRedis(servers.redis)
  closings.add(() => redis?.stop())
  const lab = await createLab()
  closings.add(() => lab.close())
  await migrate(postgres.url)
  const sealing = await generateSealingKeyPair()
  const sealingFile = path.join(folder, 'webhooks.key')
  fs.writeFileSync(sealingFile, sealing.privateKey, { mode: 0o600 })
  const culvert = await startInstallation({
    lab,
    serverUrl: postgres.url,
    databaseUrl: postgres.url,
    redisUrl: redis?.url ?? null,
    env: {
      NODE_COMPILE_CACHE: path.join(folder, 'compiled'),
      EVENT_RETENTION_DAYS: '7',
      OFFLINE_AFTER_SEC: '0',
      EGRESS_ALLOW: RECEIVER_ADDRESS,
      EGRESS_ALLOW_HTTP: 'true',
      EGRESS_PORTS: String(RECEIVER_PORT),
      WEBHOOK_SEALING_PUBLIC_KEY: sealing.publicKey,
      WEBHOOK_SEALING_KEY_FILE: sealingFile,
    },
  })
  closings.add(() => culvert.stop())
  const device = await registerDevice(culvert.acme, 'survivor')
  const key = path.join(folder, 'psk')
  fs.writeFileSync(key, device.psk, { mode: 0o600 })
  const host = await lab.addHost('survivor', '192.0.2.11/24')
  const switchOn = (): LabProcess =>
    host.spawn(process.execPath, ['--conditions=source', path.join(ROOT, 'apps/device-sim/src/main.ts')], {
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: path.join(folder, 'compiled'),
        DEVICE_REMOTE: SERVER_ADDRESS,
        DEVICE_REMOTE_IDENTITY: 'concentrator.fleet.culvert.internal',
        DEVICE_IDENTITY: device.ikeIdentity,
        DEVICE_PSK_FILE: key,
        DEVICE_HTTP_PORT: '8080',
      },
    })
  let simulated = switchOn()
  closings.add(() => simulated.stop())
  await waitAttached(culvert.acme, device.id)
  const supervisor = supervise(culvert)
  closings.add(() => supervisor.close())
  await openArchive(culvert.pool)
  const endpoints = await openEndpoints(culvert, path.join(folder, 'receipts'), seed)
  return {
    culvert,
    store: redis ? 'redis' : 'postgres',
    victims: [...programs, 'postgres', ...(redis ? (['redis'] as const) : [])],
    endpoints,
    rules: await addRules(culvert, device.id, `http://${RECEIVER_ADDRESS}:${RECEIVER_PORT}${rulePath}`),
    deviceId: device.id,
    crashes: supervisor.crashes,
    async kill(victim) {
      if (victim === 'postgres') return murder(postgres)
      if (victim === 'redis') return redis ? murder(redis) : undefined
      await supervisor.kill(victim)
    },
    async revive(victim) {
      if (victim === 'postgres') postgres = await startPostgres({ dataDir: servers.postgres })
      else if (victim === 'redis') redis = await startOwnRedis(servers.redis)
      else await supervisor.start(victim)
      if (victim !== 'concentrator') return
      // It would find out by itself, after half a minute.
      await simulated.stop('SIGKILL')
      simulated = switchOn()
    },
    async letLeasesEnd(victim) {
      for (const statement of leases[victim] ?? []) await culvert.pool.query(statement)
    },
    attached: () => waitAttached(culvert.acme, device.id, 120_000),
    flush: () => (redis ? flushAll(Number(new URL(redis.url).port)) : Promise.resolve()),
    close: closings.close,
  }
}

const answers = `UPDATE idempotency_keys SET lease_until = now() - interval '1 ms' WHERE status IS NULL`
const runs = `UPDATE rule_runs SET next_at = now() - interval '1 ms' WHERE state = 'pending' AND next_at > now()`
const endpoints = `UPDATE webhook_courses SET lease_until = now() - interval '1 ms' WHERE lease_until > now()`
/** Who lives on while the database dies cannot write that it gives back what it had taken. */
const leases: Readonly<Partial<Record<Victim, readonly string[]>>> = {
  api: [answers],
  postgres: [answers, runs],
  worker: [endpoints, runs],
}

interface Supervisor {
  readonly crashes: readonly string[]
  kill(app: Program): Promise<void>
  start(app: Program): Promise<void>
  close(): Promise<void>
}

/** What an init system does: a process that ends because its servers are away when it starts is started again. */
function supervise(culvert: Installation): Supervisor {
  const crashes: string[] = []
  const dead = new Set<Program>()
  const restarts = new Set<Promise<void>>()
  let closed = false
  const watch = (app: Program): void => {
    const running = culvert.process(app)
    void running.ended.then((how) => {
      if (closed || dead.has(app) || culvert.process(app) !== running) return
      const last = running.output().trim().slice(-2_000)
      if (!/cannot (reach|be reached)/.test(last)) crashes.push(`${app} ended (${how}): ${last}`)
      const restart = start(app).catch((error: unknown) => void crashes.push(String(error)))
      restarts.add(restart)
      void restart.then(() => restarts.delete(restart))
    })
  }
  const start = async (app: Program): Promise<void> => {
    await culvert.relaunch(app)
    dead.delete(app)
    watch(app)
  }
  for (const app of programs) watch(app)
  return {
    crashes,
    async kill(app) {
      dead.add(app)
      await culvert.process(app).stop('SIGKILL')
    },
    start,
    async close() {
      closed = true
      await Promise.all(restarts)
    },
  }
}

/** Null where the machine has none: then jobs go through PostgreSQL. */
async function startOwnRedis(dataDir: string): Promise<Service | null> {
  if (process.env['CI'] && !findRedis()) await unpackDebian('redis', REDIS_PACKAGES)
  return startRedis({ dataDir })
}

/** Redis's own protocol, so that no client is needed. */
async function flushAll(port: number): Promise<void> {
  const socket = net.connect(port, '127.0.0.1')
  socket.write('FLUSHALL\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  if (!answer.toString().startsWith('+OK')) throw new Error(`FLUSHALL: ${answer.toString()}`)
}

async function murder({ pid, ended }: Service): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await ended
}
