/**
 * `npm run bench -- events`: pages of the feed with 2 000 000 events in ten organizations, half of them in one, at any depth and with
 * each filter, through the database role and the row-level security of the API, while old events are removed; then a day of them that a
 * new endpoint of webhooks is given by a worker, since a time and after a cursor; then what the relay puts into the feed in a second.
 *
 * No page may look through the whole table: `events.seq_scans` counts. `--quick` has a tenth of everything. Database and reader are on
 * the same machine.
 */
import {
  eventCursors,
  findOperation,
  migrate,
  newId,
  openPool,
  positionSince,
  readFeed,
  relayEvents,
  removeOldEvents,
  startOperation,
  systemAuthor,
  type FeedFilter,
  type Pool,
} from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { runWorker } from '@culvert/worker'
import { withBenchPostgres, type BenchPostgres } from './bench-postgres.ts'
import { printFigure, quantile } from './figure.ts'

const quick = process.argv.includes('--quick')
const EVENTS = quick ? 200_000 : 2_000_000
const PAGES_OF_A_FILTER = quick ? 20 : 60
const RELAYED = quick ? 5_000 : 20_000
const CHUNK = 200_000
const DEVICES = 1_000
/** Events are spread over these days; those older than the retention go while pages are read. */
const DAYS = 100
const RETENTION_DAYS = 90
const DAY_MS = 86_400_000

const organizationId = 'org_0'
const none: FeedFilter = { types: null, resourceId: null, deviceId: null }
const filters: Readonly<Record<string, FeedFilter>> = {
  none,
  'types, most events': { ...none, types: ['device.updated'] },
  'types, few events': { ...none, types: ['network.deleted'] },
  'types, some of each': { ...none, types: ['device.online', 'tunnel.opened', 'network.deleted'] },
  'types, no event': { ...none, types: ['organization.updated'] },
  device: { ...none, deviceId: 'dev_2' },
  'device and types': { ...none, deviceId: 'dev_2', types: ['device.online'] },
  'device and types, no event': { ...none, deviceId: 'dev_2', types: ['organization.updated'] },
  resource: { ...none, resourceId: 'dev_4' },
  'resource and types': { ...none, resourceId: 'dev_4', types: ['tunnel.opened'] },
}

await withBenchPostgres(main)

async function main(bench: BenchPostgres): Promise<void> {
  const { url: databaseUrl, atEnd } = bench
  await migrate(databaseUrl)
  const pool = openPool(databaseUrl, { queryTimeoutMs: 600_000 })
  const api = openPool(databaseUrl, { role: 'culvert_api' })
  const worker = openPool(databaseUrl, { role: 'culvert_worker' })
  atEnd(() => Promise.all([pool.end(), api.end(), worker.end()]))
  await load(pool)
  await measurePages(pool, api, worker)
  await measureReplay(pool, bench)
  await measureRelay(pool, worker)
}

/** Of every ten events seven are `device.updated`, of every thousand one is `network.deleted`. */
async function load(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(`SET session_replication_role = replica; SET synchronous_commit = off`)
    await client.query(
      `INSERT INTO organizations (id, name, slug, updated_at) SELECT 'org_' || o, 'o', 'bench-' || o, now() FROM generate_series(0, 9) AS o`,
    )
    for (let from = 1; from <= EVENTS; from += CHUNK)
      await client.query(
        `INSERT INTO events (id, organization_id, type, resource_id, device_id, sequence, data, created_at, position)
         SELECT 'evt_' || md5(i::text), CASE WHEN d % 2 = 0 THEN 'org_0' ELSE 'org_' || (1 + d % 9) END,
           CASE WHEN i / $4 % 1000 = 0 THEN 'network.deleted' WHEN i / $4 % 10 < 7 THEN 'device.updated' WHEN i / $4 % 10 < 9
             THEN 'device.online' ELSE 'tunnel.opened' END,
           'dev_' || d, 'dev_' || d, 1 + i / $4, '{"changed": ["tags", "name"]}',
           now() - $5::int * interval '1 day' * (1 - i / $3::float8), i
         FROM generate_series($1::int, $2::int) AS i, LATERAL (SELECT i % $4::int AS d) AS v`,
        [from, Math.min(from + CHUNK - 1, EVENTS), EVENTS, DEVICES, DAYS],
      )
    await client.query('UPDATE event_feed SET last_position = $1', [EVENTS])
    await client.query('RESET session_replication_role')
    await client.query('VACUUM (ANALYZE)')
  } finally {
    client.release(true)
  }
}

