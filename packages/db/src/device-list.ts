/**
 * Pages of devices, in bounded time at any depth, for any filter and any size of the organization.
 *
 * ```
 *   a part of the filter leaves few devices  ->  those are looked up, filtered and sorted: the page is exact
 *   else                                     ->  the index of the order is walked from the cursor, at most `walkLimit` rows
 * ```
 *
 * A walk that ends before the page is full says where it ended: such a page has fewer items than asked for, or none, and still a
 * next one. What the planner believes about how many rows there are decides nothing: it is left the plans whose cost is bounded.
 */
import type { Pool } from 'pg'
import { addDeviceConditions, isEmptyFilter, narrowings, type DeviceFilter, type Narrowing } from './device-filter.ts'
import { boundedPlans, type ListPosition } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { inTenantTransaction } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

export const deviceOrders = ['createdAt', 'name', 'lastSeenAt'] as const
export type DeviceOrder = (typeof deviceOrders)[number]

export interface DeviceSort {
  readonly by: DeviceOrder
  readonly descending: boolean
}

export type DevicePosition = ListPosition

export interface DeviceIdPage {
  readonly ids: readonly string[]
  /** Null: there are no more. */
  readonly next: DevicePosition | null
}

export interface DevicePageRequest {
  readonly limit: number
  readonly after: DevicePosition | null
  readonly sort: DeviceSort
}

/** So many devices are sorted for a page. */
const narrowLimit = 1_000
/** So many rows of an index are looked at for a page. */
const walkLimit = 4_000

/** @returns ids alone, in order */
export async function listDeviceIds(
  pool: Pool,
  organizationId: string,
  filter: DeviceFilter,
  page: DevicePageRequest,
): Promise<DeviceIdPage> {
  return inTenantTransaction(pool, organizationId, async (sql) => {
    await sql.query(boundedPlans)
    for (const narrowing of narrowings(filter)) {
      if (isAnsweredByWalk(filter, page.sort)) break
      if (await isFew(sql, organizationId, narrowing)) return readFew(sql, organizationId, { filter, page, narrowing })
    }
    return walk(sql, organizationId, filter, page)
  })
}

/** Every row that the walk meets is one of the page: nothing is to be gained by looking anything up. */
function isAnsweredByWalk(filter: DeviceFilter, sort: DeviceSort): boolean {
  const { tagsAll, networkId, createdFrom, createdBefore, seenFrom, seenBefore, namePrefix, ...rest } = filter
  if (!isEmptyFilter(rest)) return false
  const given = {
    tags: tagsAll !== undefined,
    network: networkId !== undefined,
    created: createdFrom !== undefined || createdBefore !== undefined,
    seen: seenFrom !== undefined || seenBefore !== undefined,
    prefix: namePrefix !== undefined,
  }
  const others = (...served: (keyof typeof given)[]): boolean =>
    Object.entries(given).some(([name, isGiven]) => isGiven && !served.includes(name as keyof typeof given))
  if (sort.by === 'createdAt')
    return (tagsAll?.length ?? 0) <= 1 && (!others('tags', 'created') || !others('network', 'created'))
  return sort.by === 'name' ? !others('prefix') : !others('seen')
}

