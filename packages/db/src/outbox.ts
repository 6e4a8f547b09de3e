/**
 * Events, written in the transaction that changed the resource: both commit or neither does. A trigger numbers them, so
 * that the sequence of a resource grows by one whoever writes.
 */
import type { EventData, WrittenEventType } from '@culvert/contracts'
import { newId } from './ids.ts'
import type { SqlRunner } from './notify.ts'

/** Of one type of the catalogue, with what it carries. */
export type NewEvent<T extends WrittenEventType = WrittenEventType> = {
  [K in T]: {
    readonly organizationId: string
    readonly type: K
    readonly resourceId: string
    /** Small: ids and states, never a secret. */
    readonly data: Readonly<EventData<K>>
  }
}[T]

/** @returns the id of the event */
export async function appendEvent(tx: SqlRunner, event: NewEvent): Promise<string> {
  const [id] = await appendEvents(tx, [event])
  return id as string
}

/** Of resources made in this transaction, the first event of each. */
export async function appendFirstEvents(tx: SqlRunner, events: readonly NewEvent[]): Promise<void> {
  await insertEvents(tx, events, 1)
}

/** The same for many at once, in order of resource, so that two writers cannot block each other crosswise. */
export function appendEvents(tx: SqlRunner, events: readonly NewEvent[]): Promise<string[]> {
  return insertEvents(tx, events, numbered)
}

/** The trigger finds the next one. */
const numbered = 0

async function insertEvents(tx: SqlRunner, events: readonly NewEvent[], sequence: number): Promise<string[]> {
  if (events.length === 0) return []
  const ordered = events.toSorted((a, b) => (a.resourceId < b.resourceId ? -1 : a.resourceId > b.resourceId ? 1 : 0))
  const ids = ordered.map(() => newId('evt'))
  await tx.query(
    `INSERT INTO events (id, organization_id, type, resource_id, sequence, data)
     SELECT v.id, v.organization_id, v.type, v.resource_id, $2, v.data
     FROM ROWS FROM (json_to_recordset($1) AS (id text, organization_id text, type text, resource_id text, data jsonb))
       WITH ORDINALITY AS v(id, organization_id, type, resource_id, data, position) ORDER BY v.position`,
    [JSON.stringify(ordered.map((event, index) => eventRow(ids[index] ?? '', event))), sequence],
  )
  return ids
}

function eventRow(id: string, { organizationId, type, resourceId, data }: NewEvent): Readonly<Record<string, unknown>> {
  return { id, organization_id: organizationId, type, resource_id: resourceId, data }
}
