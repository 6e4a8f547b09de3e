import { createDatabase } from '@culvert/testkit'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import type { DeviceFilter } from './device-filter.ts'
import { listDeviceIds, type DeviceOrder, type DevicePosition, type DeviceSort } from './device-list.ts'
import { readDevices } from './devices.ts'
import { openPool, type Pool } from './index.ts'

const count = 9_000
let pool: Pool
/** What is listed is listed as the API does it, with the policies of its role in each plan. */
let api: Pool
const organizationId = 'org_a'
let devices: readonly Device[] = []

interface Device {
  readonly id: string
  readonly name: string
  readonly iccid: string
  readonly imsi: string | null
  readonly tags: readonly string[]
  readonly networkId: string
  readonly tunnelable: boolean
  readonly createdAt: Date
  readonly lastSeenAt: Date | null
  readonly online: boolean
}

/** Two organizations; the other one has the same tags, names and times. Times and names repeat, so that ids decide. */
beforeAll(async () => {
  const url = await createDatabase(inject('databaseUrl'))
  pool = openPool(url)
  api = openPool(url, { role: 'culvert_api' })
  await pool.query(
    `INSERT INTO organizations (id, name, slug, updated_at) VALUES ('org_a', 'A', 'a', now()), ('org_b', 'B', 'b', now())`,
  )
  await pool.query(
    `INSERT INTO networks (id, organization_id, name, pool4, updated_at) VALUES ('net_a', 'org_a', 'a', '10.128.0.0/16', now()),
       ('net_c', 'org_a', 'c', '10.130.0.0/16', now()), ('net_b', 'org_b', 'b', '10.129.0.0/16', now())`,
  )
  await pool.query(`INSERT INTO concentrators (id, slot, addresses, ike_identity, tun_namespace, dial_address)
    VALUES ('con-1', 1, '{}', 'c', 't', '10.127.0.1')`)
  await pool.query(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, imsi, tags, ike_identity, address4, tunnelable, created_at, updated_at, deleted_at)
     SELECT 'dev_' || o.id || md5(i::text), 'org_' || o.id, CASE WHEN o.id = 'b' THEN 'net_b' WHEN i % 50 = 0 THEN 'net_c' ELSE 'net_a' END,
       CASE WHEN i % 3 = 0 THEN 'Truck ' ELSE 'meter ' END || i % 1000, '8944' || lpad(i::text, 16, '0'),
       CASE WHEN i % 5 = 0 THEN '26201' || lpad((i % 400)::text, 10, '0') END,
       array_remove(ARRAY['all', CASE WHEN i % 2 = 0 THEN 'even' END, CASE WHEN i % 97 = 0 THEN 'rare' END, CASE WHEN i < 4000 THEN 'early' END], NULL),
       o.id || i, CASE o.id WHEN 'a' THEN '10.128.0.2'::inet ELSE '10.129.0.2'::inet END + i, i % 7 <> 0,
       '2026-01-01'::timestamptz + (i / 4) * interval '1 minute', now(), CASE WHEN i % 101 = 0 THEN now() END
     FROM generate_series(1, $1::int) AS i, (VALUES ('a'), ('b')) AS o(id)`,
    [count],
  )
  await pool.query(
    `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, remote_address, remote_port, behind_nat, attached_at, last_seen_at)
     SELECT id, organization_id, 'con-1', 1, CASE WHEN substr(iccid, 18)::int % 60 = 0 THEN 'attached' ELSE 'detached' END, '192.0.2.1', 4500, false,
       now(), '2026-02-01'::timestamptz + substr(iccid, 16)::int % 500 * interval '1 hour' FROM devices WHERE substr(iccid, 18)::int % 3 = 0`,
  )
  await pool.query('ANALYZE')
  const { rows } = await pool.query<Device>(
    `SELECT d.id, name, iccid, imsi, tags, network_id AS "networkId", tunnelable, created_at AS "createdAt", last_seen_at AS "lastSeenAt",
       coalesce(a.state = 'attached', false) AS online
     FROM devices d LEFT JOIN attachments a ON a.device_id = d.id WHERE d.organization_id = $1 AND d.deleted_at IS NULL`,
    [organizationId],
  )
  devices = rows
  return () => Promise.all([pool.end(), api.end()])
})

function fits(device: Device, filter: DeviceFilter): boolean {
  const name = device.name.toLowerCase()
  const { createdFrom, createdBefore, seenFrom, seenBefore, online, tunnelable } = filter
  const seen = device.lastSeenAt
  return (
    (filter.iccid === undefined || device.iccid === filter.iccid) &&
    (filter.iccidPrefix === undefined || device.iccid.startsWith(filter.iccidPrefix)) &&
    (filter.imsi === undefined || device.imsi === filter.imsi) &&
    (filter.imsiPrefix === undefined || (device.imsi?.startsWith(filter.imsiPrefix) ?? false)) &&
    (filter.name === undefined || name.includes(filter.name.toLowerCase())) &&
    (filter.namePrefix === undefined || name.startsWith(filter.namePrefix.toLowerCase())) &&
    (filter.tagsAll === undefined || filter.tagsAll.every((tag) => device.tags.includes(tag))) &&
    (filter.tagsAny === undefined || filter.tagsAny.some((tag) => device.tags.includes(tag))) &&
    (filter.networkId === undefined || device.networkId === filter.networkId) &&
    (online === undefined || device.online === online) &&
    (tunnelable === undefined || device.tunnelable === tunnelable) &&
    (createdFrom === undefined || device.createdAt >= createdFrom) &&
    (createdBefore === undefined || device.createdAt < createdBefore) &&
    (seenFrom === undefined || (seen !== null && seen >= seenFrom)) &&
    (seenBefore === undefined || (seen !== null && seen < seenBefore))
  )
}

const keys: Readonly<Record<DeviceOrder, (device: Device) => string | null>> = {
  createdAt: (device) => device.createdAt.toISOString(),
  name: (device) => device.name.toLowerCase(),
  lastSeenAt: (device) => device.lastSeenAt?.toISOString() ?? null,
}

function expected(filter: DeviceFilter, { by, descending }: DeviceSort): string[] {
  const keyOf = keys[by]
  const sorted = devices
    .filter((device) => keyOf(device) !== null && fits(device, filter))
    .map((device) => [keyOf(device) ?? '', device.id] as const)
    .toSorted(([a, idA], [b, idB]) => (a < b ? -1 : a > b ? 1 : idA < idB ? -1 : 1))
    .map(([, id]) => id)
  return descending ? sorted.toReversed() : sorted
}

async function all(filter: DeviceFilter, sort: DeviceSort, limit = 1_000): Promise<{ ids: string[]; pages: number[] }> {
  const ids: string[] = []
  const pages: number[] = []
  let after: DevicePosition | null = null
  do {
    const page = await listDeviceIds(api, organizationId, filter, { limit, after, sort })
    expect(page.ids.length).toBeLessThanOrEqual(limit)
    ids.push(...page.ids)
    pages.push(page.ids.length)
    after = page.next
  } while (after !== null)
  return { ids, pages }
}

const day = (text: string): Date => new Date(`${text}T00:00:00Z`)
const filters: [name: string, filter: DeviceFilter][] = [
  ['nothing', {}],
  ['one ICCID', { iccid: `8944${'4'.padStart(16, '0')}` }],
  ['an ICCID of nobody', { iccid: '89440000000000999999' }],
  ['an ICCID prefix that few have', { iccidPrefix: '8944000000000000012' }],
  ['an ICCID prefix that all have', { iccidPrefix: '8944' }],
  ['an IMSI', { imsi: '262010000000005' }],
  ['an IMSI prefix', { imsiPrefix: '26201000000001' }],
  ['a name prefix in another case', { namePrefix: 'TRUCK 99' }],
  ['a part of a name that few have', { name: 'k 99' }],
  ['a part of a name that many have', { name: 'RUCK' }],
  ['signs that patterns know', { name: '%' }],
  ['a common tag', { tagsAll: ['all'] }],
  ['a rare tag', { tagsAll: ['rare'] }],
  ['two tags', { tagsAll: ['even', 'early'] }],
  ['a common and a rare tag', { tagsAll: ['all', 'rare'] }],
  ['one of two tags', { tagsAny: ['rare', 'early'] }],
  ['one of tags nobody has', { tagsAny: ['none', 'other'] }],
  ['a large network', { networkId: 'net_a' }],
  ['a small network', { networkId: 'net_c' }],
  ["another organization's network", { networkId: 'net_b' }],
  ['online', { online: true }],
  ['offline', { online: false }],
  ['not tunnelable', { tunnelable: false }],
  ['a time of registration', { createdFrom: day('2026-01-01'), createdBefore: day('2026-01-02') }],
  ['a late time of registration', { createdFrom: day('2026-01-02') }],
  ['a time when seen', { seenFrom: day('2026-02-02'), seenBefore: day('2026-02-03') }],
  ['seen before', { seenBefore: day('2026-02-15') }],
  [
    'all at once',
    { online: false, tunnelable: true, tagsAll: ['even'], networkId: 'net_a', namePrefix: 'm', name: '7' },
  ],
]
const sorts: DeviceSort[] = (['createdAt', 'name', 'lastSeenAt'] as const).flatMap((by) => [
  { by, descending: true },
  { by, descending: false },
])

describe('a list of devices', () => {
  it.each(filters)('by %s has those and no others, in every order, each once', async (_name, filter) => {
    for (const sort of sorts) {
      const wanted = expected(filter, sort)
      const { ids } = await all(filter, sort)
      expect({ sort, ids: ids.length, same: ids.every((id, index) => id === wanted[index]) }).toEqual({
        sort,
        ids: wanted.length,
        same: true,
      })
    }
  })

  it('has full pages wherever an index has the order and the filter', async () => {
    for (const filter of [{}, { tagsAll: ['all'] }, { networkId: 'net_a' }, { iccidPrefix: '8944000000000000012' }]) {
      const { pages } = await all(filter, { by: 'createdAt', descending: true }, 200)
      expect(pages.slice(0, -1).every((length) => length === 200)).toBe(true)
    }
  })

  it('goes on after rows that fit nothing, in pages that are short', async () => {
    const { ids, pages } = await all({ name: 'nobody' }, { by: 'name', descending: false })
    expect([ids, pages]).toEqual([[], [0, 0, 0]])
  })

  it('follows tags, names and deletion, whoever writes them', async () => {
    const [device] = devices
    const find = async (filter: DeviceFilter): Promise<number> =>
      (await all(filter, { by: 'createdAt', descending: true })).ids.filter((id) => id === device?.id).length
    await pool.query(`UPDATE devices SET tags = ARRAY['moved', 'moved'], name = 'ÄÖ' WHERE id = $1`, [device?.id])
    expect(
      await Promise.all([find({ tagsAll: ['moved'] }), find({ tagsAll: ['all'] }), find({ namePrefix: 'äö' })]),
    ).toEqual([1, 0, 1])
    await pool.query('UPDATE devices SET deleted_at = now() WHERE id = $1', [device?.id])
    expect(await find({ tagsAll: ['moved'] })).toBe(0)
    expect((await pool.query(`SELECT 1 FROM device_tags WHERE device_id = $1`, [device?.id])).rowCount).toBe(0)
    await pool.query(`UPDATE devices SET deleted_at = NULL WHERE id = $1`, [device?.id])
    expect(await find({ tagsAll: ['moved'] })).toBe(1)
    await pool.query('DELETE FROM attachments WHERE device_id = $1', [device?.id])
    await pool.query('DELETE FROM devices WHERE id = $1', [device?.id])
    expect((await pool.query(`SELECT 1 FROM device_tags WHERE device_id = $1`, [device?.id])).rowCount).toBe(0)
  })
})

describe('the plan of a page', () => {
  /** Statements as they are, with what they read: nothing is read whole, and only what was bounded is sorted. */
  it.each(filters)('by %s reads no table whole and sorts no organization', async (_name, filter) => {
    for (const sort of sorts) {
      const plans: string[] = []
      const watching = explaining(plans)
      const first = await listDeviceIds(watching, organizationId, filter, { limit: 50, after: null, sort })
      if (first.next) await listDeviceIds(watching, organizationId, filter, { limit: 50, after: first.next, sort })
      for (const plan of plans) {
        expect(plan).not.toMatch(/Seq Scan on (devices|attachments|device_tags)/)
        for (const rows of sortedRows(plan)) expect(rows).toBeLessThanOrEqual(1_001)
        expect(readRows(plan)).toBeLessThanOrEqual(20_000)
      }
    }
  })

  it('fetches each device of the page by its id', async () => {
    const plans: string[] = []
    const sort = { by: 'createdAt', descending: true } as const
    const { ids } = await listDeviceIds(api, organizationId, {}, { limit: 50, after: null, sort })
    expect(await readDevices(explaining(plans), organizationId, ids)).toHaveLength(50)
    expect(plans).toHaveLength(1)
    expect(plans[0]).toContain('(id = wanted.id)')
    expect(plans[0]).not.toContain('devices_organization_id_network_id')
  })
})

/** A pool whose statements on tenant tables leave their plans, with what they really read. */
function explaining(plans: string[]): Pool {
  const query = async (client: { query: Pool['query'] }, statement: unknown, values?: unknown[]): Promise<unknown> => {
    if (
      typeof statement === 'string' &&
      /FROM \(?(devices|device_tags|attachments|unnest|SELECT)|WITH few/.test(statement)
    ) {
      const { rows } = await client.query(
        `EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ${statement}`,
        values,
      )
      plans.push(rows.map((row: Record<string, unknown>) => row['QUERY PLAN']).join('\n'))
    }
    return client.query(statement as string, values)
  }
  return {
    connect: async () => {
      const client = await api.connect()
      return new Proxy(client, {
        get: (target, name) => {
          if (name === 'query')
            return (statement: unknown, values?: unknown[]) =>
              query({ query: target.query.bind(target) as Pool['query'] }, statement, values)
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })
    },
  } as unknown as Pool
}

/** Rows that each sort of the plan got. */
function sortedRows(plan: string): number[] {
  const lines = plan.split('\n')
  return lines.flatMap((line, index) => {
    if (!/^\s*(->\s+)?Sort\b/.test(line)) return []
    const below = lines.slice(index + 1).find((other) => other.includes('->'))
    return [Number(/actual rows=([\d.]+)/.exec(below ?? '')?.[1] ?? 0)]
  })
}

/** The most rows that one scan of the plan gave or threw away, over all its loops. */
function readRows(plan: string): number {
  const scans = [...plan.matchAll(/Scan.*?actual rows=([\d.]+) loops=(\d+)/g)].map(
    ([, rows, loops]) => Number(rows) * Number(loops),
  )
  const thrown = [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, rows]) => Number(rows))
  return Math.max(0, ...scans, ...thrown)
}
