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
  type CallerLimits,
  type ExceedsCaller,
  type IssuedKey,
} from '@culvert/db'
import { cidrContainsCidr, parseCidr } from '@culvert/bytes'
import { hintNodes } from '@culvert/queue'
import { Type } from 'typebox'
import { refuseExceeding, type Actor } from '../actor.ts'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { expiryOf, keyLifetime } from '../key-expiry.ts'
import { askedList, dateOf } from '../list-query.ts'
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
        summary: 'List API keys, without revoked ones',
        tags,
        querystring: ApiKeyQuery,
        response: { 200: json(Type.Ref('ApiKeyPage'), 'A page of keys.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { name, createdBy, sort = '-createdAt' } = query
      const filter = {
        name,
        createdBy,
        expiresBefore: dateOf(query.expiresBefore),
        unusedSince: dateOf(query.unusedSince),
      }
      const { page, answer } = askedList(query, ['api-keys', organizationId, filter], sort)
      return answer(await listApiKeys(pool, organizationId, filter, page), apiKeyView)
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
        description:
          'The key is in this answer only. It may do nothing that the caller may not do; made by a key, it ends no later than that one and is good from nowhere else, which is also what it has when nothing is said.',
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
        allowedFrom: body.allowFrom ? prefixes(body.allowFrom) : [...(actor.bounds?.allowedFrom ?? [])],
        expiresAt: expiryOf(body.expiresAt) ?? usualEnd(actor),
      }
      const exceeding = exceededBy(actor)(wanted)
      if (exceeding) throw outlives(exceeding)
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
          'The new key is in this answer only; the one so far stays good for `overlapSec`. The key has another year then, unless `expiresAt` says otherwise, it never expires, or the key that asks ends before. So a key that rotates itself keeps its end: a person, or a key that lasts longer, gives it another one.',
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
      const renewed = before.expiresAt === null ? null : usualEnd(request.actor)
      const rotation = { overlapSec: body.overlapSec ?? 86_400, expiresAt: expiryOf(body.expiresAt) ?? renewed }
      const rotated = await rotateApiKey(
        pool,
        { organizationId, id: at.apiKeyId, ifVersion: ifMatch(request), caller: limitsOf(request.actor) },
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
        description:
          'It holds for the next call made with the key. A key makes no other one more than it was beyond its own end, or for addresses that it is not good from itself.',
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
        caller: limitsOf(actor),
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

function limitsOf(actor: Actor): CallerLimits {
  const { scopes, unlimited } = actor
  return { scopes, unlimited, exceededBy: exceededBy(actor) }
}

/** What a key makes is good nowhere and never where and when it is not itself. */
function exceededBy({ bounds }: Actor): CallerLimits['exceededBy'] {
  return ({ allowedFrom, expiresAt }) => {
    const end = bounds?.expiresAt ?? null
    if (end !== null && (expiresAt === null || expiresAt.getTime() > end.getTime())) return 'expiresAt'
    const own = (bounds?.allowedFrom ?? []).map(parseCidr)
    const isWithin = (prefix: string): boolean => {
      const inner = parseCidr(prefix)
      return inner !== undefined && own.some((outer) => outer !== undefined && cidrContainsCidr(outer, inner))
    }
    return own.length === 0 || (allowedFrom.length > 0 && allowedFrom.every(isWithin)) ? null : 'allowFrom'
  }
}

/** A year from now, and not after the key that asks. */
function usualEnd({ bounds }: Actor): Date {
  const yearMs = Date.now() + keyLifetime.usualMs
  return new Date(Math.min(yearMs, bounds?.expiresAt?.getTime() ?? yearMs))
}

function outlives(bound: 'allowFrom' | 'expiresAt'): DomainError {
  return new DomainError('forbidden', {
    publicDetail:
      bound === 'expiresAt'
        ? 'A key gives no key a later `expiresAt` than it has itself.'
        : 'A key gives no key addresses outside of its own `allowFrom`.',
    internalContext: { rule: `no key beyond the ${bound} of the key that asks` },
  })
}

/** The schema has checked each of them. */
function prefixes(given: readonly string[]): string[] {
  return [...new Set(given.map(canonicalCidr).filter((prefix) => prefix !== null))]
}

function unlessRefused<T extends object>(actor: Actor, done: T | ExceedsCaller | 'not_found' | 'changed'): T {
  if (done === 'not_found') throw new DomainError('not_found')
  if (done === 'changed') throw new DomainError('precondition_failed')
  if (!('exceeding' in done)) return done
  const { exceeding } = done
  if (typeof exceeding === 'string') throw outlives(exceeding)
  refuseExceeding(actor, exceeding as Permission[])
  throw new DomainError('forbidden', {
    publicDetail: 'This key may do everything in the organization, and so is changed only by one that may, too.',
    internalContext: { actor: actor.id, rule: 'nobody gives what it does not have' },
  })
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
