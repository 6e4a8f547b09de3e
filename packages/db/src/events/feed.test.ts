import { createDatabase } from '@culvert/testkit'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  appendEvent,
  appendEvents,
  ensureOrganization,
  findEvent,
  forgetFloors,
  newId,
  openPool,
  positionSince,
  readFeed,
  relayEvents,
  removeOldEvents,
  type FeedEvent,
  type FeedFilter,
  type NewEvent,
} from '../index.ts'
import { tenant } from '../tenant.ts'
import { sincePosition } from './feed.ts'

let pool: pg.Pool
let api: pg.Pool
let worker: pg.Pool
let acme = ''
let other = ''

beforeAll(async () => {
  const url = await createDatabase(inject('databaseUrl'))
  pool = openPool(url)
  api = openPool(url, { role: 'culvert_api' })
  worker = openPool(url, { role: 'culvert_worker' })
  acme = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  other = (await ensureOrganization(pool, { name: 'Other', slug: 'other' })).id
})
afterAll(async () => {
  await Promise.all([pool.end(), api.end(), worker.end()])
})

const drain = async (): Promise<void> => {
  while ((await relayEvents(worker, [])).isFull);
}
const any: FeedFilter = { types: null, resourceId: null, deviceId: null }
const end = async (): Promise<number> => positionSince(api, acme, null)

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Cond'?: string
  readonly 'Actual Rows': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** Of events. */
function scansOf(plan: PlanNode | undefined): PlanNode[] {
  if (!plan) return []
  const below = (plan.Plans ?? []).flatMap(scansOf)
  return plan['Relation Name'] === 'events' ? [plan, ...below] : below
}

/** Everything after a position, in pages of `limit`. */
async function readAll(
  organizationId: string,
  filter: FeedFilter,
  after: number | null,
  limit = 3,
): Promise<FeedEvent[]> {
  const read: FeedEvent[] = []
  for (let position = after; ;) {
    const page = await readFeed(api, organizationId, filter, { after: position, limit })
    if ('beginsAfter' in page) throw new Error('removed')
    expect(page.events.length).toBeLessThanOrEqual(limit)
    read.push(...page.events)
    position = page.position
    if (!page.hasMore) return read
  }
}

