/**
 * Operations as the API sees them: start, read, list, cancel. Bounded for each organization, so that nobody fills the queue of
 * all. What was sent with one comes in blocks before a worker may take it.
 */
import type { Pool } from 'pg'
import { appendAudit } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { newId } from './ids.ts'
import { notify, operationChangedChannel } from './notify.ts'
import { appendEvent, type NewEvent } from './outbox.ts'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { inTenantTransaction, tenant } from './tenant.ts'

export type OperationState = 'receiving' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled'

export interface OperationError {
  readonly code: string
  /** For the caller: no secrets, nothing of other organizations. */
  readonly detail: string
}

export interface OperationRecord {
  readonly id: string
  readonly kind: string
  readonly state: OperationState
  readonly validateOnly: boolean
  readonly total: number | null
  readonly processed: number
  readonly succeeded: number
  readonly failed: number
  readonly result: Readonly<Record<string, number>> | null
  readonly error: OperationError | null
  readonly cancelRequestedAt: Date | null
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly updatedAt: Date
  readonly finishedAt: Date | null
}

export interface NewOperation {
  readonly kind: string
  /** What shall be done; never a secret. */
  readonly request: object
  readonly validateOnly: boolean
  /** Its input follows with {@link addOperationInput}; no worker takes it before {@link receivedOperation}. */
  readonly receiving?: boolean
  /** A field of `request`: none of its kind with the same value may be unfinished. */
  readonly onePer?: string
}

export interface OperationFilter {
  readonly kind?: string | undefined
  readonly done?: boolean | undefined
  readonly state?: string | undefined
  readonly createdFrom?: Date | undefined
  readonly createdBefore?: Date | undefined
}

/** Unfinished ones of an organization. */
export const maxOperations = 10

const unfinished = `state IN ('receiving', 'waiting', 'running')`
const columns = `id, kind, state, validate_only AS "validateOnly", total, processed, succeeded, failed, result, error,
  cancel_requested_at AS "cancelRequestedAt", created_at AS "createdAt", started_at AS "startedAt", updated_at AS "updatedAt",
  finished_at AS "finishedAt"`
/** Starts of one organization follow one another, so that they cannot pass the limit together. */
const startLock = 11

export async function startOperation(
  pool: Pool,
  organizationId: string,
  { kind, request, validateOnly, receiving = false, onePer }: NewOperation,
  { by }: WriteOptions,
): Promise<OperationRecord | 'operation_limit'> {
  return inTenantTransaction(pool, organizationId, async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, $2))', [organizationId, startLock])
    const { rows: counted } = await tx.query<{ count: number; same: number }>(
      `SELECT count(*)::int AS count, (count(*) FILTER (WHERE kind = $2 AND request ->> $3::text = $4::jsonb ->> $3::text))::int AS same
       FROM operations WHERE organization_id = $1 AND ${unfinished}`,
      [organizationId, kind, onePer ?? null, request],
    )
    const [{ count, same } = { count: 0, same: 0 }] = counted
    if (count >= maxOperations || same > 0) return 'operation_limit'
    const { rows } = await tx.query<OperationRecord>(
      `INSERT INTO operations (id, organization_id, kind, state, validate_only, request, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${columns}`,
      [newId('opn'), organizationId, kind, receiving ? 'receiving' : 'waiting', validateOnly, request, by],
    )
    const operation = rows[0] as OperationRecord
    if (!receiving) await appendEvent(tx, startedEvent(organizationId, operation))
    await appendAudit(tx, {
      organizationId,
      by,
      action: 'operation.started',
      targetType: 'operation',
      targetId: operation.id,
      after: { kind, request, validateOnly },
    })
    return operation
  })
}

/**
 * A block that came before, when the same request was repeated, is replaced.
 *
 * @param number of the block, from 0, without a gap
 * @returns false when the operation takes no input any more: it was cancelled, or given up as nothing came
 */
export async function addOperationInput(
  pool: Pool,
  organizationId: string,
  id: string,
  { number, content }: { number: number; content: Buffer },
): Promise<boolean> {
  const { rowCount } = await tenant(pool, organizationId).query(
    `WITH receiver AS (UPDATE operations SET updated_at = now() WHERE organization_id = $1 AND id = $2 AND state = 'receiving'
       AND cancel_requested_at IS NULL RETURNING id)
     INSERT INTO operation_inputs (operation_id, organization_id, number, content) SELECT id, $1, $3, $4 FROM receiver
     ON CONFLICT (operation_id, number) DO UPDATE SET content = excluded.content`,
    [organizationId, id, number, content],
  )
  return rowCount === 1
}

