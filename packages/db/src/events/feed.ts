/**
 * The feed of an organization: its events in order of position, page after page. A page costs the same at any depth and with any
 * filter: each has an index that begins where the page does, and what an index does not answer is looked for among a bounded
 * number of events; then the page ends early, and the next one goes on from there.
 */
import type { Pool } from 'pg'
import { tenant } from '../tenant.ts'

export interface FeedEvent {
  readonly id: string
  readonly type: string
  readonly resourceId: string
  readonly sequence: number
  readonly data: Readonly<Record<string, unknown>>
  readonly createdAt: Date
  /** In the feed; null until the relay has seen it. */
  readonly position: number | null
}

/** What is not null holds for every event of the page. */
export interface FeedFilter {
  readonly types: readonly string[] | null
  readonly resourceId: string | null
  readonly deviceId: string | null
}

export interface FeedPage {
  readonly events: readonly FeedEvent[]
  /** The next page comes after it. */
  readonly position: number
  /** There may be more already. */
  readonly hasMore: boolean
}

/** Where the feed begins, for who would go on before it. */
export interface FeedBeginning {
  readonly beginsAfter: number
}

/** Most events looked at for a page, where the filter has no index of its own. */
const mostExamined = 2_000

/** @param after null: from the oldest one that is kept. @returns the beginning of the feed when events after it may be removed, or it was never given */
export async function readFeed(
  pool: Pool,
  organizationId: string,
  filter: FeedFilter,
  { after, limit }: { readonly after: number | null; readonly limit: number },
): Promise<FeedPage | FeedBeginning> {
  const source = sourceOf(filter, limit)
  const { rows } = await tenant(pool, organizationId).query<PageRow>(
    `WITH feed AS MATERIALIZED (SELECT last_position, removed_through FROM event_feed WHERE id = 1),
     examined AS MATERIALIZED (${source.sql}),
     page AS (SELECT * FROM examined WHERE ${source.rest} ORDER BY position LIMIT $3)
     SELECT feed.last_position AS last, feed.removed_through AS removed, (SELECT count(*)::int FROM examined) AS examined,
       (SELECT max(position) FROM examined) AS farthest, page.position, page.id, page.type, page.resource_id AS "resourceId",
       page.sequence, page.data, page.created_at AS "createdAt"
     FROM feed LEFT JOIN page ON true ORDER BY page.position`,
    [organizationId, after, limit, ...source.values],
  )
  const [first] = rows
  if (!first) throw new Error('event_feed has lost its row')
  if (after !== null && (after < Number(first.removed) || after > Number(first.last)))
    return { beginsAfter: Number(first.removed) }
  const found = rows.filter((row): row is PageRow & FoundRow => row.id !== null)
  const events = found.map(({ id, type, resourceId, sequence, data, createdAt, position }) => {
    return { id, type, resourceId, sequence, data, createdAt, position: Number(position) }
  })
  if (found.length === limit)
    return { events, position: Number(found.at(-1)?.position), hasMore: first.examined > limit }
  // Everything that it looked at is behind it, whether it was chosen or not.
  if (first.examined >= source.limit) return { events, position: Number(first.farthest), hasMore: true }
  return { events, position: Number(first.last), hasMore: false }
}

interface FoundRow extends Omit<FeedEvent, 'position'> {
  readonly position: string
}
type PageRow = { [Field in keyof FoundRow]: FoundRow[Field] | null } & {
  readonly last: string
  readonly removed: string
  readonly examined: number
  readonly farthest: string | null
}

interface Source {
  readonly sql: string
  /** What is left to be asked of its rows. */
  readonly rest: string
  readonly limit: number
  readonly values: readonly unknown[]
}

