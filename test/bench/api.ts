/**
 * `npm run bench -- api`: what the main calls of the API cost with 1 000 000 devices in 1000 organizations, half of them in one,
 * through the database role and the row-level security of the API; then an import of 100 000 rows.
 *
 * ```
 *   pages:  the whole list of the large organization from its first to its last page, then pages of every filter in every order
 *   calls:  eight at once for a while, for a rate; the client shares the machine
 * ```
 *
 * `--quick` has a tenth of everything. Database and client are on the same machine; the database keeps what it has acknowledged.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { createApiKey, generateSealingKeyPair, migrate, openPool, type Pool } from '@culvert/db'
import { freePort } from '@culvert/services'
import { waitFor } from '@culvert/testkit'
import { runWorker } from '@culvert/worker'
import { callerOf, callFor, expectStatus, type Answered, type CallApi } from './api-calls.ts'
import { withBenchPostgres, type BenchPostgres } from './bench-postgres.ts'
import { largeOrganization, largeShare, loadFleet } from './api-fleet.ts'
import { printFigure, quantile } from './figure.ts'

const quick = process.argv.includes('--quick')
const SIZE = quick ? { devices: 100_000, organizations: 100 } : { devices: 1_000_000, organizations: 1_000 }
const IMPORTED = quick ? 10_000 : 100_000
const PAGES_OF_A_FILTER = quick ? 3 : 12
const CALL_SEC = quick ? 1 : 5
const AT_ONCE = 8

const filters: readonly string[] = [
  'tag=fleet',
  'tag=rare',
  'tagsAll=even,rare',
  'tagsAll=fleet,even,site:8',
  'tagsAny=rare,site:8',
  'tagsAny=fleet,even',
  'tagsAny=nobody',
  'networkId=net_wwwwwwwwwwwwwwwwwwww',
  'state=online',
  'state=offline',
  'tunnelable=false',
  'iccidPrefix=894400000000001234',
  'iccidPrefix=8944',
  'imsiPrefix=26201000001',
  'imeiPrefix=3569',
  'name=truck%20ab',
  'name=nothing%20like%20that',
  'name=e',
  'namePrefix=camera%20f',
  'namePrefix=t',
  'createdFrom=2025-02-01T00:00:00Z&createdBefore=2025-02-01T01:00:00Z',
  'createdFrom=2025-01-15T00:00:00Z',
  'seenFrom=2025-04-12T00:00:00Z&seenBefore=2025-04-12T01:00:00Z',
  'seenBefore=2025-05-01T00:00:00Z',
  'state=online&tagsAll=even,fleet&tunnelable=true&name=a',
  'state=offline&tag=rare&name=zzz',
]
const sorts = ['-createdAt', 'createdAt', 'name', '-name', 'lastSeenAt', '-lastSeenAt']

await withBenchPostgres(main)

async function main(bench: BenchPostgres): Promise<void> {
  const { url: databaseUrl, atEnd } = bench
  await migrate(databaseUrl)
  const pool = openPool(databaseUrl, { queryTimeoutMs: 600_000 })
  atEnd(() => pool.end())
  await timed(`${SIZE.devices} devices are loaded`, () => loadFleet(pool, SIZE))
  const { key } = await createApiKey(pool, { organizationId: largeOrganization, name: 'bench' })
  const url = await startApi(bench)
  const call = callerOf(url, key, AT_ONCE)
  await warmUp(call)
  await timed('pages are measured', () => measurePages(call))
  await timed('calls are measured', () => measureCalls(pool, call, bench))
  await timed('the import is measured', () => measureImport(call, bench))
}

/** Says on standard error how far it is: the whole takes minutes. */
async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const from = performance.now()
  await work()
  process.stderr.write(`${what} (${((performance.now() - from) / 1_000).toFixed(0)} s)\n`)
}

/** As a process of its own, as it runs. */
async function startApi({ url: databaseUrl, atEnd }: BenchPostgres): Promise<string> {
  const port = await freePort()
  const sealing = await generateSealingKeyPair()
  const api = spawn(
    process.execPath,
    ['--conditions=source', path.join(import.meta.dirname, '../../apps/api/src/main.ts')],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        DATABASE_URL: databaseUrl,
        SEALING_PUBLIC_KEY: sealing.publicKey,
        API_PORT: String(port),
        RATE_LIMIT_ORGANIZATION: '0',
        RATE_LIMIT_KEY: '0',
        RATE_LIMIT_ADDRESS: '0',
        POOL_PREFIX6: 'none', // as the networks were loaded
        LOG_LEVEL: 'warn',
      },
    },
  )
  const gone = new Promise<void>((resolve) => api.once('exit', () => resolve()))
  atEnd(async () => {
    api.kill('SIGTERM')
    await gone
  })
  const url = `http://127.0.0.1:${port}`
  await waitFor(async () => (await fetch(`${url}/health/ready`).catch(() => null))?.ok === true, { timeoutMs: 120_000 })
  return url
}

async function warmUp(call: CallApi): Promise<void> {
  for (let turn = 0; turn < 300; turn++) expectStatus(await call('GET', '/v1/devices?limit=50'), 200)
}

interface Page {
  readonly data: readonly { readonly id: string }[]
  readonly nextCursor: string | null
}

/** @returns the times of up to `most` pages, one after the other */
async function turnPages(call: CallApi, query: string, most: number): Promise<{ ms: number[]; devices: number }> {
  const ms: number[] = []
  let devices = 0
  let cursor: string | null = null
  do {
    const answer: Answered = expectStatus(
      await call('GET', `/v1/devices?${query}${cursor === null ? '' : `&cursor=${cursor}`}`),
      200,
    )
    const page = JSON.parse(answer.body) as Page
    ms.push(answer.ms)
    devices += page.data.length
    cursor = page.nextCursor
  } while (cursor !== null && ms.length < most)
  return { ms, devices }
}

