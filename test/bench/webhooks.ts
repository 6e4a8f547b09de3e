/**
 * `npm run bench -- webhooks`: from the commit of an event to its delivery, and deliveries per second, on the Postgres backend of
 * the queues and on Redis where there is one.
 *
 * ```
 *   1 endpoint:      events one after the other at a steady rate
 *   1000 endpoints:  of 50 organizations, 1 % of them hang; each event goes to the 20 of its organization
 *   backlog:         events that commit at once, until the last healthy endpoint has them
 * ```
 *
 * Worker, database and the one who writes events are in this process and beside it; the receivers are a process of their own on the
 * same machine, without TLS. Commit to delivery is from the answer to COMMIT to the last octet of the request's head, for endpoints that
 * answer. `--quick` is shorter.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  appendEvents,
  createKeyRing,
  ensureOrganization,
  generateSealingKeyPair,
  inTenantTransaction,
  migrate,
  newId,
  openPool,
  type Pool,
  type SealingKeyPair,
} from '@culvert/db'
import { startRedis } from '@culvert/services'
import { waitFor } from '@culvert/testkit'
import { runWorker } from '@culvert/worker'
import { loopbackEgress, newTestEndpoint } from '../../apps/worker/src/testing/webhook-receiver.ts'
import { withBenchPostgres, type BenchPostgres } from './bench-postgres.ts'
import { printFigure, quantile } from './figure.ts'
import type { Arrival } from './webhook-sink.ts'

const quick = process.argv.includes('--quick')
const SECONDS = quick ? 5 : 30
const EVENTS_PER_SEC = { one: 50, many: 10 }
const ORGANIZATIONS = 50
const ENDPOINTS_EACH = 20
const HANGING_EVERY = 100
const BACKLOG = quick ? 100 : 1_000

interface Setting {
  readonly pool: Pool
  readonly sealing: SealingKeyPair
  readonly sink: Sink
  readonly databaseUrl: string
  readonly redisUrl: string | undefined
  readonly store: string
}

interface Sink {
  readonly url: string
  /** What came since the last call. */
  arrivals(): Promise<Arrival[]>
}

await withBenchPostgres(main)

async function main({ url, folder, atEnd }: BenchPostgres): Promise<void> {
  const redis = await startRedis({ dataDir: path.join(folder, 'redis') })
  if (redis) atEnd(() => redis.stop())
  else process.stderr.write('This machine has no Redis (see scripts/unpack-peers.mjs): its rows are missing.\n')
  const sink = await openSink(atEnd)
  for (const redisUrl of [undefined, ...(redis ? [redis.url] : [])]) {
    for (const endpoints of [1, ORGANIZATIONS * ENDPOINTS_EACH]) await measure(url, redisUrl, sink, endpoints)
  }
}

async function openSink(atEnd: BenchPostgres['atEnd']): Promise<Sink> {
  const child: ChildProcess = fork(path.join(import.meta.dirname, 'webhook-sink.ts'), {
    execArgv: ['--conditions=source'],
    serialization: 'advanced',
  })
  atEnd(async () => child.disconnect())
  const [port] = (await once(child, 'message')) as [number]
  return {
    url: `http://127.0.0.1:${port}`,
    arrivals: async () => {
      child.send('report')
      const [list] = (await once(child, 'message')) as [Arrival[]]
      return list
    },
  }
}

async function measure(serverUrl: string, redisUrl: string | undefined, sink: Sink, endpoints: number): Promise<void> {
  const name = `bench_${newId('evt').slice(4)}`
  const admin = openPool(serverUrl, { max: 1 })
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.end()
  const databaseUrl = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  await migrate(databaseUrl)
  const pool = openPool(databaseUrl)
  const sealing = await generateSealingKeyPair()
  const setting = { pool, sealing, sink, databaseUrl, redisUrl, store: redisUrl ? 'redis' : 'postgres' }
  const organizations = await prepare(setting, endpoints)
  const worker = runWorker({
    databaseUrl,
    redisUrl,
    webhooks: { keys: createKeyRing([sealing.privateKey]), egress: loopbackEgress(1_024) },
  })
  try {
    await steady(setting, organizations, endpoints)
    await backlog(setting, organizations, endpoints)
  } finally {
    await worker.close()
    await pool.end()
  }
}

