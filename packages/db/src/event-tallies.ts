/**
 * Events that others can cause as often as they like: a failed attempt, a rekey. The first is told at once; what follows within its
 * window is counted in a row and told as one event when the window ends. So nobody fills the feed of an organization, nothing is
 * left out of the count, and no process needs to remember anything.
 */
import type { EventData, WrittenEventType } from '@culvert/contracts'
import type { Pool } from 'pg'
import type { SqlRunner } from './notify.ts'
import { appendEvents, type NewEvent } from './outbox.ts'
import { inTransaction } from './transaction.ts'

/** Types whose events carry how many they stand for. */
export type TalliedType = {
  [T in WrittenEventType]: EventData<T> extends { count: number; firstAt: string; lastAt: string } ? T : never
}[WrittenEventType]

export interface TallyItem<T extends TalliedType> {
  readonly organizationId: string
  readonly resourceId: string
  /** Items of a resource with the same one are counted together; from a closed set. */
  readonly cause: string
  readonly count: number
  readonly at: Date
  readonly data: Omit<EventData<T>, 'count' | 'firstAt' | 'lastAt'>
}

export interface TallyKind<T extends TalliedType> {
  readonly type: T
  /** Seconds, at least, between two events of one resource and cause. */
  readonly windowSec: number
}

/** In the transaction that changed what is counted. */
export async function tally<T extends TalliedType>(
  tx: SqlRunner,
  { type, windowSec }: TallyKind<T>,
  items: readonly TallyItem<T>[],
): Promise<void> {
  if (items.length === 0) return
  const { rows } = (await tx.query(
    `INSERT INTO event_tallies AS t (organization_id, resource_id, type, cause, seen, told, data, first_at, last_at, window_sec, window_ends_at)
     SELECT v.organization_id, v.resource_id, $1, v.cause, v.count, v.count, v.data, v.first_at, v.last_at, $2::int, now() + $2::int * interval '1 second'
     FROM json_to_recordset($3) AS v(organization_id text, resource_id text, cause text, count int, data jsonb, first_at timestamptz,
       last_at timestamptz) ORDER BY v.resource_id, v.cause
     ON CONFLICT (resource_id, type, cause) DO UPDATE SET seen = t.seen + excluded.seen, data = excluded.data, last_at = excluded.last_at,
       first_at = CASE WHEN t.seen = t.told THEN excluded.first_at ELSE t.first_at END
     RETURNING ${told}, old.resource_id IS NULL AS "isFirst"`,
    [type, windowSec, JSON.stringify(gather(items))],
  )) as { rows: (TallyRow & { isFirst: boolean })[] }
  await appendEvents(
    tx,
    rows.filter(({ isFirst }) => isFirst).map((row) => eventOf(row, row.seen)),
  )
}

const most = 500

/**
 * Windows that have ended: what was counted in them is told, and counted from nothing again, however long it goes on; those in which
 * nothing came are forgotten.
 * @returns whether there may be more
 */
export async function tellTallies(pool: Pool): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const due = `SELECT resource_id, type, cause FROM event_tallies WHERE window_ends_at <= now()
      ORDER BY resource_id, type, cause LIMIT ${most} FOR UPDATE SKIP LOCKED`
    const { rows } = await tx.query<TallyRow & { untold: number }>(
      `WITH due AS (${due}),
         over AS (DELETE FROM event_tallies t USING due d WHERE (t.resource_id, t.type, t.cause) = (d.resource_id, d.type, d.cause)
           AND t.seen = t.told RETURNING 1),
         more AS (UPDATE event_tallies t SET seen = 0, told = 0, window_ends_at = now() + t.window_sec * interval '1 second' FROM due d
           WHERE (t.resource_id, t.type, t.cause) = (d.resource_id, d.type, d.cause) AND t.seen > t.told
           RETURNING ${told}, old.seen - old.told AS untold)
       SELECT * FROM more`,
    )
    await appendEvents(
      tx,
      rows.map((row) => eventOf(row, row.untold)),
    )
    return rows.length === most
  })
}

/** Of `event_tallies t`, as a {@link TallyRow}. */
const told = `t.organization_id AS "organizationId", t.resource_id AS "resourceId", t.type, t.seen, t.data, t.first_at AS "firstAt", t.last_at AS "lastAt"`

interface TallyRow {
  readonly organizationId: string
  readonly resourceId: string
  readonly type: TalliedType
  readonly seen: number
  readonly data: Readonly<Record<string, unknown>>
  readonly firstAt: Date
  readonly lastAt: Date
}

function eventOf({ organizationId, resourceId, type, data, firstAt, lastAt }: TallyRow, count: number): NewEvent {
  const counted = { ...data, count, firstAt: firstAt.toISOString(), lastAt: lastAt.toISOString() }
  return { organizationId, resourceId, type, data: counted } as NewEvent
}

/** One row for each resource and cause, because a statement may touch a row once. */
function gather<T extends TalliedType>(items: readonly TallyItem<T>[]): Readonly<Record<string, unknown>>[] {
  const gathered = new Map<string, Record<string, unknown> & { count: number }>()
  for (const { organizationId, resourceId, cause, count, at, data } of items) {
    const key = `${resourceId} ${cause}`
    const known = gathered.get(key)
    if (known) Object.assign(known, { count: known.count + count, last_at: at, data })
    else
      gathered.set(key, {
        organization_id: organizationId,
        resource_id: resourceId,
        cause,
        count,
        first_at: at,
        last_at: at,
        data,
      })
  }
  return [...gathered.values()]
}
