/** Work on many devices: imports as a stream of rows, changes and deletions by filter, each an operation; and exports. */
import {
  DeviceBatchDelete,
  DeviceBatchUpdate,
  DeviceExportQuery,
  DeviceImportQuery,
  DomainError,
  maxImportBytes,
  ValidateOnlyQuery,
  type FieldError,
} from '@culvert/contracts'
import {
  addOperationInput,
  chooseDevices,
  dropOperation,
  readDevices,
  readNetwork,
  receivedOperation,
  startOperation,
  type OperationRecord,
} from '@culvert/db'
import { operationsQueue } from '@culvert/queue'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { csvHeader, csvLine } from '../device-csv.ts'
import { deviceFilterOf } from '../device-query.ts'
import { operationView } from '../operation-view.ts'
import { inOneOf, json, problems, text } from '../responses.ts'
import { compileValidator } from '../validation.ts'
import { deviceView } from '../views.ts'
import { refuseWithheld, withheldTags } from '../withheld-tags.ts'

const tags = ['devices']
const accepted = json(Type.Ref('Operation'), 'Begun: see `/v1/operations/{id}`, also with `wait`.')
/** Octets of a block in the database. */
const blockBytes = 512 * 1024

export function deviceBulkRoutes(api: Api, context: ApiContext): void {
  batches(api, context)
  exports(api, context)
  void api.register(async (scope) => imports(scope as Api, context))
}

function imports(api: Api, context: ApiContext): void {
  const { pool, zone, servicePrefix, pool6Prefix } = context
  // The body is not read here: the route takes it block by block.
  api.removeAllContentTypeParsers()
  api.addContentTypeParser(['application/x-ndjson', 'text/csv'], (_request, payload, done) => done(null, payload))
  const rows = (example: string) => ({
    schema: Type.String({ description: 'A device on each line.', examples: [example] }),
  })
  api.post(
    '/devices/import',
    {
      config: { permission: 'devices:write', validateOnly: false },
      schema: {
        operationId: 'importDevices',
        summary: 'Register many devices',
        description:
          'NDJSON: each line is what `POST /v1/devices` takes. CSV: the first line names those fields; lists (`tags`, `lanPrefixes`, `proposalTiers`) are separated by semicolons. ' +
          'At most 64 MiB. Rows with faults are left out and told by `/v1/operations/{id}/errors`; the others are registered. A rehearsal does not see that a network is full.',
        tags,
        querystring: DeviceImportQuery,
        body: {
          content: {
            'application/x-ndjson': rows('{"iccid":"89490200001234567891","tags":["env=test"]}\n'),
            'text/csv': rows('iccid,name,tags\n89490200001234567891,router-1,env=test;site:berlin\n'),
          },
        } as never,
        response: {
          202: accepted,
          ...problems('not_found', 'operation_limit', 'operation_cancelled', 'payload_too_large'),
        },
      },
      validatorCompiler: (part) => (part.httpPart === 'body' ? () => true : compileValidator(part as never)),
    },
    async (request, reply) => {
      const { organizationId, query } = request
      const { onExisting = 'fail', networkId = null, validateOnly = false } = query as DeviceImportQuery
      if (networkId !== null && !(await readNetwork(pool, organizationId, networkId)))
        throw new DomainError('not_found')
      const format = /^text\/csv\b/i.test(request.headers['content-type'] ?? '') ? 'csv' : 'ndjson'
      const withheld = await withheldTags(pool, request.actor)
      const settings = {
        withheldTags: withheld,
        format,
        onExisting,
        networkId,
        zone,
        servicePrefix,
        pool6Prefix,
        blockBytes,
      }
      const wanted = { kind: 'device_import', request: settings, validateOnly, receiving: true }
      const operation = await startOperation(pool, organizationId, wanted, writeOptions(request))
      if (typeof operation === 'string') throw new DomainError(operation)
      try {
        await receive(context, organizationId, operation.id, request.body as unknown as AsyncIterable<Buffer>)
      } catch (error) {
        await dropOperation(pool, organizationId, operation.id)
        reply.header('connection', 'close')
        throw error
      }
      const ready = await receivedOperation(pool, organizationId, operation.id, {})
      if (!ready) throw new DomainError('operation_cancelled')
      return begun(context, reply, ready)
    },
  )
}