async function measurePages(pool: Pool, api: Pool, worker: Pool): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await readFeed(api, organizationId, none, { after: null, limit: 50 })
  const scans = await seqScans(pool)
  let reading = true
  let removed = 0
  const batches: number[] = []
  const retention = (async () => {
    while (reading) {
      const startMs = performance.now()
      const batch = await removeOldEvents(worker, RETENTION_DAYS)
      batches.push(performance.now() - startMs)
      removed += batch.removed
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  const all: number[] = []
  for (const [name, filter] of Object.entries(filters)) {
    const ms: number[] = []
    for (let page = 0; page < PAGES_OF_A_FILTER; page++) {
      // From the beginning of what is kept to the end, the end included.
      const after = Math.floor(EVENTS * (0.11 + (0.89 * page) / (PAGES_OF_A_FILTER - 1)))
      const startMs = performance.now()
      await readFeed(api, organizationId, filter, { after, limit: 200 })
      ms.push(performance.now() - startMs)
    }
    printFigure({ figure: 'events.page_ms.p99', values: ms, unit: 'ms', note: name }, quantile(ms, 0.99))
    all.push(...ms)
  }
  const since: number[] = []
  for (let day = 1; day < RETENTION_DAYS; day += 5) {
    const startMs = performance.now()
    await positionSince(api, organizationId, new Date(Date.now() - day * 86_400_000))
    since.push(performance.now() - startMs)
  }
  reading = false
  await retention
  printFigure({ figure: 'events.page_ms.p50', values: all, unit: 'ms', note: 'all filters' })
  printFigure({ figure: 'events.page_ms.p99', values: all, unit: 'ms', note: 'all filters' }, quantile(all, 0.99))
  printFigure({ figure: 'events.since_ms.p99', values: since, unit: 'ms' }, quantile(since, 0.99))
  printFigure({ figure: 'events.retention_batch_ms', values: batches, unit: 'ms', note: `${removed} events removed` })
  printFigure({ figure: 'events.seq_scans', values: [(await seqScans(pool)) - scans], unit: 'scans' })
}

/** From the call to the last delivery that stands there to be sent. */
async function measureReplay(pool: Pool, { url: databaseUrl, atEnd }: BenchPostgres): Promise<void> {
  const since = new Date(Date.now() - 2 * DAY_MS)
  const until = new Date(since.getTime() + DAY_MS)
  const cursors = await eventCursors(pool)(organizationId)
  const after = cursors.write(await positionSince(pool, organizationId, since))
  const { rows } = await pool.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM events WHERE organization_id = $1 AND created_at >= $2 AND created_at < $3',
    [organizationId, since, until],
  )
  const events = rows[0]?.count ?? 0
  const begun = runWorker({ databaseUrl, eventRetentionDays: 3_650 })
  atEnd(() => begun.close())
  for (const [note, begin] of [
    ['since a time', { since }],
    ['after a cursor', { after }],
  ] as const) {
    const endpointId = newId('whe')
    await pool.query(
      `INSERT INTO webhook_endpoints (id, organization_id, name, url, event_types)
       VALUES ($1, $2, 'bench', 'https://hooks.example.com/', '{device.*,tunnel.*,network.*}')`,
      [endpointId, organizationId],
    )
    const request = { endpointId, ...begin, until, deliveries: 'all' }
    const startMs = performance.now()
    const operation = await startOperation(
      pool,
      organizationId,
      { kind: 'webhook_replay', request, validateOnly: false },
      { by: systemAuthor('bench') },
    )
    if (typeof operation === 'string') throw new Error(operation)
    await waitFor(async () => (await findOperation(pool, organizationId, operation.id))?.finishedAt, {
      timeoutMs: 600_000,
      message: 'the replay',
    })
    const sec = (performance.now() - startMs) / 1_000
    const { rows: made } = await pool.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM webhook_deliveries WHERE endpoint_id = $1',
      [endpointId],
    )
    if (made[0]?.count !== events) throw new Error(`${made[0]?.count} of ${events} events would be delivered`)
    printFigure({ figure: 'events.replay_day_sec', values: [sec], unit: 's', note: `${events} events ${note}` })
  }
}

/** Of the table of events, by anybody. */
async function seqScans(pool: Pool): Promise<number> {
  await pool.query('SELECT pg_stat_force_next_flush()')
  const { rows } = await pool.query<{ scans: number }>(
    `SELECT seq_scan::int AS scans FROM pg_stat_user_tables WHERE relname = 'events'`,
  )
  return rows[0]?.scans ?? 0
}

/** Writers are not measured: the events are there before the first pass. */
async function measureRelay(pool: Pool, worker: Pool): Promise<void> {
  await pool.query(
    `INSERT INTO events (id, organization_id, type, resource_id, sequence, data)
     SELECT 'evt_r' || i, $1, 'device.updated', 'dev_' || i % $3::int, 0, '{"changed": ["tags"]}' FROM generate_series(1, $2::int) AS i`,
    [organizationId, RELAYED, DEVICES],
  )
  const passes: number[] = []
  const startMs = performance.now()
  for (let isFull = true; isFull;) {
    const passMs = performance.now()
    isFull = (await relayEvents(worker, [])).isFull
    passes.push(performance.now() - passMs)
  }
  const perSec = (RELAYED / (performance.now() - startMs)) * 1_000
  printFigure({ figure: 'events.relayed_per_sec', values: [perSec], unit: 'events/s', note: 'passes of 1000' })
  printFigure({ figure: 'events.relay_pass_ms', values: passes, unit: 'ms' })
}