/** All input is there: a worker may begin. @returns null when the operation has been cancelled or given up meanwhile */
export async function receivedOperation(
  pool: Pool,
  organizationId: string,
  id: string,
  request: object,
): Promise<OperationRecord | null> {
  return inTenantTransaction(pool, organizationId, async (tx) => {
    const { rows } = await tx.query<OperationRecord>(
      `UPDATE operations SET state = 'waiting', updated_at = now(), turn_at = now(), request = request || $3
       WHERE organization_id = $1 AND id = $2 AND state = 'receiving' AND cancel_requested_at IS NULL RETURNING ${columns}`,
      [organizationId, id, request],
    )
    if (rows[0]) await appendEvent(tx, startedEvent(organizationId, rows[0]))
    return rows[0] ?? null
  })
}

/** One whose input does not come whole was never started. */
function startedEvent(organizationId: string, { id, kind }: OperationRecord): NewEvent {
  return { organizationId, type: 'operation.started', resourceId: id, data: { kind } }
}

/** The input did not come whole: as if nothing had been asked for. */
export async function dropOperation(pool: Pool, organizationId: string, id: string): Promise<void> {
  await tenant(pool, organizationId).query(
    `DELETE FROM operations WHERE organization_id = $1 AND id = $2 AND state = 'receiving'`,
    [organizationId, id],
  )
}

export async function findOperation(pool: Pool, organizationId: string, id: string): Promise<OperationRecord | null> {
  const { rows } = await tenant(pool, organizationId).query<OperationRecord>(
    `SELECT ${columns} FROM operations WHERE organization_id = $1 AND id = $2`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

export async function listOperations(
  pool: Pool,
  organizationId: string,
  filter: OperationFilter,
  page: PageRequest,
): Promise<Page<OperationRecord>> {
  const where = new Conditions().add('organization_id = ?', organizationId)
  if (filter.kind !== undefined) where.add('kind = ?', filter.kind)
  if (filter.state !== undefined) where.add('state = ?', filter.state)
  if (filter.done !== undefined) where.add(filter.done ? 'finished_at IS NOT NULL' : 'finished_at IS NULL')
  if (filter.createdFrom !== undefined) where.add('created_at >= ?', filter.createdFrom)
  if (filter.createdBefore !== undefined) where.add('created_at < ?', filter.createdBefore)
  if (page.after) where.add('(created_at, id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, organizationId).query<OperationRecord>(
    `SELECT ${columns} FROM operations WHERE ${where.text} ORDER BY created_at DESC, id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ createdAt, id }) => ({ createdAt, id }))
}

/** One that no worker holds ends at once, the others after the batch they are at. */
export async function cancelOperation(
  pool: Pool,
  organizationId: string,
  id: string,
  { by }: WriteOptions,
): Promise<OperationRecord | 'not_found' | 'operation_done'> {
  return inTenantTransaction(pool, organizationId, async (tx) => {
    const { rows: found } = await tx.query<{ state: OperationState }>(
      'SELECT state FROM operations WHERE organization_id = $1 AND id = $2 FOR UPDATE',
      [organizationId, id],
    )
    const state = found[0]?.state
    if (state === undefined) return 'not_found'
    if (state === 'succeeded' || state === 'failed' || state === 'cancelled') return 'operation_done'
    const ended = state === 'running' ? '' : `, state = 'cancelled', finished_at = now(), error = $3`
    const { rows } = await tx.query<OperationRecord>(
      `UPDATE operations SET cancel_requested_at = coalesce(cancel_requested_at, now()), updated_at = now() ${ended}
       WHERE organization_id = $1 AND id = $2 RETURNING ${columns}`,
      [organizationId, id, ...(ended === '' ? [] : [cancelled])],
    )
    if (ended !== '') {
      await tx.query('DELETE FROM operation_inputs WHERE organization_id = $1 AND operation_id = $2', [
        organizationId,
        id,
      ])
      const data = { kind: (rows[0] as OperationRecord).kind }
      await appendEvent(tx, { organizationId, type: 'operation.cancelled', resourceId: id, data })
    }
    await appendAudit(tx, { organizationId, by, action: 'operation.cancelled', targetType: 'operation', targetId: id })
    await notify(tx, operationChangedChannel, id)
    return rows[0] as OperationRecord
  })
}

export const cancelled: OperationError = { code: 'operation_cancelled', detail: 'Somebody asked for it.' }

export interface FaultRecord {
  readonly row: number
  readonly position: number
  readonly pointer: string
  readonly message: string
}

/** @param after the last fault of the part before, null for the first part @returns at most `limit`, in order of rows */
export async function readOperationFaults(
  pool: Pool,
  organizationId: string,
  id: string,
  { after, limit }: { after: Pick<FaultRecord, 'row' | 'position'> | null; limit: number },
): Promise<FaultRecord[]> {
  const { rows } = await tenant(pool, organizationId).query<FaultRecord>(
    `SELECT row, position, pointer, message FROM operation_faults WHERE organization_id = $1 AND operation_id = $2
       AND (row, position) > ($3, $4) ORDER BY row, position LIMIT $5`,
    [organizationId, id, after?.row ?? 0, after?.position ?? 0, limit],
  )
  return rows
}