/** @throws DomainError when it is too large, or somebody cancelled it meanwhile; what the connection says when it breaks */
async function receive(
  { pool }: ApiContext,
  organizationId: string,
  id: string,
  body: AsyncIterable<Buffer> | null,
): Promise<void> {
  let number = 0
  let total = 0
  let waiting: Buffer[] = []
  let waitingBytes = 0
  const store = async (content: Buffer): Promise<void> => {
    const taken = await addOperationInput(pool, organizationId, id, { number: number++, content })
    if (!taken) throw new DomainError('operation_cancelled')
  }
  for await (const chunk of body ?? []) {
    total += chunk.length
    if (total > maxImportBytes) throw new DomainError('payload_too_large')
    waiting.push(chunk)
    waitingBytes += chunk.length
    while (waitingBytes >= blockBytes) {
      const all = Buffer.concat(waiting)
      await store(all.subarray(0, blockBytes))
      waiting = [all.subarray(blockBytes)]
      waitingBytes = all.length - blockBytes
    }
  }
  if (waitingBytes > 0) await store(Buffer.concat(waiting))
}

function begun({ queues }: ApiContext, reply: FastifyReply, operation: OperationRecord): FastifyReply {
  void queues.hint(operationsQueue, 'operations.due')
  return reply.code(202).header('location', `/v1/operations/${operation.id}`).send(operationView(operation))
}

function batches(api: Api, context: ApiContext): void {
  const routes = [
    { path: '/devices/batch-update', kind: 'device_update', operationId: 'updateDevices', body: DeviceBatchUpdate },
    { path: '/devices/batch-delete', kind: 'device_delete', operationId: 'deleteDevices', body: DeviceBatchDelete },
  ] as const
  for (const { path, kind, operationId, body } of routes) {
    const isUpdate = kind === 'device_update'
    api.post(
      path,
      {
        config: { permission: 'devices:write', validateOnly: false },
        schema: {
          operationId,
          summary: isUpdate ? 'Change many devices' : 'Delete many devices',
          description: `Those that \`filter\` chooses, or all. \`result\` tells how many fitted and how many were ${isUpdate ? 'changed' : 'deleted'}.`,
          tags,
          querystring: ValidateOnlyQuery,
          body: body as typeof DeviceBatchDelete,
          response: { 202: accepted, ...problems('operation_limit') },
        },
      },
      async (request, reply) => {
        const { validateOnly = false } = request.query
        const { change } = request.body as Partial<DeviceBatchUpdate>
        refuseWithheld(await withheldTags(context.pool, request.actor), change?.addTags ?? [])
        const wanted = { kind, request: { filter: chosenBy(request), change }, validateOnly }
        const operation = await startOperation(context.pool, request.organizationId, wanted, writeOptions(request))
        if (typeof operation === 'string') throw new DomainError(operation)
        return begun(context, reply, operation)
      },
    )
  }
}

/** Everything only when it is said so. */
function chosenBy(request: FastifyRequest<{ Body: DeviceBatchDelete }>): ReturnType<typeof deviceFilterOf> {
  const { filter, all } = request.body
  if ((filter === undefined) !== (all === undefined)) return deviceFilterOf(filter ?? {})
  const message = 'is required, or `all`, and never both'
  const errors: FieldError[] = [{ in: 'body', pointer: '/filter', message }]
  throw new DomainError('validation_failed', { errors })
}

function exports(api: Api, { pool }: ApiContext): void {
  api.get(
    '/devices/export',
    {
      config: { permission: 'devices:read' },
      schema: {
        operationId: 'exportDevices',
        summary: 'Devices as NDJSON or CSV',
        description:
          'All that the filters choose, as a stream, in no particular order. In CSV, lists are separated by semicolons, and a cell that a spreadsheet would compute has an apostrophe before it.',
        tags,
        querystring: DeviceExportQuery,
        response: {
          200: inOneOf(
            'The devices; CSV when asked for.',
            text('', '{"id":"dev_...","iccid":"..."}\n', 'application/x-ndjson'),
            text('', 'id,iccid\ndev_...,...\n', 'text/csv'),
          ),
          ...problems(),
        },
      },
    },
    async ({ organizationId, query }, reply) => {
      const { format = 'ndjson', ...filters } = query
      const filter = deviceFilterOf(filters)
      const isCsv = format === 'csv'
      const lines = async function* (): AsyncGenerator<string> {
        if (isCsv) yield csvHeader
        for (let after = ''; ;) {
          const { ids, last } = await chooseDevices(pool, organizationId, filter, { after, limit: exportedAtOnce })
          const devices = (await readDevices(pool, organizationId, ids)).map(deviceView)
          if (devices.length > 0)
            yield devices.map((device) => (isCsv ? csvLine(device) : `${JSON.stringify(device)}\n`)).join('')
          if (last === null) return
          after = last
        }
      }
      return reply
        .type(isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .header('content-disposition', `attachment; filename="devices.${format}"`)
        .send(Readable.from(lines(), { objectMode: false }))
    },
  )
}

const exportedAtOnce = 500
