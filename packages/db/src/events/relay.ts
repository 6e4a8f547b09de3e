/**
 * The relay gives events their positions in the feed, and hands them to its consumers in the same transaction: an event has a
 * position, and what it causes is written, or neither.
 *
 * One pass at a time: the row of `event_feed` is its lock. A pass sees committed events alone and gives positions above all that
 * were given, so what has a position never changes and nothing appears before it later, however late a writer commits. Of each
 * resource the lower sequence comes first: a writer holds the lock of the resource from numbering to commit (`number_event`), so
 * who sees event n + 1 sees event n, and both are taken together or n alone.
 */
import type { Pool, PoolClient } from 'pg'
import { feedMovedChannel, notifyEach } from '../notify.ts'
import { inTransaction } from '../transaction.ts'
import type { RelayConsumer, RelayedEvent } from './relay-consumer.ts'
import { offer, offerAgain, writeFaults, type RelayFault } from './relay-faults.ts'
import { shareOut, waitingOrganizations } from './relay-turns.ts'

export interface RelayPass {
  /** Events that got their position. */
  readonly relayed: number
  /** There may be more. */
  readonly isFull: boolean
  /** What consumers could not take now. */
  readonly faults: readonly RelayFault[]
}

/** Most events of one pass. */
export const relayBatch = 1_000
/** Rows that consumers may write in one pass. */
const relayRows = 10_000

/** Several at once follow one another. @throws what the database throws; then nothing was done */
export function relayEvents(pool: Pool, consumers: readonly RelayConsumer[], batch = relayBatch): Promise<RelayPass> {
  return inTransaction(pool, async (tx) => {
    const last = await lockFeed(tx)
    // A consumer that waits or computes for ever must not hold the feed.
    await tx.query(
      `SELECT set_config('lock_timeout', '5s', true), set_config('statement_timeout', '20s', true),
         set_config('idle_in_transaction_session_timeout', '60s', true)`,
    )
    const faults: RelayFault[] = []
    for (const consumer of consumers) faults.push(...(await offerAgain(tx, consumer)))
    // Rows by an index, however small the planner believes the table to be.
    await tx.query('SET LOCAL enable_seqscan = off')
    const shares = await sharesOf(tx, consumers, batch)
    const events = await position(tx, last, shares)
    await tx.query('SET LOCAL enable_seqscan TO DEFAULT')
    if (events.length === 0) return { relayed: 0, isFull: false, faults }
    for (const consumer of consumers) {
      const refused = await offer(tx, consumer, events)
      await writeFaults(tx, refused)
      faults.push(...refused)
    }
    const taken = Map.groupBy(events, ({ organizationId }) => organizationId)
    await notifyEach(tx, feedMovedChannel, [...taken.keys()])
    const isFull = [...shares].some(([id, most]) => (taken.get(id)?.length ?? 0) >= most)
    return { relayed: events.length, isFull, faults }
  })
}

/** @returns how many events of each organization at most */
async function sharesOf(
  tx: PoolClient,
  consumers: readonly RelayConsumer[],
  batch: number,
): Promise<ReadonlyMap<string, number>> {
  const organizations = await waitingOrganizations(tx, batch)
  if (organizations.length === 0) return new Map()
  const weights = new Map<string, number>()
  for (const { weigh } of consumers)
    for (const [id, rows] of (await weigh?.(tx, organizations)) ?? []) weights.set(id, (weights.get(id) ?? 0) + rows)
  const waiting = organizations.map((id) => ({ id, weight: Math.max(1, weights.get(id) ?? 0) }))
  return shareOut(waiting, { events: batch, rows: relayRows })
}

/** @returns the last position given */
async function lockFeed(tx: PoolClient): Promise<number> {
  const { rows } = await tx.query<{ last: string }>(
    'SELECT last_position AS last FROM event_feed WHERE id = 1 FOR UPDATE',
  )
  if (!rows[0]) throw new Error('event_feed has lost its row')
  return Number(rows[0].last)
}

/**
 * The oldest of each organization, and what precedes them in their resources. Time is that of the transaction's beginning, so a later event of a
 * resource may seem older; `moment` never runs backwards along one, and cutting by it cuts no resource in the middle of its order.
 * The conditions are those of the indexes `events_waiting` and `events_waiting_of_resource`.
 */
async function position(tx: PoolClient, last: number, shares: ReadonlyMap<string, number>): Promise<RelayedEvent[]> {
  if (shares.size === 0) return []
  const most = [...shares.values()].reduce((sum, share) => sum + share, 0)
  const { rows } = await tx.query<RelayedEvent & { position: string }>(
    `WITH oldest AS MATERIALIZED (
       SELECT e.resource_id, e.sequence FROM unnest($3::text[], $4::int[]) AS share(organization_id, most) CROSS JOIN LATERAL (
         SELECT resource_id, sequence FROM events
         WHERE coalesce(position, 0) = 0 AND organization_id = share.organization_id ORDER BY created_at LIMIT share.most
       ) e
     ), due AS (
       SELECT resource_id, max(sequence) AS sequence FROM oldest GROUP BY resource_id
     ), taken AS (
       SELECT e.id, e.resource_id, e.sequence, max(e.created_at) OVER (PARTITION BY e.resource_id ORDER BY e.sequence) AS moment
       FROM due CROSS JOIN LATERAL (
         SELECT id, resource_id, sequence, created_at FROM events
         WHERE resource_id = due.resource_id AND position IS NULL AND sequence <= due.sequence ORDER BY sequence LIMIT $2
       ) e
     ), numbered AS (
       SELECT id, row_number() OVER (ORDER BY moment, resource_id, sequence) AS place FROM taken
     )
     UPDATE events e SET position = $1::bigint + n.place,
       device_id = coalesce(e.data->>'deviceId', CASE WHEN starts_with(e.resource_id, 'dev_') THEN e.resource_id END)
     FROM numbered n WHERE e.id = n.id AND n.place <= $2
     RETURNING e.position, e.id, e.organization_id AS "organizationId", e.type, e.resource_id AS "resourceId",
       e.device_id AS "deviceId", e.sequence, e.data, e.created_at AS "createdAt"`,
    [last, most, [...shares.keys()], [...shares.values()]],
  )
  if (rows.length === 0) return []
  await tx.query('UPDATE event_feed SET last_position = $1 WHERE id = 1', [last + rows.length])
  return rows
    .map((row) => ({ ...row, position: Number(row.position) }))
    .toSorted((one, other) => one.position - other.position)
}
