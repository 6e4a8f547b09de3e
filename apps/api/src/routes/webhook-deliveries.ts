/** Below /v1/webhook-endpoints/{id}: the log of deliveries, a test, and one delivery made again. */
import { DomainError, WaitQuery, WebhookDeliveryId, WebhookDeliveryQuery, WebhookEndpointId } from '@culvert/contracts'
import {
  findDelivery,
  listDeliveries,
  readDelivery,
  readWebhookEndpoint,
  replayDelivery,
  testWebhookEndpoint,
  type DeliveryKey,
  type DeliveryRecord,
} from '@culvert/db'
import { webhooksQueue } from '@culvert/queue'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { askedList, dateOf, listed } from '../list-query.ts'
import { callerSignal, waitMs } from '../preconditions.ts'
import { json, problems } from '../responses.ts'
import { deliveryDetailView, deliveryView } from '../webhook-views.ts'

const strict = { additionalProperties: false }
const ofEndpoint = Type.Object({ endpointId: WebhookEndpointId }, strict)
const ofDelivery = Type.Object({ endpointId: WebhookEndpointId, deliveryId: WebhookDeliveryId }, strict)
const tags = ['webhooks']

export function webhookDeliveryRoutes(api: Api, context: ApiContext): void {
  reading(api, context)
  trying(api, context)
}

function reading(api: Api, { pool }: ApiContext): void {
  api.get(
    '/webhook-endpoints/:endpointId/deliveries',
    {
      config: { permission: 'webhooks:read', alsoPermission: 'events:read' },
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'List deliveries to an endpoint, newest first',
        description: `They are kept for 30 days. ${listed}`,
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
      const { page, answer } = askedList(query, list, '-createdAt' as const)
      if (!(await readWebhookEndpoint(pool, organizationId, endpointId))) throw new DomainError('not_found')
      const filter = { ...given, from: dateOf(given.from), before: dateOf(given.before) }
      return answer(await listDeliveries(pool, organizationId, endpointId, { filter, page }), deliveryView)
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
