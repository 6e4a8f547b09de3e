/** What a page of usage reads, and that nothing of what it walks over is lost. */
import { createDatabase } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  ensureOrganization,
  openPool,
  readUsage,
  type Pool,
  type UsageFilter,
  type UsagePosition,
  type UsageRecord,
} from './index.ts'
import { usagePageOf } from './usage.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const begin = Date.UTC(2026, 0, 1)
const DAYS = 60
const SUBJECTS = 20

let pool: Pool
let organizationId = ''

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  // Every hour of some weeks; every second device is gone since, every third tunnel leads to another one.
  for (const kind of ['device', 'tunnel'])
    await pool.query(
      `INSERT INTO usage_hourly (organization_id, kind, subject_id, hour, device_id, bytes_in, bytes_out, packets_in, packets_out,
         attached_ms, tunnels_opened, connections, denied)
       SELECT $1, $2, 's' || to_char(s, 'FM00'), $3::timestamptz + h * interval '1 hour', CASE WHEN $2 = 'tunnel' THEN 'd' || s % 3 END,
         s + h, 1, 1, 1, 1, 0, 0, 0
       FROM generate_series(1, $4::int) s, generate_series(0, $5::int * 24 - 1) h WHERE s % 2 = 0 OR h < 48`,
      [organizationId, kind, new Date(begin), SUBJECTS, DAYS],
    )
  await pool.query('ANALYZE usage_hourly')
})
afterAll(() => pool.end())

const all: UsageFilter = {
  groupBy: 'device',
  interval: 'day',
  from: new Date(begin),
  before: new Date(begin + DAYS * DAY_MS),
}

async function rowsRead(filter: UsageFilter, page: { after: UsagePosition | null; limit: number }): Promise<number> {
  const { text, values } = usagePageOf(organizationId, filter, page)
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) ${text}`,
    values,
  )
  return readBy(rows[0]!['QUERY PLAN'][0].Plan)
}

interface PlanNode {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

function readBy(node: PlanNode): number {
  const own = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)
  const read = node['Relation Name'] === 'usage_hourly' ? Math.ceil(own * node['Actual Loops']) : 0
  return (node.Plans ?? []).reduce((sum, below) => sum + readBy(below), read)
}

describe('a page of usage', () => {
  const limit = 10
  it.each([
    ['the first', null],
    ['one in the middle', { subjectId: 's08', from: new Date(begin + 20 * DAY_MS) }],
    ['one at the end of a thing', { subjectId: 's09', from: new Date(begin + DAY_MS) }],
  ])('costs what it shows: %s', async (_name, after) => {
    // One more row than is shown tells that there are more.
    expect(await rowsRead(all, { after, limit })).toBeLessThanOrEqual((limit + 1) * 27)
    expect(await rowsRead({ ...all, interval: 'hour' }, { after, limit })).toBeLessThanOrEqual((limit + 1) * 4)
  })

  it('that is about the last days walks over no hours before them', async () => {
    const last = { ...all, from: new Date(begin + (DAYS - 2) * DAY_MS) }
    const { rows } = await readUsage(pool, organizationId, last, { after: null, limit: 100 })
    expect(rows).toHaveLength((SUBJECTS / 2) * 2)
    expect(await rowsRead(last, { after: null, limit: 100 })).toBeLessThan(rows.length * 24 + SUBJECTS * 4)
  })
})

async function pages(filter: UsageFilter, limit: number): Promise<UsageRecord[]> {
  const seen: UsageRecord[] = []
  for (let after: UsagePosition | null = null; ;) {
    const { rows, next } = await readUsage(pool, organizationId, filter, { after, limit })
    seen.push(...rows)
    if (next === null) return seen
    after = next
  }
}

describe('all pages together', () => {
  it.each([1, 7, 1_000])('hold every day once, with all its hours: by %i', async (limit) => {
    const from = new Date(begin + 3 * DAY_MS + 5 * HOUR_MS)
    const before = new Date(begin + 8 * DAY_MS + 2 * HOUR_MS)
    const { rows: expected } = await pool.query<{ id: string; day: Date; bytes: number }>(
      `SELECT subject_id AS id, date_trunc('day', hour, 'UTC') AS day, sum(bytes_in)::float8 AS bytes FROM usage_hourly
       WHERE kind = 'device' AND hour >= $1 AND hour < $2 GROUP BY 1, 2 ORDER BY 1, 2`,
      [from, before],
    )
    const seen = await pages({ ...all, from, before }, limit)
    expect(seen.map((row) => ({ id: row.subjectId, day: row.from, bytes: row.bytesIn }))).toEqual(expected)
    expect(seen).toHaveLength((SUBJECTS / 2) * 6)
  })

  it('hold the tunnels of one device alone', async () => {
    const seen = await pages({ ...all, groupBy: 'tunnel', deviceId: 'd2' }, 50)
    const ids = [...new Set(seen.map(({ subjectId }) => subjectId))]
    expect(ids).toEqual(['s02', 's05', 's08', 's11', 's14', 's17', 's20'])
    expect(seen.filter(({ subjectId }) => subjectId === 's05')).toHaveLength(2)
  })

  it('find what stands behind very many things without use in the time, a part of the way with each', async () => {
    await pool.query(
      `INSERT INTO usage_hourly (organization_id, kind, subject_id, hour, bytes_in, bytes_out, packets_in, packets_out, attached_ms,
         tunnels_opened, connections, denied)
       SELECT $1, 'device', 'a' || s, $2, 1, 1, 1, 1, 1, 0, 0, 0 FROM generate_series(1, 9000) s`,
      [organizationId, new Date(begin - 10 * DAY_MS)],
    )
    const first = await readUsage(pool, organizationId, all, { after: null, limit: 5 })
    expect(first.rows).toEqual([])
    expect(first.next).not.toBeNull()
    expect(await pages(all, 1_000)).toHaveLength((SUBJECTS / 2) * DAYS + (SUBJECTS / 2) * 2)
  })
})