async function isFew(sql: TenantSql, organizationId: string, { select, add }: Narrowing): Promise<boolean> {
  const where = add(new Conditions().add('d.organization_id = ?', organizationId))
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (${select} WHERE ${where.text} LIMIT ${narrowLimit + 1}) AS few`,
    where.values,
  )
  return (rows[0]?.count ?? 0) <= narrowLimit
}

interface Order {
  /** Of `devices d`. */
  readonly key: string
  readonly cast: string
}

const orders: Readonly<Record<DeviceOrder, Order>> = {
  createdAt: { key: 'd.created_at', cast: 'timestamptz' },
  name: { key: 'd.name_key', cast: 'text' },
  lastSeenAt: {
    key: '(SELECT a.last_seen_at FROM attachments a WHERE a.organization_id = d.organization_id AND a.device_id = d.id)',
    cast: 'timestamptz',
  },
}

async function readFew(
  sql: TenantSql,
  organizationId: string,
  { filter, page, narrowing }: { filter: DeviceFilter; page: DevicePageRequest; narrowing: Narrowing },
): Promise<DeviceIdPage> {
  const { key, cast } = orders[page.sort.by]
  const few = narrowing.add(new Conditions().add('d.organization_id = ?', organizationId))
  const where = new Conditions(few.values.length)
    .add('d.organization_id = ?', organizationId)
    .add('d.deleted_at IS NULL')
  addDeviceConditions(where, filter)
  const after = new Conditions(few.values.length + where.values.length).add('s.key IS NOT NULL')
  addPosition(after, 's.key', 's.id', cast, page)
  const { rows } = await sql.query<PositionRow>(
    `WITH few AS MATERIALIZED (${narrowing.select} WHERE ${few.text} LIMIT ${narrowLimit + 1}),
       fitting AS MATERIALIZED (SELECT d.id, ${key} AS key FROM (SELECT DISTINCT id FROM few) f
         CROSS JOIN LATERAL (SELECT * FROM devices d WHERE d.id = f.id AND d.organization_id = $1 OFFSET 0) d WHERE ${where.text})
     SELECT s.id, s.key FROM fitting s WHERE ${after.text} ORDER BY ${inOrder('s.key', 's.id', page.sort)} LIMIT ${page.limit + 1}`,
    [...few.values, ...where.values, ...after.values],
  )
  const kept = rows.slice(0, page.limit)
  return { ids: kept.map(({ id }) => id), next: rows.length > page.limit ? positionOf(kept.at(-1)) : null }
}

interface PositionRow {
  readonly id: string
  readonly key: Date | string
}

function positionOf(row: PositionRow | undefined): DevicePosition | null {
  if (row === undefined) return null
  return { id: row.id, key: row.key instanceof Date ? row.key.getTime() : row.key }
}

/** An index in the order of the page. */
interface Walk {
  readonly from: string
  readonly id: string
  readonly key: string
  readonly where: Conditions
}

function walkOf(organizationId: string, filter: DeviceFilter, { by }: DeviceSort): Walk {
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  if (by === 'lastSeenAt') {
    if (filter.seenFrom !== undefined) where.add('w.last_seen_at >= ?', filter.seenFrom)
    if (filter.seenBefore !== undefined) where.add('w.last_seen_at < ?', filter.seenBefore)
    return { from: 'attachments w', id: 'w.device_id', key: 'w.last_seen_at', where }
  }
  const [tag] = filter.tagsAll ?? []
  if (by === 'createdAt') {
    if (filter.createdFrom !== undefined) where.add('w.created_at >= ?', filter.createdFrom)
    if (filter.createdBefore !== undefined) where.add('w.created_at < ?', filter.createdBefore)
    if (tag !== undefined)
      return { from: 'device_tags w', id: 'w.device_id', key: 'w.created_at', where: where.add('w.tag = ?', tag) }
  }
  where.add('w.deleted_at IS NULL')
  if (by === 'name') {
    if (filter.namePrefix !== undefined) addNamePrefix(where, filter.namePrefix)
    return { from: 'devices w', id: 'w.id', key: 'w.name_key', where }
  }
  if (filter.networkId !== undefined) where.add('w.network_id = ?', filter.networkId)
  return { from: 'devices w', id: 'w.id', key: 'w.created_at', where }
}

function addNamePrefix(where: Conditions, prefix: string): void {
  where.add(`w.name_key >= lower(?::text) AND w.name_key < lower(?::text) || ?`, prefix, prefix, '\u{10FFFF}')
}

async function walk(
  sql: TenantSql,
  organizationId: string,
  filter: DeviceFilter,
  page: DevicePageRequest,
): Promise<DeviceIdPage> {
  const { from, id, key, where } = walkOf(organizationId, filter, page.sort)
  addPosition(where, key, id, orders[page.sort.by].cast, page)
  const walked = `SELECT ${id} AS id, ${key} AS key FROM ${from} WHERE ${where.text} ORDER BY ${inOrder(key, id, page.sort)}`
  const fits = new Conditions(where.values.length)
    .add('d.organization_id = ?', organizationId)
    .add('d.deleted_at IS NULL')
  addDeviceConditions(fits, filter)
  const { rows } = await sql.query<PositionRow>(
    from === 'devices w'
      ? // The walk is over devices themselves: each is looked at where it is met.
        `SELECT d.id, d.key FROM (SELECT w.*, ${key} AS key FROM ${from} WHERE ${where.text}
           ORDER BY ${inOrder(key, id, page.sort)} LIMIT ${walkLimit}) d WHERE ${fits.text} LIMIT ${page.limit + 1}`
      : // LATERAL: a look into an index for each row, in the order of the walk, until the page is full.
        `SELECT s.id, s.key FROM (${walked} LIMIT ${walkLimit}) s
           CROSS JOIN LATERAL (SELECT 1 FROM devices d WHERE d.id = s.id AND ${fits.text} OFFSET 0) d LIMIT ${page.limit + 1}`,
    [...where.values, ...fits.values],
  )
  const kept = rows.slice(0, page.limit)
  const ids = kept.map((row) => row.id)
  if (rows.length > page.limit) return { ids, next: positionOf(kept.at(-1)) }
  const { rows: last } = await sql.query<PositionRow>(`${walked} OFFSET ${walkLimit - 1} LIMIT 1`, where.values)
  return { ids, next: positionOf(last[0]) }
}

function inOrder(key: string, id: string, { descending }: DeviceSort): string {
  const direction = descending ? 'DESC' : 'ASC'
  return `${key} ${direction}, ${id} ${direction}`
}

function addPosition(
  where: Conditions,
  key: string,
  id: string,
  cast: string,
  { after, sort }: DevicePageRequest,
): void {
  if (after === null) return
  const value = typeof after.key === 'number' ? new Date(after.key) : after.key
  where.add(`(${key}, ${id}) ${sort.descending ? '<' : '>'} (?::${cast}, ?::text)`, value, after.id)
}

/** So many rows are looked at in one go by what goes through all devices. */
const chooseWalkLimit = 20_000

/**
 * The next devices that a filter chooses, in order of their ids, for work and exports that go through all of them.
 *
 * @returns ids, and where to go on; `last` is null when there are no more
 */
export async function chooseDevices(
  pool: Pool,
  organizationId: string,
  filter: DeviceFilter,
  { after, limit }: { after: string; limit: number },
): Promise<{ ids: string[]; last: string | null }> {
  return inTenantTransaction(pool, organizationId, async (sql) => {
    await sql.query(boundedPlans)
    const walked = `SELECT w.id FROM devices w WHERE w.organization_id = $1 AND w.id > $2 ORDER BY w.id`
    const fits = new Conditions(2).add('d.organization_id = ?', organizationId).add('d.deleted_at IS NULL')
    addDeviceConditions(fits, filter)
    const { rows } = await sql.query<{ id: string }>(
      `SELECT s.id FROM (${walked} LIMIT ${chooseWalkLimit}) s
         CROSS JOIN LATERAL (SELECT 1 FROM devices d WHERE d.id = s.id AND ${fits.text} OFFSET 0) d LIMIT ${limit}`,
      [organizationId, after, ...fits.values],
    )
    const ids = rows.map(({ id }) => id)
    if (ids.length === limit) return { ids, last: ids.at(-1) ?? null }
    const { rows: end } = await sql.query<{ id: string | null }>(
      `SELECT max(id) AS id FROM (${walked} LIMIT ${chooseWalkLimit}) s`,
      [organizationId, after],
    )
    return { ids, last: end[0]?.id ?? null }
  })
}
