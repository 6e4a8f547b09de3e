/**
 * Operations as a worker sees them. A worker takes the one that has waited longest, at most one of each organization, holds it
 * by a lease and gives it back after its turn. How far it is is written in the transaction that does the work
 * ({@link advanceOperation}), and only by whom the lease names: work that a killed or slow worker left half done was rolled back
 * with its progress, and nothing is done twice.
 *
 * Claims look at the rows of all organizations; everything else goes through the door of one.
 */
import type { Pool } from 'pg'
import type { Author } from './author.ts'
import { notify, operationChangedChannel } from './notify.ts'
import { cancelled, type OperationError } from './operations.ts'
import { appendEvent } from './outbox.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

/** An operation in the hands of a worker. */
export interface OperationClaim {
  readonly id: string
  readonly organizationId: string
  readonly runner: string
  readonly kind: string
  readonly request: Readonly<Record<string, unknown>>
  /** Who asked, and so who does what it does. */
  readonly createdBy: Author
  readonly validateOnly: boolean
  readonly checkpoint: Readonly<Record<string, unknown>>
  readonly total: number | null
  readonly processed: number
  readonly succeeded: number
  readonly failed: number
  /** Times it was taken up without getting any further, this one not counted. */
  readonly attempts: number
  readonly cancelRequested: boolean
}

/** Another worker holds it, or it is done. */
export class OperationLostError extends Error {
  constructor(id: string) {
    super(`operation ${id} is not ours any more`)
    this.name = 'OperationLostError'
  }
}

/** A worker that says nothing for so long has lost its operation. */
export const operationLeaseSec = 15
/** A row that ends the process each time must not do so for ever. */
export const maxOperationAttempts = 6
/** What was sent does not come any more. */
const receivingSec = 900

/** @returns the operation that has waited longest, of an organization that no worker serves now; null: there is none */
export async function claimOperation(pool: Pool, runner: string): Promise<OperationClaim | null> {
  const { rows } = await pool.query<OperationClaim>(
    `UPDATE operations SET state = 'running', runner = $1, lease_until = now() + $2 * interval '1 second', attempts = attempts + 1,
       started_at = coalesce(started_at, now()), updated_at = now()
     WHERE id = (SELECT o.id FROM operations o WHERE o.state IN ('waiting', 'running') AND (o.lease_until IS NULL OR o.lease_until < now())
         AND NOT EXISTS (SELECT 1 FROM operations e WHERE e.organization_id = o.organization_id AND e.state IN ('waiting', 'running')
           AND (e.created_at, e.id) < (o.created_at, o.id))
       ORDER BY o.turn_at, o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, organization_id AS "organizationId", runner, kind, request, created_by AS "createdBy",
       validate_only AS "validateOnly", checkpoint, total, processed, succeeded, failed, attempts - 1 AS attempts,
       cancel_requested_at IS NOT NULL AS "cancelRequested"`,
    [runner, operationLeaseSec],
  )
  return rows[0] ?? null
}

/** Says that the worker lives. @throws OperationLostError */
export async function renewOperation(pool: Pool, { id, organizationId, runner }: OperationClaim): Promise<void> {
  const { rowCount } = await tenant(pool, organizationId).query(
    `UPDATE operations SET lease_until = now() + $4 * interval '1 second'
     WHERE organization_id = $1 AND id = $2 AND runner = $3 AND state = 'running'`,
    [organizationId, id, runner, operationLeaseSec],
  )
  if (rowCount !== 1) throw new OperationLostError(id)
}

export interface OperationStep {
  /** Replaces what was there. */
  readonly checkpoint: Readonly<Record<string, unknown>>
  readonly total?: number | null
  /** More than before. */
  readonly processed: number
  readonly succeeded: number
  readonly failed: number
}

/**
 * Belongs last into the transaction that did the work of this step.
 *
 * @returns the operation as it is now @throws OperationLostError: what was done is to be rolled back
 */
export async function advanceOperation(
  tx: TenantSql,
  claim: OperationClaim,
  { checkpoint, total = claim.total, processed, succeeded, failed }: OperationStep,
): Promise<OperationClaim> {
  const { rows } = await tx.query<{ cancelRequested: boolean }>(
    `UPDATE operations SET checkpoint = $4, total = $5, processed = processed + $6, succeeded = succeeded + $7, failed = failed + $8,
       attempts = 0, lease_until = clock_timestamp() + $9 * interval '1 second', updated_at = now()
     WHERE organization_id = $1 AND id = $2 AND runner = $3 AND state = 'running'
     RETURNING cancel_requested_at IS NOT NULL AS "cancelRequested"`,
    [claim.organizationId, claim.id, claim.runner, checkpoint, total, processed, succeeded, failed, operationLeaseSec],
  )
  const row = rows[0]
  if (!row) throw new OperationLostError(claim.id)
  return {
    ...claim,
    checkpoint,
    total,
    processed: claim.processed + processed,
    succeeded: claim.succeeded + succeeded,
    failed: claim.failed + failed,
    attempts: 0,
    cancelRequested: row.cancelRequested,
  }
}

