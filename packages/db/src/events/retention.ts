/**
 * Old events go, from the low end of the feed, a small batch in each transaction: nobody waits for it, and a reader sees the whole of
 * a batch or none. `event_feed.removed_through` says where the feed begins, so that who comes with an older cursor is told.
 *
 * Sequences go on: what numbers an event (`number_event`) looks at the events of the resource that are kept, and at its floor,
 * which is written when the last of them goes.
 */
import type { Pool, PoolClient } from 'pg'
import { inTransaction } from '../transaction.ts'

export interface Removal {
  readonly removed: number
  /** There may be more to remove. */
  readonly isFull: boolean
}

/** Two workers do not get in each other's way: the later one leaves it to the other. */
const retentionLock = 72_707_370
const defaultBatch = 1_000

/** One batch of events older than `days`. Events without a position stay. */
export function removeOldEvents(pool: Pool, days: number, batch = defaultBatch): Promise<Removal> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [retentionLock])
    if (!rows[0]?.mine) return { removed: 0, isFull: false }
    const range = await oldest(tx, days, batch)
    if (range === null) return { removed: 0, isFull: false }
    const removed = await remove(tx, range)
    // Last: the relay waits for this row.
    await tx.query('UPDATE event_feed SET removed_through = $1 WHERE id = 1', [range.through])
    return { removed, isFull: removed >= batch }
  })
}

interface Range {
  readonly after: string
  readonly through: string
}

/** Up to the first one that is young enough. */
async function oldest(tx: PoolClient, days: number, batch: number): Promise<Range | null> {
  const { rows } = await tx.query<{ after: string; position: string; isOld: boolean }>(
    `SELECT f.removed_through AS after, e.position, e.created_at < now() - $1::int * interval '1 day' AS "isOld"
     FROM event_feed f CROSS JOIN LATERAL
       (SELECT position, created_at FROM events WHERE position > f.removed_through AND coalesce(position, -1) > 0
        ORDER BY position LIMIT $2) e
     WHERE f.id = 1 ORDER BY e.position`,
    [days, batch],
  )
  const young = rows.findIndex(({ isOld }) => !isOld)
  const last = rows.at(young === -1 ? -1 : young - 1)
  return last === undefined || young === 0 ? null : { after: last.after, through: last.position }
}

async function remove(tx: PoolClient, { after, through }: Range): Promise<number> {
  const { rows } = await tx.query<{ removed: number }>(
    `WITH gone AS (
       DELETE FROM events WHERE position > $1 AND position <= $2 AND coalesce(position, -1) > 0
       RETURNING resource_id, organization_id, sequence
     ), highest AS (
       SELECT resource_id, min(organization_id) AS organization_id, max(sequence) AS sequence FROM gone GROUP BY resource_id
     ), floors AS (
       INSERT INTO event_floors (resource_id, organization_id, sequence)
       SELECT resource_id, organization_id, sequence FROM highest h
       WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.resource_id = h.resource_id AND e.sequence > h.sequence)
       ON CONFLICT (resource_id) DO UPDATE SET sequence = greatest(event_floors.sequence, excluded.sequence)
     )
     SELECT count(*)::int AS removed FROM gone`,
    [after, through],
  )
  return rows[0]?.removed ?? 0
}

/** Of kinds that come and go, where the rows are. The others are few. */
const comeAndGo = { tun_: 'tunnels', dev_: 'devices', crd_: 'credentials', con_: 'connections' }

/**
 * Forgets the floors of resources that are gone, which have no more events; a batch of those after `after`.
 * @returns the last one looked at, null at the end
 */
export async function forgetFloors(pool: Pool, after: string, batch = defaultBatch): Promise<string | null> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT resource_id AS id FROM event_floors WHERE resource_id > $1 ORDER BY resource_id LIMIT $2',
    [after, batch],
  )
  const ids = rows.map(({ id }) => id)
  for (const [prefix, table] of Object.entries(comeAndGo)) {
    const ofKind = ids.filter((id) => id.startsWith(prefix))
    if (ofKind.length === 0) continue
    await pool.query(
      `DELETE FROM event_floors f WHERE f.resource_id = ANY($1)
         AND NOT EXISTS (SELECT 1 FROM ${table} r WHERE r.organization_id = f.organization_id AND r.id = f.resource_id)`,
      [ofKind],
    )
  }
  return ids.length < batch ? null : (ids.at(-1) ?? null)
}
