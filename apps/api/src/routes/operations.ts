/** /v1/operations: what takes longer than a call, whoever started it. */
import { DomainError, OperationId, OperationQuery, WaitQuery } from '@culvert/contracts'
import { cancelOperation, findOperation, listOperations, readOperationFaults, type FaultRecord } from '@culvert/db'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { isDone, operationView } from '../operation-view.ts'
import { dateOf } from '../list-query.ts'
import { readPage, writePage } from '../paging.ts'
import { callerSignal, waitMs } from '../preconditions.ts'
import { json, problems, text } from '../responses.ts'

const params = Type.Object({ operationId: OperationId }, { additionalProperties: false })
const tags = ['operations']

export function operationRoutes(api: Api, { pool, changes }: ApiContext): void {
  api.get(
    '/operations',
    {
      config: { permission: 'operations:read' },
      schema: {
        operationId: 'listOperations',
        summary: 'List operations, newest first',
        tags,
        querystring: OperationQuery,
        response: { 200: json(Type.Ref('OperationPage'), 'A page of operations.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { kind, state, done } = query
      const span = { createdFrom: dateOf(query.createdFrom), createdBefore: dateOf(query.createdBefore) }
      const filter = { kind, state, done, ...span }
      const list = ['operations', organizationId, filter]
      return writePage(await listOperations(pool, organizationId, filter, readPage(query, list)), list, operationView)
    },
  )

  api.get(
    '/operations/:operationId',
    {
      config: { permission: 'operations:read' },
      schema: {
        operationId: 'getOperation',
        summary: 'Read an operation, or wait for its end',
        description: 'With `wait` the answer comes when the operation is done or the time is up, whatever is first.',
        tags,
        params,
        querystring: WaitQuery,
        response: { 200: json(Type.Ref('Operation'), 'The operation.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const { organizationId, params: given, query } = request
      const operation = await changes.until({
        organizationId,
        id: given.operationId,
        timeoutMs: query.wait === undefined ? 0 : waitMs(request, query.wait),
        signal: callerSignal(request, reply),
        read: () => findOperation(pool, organizationId, given.operationId),
        done: (row) => row === null || isDone(row),
      })
      if (!operation) throw new DomainError('not_found')
      return operationView(operation)
    },
  )

  api.post(
    '/operations/:operationId/cancel',
    {
      config: { permission: 'operations:write' },
      schema: {
        operationId: 'cancelOperation',
        summary: 'Cancel an operation',
        description: 'It ends after the batch it is at. What it has done stays done.',
        tags,
        params,
        response: {
          200: json(Type.Ref('Operation'), 'Asked for; `done` tells whether it has ended already.'),
          ...problems('not_found', 'operation_done'),
        },
      },
    },
    async (request) => {
      const { organizationId, params: given } = request
      const operation = await cancelOperation(pool, organizationId, given.operationId, writeOptions(request))
      if (typeof operation === 'string') throw new DomainError(operation)
      return operationView(operation)
    },
  )

  api.get(
    '/operations/:operationId/errors',
    {
      config: { permission: 'operations:read' },
      schema: {
        operationId: 'getOperationErrors',
        summary: 'Rows with faults, as NDJSON',
        description:
          'One JSON object on each line: `row` (from 1), `pointer` (JSON pointer into the row), `message`. At most 10 000; `failed` counts all.',
        tags,
        params,
        response: {
          200: text(
            'The faults, in order of rows.',
            '{"row":7,"pointer":"/iccid","message":"has a wrong check digit (Luhn): check it for a typing error"}\n',
            'application/x-ndjson',
          ),
          ...problems('not_found'),
        },
      },
    },
    async ({ organizationId, params: { operationId } }, reply) => {
      if (!(await findOperation(pool, organizationId, operationId))) throw new DomainError('not_found')
      const read = (after: FaultRecord | null): Promise<FaultRecord[]> =>
        readOperationFaults(pool, organizationId, operationId, { after, limit: faultsAtOnce })
      return reply
        .type('application/x-ndjson')
        .header('content-disposition', `attachment; filename="${operationId}.ndjson"`)
        .send(Readable.from(faultLines(read), { objectMode: false }))
    },
  )
}

const faultsAtOnce = 1_000

async function* faultLines(read: (after: FaultRecord | null) => Promise<FaultRecord[]>): AsyncGenerator<string> {
  for (let after: FaultRecord | null = null; ;) {
    const faults: FaultRecord[] = await read(after)
    if (faults.length > 0)
      yield faults.map(({ row, pointer, message }) => `${JSON.stringify({ row, pointer, message })}\n`).join('')
    after = faults.at(-1) ?? null
    if (faults.length < faultsAtOnce || after === null) return
  }
}