describe('the feed', () => {
  it('has every event once and in order, with each filter and any size of pages, and none of another organization', async () => {
    const devices = [newId('dev'), newId('dev')]
    const tunnel = newId('tun')
    const written: { id: string; type: string; resourceId: string; deviceId: string }[] = []
    const start = await end()
    for (let round = 0; round < 25; round++) {
      const deviceId = devices[round % 2] as string
      const ofTunnel = round % 5 === 0
      const event = {
        type: ofTunnel ? 'tunnel.requested' : round % 3 === 0 ? 'device.online' : 'device.updated',
        resourceId: ofTunnel ? tunnel : deviceId,
      }
      const id = await appendEvent(pool, {
        ...event,
        organizationId: acme,
        data: ofTunnel ? { deviceId } : {},
      } as NewEvent)
      await appendEvent(pool, { ...event, organizationId: other, resourceId: newId('dev'), data: {} } as NewEvent)
      written.push({ id, ...event, deviceId })
      await drain()
    }
    const filters: FeedFilter[] = [any]
    for (const types of [null, ['device.online'], ['device.online', 'tunnel.requested', 'device.online'], []])
      for (const resourceId of [null, tunnel, devices[0] as string])
        for (const deviceId of [null, devices[1] as string]) filters.push({ types, resourceId, deviceId })
    for (const filter of filters) {
      const expected = written.filter(
        ({ type, resourceId, deviceId }) =>
          (filter.types?.includes(type) ?? true) &&
          (filter.resourceId === null || filter.resourceId === resourceId) &&
          (filter.deviceId === null || filter.deviceId === deviceId),
      )
      for (const limit of [1, 4, 200])
        expect([filter, (await readAll(acme, filter, start, limit)).map(({ id }) => id)]).toEqual([
          filter,
          expected.map(({ id }) => id),
        ])
    }
    const seen = new Set((await readAll(other, any, null)).map(({ id }) => id))
    expect(written.filter(({ id }) => seen.has(id))).toEqual([])
  })

  it('goes on after an empty page without what was looked at before', async () => {
    const start = await end()
    await appendEvent(pool, {
      organizationId: acme,
      type: 'device.updated',
      resourceId: newId('dev'),
      data: { changed: [] },
    })
    await drain()
    const page = await readFeed(api, acme, { ...any, types: ['device.deleted'] }, { after: start, limit: 5 })
    expect(page).toEqual({ events: [], position: start + 1, hasMore: false })
  })

  it('ends a page early where a filter has no index, and goes on from there', async () => {
    const [device, start] = [newId('dev'), await end()]
    const many = (type: string, count: number) =>
      appendEvents(
        pool,
        Array.from({ length: count }, () => ({ organizationId: acme, type, resourceId: device, data: {} }) as NewEvent),
      )
    await many('device.updated', 2_100)
    const [last] = await many('device.online', 1)
    await drain()
    const filter = { types: ['device.online'], resourceId: null, deviceId: device }
    const first = await readFeed(api, acme, filter, { after: start, limit: 5 })
    expect(first).toMatchObject({ events: [], position: start + 2_000, hasMore: true })
    expect((await readAll(acme, filter, start)).map(({ id }) => id)).toEqual([last])
  })

  it('begins at a time without missing what was written since, though it began to be written before', async () => {
    const [early, late, device] = [newId('dev'), newId('dev'), newId('dev')]
    const one = (resourceId: string): NewEvent => ({
      organizationId: acme,
      type: 'device.updated',
      resourceId,
      data: { changed: [] },
    })
    await appendEvent(pool, one(early))
    await drain()
    await pool.query(`UPDATE events SET created_at = created_at - interval '1 minute'`)
    const { rows } = await pool.query<{ since: Date }>(`SELECT now() - interval '30 seconds' AS since`)
    const since = rows[0]?.since as Date
    // The second one gets its place first.
    const writer = await pool.connect()
    await writer.query('BEGIN')
    await appendEvent(writer, one(late))
    await appendEvent(pool, one(device))
    await drain()
    await writer.query('COMMIT')
    writer.release()
    await drain()
    const read = await readAll(acme, any, await positionSince(api, acme, since))
    expect(read.map(({ resourceId }) => resourceId)).toEqual([device, late])
    expect(await positionSince(api, acme, new Date(Date.now() + 3_600_000))).toBe(await end())
  })

  it('begins at a time by its indexes alone, also behind row-level security, whatever comes after that time', async () => {
    const organization = (await ensureOrganization(pool, { name: 'Busy', slug: 'busy' })).id
    const owner = await pool.connect()
    await owner.query('SET session_replication_role = replica')
    await owner.query(
      `INSERT INTO events (id, organization_id, type, resource_id, sequence, data, created_at, position)
       SELECT 'evt_busy' || i, $1, 'device.updated', 'dev_busy', i, '{}', now() - interval '1 day' + i * interval '1 second',
         (SELECT last_position FROM event_feed) + i FROM generate_series(1, 20000) AS i`,
      [organization],
    )
    await owner.query('UPDATE event_feed SET last_position = last_position + 20000')
    await owner.query('RESET session_replication_role')
    await owner.query('ANALYZE events')
    owner.release()
    const last = await end()
    const { rows: times } = await pool.query<{ first: Date }>(
      `SELECT min(created_at) AS first FROM events WHERE organization_id = $1`,
      [organization],
    )
    const at = (sec: number): Date => new Date((times[0]?.first.getTime() ?? 0) + sec * 1_000)
    for (const sec of [0, 1, 300, 301, 10_000, 19_999])
      expect(await positionSince(api, organization, at(sec))).toBe(last - 20_000 + sec)
    expect(await positionSince(api, organization, at(-30 * 86_400))).toBe(last - 20_000)
    expect(await positionSince(api, organization, at(20_000))).toBe(last)
    const { rows } = await tenant(api, organization).query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${sincePosition}`,
      [organization, at(100)],
    )
    const scans = scansOf(rows[0]?.['QUERY PLAN'][0].Plan)
    expect(scans).toHaveLength(3)
    expect(scans.map((scan) => scan['Actual Rows']).toSorted((a, b) => a - b)).toEqual([0, 1, 300])
    for (const scan of scans) {
      expect(scan['Node Type']).not.toBe('Seq Scan')
      expect(scan['Rows Removed by Filter'] ?? 0).toBe(0)
    }
    // All of them in the same minutes: more than are looked at. It begins with what was surely written before.
    await pool.query(
      `UPDATE events SET created_at = $2::timestamptz + CASE WHEN sequence > 10 THEN sequence * interval '1 ms' ELSE interval '-1 hour' END
       WHERE organization_id = $1`,
      [organization, at(0)],
    )
    await pool.query(`UPDATE event_feed SET last_position = last_position + 20`)
    await pool.query(
      `INSERT INTO events (id, organization_id, type, resource_id, sequence, data, created_at, position)
       SELECT 'evt_more' || i, $1, 'device.updated', 'dev_more', i, '{}', $2, (SELECT last_position FROM event_feed) - 20 + i
       FROM generate_series(1, 20) AS i`,
      [organization, at(1)],
    )
    expect(await positionSince(api, organization, at(0))).toBe(last - 20_000 + 10)
    await pool.query('DELETE FROM events WHERE organization_id = $1', [organization])
  })

  it('finds one event by its id, and none of another organization', async () => {
    const id = await appendEvent(pool, {
      organizationId: acme,
      type: 'device.updated',
      resourceId: newId('dev'),
      data: { changed: [] },
    })
    expect(await findEvent(api, acme, id)).toMatchObject({ id, sequence: 1 })
    expect(await findEvent(api, other, id)).toBeNull()
  })
})

describe('old events', () => {
  const age = (ids: readonly string[]) =>
    pool.query(`UPDATE events SET created_at = now() - interval '91 days' WHERE resource_id = ANY($1)`, [ids])
  const append = (resourceId: string) =>
    appendEvent(pool, { organizationId: acme, type: 'device.updated', resourceId, data: { changed: [] } })
  const sequenceOf = async (id: string): Promise<number | undefined> =>
    (await findEvent(api, acme, id).then((event) => event?.sequence)) ?? undefined

  it('are removed in batches from the low end, a reader from before is told, and numbers go on', async () => {
    await drain()
    await pool.query(`UPDATE events SET created_at = now() - interval '91 days'`)
    const [gone, kept] = [newId('dev'), newId('dev')]
    for (let count = 0; count < 5; count++) await append(gone)
    await append(kept)
    await drain()
    await age([gone, kept])
    const late = await append(kept)
    await drain()
    const before = await end()
    await pool.query(
      `INSERT INTO relay_faults SELECT 'test', id, organization_id, 1, now() FROM events WHERE resource_id = $1 AND sequence = 1`,
      [gone],
    )
    const first = await removeOldEvents(worker, 90, 10)
    expect(first).toEqual({ removed: 10, isFull: true })
    while ((await removeOldEvents(worker, 90, 500)).isFull);
    expect((await readAll(acme, any, null)).map(({ id }) => id)).toEqual([late])
    expect(await removeOldEvents(worker, 90)).toEqual({ removed: 0, isFull: false })

    expect(await readFeed(api, acme, any, { after: before - 2, limit: 5 })).toHaveProperty('beginsAfter')
    expect(await readFeed(api, acme, any, { after: 0, limit: 5 })).toHaveProperty('beginsAfter')
    expect(await readFeed(api, acme, any, { after: before - 1, limit: 5 })).toMatchObject({ events: [{ id: late }] })
    expect(await readFeed(api, acme, any, { after: before + 1, limit: 5 })).toHaveProperty('beginsAfter')

    expect(await sequenceOf(await append(gone))).toBe(6)
    expect(await sequenceOf(await append(kept))).toBe(3)
    await drain()
    expect(await end()).toBe(before + 2)
  })

  it('stay while a younger one is before them, and while they have no place in the feed', async () => {
    const [young, old] = [newId('dev'), newId('dev')]
    await append(young)
    await drain()
    await append(old)
    await age([old])
    expect(await removeOldEvents(worker, 90)).toMatchObject({ removed: 0 })
    await drain()
    expect(await removeOldEvents(worker, 90)).toMatchObject({ removed: 0 })
  })

  it('leave floors behind, which go with their resources', async () => {
    const [device, network] = [newId('dev'), newId('net')]
    await pool.query(
      `INSERT INTO event_floors VALUES ($1, $3, 7), ($2, $3, 7) ON CONFLICT (resource_id) DO UPDATE SET sequence = 7`,
      [device, network, acme],
    )
    let after: string | null = ''
    while (after !== null) after = await forgetFloors(worker, after, 2)
    const { rows } = await pool.query<{ id: string }>(
      'SELECT resource_id AS id FROM event_floors WHERE resource_id = ANY($1)',
      [[device, network]],
    )
    expect(rows.map(({ id }) => id)).toEqual([network])
    expect(await sequenceOf(await append(network))).toBe(8)
  })

  it('are left to one worker at a time', async () => {
    await drain()
    await pool.query(`UPDATE events SET created_at = now() - interval '91 days'`)
    const results = await Promise.all([1, 2].map(() => removeOldEvents(worker, 90)))
    expect(results.reduce((sum, { removed }) => sum + removed, 0)).toBeGreaterThan(0)
    expect(await removeOldEvents(worker, 90)).toMatchObject({ removed: 0 })
  })
})