export type OperationEnd =
  | { readonly state: 'succeeded'; readonly result: Readonly<Record<string, number>> }
  | { readonly state: 'failed'; readonly error: OperationError }
  | { readonly state: 'cancelled' }

/** @throws OperationLostError */
export async function finishOperation(pool: Pool, claim: OperationClaim, end: OperationEnd): Promise<void> {
  const { organizationId, id, runner } = claim
  await inTenantTransaction(pool, organizationId, async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE operations SET state = $4, result = $5, error = $6, finished_at = now(), updated_at = now(), runner = NULL, lease_until = NULL
       WHERE organization_id = $1 AND id = $2 AND runner = $3 AND state = 'running'`,
      [organizationId, id, runner, end.state, end.state === 'succeeded' ? end.result : null, errorOf(end)],
    )
    if (rowCount !== 1) throw new OperationLostError(id)
    await tx.query('DELETE FROM operation_inputs WHERE organization_id = $1 AND operation_id = $2', [
      organizationId,
      id,
    ])
    await appendEvent(tx, {
      organizationId,
      type: newsOfEnd[end.state],
      resourceId: id,
      data: { kind: claim.kind },
    })
    await notify(tx, operationChangedChannel, id)
  })
}

const newsOfEnd = {
  succeeded: 'operation.succeeded',
  failed: 'operation.failed',
  cancelled: 'operation.cancelled',
} as const

function errorOf(end: OperationEnd): OperationError | null {
  if (end.state === 'cancelled') return cancelled
  return end.state === 'failed' ? end.error : null
}

/** Its turn is over, or the worker ends: others come first, then any worker may go on. */
export async function yieldOperation(pool: Pool, { organizationId, id, runner }: OperationClaim): Promise<void> {
  await tenant(pool, organizationId).query(
    `UPDATE operations SET runner = NULL, lease_until = NULL, turn_at = clock_timestamp(), attempts = 0
     WHERE organization_id = $1 AND id = $2 AND runner = $3 AND state = 'running'`,
    [organizationId, id, runner],
  )
}

/** A pass that failed: tried again after a while, which grows with every attempt. */
export async function postponeOperation(pool: Pool, claim: OperationClaim): Promise<void> {
  await tenant(pool, claim.organizationId).query(
    `UPDATE operations SET lease_until = now() + least(60, 2 ^ attempts) * interval '1 second'
     WHERE organization_id = $1 AND id = $2 AND runner = $3 AND state = 'running'`,
    [claim.organizationId, claim.id, claim.runner],
  )
}

/** Forgets those whose input stopped coming. @returns how many */
export async function dropUnreceivedOperations(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM operations WHERE state = 'receiving' AND updated_at < now() - $1 * interval '1 second'`,
    [receivingSec],
  )
  return rowCount ?? 0
}

/** @param fromNumber of the first block wanted @returns at most `limit` blocks of what was sent, in order */
export async function readOperationInput(
  pool: Pool,
  { organizationId, id }: OperationClaim,
  fromNumber: number,
  limit: number,
): Promise<Buffer[]> {
  const { rows } = await tenant(pool, organizationId).query<{ content: Buffer }>(
    `SELECT content FROM operation_inputs WHERE organization_id = $1 AND operation_id = $2 AND number >= $3 ORDER BY number LIMIT $4`,
    [organizationId, id, fromNumber, limit],
  )
  return rows.map(({ content }) => content)
}

/** Most faults that are kept of an operation. */
export const maxOperationFaults = 10_000

export interface NewFault {
  /** From 1. */
  readonly row: number
  /** JSON pointer into the row; empty: the row as a whole. */
  readonly pointer: string
  readonly message: string
}

/** @param kept how many are there already @returns how many are there now; what is beyond {@link maxOperationFaults} is only counted */
export async function addOperationFaults(
  tx: TenantSql,
  { organizationId, id }: OperationClaim,
  kept: number,
  faults: readonly NewFault[],
): Promise<number> {
  const taken = faults.slice(0, Math.max(0, maxOperationFaults - kept))
  if (taken.length === 0) return kept
  await tx.query(
    `INSERT INTO operation_faults (operation_id, organization_id, row, position, pointer, message)
     SELECT $1, $2, v.row, v.position, v.pointer, v.message
     FROM json_to_recordset($3) AS v(row int, position int, pointer text, message text)`,
    [id, organizationId, JSON.stringify(taken.map((fault, index) => ({ ...fault, position: kept + index + 1 })))],
  )
  return kept + taken.length
}