async function measurePages(call: CallApi): Promise<void> {
  const whole = await turnPages(call, 'limit=200', Infinity)
  if (whole.devices !== largeShare(SIZE)) throw new Error(`the pages have ${whole.devices} devices`)
  print('api.devices_walk_ms', whole.ms, 'pages of 200 through the whole list')
  const all: number[] = []
  let worst = { query: '', ms: [0] }
  for (const filter of filters) {
    for (const sort of sorts) {
      const query = `${filter}&sort=${sort}`
      const { ms } = await turnPages(call, query, PAGES_OF_A_FILTER)
      all.push(...ms)
      if (Math.max(...ms) > Math.max(...worst.ms)) worst = { query, ms }
    }
  }
  print(
    'api.devices_page_ms',
    [...whole.ms, ...all],
    `of the walk and of ${filters.length} filters in ${sorts.length} orders`,
  )
  print('api.devices_filtered_ms', all, `pages of 50; slowest: ${decodeURIComponent(worst.query)}`)
}

async function measureCalls(pool: Pool, call: CallApi, { atEnd }: BenchPostgres): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT d.id FROM devices d JOIN attachments a ON a.device_id = d.id WHERE d.organization_id = $1 AND a.state = $2 AND d.tunnelable LIMIT 5000',
    [largeOrganization, 'attached'],
  )
  const beat = await serveGateway(pool)
  atEnd(async () => clearInterval(beat))
  let next = 0
  const device = (): string => rows[next++ % rows.length]?.id ?? ''
  const unique = (): string => iccidOf(900_000_000_000 + next++)
  const calls: [name: string, status: number, call: () => Promise<Answered>][] = [
    ['auth', 200, () => call('GET', '/v1/organization')],
    ['list', 200, () => call('GET', '/v1/devices?limit=50')],
    ['get', 200, () => call('GET', `/v1/devices/${device()}`)],
    ['create', 201, () => call('POST', '/v1/devices', { iccid: unique() })],
    ['patch', 200, () => call('PATCH', `/v1/devices/${device()}`, { name: `changed ${next}` })],
    [
      'open_tunnel',
      201,
      () => call('POST', '/v1/tunnels?validateOnly=true', { deviceId: device(), port: 22, waitForDevice: true }),
    ],
  ]
  for (const [name, status, once] of calls) {
    const checked = async (): Promise<Answered> => {
      const answer = await once()
      return answer.status === 202 && name === 'open_tunnel' ? answer : expectStatus(answer, status)
    }
    await callFor(CALL_SEC / 4, AT_ONCE, checked)
    const { ms, perSecond } = await callFor(CALL_SEC, AT_ONCE, checked)
    printFigure({ figure: `api.${name}.per_second`, values: [perSecond], unit: '1/s', note: `${AT_ONCE} at once` })
    print(`api.${name}_ms`, ms, `${AT_ONCE} at once`)
  }
  clearInterval(beat)
}

/** Tunnels need a gateway that is alive. */
async function serveGateway(pool: Pool): Promise<NodeJS.Timeout> {
  await pool.query(
    `INSERT INTO gateways (id, bind_address, public_host, port_from, port_to, state, heartbeat_at)
     VALUES ('gw-1', '0.0.0.0', 'gw-1.bench', 20000, 29999, 'ready', now())`,
  )
  return setInterval(() => {
    pool.query('UPDATE gateways SET heartbeat_at = now()').catch(() => undefined)
  }, 2_000)
}

function iccidOf(number: number): string {
  const digits = `8949${String(number).padStart(15, '0')}`
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => {
      const value = Number(digit) * (index % 2 === 0 ? 2 : 1)
      return total + (value > 9 ? value - 9 : value)
    }, 0)
  return digits + ((10 - (sum % 10)) % 10)
}

async function measureImport(call: CallApi, { url: databaseUrl, atEnd }: BenchPostgres): Promise<void> {
  const worker = runWorker({ databaseUrl })
  atEnd(() => worker.close())
  const rows = Array.from({ length: IMPORTED }, (_, index) => {
    const row = {
      iccid: iccidOf(800_000_000_000 + index),
      name: `imported ${index}`,
      tags: ['imported', `lot:${index % 100}`],
    }
    return `${JSON.stringify(row)}\n`
  })
  const from = performance.now()
  const begun = expectStatus(await call('POST', '/v1/devices/import', rows.join(''), 'application/x-ndjson'), 202)
  const { id } = JSON.parse(begun.body) as { id: string }
  for (;;) {
    const { body } = expectStatus(await call('GET', `/v1/operations/${id}?wait=30`), 200)
    const operation = JSON.parse(body) as { done: boolean; result: { created: number } | null }
    if (!operation.done) continue
    if (operation.result?.created !== IMPORTED) throw new Error(`the import ended with ${body}`)
    break
  }
  const seconds = (performance.now() - from) / 1_000
  const note = `${IMPORTED} devices, NDJSON, from the call to the end of the operation`
  printFigure({ figure: 'api.import_rows_per_min', values: [(IMPORTED / seconds) * 60], unit: '1/min', note })
}

function print(figure: string, values: readonly number[], note: string): void {
  printFigure({ figure: `${figure}.p50`, values, unit: 'ms', note })
  printFigure({ figure: `${figure}.p99`, values, unit: 'ms', note }, quantile(values, 0.99))
}
