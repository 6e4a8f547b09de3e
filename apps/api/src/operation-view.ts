/** Operations as callers see them. */
import { errorRegistry, operationErrorCodes, type Operation, type OperationKind } from '@culvert/contracts'
import type { OperationError, OperationRecord } from '@culvert/db'

export function operationView(row: OperationRecord): Operation {
  const { id, kind, state, validateOnly, result, error, total, processed, succeeded, failed } = row
  return {
    id,
    kind: kind as OperationKind,
    state,
    done: isDone(row),
    validateOnly,
    result: result === null ? null : { ...result },
    error: error === null ? null : problemOf(error),
    metadata: {
      progress: { total, processed, succeeded, failed },
      cancelRequested: row.cancelRequestedAt !== null,
    },
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    updatedAt: row.updatedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}

export function isDone({ finishedAt }: OperationRecord): boolean {
  return finishedAt !== null
}

/** Rows outlive releases: a code that is no longer known is a fault of ours. */
function problemOf({ code, detail }: OperationError): NonNullable<Operation['error']> {
  const known = operationErrorCodes.find((one) => one === code) ?? 'internal_error'
  const { title, status } = errorRegistry[known]
  return { type: `/errors/${known}`, title, status, detail, code: known }
}
