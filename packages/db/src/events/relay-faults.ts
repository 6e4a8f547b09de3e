/**
 * Events that a consumer of the relay cannot take: found one by one, kept, and offered again with growing pauses for as long as the
 * event is kept. So a fault in one consumer delays what it makes of some events, loses nothing, and stops nobody else.
 */
import type { PoolClient } from 'pg'
import { isDatabaseUnavailable } from '../errors.ts'
import type { RelayConsumer, RelayedEvent } from './relay-consumer.ts'

export interface RelayFault {
  readonly consumer: string
  readonly event: RelayedEvent
  readonly error: unknown
}

/** Most faults that one pass offers again to each consumer. */
const retryBatch = 50
/** So long one pass offers to each consumer again: new events wait meanwhile. */
const retryMs = 5_000
const firstPauseSec = 10
const longestPauseSec = 3_600
/** PostgreSQL's serialization_failure and deadlock_detected: the whole pass is repeated. */
const givenUp = new Set(['40001', '40P01'])
/** lock_not_available and query_canceled: parts of the batch would take as long each. */
const tookTooLong = new Set(['55P03', '57014'])

/** @returns the events that the consumer did not take. @throws when the database gave up the transaction or is away */
export async function offer(
  tx: PoolClient,
  consumer: RelayConsumer,
  events: readonly RelayedEvent[],
): Promise<RelayFault[]> {
  await tx.query('SAVEPOINT consumer')
  try {
    await consumer.consume(tx, events)
    await tx.query('RELEASE SAVEPOINT consumer')
    return []
  } catch (error) {
    const code = codeOf(error)
    if (isDatabaseUnavailable(error) || givenUp.has(code)) throw error
    await tx.query('ROLLBACK TO SAVEPOINT consumer')
    await tx.query('RELEASE SAVEPOINT consumer')
    if (events.length === 1 || tookTooLong.has(code))
      return events.map((event) => ({ consumer: consumer.name, event, error }))
    const half = events.length >> 1
    return [...(await offer(tx, consumer, events.slice(0, half))), ...(await offer(tx, consumer, events.slice(half)))]
  }
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code)

export async function writeFaults(tx: PoolClient, faults: readonly RelayFault[]): Promise<void> {
  if (faults.length === 0) return
  await tx.query(
    `INSERT INTO relay_faults (consumer, event_id, organization_id, next_attempt_at)
     SELECT consumer, event_id, organization_id, now() + $2::int * interval '1 second'
     FROM json_to_recordset($1) AS v(consumer text, event_id text, organization_id text)`,
    [
      JSON.stringify(
        faults.map(({ consumer, event }) => ({
          consumer,
          event_id: event.id,
          organization_id: event.organizationId,
        })),
      ),
      firstPauseSec,
    ],
  )
}

/**
 * Those that are due, in order. The rest stays due when time is over, or when one waited for a lock in vain.
 *
 * @returns the ones that are still refused
 */
export async function offerAgain(tx: PoolClient, consumer: RelayConsumer): Promise<RelayFault[]> {
  const { rows } = await tx.query<RelayedEvent & { position: string }>(
    `SELECT e.position, e.id, e.organization_id AS "organizationId", e.type, e.resource_id AS "resourceId",
       e.device_id AS "deviceId", e.sequence, e.data, e.created_at AS "createdAt"
     FROM relay_faults f JOIN events e ON e.id = f.event_id
     WHERE f.consumer = $1 AND f.next_attempt_at <= now() ORDER BY f.next_attempt_at, e.position LIMIT ${retryBatch}`,
    [consumer.name],
  )
  const faults: RelayFault[] = []
  const taken: string[] = []
  const beganMs = performance.now()
  for (const row of rows.toSorted((one, other) => Number(one.position) - Number(other.position))) {
    const refused = await offer(tx, consumer, [{ ...row, position: Number(row.position) }])
    faults.push(...refused)
    if (refused.length === 0) taken.push(row.id)
    if (refused.some(({ error }) => tookTooLong.has(codeOf(error))) || performance.now() - beganMs >= retryMs) break
  }
  if (taken.length > 0)
    await tx.query('DELETE FROM relay_faults WHERE consumer = $1 AND event_id = ANY($2)', [consumer.name, taken])
  if (faults.length > 0)
    await tx.query(
      `UPDATE relay_faults SET attempts = attempts + 1,
         next_attempt_at = now() + least($3::float8 * power(2, least(attempts, 20)), $4::float8) * interval '1 second'
       WHERE consumer = $1 AND event_id = ANY($2)`,
      [consumer.name, faults.map(({ event }) => event.id), firstPauseSec, longestPauseSec],
    )
  return faults
}
