/** Below /v1/webhook-endpoints/{id}: the log of deliveries, a test, and deliveries made again: one, all since a time, or what failed. */
import {
  DomainError,
  WaitQuery,
  WebhookDeliveryId,
  WebhookDeliveryQuery,
  WebhookEnabling,
  WebhookEndpointId,
  WebhookReplay,
  type FieldError,
} from '@culvert/contracts'
import {
  enableWebhookEndpoint,
  eventCursors,
  findDelivery,
  listDeliveries,
  readDelivery,
  readFeed,
  readWebhookEndpoint,
  replayDelivery,
  startOperation,
  testWebhookEndpoint,
  type DeliveryKey,
  type DeliveryRecord,
  type EventCursors,
} from '@culvert/db'
import { operationsQueue, webhooksQueue } from '@culvert/queue'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { operationView } from '../operation-view.ts'
import { readPage, writePage } from '../paging.ts'
import { callerSignal, ifMatch, setEtag, waitMs } from '../preconditions.ts'
import { json, problems } from '../responses.ts'
import { deliveryDetailView, deliveryView, webhookEndpointView } from '../webhook-views.ts'

const strict = { additionalProperties: false }
const ofEndpoint = Type.Object({ endpointId: WebhookEndpointId }, strict)
const ofDelivery = Type.Object({ endpointId: WebhookEndpointId, deliveryId: WebhookDeliveryId }, strict)
const tags = ['webhooks']

export function webhookDeliveryRoutes(api: Api, context: ApiContext): void {
  reading(api, context)
  trying(api, context)
  recovering(api, context)
}

