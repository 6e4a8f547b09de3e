/** /v1/webhook-endpoints: made, read, changed, rotated, tried, enabled and deleted. A secret is in one answer only. */
import {
  DomainError,
  eventTypes as knownTypes,
  WebhookEndpointId,
  WebhookEndpointInput,
  WebhookEndpointPatch,
  WebhookEndpointQuery,
  WebhookRotation,
  type FieldError,
  type IssuedWebhookEndpoint,
} from '@culvert/contracts'
import {
  addWebhookEndpoint,
  changeWebhookEndpoint,
  deleteWebhookEndpoint,
  listWebhookEndpoints,
  newId,
  readWebhookEndpoint,
  rotateWebhookKey,
  type WebhookEndpointRecord,
} from '@culvert/db'
import { fitsType } from '@culvert/webhooks'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { newWebhookKey } from '../new-webhook-key.ts'
import { readPage, writePage } from '../paging.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { webhookEndpointView } from '../webhook-views.ts'
import { webhooksOf } from '../webhooks.ts'

const params = Type.Object({ endpointId: WebhookEndpointId }, { additionalProperties: false })
const tags = ['webhooks']
const noStore = { 'cache-control': 'no-store' }

export function webhookEndpointRoutes(api: Api, context: ApiContext): void {
  making(api, context)
  changing(api, context)
  const { pool } = context
  api.get(
    '/webhook-endpoints',
    {
      config: { permission: 'webhooks:read' },
      schema: {
        operationId: 'listWebhookEndpoints',
        summary: 'List webhook endpoints, newest first',
        tags,
        querystring: WebhookEndpointQuery,
        response: { 200: json(Type.Ref('WebhookEndpointPage'), 'A page of endpoints.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { name, state } = query
      const list = ['webhook-endpoints', organizationId, name, state]
      const page = await listWebhookEndpoints(pool, organizationId, { name, state }, readPage(query, list))
      return writePage(page, list, webhookEndpointView)
    },
  )

  api.get(
    '/webhook-endpoints/:endpointId',
    {
      config: { permission: 'webhooks:read' },
      schema: {
        operationId: 'getWebhookEndpoint',
        summary: 'Read a webhook endpoint, without its secret',
        tags,
        params,
        response: { 200: json(Type.Ref('WebhookEndpoint'), 'The endpoint.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const record = await readWebhookEndpoint(pool, request.organizationId, request.params.endpointId)
      if (!record) throw new DomainError('not_found')
      setEtag(reply, record.version)
      return webhookEndpointView(record)
    },
  )
}

function making(api: Api, context: ApiContext): void {
  const { pool } = context
  api.post(
    '/webhook-endpoints',
    {
      config: { permission: 'webhooks:write', alsoPermission: 'events:read' },
      schema: {
        operationId: 'createWebhookEndpoint',
        summary: 'Have events delivered to a URL',
        description:
          'The secret is in this answer only. Events from now on are delivered; `/replay` brings earlier ones.',
        tags,
        body: WebhookEndpointInput,
        response: {
          201: json(Type.Ref('IssuedWebhookEndpoint'), 'Made.'),
          ...problems('webhook_endpoint_limit', 'url_refused', 'webhooks_off'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId } = request
      const webhooks = webhooksOf(context)
      refuseUnknownTypes(body.eventTypes)
      const settings = {
        name: body.name,
        url: webhooks.urlOf(body.url),
        eventTypes: body.eventTypes ?? [],
        deviceTags: body.deviceTags ?? [],
        networkIds: body.networkIds ?? [],
        maxPerSec: body.maxPerSec ?? null,
      }
      const id = newId('whe')
      const { key, secret } = await newWebhookKey(webhooks.sealing, organizationId, id, body.signing ?? 'hmac')
      const added = await addWebhookEndpoint(pool, organizationId, { id, settings, key }, writeOptions(request))
      if (typeof added === 'string') throw new DomainError(added)
      setEtag(reply, added.version)
      return reply
        .code(201)
        .headers({ ...noStore, location: `/v1/webhook-endpoints/${id}` })
        .send(issuedView(added, secret))
    },
  )

  api.post(
    '/webhook-endpoints/:endpointId/rotate-secret',
    {
      config: { permission: 'webhooks:write' },
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Give a webhook endpoint a new key',
        description:
          'The secret is in this answer only. For `overlapSec` deliveries are signed with the key so far as well: receivers may change when they like.',
        tags,
        params,
        body: WebhookRotation,
        response: {
          200: json(Type.Ref('IssuedWebhookEndpoint'), 'Rotated.'),
          ...problems('not_found', 'webhook_rotating', 'precondition_failed', 'webhooks_off'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId, params: at } = request
      const { sealing } = webhooksOf(context)
      const before = await readWebhookEndpoint(pool, organizationId, at.endpointId)
      if (!before) throw new DomainError('not_found')
      const signing = body.signing ?? (before.keys[0]?.scheme === 'v1a' ? 'ed25519' : 'hmac')
      const { key: fresh, secret } = await newWebhookKey(sealing, organizationId, at.endpointId, signing)
      const rotated = await rotateWebhookKey(
        pool,
        { organizationId, id: at.endpointId, ifVersion: ifMatch(request) },
        { fresh, overlapSec: body.overlapSec ?? 86_400 },
        writeOptions(request),
      )
      if (rotated === 'changed') throw new DomainError('precondition_failed')
      if (typeof rotated === 'string') throw new DomainError(rotated)
      setEtag(reply, rotated.version)
      return reply.headers(noStore).send(issuedView(rotated, secret))
    },
  )
}

function changing(api: Api, context: ApiContext): void {
  const { pool } = context
  api.patch(
    '/webhook-endpoints/:endpointId',
    {
      config: { permission: 'webhooks:write', alsoPermission: 'events:read' },
      schema: {
        operationId: 'updateWebhookEndpoint',
        summary: 'Change a webhook endpoint, or disable it',
        description: 'Filters hold for events from now on; a URL also for what waits to be delivered.',
        tags,
        params,
        body: WebhookEndpointPatch,
        response: {
          200: json(Type.Ref('WebhookEndpoint'), 'Changed.'),
          ...problems('not_found', 'precondition_failed', 'url_refused', 'webhooks_off'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId } = request
      const { state, url, ...change } = body
      refuseUnknownTypes(body.eventTypes)
      const changed = await changeWebhookEndpoint(
        pool,
        { organizationId, id: request.params.endpointId, ifVersion: ifMatch(request) },
        {
          ...change,
          ...(url === undefined ? {} : { url: webhooksOf(context).urlOf(url) }),
          disable: state === 'disabled',
        },
        writeOptions(request),
      )
      if (changed === 'not_found') throw new DomainError(changed)
      if (changed === 'changed') throw new DomainError('precondition_failed')
      setEtag(reply, changed.version)
      return webhookEndpointView(changed)
    },
  )

  api.delete(
    '/webhook-endpoints/:endpointId',
    {
      config: { permission: 'webhooks:write' },
      schema: {
        operationId: 'deleteWebhookEndpoint',
        summary: 'Delete a webhook endpoint, with the log of its deliveries',
        description: 'What waits is not delivered any more.',
        tags,
        params,
        response: { 204: empty('Deleted.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const key = {
        organizationId: request.organizationId,
        id: request.params.endpointId,
        ifVersion: ifMatch(request),
      }
      const deleted = await deleteWebhookEndpoint(pool, key, writeOptions(request))
      if (deleted === 'not_found') throw new DomainError('not_found')
      if (deleted === 'changed') throw new DomainError('precondition_failed')
      return reply.code(204).send(null)
    },
  )
}

function issuedView(record: WebhookEndpointRecord, secret: string | null): IssuedWebhookEndpoint {
  return { ...webhookEndpointView(record), secret }
}

/** @throws validation_failed for what names no event that there is */
function refuseUnknownTypes(wanted: readonly string[] = []): void {
  const errors = wanted.flatMap((type, index): FieldError[] =>
    knownTypes.some((known) => fitsType(type, known))
      ? []
      : [{ in: 'body', pointer: `/eventTypes/${index}`, message: 'is no type of event' }],
  )
  if (errors.length === 0) return
  throw new DomainError('validation_failed', { publicDetail: 'There is no event of that type.', errors })
}