/** @returns the organizations */
async function prepare({ pool, sealing, sink }: Setting, endpoints: number): Promise<string[]> {
  const organizations: string[] = []
  for (let made = 0; made < endpoints; made++) {
    if (made % ENDPOINTS_EACH === 0) {
      const slug = `bench-${organizations.length}`
      organizations.push((await ensureOrganization(pool, { name: slug, slug })).id)
    }
    const hangs = endpoints > 1 && made % HANGING_EVERY === 0
    const url = `${sink.url}/${hangs ? 'hangs' : 'well'}/${made}`
    const organizationId = organizations.at(-1) ?? ''
    await newTestEndpoint(pool, sealing, { organizationId, url, eventTypes: ['network.*'] })
  }
  return organizations
}

/** @returns ids of the events, which have committed */
async function happen(pool: Pool, organizationId: string, count = 1): Promise<string[]> {
  const events = Array.from({ length: count }, () => ({
    organizationId,
    type: 'network.created' as const,
    resourceId: newId('net'),
    data: { name: 'bench' },
  }))
  return inTenantTransaction(pool, organizationId, (tx) => appendEvents(tx, events))
}

async function steady({ pool, sink, store }: Setting, organizations: string[], endpoints: number): Promise<void> {
  await happen(pool, organizations[0] ?? '')
  await pause(2_000)
  await sink.arrivals()
  const perSec = endpoints === 1 ? EVENTS_PER_SEC.one : EVENTS_PER_SEC.many
  const committedMs = new Map<string, number>()
  const beganMs = performance.now()
  for (let sent = 0; sent < SECONDS * perSec; sent++) {
    await pause(Math.max(0, beganMs + (sent * 1_000) / perSec - performance.now()))
    const [id = ''] = await happen(pool, organizations[sent % organizations.length] ?? '')
    committedMs.set(id, performance.timeOrigin + performance.now())
  }
  // Every one of them: what is late is what the figure is about.
  const well = await healthyEndpoints(pool)
  const wanted = [...committedMs.keys()].reduce(
    (sum, _, sent) => sum + (well.get(organizations[sent % organizations.length] ?? '') ?? 0),
    0,
  )
  const came = await healthy(
    sink,
    (arrivals) => arrivals.filter(([id]) => committedMs.has(id)).length >= wanted,
    60_000,
  )
  const ms = came.flatMap(([id, , atMs]) => {
    const at = committedMs.get(id)
    return at === undefined ? [] : [atMs - at]
  })
  const figure = 'webhooks.commit_to_delivery_ms'
  const note = `${store}, ${endpoints} endpoints, ${perSec} events/s, ${ms.length} of ${wanted} deliveries`
  for (const [label, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const)
    printFigure({ figure: `${figure}.${label}`, values: ms, unit: 'ms', note }, quantile(ms, share))
}

/** @returns how many each organization has */
async function healthyEndpoints(pool: Pool): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ organization_id: string; well: number }>(
    `SELECT organization_id, count(*)::int AS well FROM webhook_endpoints WHERE url NOT LIKE '%/hangs/%' GROUP BY 1`,
  )
  return new Map(rows.map(({ organization_id: id, well }) => [id, well]))
}

async function backlog({ pool, sink, store }: Setting, organizations: string[], endpoints: number): Promise<void> {
  await pause(1_000)
  await sink.arrivals()
  const each = Math.ceil((endpoints === 1 ? BACKLOG * 10 : BACKLOG) / organizations.length)
  const ids = (await Promise.all(organizations.map((organization) => happen(pool, organization, each)))).flat()
  const beganMs = performance.timeOrigin + performance.now()
  const wanted = [...(await healthyEndpoints(pool)).values()].reduce((sum, well) => sum + well * each, 0)
  const wantedIds = new Set(ids)
  const came = (await healthy(sink, (all) => all.length >= wanted, 60_000)).filter(([id]) => wantedIds.has(id))
  const lastMs = Math.max(...came.map(([, , atMs]) => atMs))
  const note = `${store}, ${endpoints} endpoints, ${came.length} of ${wanted} deliveries`
  const values = [came.length / ((lastMs - beganMs) / 1_000)]
  printFigure({ figure: 'webhooks.deliveries_per_second', values, unit: '1/s', note })
}

/** Arrivals at endpoints that answer, until there are enough or the time is up. */
async function healthy(sink: Sink, enough: (came: Arrival[]) => boolean, timeoutMs: number): Promise<Arrival[]> {
  const came: Arrival[] = []
  await waitFor(
    async () => {
      came.push(...(await sink.arrivals()).filter(([, where]) => !where.startsWith('/hangs')))
      return enough(came)
    },
    { timeoutMs, intervalMs: 200 },
  ).catch(() => undefined)
  return came
}