function reading(api: Api, { pool }: ApiContext): void {
  api.get(
    '/webhook-endpoints/:endpointId/deliveries',
    {
      config: { permission: 'webhooks:read', alsoPermission: 'events:read' },
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'List deliveries to an endpoint, newest first',
        description: 'They are kept for 30 days.',
        tags,
        params: ofEndpoint,
        querystring: WebhookDeliveryQuery,
        response: {
          200: json(Type.Ref('WebhookDeliveryPage'), 'A page of deliveries.'),
          ...problems('not_found', 'invalid_cursor'),
        },
      },
    },
    async ({ organizationId, params: { endpointId }, query }) => {
      const { limit: _limit, cursor: _cursor, ...given } = query
      const list = ['webhook-deliveries', organizationId, endpointId, given]
      const page = readPage(query, list)
      if (!(await readWebhookEndpoint(pool, organizationId, endpointId))) throw new DomainError('not_found')
      const filter = { ...given, from: dateOf(given.from), before: dateOf(given.before) }
      return writePage(await listDeliveries(pool, organizationId, endpointId, { filter, page }), list, deliveryView)
    },
  )

  api.get(
    '/webhook-endpoints/:endpointId/deliveries/:deliveryId',
    {
      config: { permission: 'webhooks:read', alsoPermission: 'events:read' },
      schema: {
        operationId: 'getWebhookDelivery',
        summary: 'Read a delivery, with its attempts: what was sent and what came back',
        tags,
        params: ofDelivery,
        response: { 200: json(Type.Ref('WebhookDeliveryDetail'), 'The delivery.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params: { endpointId, deliveryId } }) => {
      const detail = await readDelivery(pool, { organizationId, endpointId, id: deliveryId })
      if (!detail) throw new DomainError('not_found')
      return deliveryDetailView(detail)
    },
  )
}

function trying(api: Api, context: ApiContext): void {
  const { pool } = context
  api.post(
    '/webhook-endpoints/:endpointId/test',
    {
      config: { permission: 'webhooks:write' },
      schema: {
        operationId: 'testWebhookEndpoint',
        summary: 'Deliver a `webhook.test` event to an endpoint',
        description: 'To this endpoint, whatever types it wants, and to no other. Waits a while for the answer.',
        tags,
        params: ofEndpoint,
        querystring: WaitQuery,
        response: {
          202: json(Type.Ref('WebhookDelivery'), 'On its way, or there: see `state` and `lastAttempt`.'),
          ...problems('not_found', 'webhook_disabled'),
        },
      },
    },
    async (request, reply) => {
      const { organizationId, params, query } = request
      const key = { organizationId, id: params.endpointId, ifVersion: null }
      const tested = await testWebhookEndpoint(pool, key, writeOptions(request))
      if (tested === 'changed') throw new DomainError('precondition_failed')
      if (typeof tested === 'string') throw new DomainError(tested)
      const delivery = { organizationId, endpointId: params.endpointId, id: tested.deliveryId }
      hint(context, params.endpointId)
      return reply.code(202).send(await attempted(context, request, reply, { delivery, wait: query.wait, after: 0 }))
    },
  )

  api.post(
    '/webhook-endpoints/:endpointId/deliveries/:deliveryId/replay',
    {
      config: { permission: 'webhooks:write', alsoPermission: 'events:read' },
      schema: {
        operationId: 'replayWebhookDelivery',
        summary: 'Deliver one event again',
        description: 'With the same `webhook-id`. Its retry schedule begins anew. Waits a while for the answer.',
        tags,
        params: ofDelivery,
        querystring: WaitQuery,
        response: {
          202: json(Type.Ref('WebhookDelivery'), 'On its way, or there: see `state` and `lastAttempt`.'),
          ...problems('not_found', 'webhook_disabled', 'event_forgotten'),
        },
      },
    },
    async (request, reply) => {
      const { organizationId, params, query } = request
      const delivery = { organizationId, endpointId: params.endpointId, id: params.deliveryId }
      const replayed = await replayDelivery(pool, delivery, writeOptions(request))
      if (typeof replayed === 'string') throw new DomainError(replayed)
      hint(context, params.endpointId)
      const after = replayed.attempts
      return reply.code(202).send(await attempted(context, request, reply, { delivery, wait: query.wait, after }))
    },
  )
}

function recovering(api: Api, context: ApiContext): void {
  const { pool } = context
  const cursorsOf = eventCursors(pool)
  api.post(
    '/webhook-endpoints/:endpointId/replay',
    {
      config: { permission: 'webhooks:write', alsoPermission: 'events:read' },
      schema: {
        operationId: 'replayWebhookEvents',
        summary: 'Deliver past events again, or for the first time',
        description:
          'Those that the filters of the endpoint choose now: since a time, or after a cursor of the feed. `result` tells how many events there were, and how many are delivered. One at a time for each endpoint.',
        tags,
        params: ofEndpoint,
        body: WebhookReplay,
        response: {
          202: json(Type.Ref('Operation'), 'Under way.'),
          ...problems('not_found', 'webhook_disabled', 'operation_limit', 'invalid_cursor', 'cursor_expired'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId, params } = request
      const endpoint = await readWebhookEndpoint(pool, organizationId, params.endpointId)
      if (!endpoint) throw new DomainError('not_found')
      if (endpoint.state === 'disabled') throw new DomainError('webhook_disabled')
      const until = body.until === undefined ? new Date() : new Date(body.until)
      const begin = replayBegin(body, until)
      if ('after' in begin) await checkCursor(pool, await cursorsOf(organizationId), organizationId, begin.after)
      const wanted = { endpointId: endpoint.id, ...begin, until, deliveries: body.deliveries ?? 'all' }
      const operation = await beginReplay(context, request, wanted)
      return reply.code(202).header('location', `/v1/operations/${operation.id}`).send(operation)
    },
  )

  api.post(
    '/webhook-endpoints/:endpointId/enable',
    {
      config: { permission: 'webhooks:write', alsoPermission: 'events:read' },
      schema: {
        operationId: 'enableWebhookEndpoint',
        summary: 'Enable an endpoint, and deliver what it missed',
        description:
          'One call after an outage. What failed since the first failure, and what came while it was disabled, is delivered by the `operation`; null when nothing was missed.',
        tags,
        params: ofEndpoint,
        body: WebhookEnabling,
        response: {
          200: json(Type.Ref('WebhookRecovery'), 'Enabled.'),
          ...problems('not_found', 'precondition_failed', 'operation_limit'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId, params } = request
      const before = await readWebhookEndpoint(pool, organizationId, params.endpointId)
      if (!before) throw new DomainError('not_found')
      const key = { organizationId, id: before.id, ifVersion: ifMatch(request) }
      if (key.ifVersion !== null && key.ifVersion !== before.version) throw new DomainError('precondition_failed')
      // First of all, so that nothing is enabled whose misses cannot be made up for.
      const since = earlier(before.failingSince, before.disabledAt)
      const wanted = since && { endpointId: before.id, since, until: new Date(), deliveries: 'failed' as const }
      const operation = wanted && (body.redeliver ?? true) ? await beginReplay(context, request, wanted) : null
      const endpoint = await enableWebhookEndpoint(pool, key, writeOptions(request))
      if (endpoint === 'not_found') throw new DomainError(endpoint)
      if (endpoint === 'changed') throw new DomainError('precondition_failed')
      setEtag(reply, endpoint.version)
      return { endpoint: webhookEndpointView(endpoint), operation }
    },
  )
}

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}

/** Where a replay begins: at a time, or after a cursor. */
type ReplayBegin = { readonly since: Date } | { readonly after: string }

type WantedReplay = ReplayBegin & {
  readonly endpointId: string
  readonly until: Date
  readonly deliveries: 'failed' | 'all'
}

async function beginReplay({ pool, queues }: ApiContext, request: FastifyRequest, wanted: WantedReplay) {
  const operation = await startOperation(
    pool,
    request.organizationId,
    { kind: 'webhook_replay', request: wanted, validateOnly: false, onePer: 'endpointId' },
    writeOptions(request),
  )
  if (typeof operation === 'string') throw new DomainError(operation)
  void queues.hint(operationsQueue, 'operations.due')
  return operationView(operation)
}

/** Waits a bounded time for an attempt more than `after`. */
async function attempted(
  { pool, changes }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { delivery, wait, after }: { delivery: DeliveryKey; wait: number | undefined; after: number },
): Promise<ReturnType<typeof deliveryView>> {
  const row = await changes.until<DeliveryRecord | null>({
    organizationId: request.organizationId,
    id: delivery.id,
    timeoutMs: waitMs(request, wait),
    signal: callerSignal(request, reply),
    read: () => findDelivery(pool, delivery),
    done: (record) => record === null || record.attempts > after,
  })
  if (!row) throw new DomainError('not_found')
  return deliveryView(row)
}

function hint({ queues }: ApiContext, endpointId: string): void {
  void queues.hint(webhooksQueue, 'deliveries.due', { about: [endpointId] })
}

/** @throws validation_failed unless there is one of both, and something after it */
function replayBegin({ since, after }: WebhookReplay, until: Date): ReplayBegin {
  const refuse = (pointer: string, message: string): never => {
    const errors: FieldError[] = [{ in: 'body', pointer, message }]
    throw new DomainError('validation_failed', { publicDetail: `body ${pointer} ${message}.`, errors })
  }
  if (after !== undefined)
    return since === undefined ? { after } : refuse('/after', 'is instead of `since`, not beside it')
  if (since === undefined) return refuse('/since', 'is needed, or `after`')
  const begin = new Date(since)
  return begin < until ? { since: begin } : refuse('/since', 'must be before `until`, or now')
}

/** @throws invalid_cursor, or cursor_expired when events after it are removed already */
async function checkCursor(
  pool: ApiContext['pool'],
  cursors: EventCursors,
  organizationId: string,
  cursor: string,
): Promise<void> {
  const after = cursors.read(cursor)
  if (after === null) {
    const message = 'is not a cursor of the feed of this organization'
    throw new DomainError('invalid_cursor', { errors: [{ in: 'body', pointer: '/after', message }] })
  }
  const all = { types: null, resourceId: null, deviceId: null }
  if ('beginsAfter' in (await readFeed(pool, organizationId, all, { after, limit: 1 })))
    throw new DomainError('cursor_expired', { publicDetail: 'Events after this cursor are removed already.' })
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}
