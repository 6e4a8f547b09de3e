/**
 * Past events as replays read them, a batch after the other: from a time on in order of time, or after a cursor in order of the feed.
 * A batch costs the same wherever it begins: either order has an index, and the batch begins within it.
 */
import type { TenantSql } from '../tenant-sql.ts'

export interface PastEvent {
  readonly id: string
  readonly type: string
  readonly resourceId: string
  readonly deviceId: string | null
  readonly createdAt: Date
  /** As text: no number of JavaScript holds all of them. */
  readonly position: string
}

const columns = `id, type, resource_id AS "resourceId", device_id AS "deviceId", created_at AS "createdAt", position::text AS position`

export interface TimeSpan {
  readonly since: Date
  readonly until: Date
  /** Where the batch before ended; null: from `since` on. */
  readonly after: { readonly at: Date; readonly position: string } | null
  readonly limit: number
}

/** @returns in order of time, those that have their place in the feed */
export async function eventsBetween(
  tx: TenantSql,
  organizationId: string,
  { since, until, after, limit }: TimeSpan,
): Promise<PastEvent[]> {
  const { rows } = await tx.query<PastEvent>(
    `SELECT ${columns} FROM events WHERE organization_id = $1 AND (created_at, position) > ($2, $3::int8) AND created_at < $4
       AND position IS NOT NULL ORDER BY created_at, position LIMIT $5`,
    [organizationId, after?.at ?? since, after?.position ?? '0', until, limit],
  )
  return rows
}

export interface FeedSpan {
  /** Events have higher positions. */
  readonly after: string
  /** The last position of the span. */
  readonly through: string
  readonly limit: number
}

/** @returns in order of position */
export async function eventsAfter(
  tx: TenantSql,
  organizationId: string,
  { after, through, limit }: FeedSpan,
): Promise<PastEvent[]> {
  const { rows } = await tx.query<PastEvent>(
    `SELECT ${columns} FROM events WHERE organization_id = $1 AND coalesce(position, 0) > 0 AND position > $2::int8 AND position <= $3::int8
     ORDER BY position LIMIT $4`,
    [organizationId, after, through, limit],
  )
  return rows
}

/** @returns the last position given, of all organizations */
export async function lastPosition(tx: TenantSql): Promise<string> {
  const { rows } = await tx.query<{ last: string }>('SELECT last_position AS last FROM event_feed WHERE id = 1')
  if (!rows[0]) throw new Error('event_feed has lost its row')
  return rows[0].last
}
