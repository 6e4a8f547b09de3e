/** REST: operations, the one resource for work that takes longer than a call. */
import { Type, type Static } from 'typebox'
import type { ErrorCode } from '../errors.ts'
import { line, moment, nullable, oneOf, OperationId, pageOf, pageQuery, Timestamp } from '../fields.ts'

export const operationKinds = ['device_import', 'device_update', 'device_delete', 'webhook_replay'] as const
export type OperationKind = (typeof operationKinds)[number]
export const operationStates = ['receiving', 'waiting', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type OperationState = (typeof operationStates)[number]
/** Why an operation fails; codes of the registry. */
export const operationErrorCodes = [
  'unreadable_rows',
  'operation_cancelled',
  'internal_error',
] as const satisfies readonly ErrorCode[]
export type OperationErrorCode = (typeof operationErrorCodes)[number]

const OperationProblem = Type.Object(
  {
    type: Type.String({ format: 'uri-reference', description: 'A page about this code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: oneOf(operationErrorCodes, { description: 'Stable; decide by it.' }),
  },
  {
    additionalProperties: false,
    description: 'Why it failed; null while it has not.',
    'x-example': {
      type: '/errors/unreadable_rows',
      title: 'The rows cannot be read',
      status: 422,
      detail: 'Row 7 is no JSON object.',
      code: 'unreadable_rows',
    },
  },
)

export const Operation = Type.Object(
  {
    id: OperationId,
    kind: oneOf(operationKinds),
    state: oneOf(operationStates),
    done: Type.Boolean({ description: 'Nothing changes any more: there is a `result` or an `error`.' }),
    validateOnly: Type.Boolean({ description: 'A rehearsal: everything is checked and counted, nothing is changed.' }),
    result: nullable(
      Type.Record(Type.String(), Type.Integer(), {
        description: 'Counts of what was done; null until it has succeeded.',
      }),
    ),
    error: nullable(OperationProblem),
    metadata: Type.Object(
      {
        progress: Type.Object(
          {
            total: nullable(Type.Integer({ description: 'Rows or devices; null while it is not known.' })),
            processed: Type.Integer(),
            succeeded: Type.Integer(),
            failed: Type.Integer({ description: 'Rows with faults: see `/v1/operations/{id}/errors`.' }),
          },
          { additionalProperties: false },
        ),
        cancelRequested: Type.Boolean(),
      },
      { additionalProperties: false },
    ),
    createdAt: Timestamp,
    startedAt: nullable(Timestamp),
    updatedAt: Timestamp,
    finishedAt: nullable(Timestamp),
  },
  {
    $id: 'Operation',
    additionalProperties: false,
    'x-example': {
      kind: 'device_import',
      state: 'succeeded',
      done: true,
      validateOnly: false,
      result: { created: 98, updated: 0, failed: 2 },
      error: null,
      metadata: { progress: { total: 100, processed: 100, succeeded: 98, failed: 2 }, cancelRequested: false },
    },
  },
)
export type Operation = Static<typeof Operation>

export const OperationPage = pageOf('Operation')

export const OperationQuery = Type.Object(
  {
    ...pageQuery,
    kind: Type.Optional(oneOf(operationKinds)),
    state: Type.Optional(oneOf(operationStates)),
    done: Type.Optional(Type.Boolean()),
    createdFrom: moment('Begun at this time or later'),
    createdBefore: moment('Begun before'),
  },
  { additionalProperties: false },
)
export type OperationQuery = Static<typeof OperationQuery>

/** One line of the error report. */
export const OperationFault = Type.Object(
  {
    row: Type.Integer({ description: 'From 1; the header of a CSV file is not counted.' }),
    pointer: Type.String({ description: 'JSON pointer (RFC 6901) to the field; empty: the whole row.' }),
    message: line({ maxLength: 500 }),
  },
  { $id: 'OperationFault', additionalProperties: false },
)
export type OperationFault = Static<typeof OperationFault>
