/** Below /v1/webhook-endpoints/{id}: past events delivered again, since a time or after a cursor, and an endpoint that comes back. */
import { DomainError, WebhookEnabling, WebhookEndpointId, WebhookReplay, type FieldError } from '@culvert/contracts'
import {
  enableWebhookEndpoint,
  eventCursors,
  readFeed,
  readWebhookEndpoint,
  startOperation,
  type EventCursors,
} from '@culvert/db'
import { operationsQueue } from '@culvert/queue'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { operationView } from '../operation-view.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { json, problems } from '../responses.ts'
import { webhookEndpointView } from '../webhook-views.ts'

const ofEndpoint = Type.Object({ endpointId: WebhookEndpointId }, { additionalProperties: false })
const tags = ['webhooks']

export function webhookRecoveryRoutes(api: Api, context: ApiContext): void {
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
