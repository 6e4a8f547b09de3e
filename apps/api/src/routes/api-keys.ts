/** /v1/api-keys: made, read, changed, rotated and revoked. The key itself is in one answer only. */
import {
  ApiKeyId,
  ApiKeyInput,
  ApiKeyPatch,
  ApiKeyQuery,
  ApiKeyRotation,
  canonicalCidr,
  DomainError,
  type ApiKey,
  type IssuedApiKey,
  type Permission,
} from '@culvert/contracts'
import {
  addApiKey,
  changeApiKey,
  listApiKeys,
  readApiKey,
  revokeApiKey,
  rotateApiKey,
  type ApiKeyRecord,
  type ExceedsCaller,
  type IssuedKey,
} from '@culvert/db'
import { Type } from 'typebox'
import { refuseExceeding, type Actor } from '../actor.ts'
import { writeOptions } from '../author.ts'
import { hintNodes, type Api, type ApiContext } from '../context.ts'
import { expiryOf, keyLifetime } from '../key-expiry.ts'
import { readPage, writePage } from '../paging.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'

const params = Type.Object({ apiKeyId: ApiKeyId }, { additionalProperties: false })
const tags = ['api keys']
const noStore = { 'cache-control': 'no-store' }

export function apiKeyRoutes(api: Api, context: ApiContext): void {
  making(api, context)
  changing(api, context)
  const { pool } = context
  api.get(
    '/api-keys',
    {
      config: { permission: 'api_keys:read' },
      schema: {
        operationId: 'listApiKeys',
        summary: 'List API keys, newest first, without revoked ones',
        tags,
        querystring: ApiKeyQuery,
        response: { 200: json(Type.Ref('ApiKeyPage'), 'A page of keys.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const list = ['api-keys', organizationId]
      return writePage(await listApiKeys(pool, organizationId, readPage(query, list)), list, apiKeyView)
    },
  )

  api.get(
    '/api-keys/:apiKeyId',
    {
      config: { permission: 'api_keys:read' },
      schema: {
        operationId: 'getApiKey',
        summary: 'Read an API key, without its secret',
        tags,
        params,
        response: { 200: json(Type.Ref('ApiKey'), 'The key.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const record = await readApiKey(pool, request.organizationId, request.params.apiKeyId)
      if (!record) throw new DomainError('not_found')
      setEtag(reply, record.version)
      return apiKeyView(record)
    },
  )
}

function making(api: Api, { pool }: ApiContext): void {
  api.post(
    '/api-keys',
    {
      config: { permission: 'api_keys:write' },
      schema: {
        operationId: 'createApiKey',
        summary: 'Make an API key',
        description: 'The key is in this answer only. It may do nothing that the caller may not do.',
        tags,
        body: ApiKeyInput,
        response: { 201: json(Type.Ref('IssuedApiKey'), 'Made.'), ...problems('api_key_limit') },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      refuseExceeding(
        actor,
        body.scopes.filter((scope) => !actor.scopes.has(scope)),
      )
      const wanted = {
        name: body.name,
        scopes: body.scopes,
        allowedFrom: prefixes(body.allowFrom ?? []),
        expiresAt: expiryOf(body.expiresAt) ?? new Date(Date.now() + keyLifetime.usualMs),
      }
      const issued = await addApiKey(pool, organizationId, wanted, writeOptions(request))
      if (typeof issued === 'string') throw new DomainError(issued)
      setEtag(reply, issued.record.version)
      const location = `/v1/api-keys/${issued.record.id}`
      return reply
        .code(201)
        .headers({ ...noStore, location })
        .send(issuedView(issued))
    },
  )

  api.post(
    '/api-keys/:apiKeyId/rotate',
    {
      config: { permission: 'api_keys:write' },
      schema: {
        operationId: 'rotateApiKey',
        summary: 'Give an API key a new secret',
        description:
          'The new key is in this answer only; the one so far stays good for `overlapSec`. The key has another year then, unless `expiresAt` says otherwise or it never expires.',
        tags,
        params,
        body: ApiKeyRotation,
        response: {
          200: json(Type.Ref('IssuedApiKey'), 'Rotated.'),
          ...problems('not_found', 'api_key_rotating', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId, params: at } = request
      const before = await readApiKey(pool, organizationId, at.apiKeyId)
      if (!before) throw new DomainError('not_found')
      const renewed = before.expiresAt === null ? null : new Date(Date.now() + keyLifetime.usualMs)
      const rotation = { overlapSec: body.overlapSec ?? 86_400, expiresAt: expiryOf(body.expiresAt) ?? renewed }
      const rotated = await rotateApiKey(
        pool,
        { organizationId, id: at.apiKeyId, ifVersion: ifMatch(request), limitedTo: limitOf(request.actor) },
        rotation,
        writeOptions(request),
      )
      if (rotated === 'api_key_rotating') throw new DomainError(rotated)
      const issued = unlessRefused(request.actor, rotated)
      setEtag(reply, issued.record.version)
      return reply.headers(noStore).send(issuedView(issued))
    },
  )
}

function changing(api: Api, { pool, queues }: ApiContext): void {
  api.patch(
    '/api-keys/:apiKeyId',
    {
      config: { permission: 'api_keys:write' },
      schema: {
        operationId: 'updateApiKey',
        summary: 'Change an API key: its name, what it may do, from where and until when',
        description: 'It holds for the next call made with the key.',
        tags,
        params,
        body: ApiKeyPatch,
        response: { 200: json(Type.Ref('ApiKey'), 'Changed.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      const key = {
        organizationId,
        id: request.params.apiKeyId,
        ifVersion: ifMatch(request),
        limitedTo: limitOf(actor),
      }
      const change = {
        name: body.name,
        scopes: body.scopes,
        allowedFrom: body.allowFrom && prefixes(body.allowFrom),
        expiresAt: expiryOf(body.expiresAt),
      }
      const changed = await changeApiKey(pool, key, change, writeOptions(request))
      const record = unlessRefused(actor, changed)
      setEtag(reply, record.version)
      return apiKeyView(record)
    },
  )

  api.delete(
    '/api-keys/:apiKeyId',
    {
      config: { permission: 'api_keys:write' },
      schema: {
        operationId: 'deleteApiKey',
        summary: 'Revoke an API key, at once, with the grants to it and its SSH keys',
        tags,
        params,
        response: { 204: empty('Revoked.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const key = {
        organizationId: request.organizationId,
        id: request.params.apiKeyId,
        ifVersion: ifMatch(request),
      }
      const revoked = await revokeApiKey(pool, key, writeOptions(request))
      if (revoked === 'not_found') throw new DomainError('not_found')
      if (revoked === 'changed') throw new DomainError('precondition_failed')
      hintNodes(queues, { gateways: revoked.gateways, concentrators: [] }, 'policy.changed')
      return reply.code(204).send(null)
    },
  )
}

function limitOf(actor: Actor): ReadonlySet<string> | null {
  return actor.unlimited ? null : actor.scopes
}

/** The schema has checked each of them. */
function prefixes(given: readonly string[]): string[] {
  return [...new Set(given.map(canonicalCidr).filter((prefix) => prefix !== null))]
}

function unlessRefused<T extends object>(actor: Actor, done: T | ExceedsCaller | 'not_found' | 'changed'): T {
  if (done === 'not_found') throw new DomainError('not_found')
  if (done === 'changed') throw new DomainError('precondition_failed')
  if (!('exceeding' in done)) return done
  refuseExceeding(actor, done.exceeding.length > 0 ? (done.exceeding as Permission[]) : ['installation:read'])
  throw new DomainError('forbidden')
}

function apiKeyView(row: ApiKeyRecord): ApiKey {
  const { createdByKind: kind, createdById } = row
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes as Permission[] | null,
    allowFrom: row.allowedFrom,
    createdBy: kind === null || createdById === null ? null : { kind: kind as 'user', id: createdById },
    formerSecretUntil: row.formerSecretUntil?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastUsedAddress: row.lastUsedAddress,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

function issuedView({ record, key }: IssuedKey): IssuedApiKey {
  return { ...apiKeyView(record), key }
}