/** $1 organization, $2 position or null, $3 events of a page. Each states the condition of its index, and no other index has it. */
function sourceOf({ types, resourceId, deviceId }: FeedFilter, limit: number): Source {
  const columns = 'position, id, type, resource_id, device_id, sequence, data, created_at'
  const beginning = 'position > coalesce($2::bigint, (SELECT removed_through FROM feed))'
  const select = (where: string, most: number): string =>
    `SELECT ${columns} FROM events WHERE organization_id = $1 AND ${where} AND ${beginning} ORDER BY position LIMIT ${most}`
  const all = 'coalesce(position, 0) > 0'
  if (resourceId !== null || deviceId !== null) {
    const values = [resourceId, deviceId, types]
    const isExact = types === null && (resourceId === null || deviceId === null)
    const most = isExact ? limit + 1 : Math.max(mostExamined, limit + 1)
    const where = resourceId === null ? 'device_id = $5' : 'resource_id = $4'
    const rest = `($4::text IS NULL OR resource_id = $4) AND ($5::text IS NULL OR device_id = $5) AND ($6::text[] IS NULL OR type = ANY($6))`
    return { sql: select(where, most), rest, limit: most, values }
  }
  const most = limit + 1
  if (types === null) return { sql: select(all, most), rest: 'true', limit: most, values: [] }
  const sql = `SELECT e.* FROM unnest($4::text[]) AS wanted(type) CROSS JOIN LATERAL (${select('type = wanted.type', most)}) e
     ORDER BY position LIMIT ${most}`
  return { sql, rest: 'true', limit: most, values: [[...new Set(types)]] }
}

/** Longest time between the beginning of a transaction that writes events and its end, as far as `positionSince` cares. */
const longestTransaction = `interval '5 minutes'`
/** Most events that are looked at to begin exactly where the time does. */
const mostNear = 20_000

/**
 * $1 organization, $2 the time. Whichever event of the time or later has the lowest place, it was begun within the longest transaction
 * after the first one. Where there are too many of those, the place of the last event that was surely written before is taken.
 * Row-level security keeps what is computed in a condition from the index: times are compared with times that are there.
 */
export const sincePosition = `WITH
  asked AS MATERIALIZED (SELECT $2::timestamptz - ${longestTransaction} AS sure),
  first AS MATERIALIZED (SELECT created_at, created_at + ${longestTransaction} AS until FROM events
    WHERE organization_id = $1 AND created_at >= $2 AND position IS NOT NULL ORDER BY created_at LIMIT 1),
  near AS MATERIALIZED (SELECT count(*) AS count, min(e.position) AS position FROM first CROSS JOIN LATERAL (SELECT position FROM events
    WHERE organization_id = $1 AND created_at >= first.created_at AND created_at < first.until AND position IS NOT NULL
    ORDER BY created_at LIMIT ${mostNear}) e)
  SELECT CASE near.count WHEN 0 THEN f.last_position
    WHEN ${mostNear} THEN coalesce((SELECT e.position FROM asked CROSS JOIN LATERAL (SELECT position FROM events WHERE organization_id = $1
      AND created_at < asked.sure AND position IS NOT NULL ORDER BY created_at DESC LIMIT 1) e), f.removed_through)
    ELSE near.position - 1 END AS position
  FROM event_feed f, near WHERE f.id = 1`

/** @param since null: now. @returns the position after which the events from `since` on come, and perhaps some that are a little older */
export async function positionSince(pool: Pool, organizationId: string, since: Date | null): Promise<number> {
  const { rows } = await tenant(pool, organizationId).query<{ position: string }>(sincePosition, [
    organizationId,
    since ?? 'infinity',
  ])
  return Number(rows[0]?.position)
}

export async function findEvent(pool: Pool, organizationId: string, id: string): Promise<FeedEvent | null> {
  const { rows } = await tenant(pool, organizationId).query<
    Omit<FoundRow, 'position'> & { readonly position: string | null }
  >(
    `SELECT id, type, resource_id AS "resourceId", sequence, data, created_at AS "createdAt", position
     FROM events WHERE organization_id = $1 AND id = $2`,
    [organizationId, id],
  )
  return rows[0] ? { ...rows[0], position: rows[0].position === null ? null : Number(rows[0].position) } : null
}
