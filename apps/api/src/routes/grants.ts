/** /v1/grants: this person or key may open tunnels to devices with these tags, to these ports, until this time. */
import {
  canonicalCidr,
  DomainError,
  GrantId,
  GrantInput,
  GrantQuery,
  type FieldError,
  type Grant,
} from '@culvert/contracts'
import { addGrant, listGrants, readGrant, revokeGrant, type GrantRecord } from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import { Type } from 'typebox'
import { refuseExceeding } from '../actor.ts'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { expiryOf, keyLifetime } from '../key-expiry.ts'
import { askedList } from '../list-query.ts'
import { empty, json, problems } from '../responses.ts'

const params = Type.Object({ grantId: GrantId }, { additionalProperties: false })
const tags = ['grants']

export function grantRoutes(api: Api, context: ApiContext): void {
  writing(api, context)
  const { pool } = context
  api.get(
    '/grants',
    {
      config: { permission: 'grants:read' },
      schema: {
        operationId: 'listGrants',
        summary: 'List grants, with those that ended of late',
        tags,
        querystring: GrantQuery,
        response: { 200: json(Type.Ref('GrantPage'), 'A page of grants.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { memberId, apiKeyId, name, tag, active, sort = '-createdAt' } = query
      const filter = { memberId, apiKeyId, name, tag, active }
      const { page, answer } = askedList(query, ['grants', organizationId, filter], sort)
      return answer(await listGrants(pool, organizationId, filter, page), grantView)
    },
  )

  api.get(
    '/grants/:grantId',
    {
      config: { permission: 'grants:read' },
      schema: {
        operationId: 'getGrant',
        summary: 'Read a grant',
        tags,
        params,
        response: { 200: json(Type.Ref('Grant'), 'The grant.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params: { grantId } }) => {
      const record = await readGrant(pool, organizationId, grantId)
      if (!record) throw new DomainError('not_found')
      return grantView(record)
    },
  )
}

function writing(api: Api, { pool, queues }: ApiContext): void {
  api.post(
    '/grants',
    {
      config: { permission: 'grants:write' },
      schema: {
        operationId: 'createGrant',
        summary: 'Let a member or an API key open some tunnels for a while',
        description:
          'It is for whoever may open only what is granted: members with the role `viewer`, and keys with `tunnels:open_granted`. It is looked at when a tunnel is opened and when it is extended; when it ends, its tunnels close.',
        tags,
        body: GrantInput,
        response: { 201: json(Type.Ref('Grant'), 'Granted.'), ...problems('not_found', 'grant_limit') },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      refuseExceeding(actor, actor.scopes.has('tunnels:write') ? [] : ['tunnels:write'])
      refuseUnclear(body)
      const grant = {
        name: body.name,
        memberId: body.memberId ?? null,
        apiKeyId: body.apiKeyId ?? null,
        anyTags: body.anyTags ?? [],
        allTags: body.allTags ?? [],
        ports: body.ports,
        hosts: [...new Set((body.hosts ?? []).map(canonicalCidr).filter((prefix) => prefix !== null))],
        expiresAt: expiryOf(body.expiresAt, keyLifetime.usualMs) ?? new Date(),
      }
      const added = await addGrant(pool, organizationId, grant, writeOptions(request))
      if (typeof added === 'string') throw new DomainError(added)
      return reply.code(201).header('location', `/v1/grants/${added.id}`).send(grantView(added))
    },
  )

  api.delete(
    '/grants/:grantId',
    {
      config: { permission: 'grants:write' },
      schema: {
        operationId: 'revokeGrant',
        summary: 'Revoke a grant',
        description: 'Tunnels that it allowed are closed with the reason `grant_ended`. Revoking it again is no error.',
        tags,
        params,
        response: { 204: empty('Revoked.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const { organizationId } = request
      const revoked = await revokeGrant(pool, organizationId, request.params.grantId, writeOptions(request))
      if (revoked === 'not_found') throw new DomainError('not_found')
      hintNodes(queues, { gateways: revoked.gateways, concentrators: [] }, 'policy.changed')
      return reply.code(204).send(null)
    },
  )
}

/** @throws validation_failed unless it is for one holder, and says which devices */
function refuseUnclear({ memberId, apiKeyId, anyTags = [], allTags = [] }: GrantInput): void {
  const errors: FieldError[] = []
  if ((memberId === undefined) === (apiKeyId === undefined))
    errors.push({ in: 'body', pointer: '/memberId', message: 'is needed, or `apiKeyId`, and not both' })
  if (anyTags.length + allTags.length === 0)
    errors.push({ in: 'body', pointer: '/allTags', message: 'or `anyTags` must name a tag' })
  const [first] = errors
  if (!first) return
  throw new DomainError('validation_failed', { publicDetail: `body ${first.pointer} ${first.message}.`, errors })
}

function grantView(row: GrantRecord): Grant {
  const { id, name, memberId, apiKeyId, anyTags, allTags, ports, hosts, createdByKind, createdById } = row
  const isOver = row.expiresAt.getTime() <= Date.now()
  return {
    id,
    name,
    memberId,
    apiKeyId,
    anyTags,
    allTags,
    ports,
    hosts,
    state: row.revokedAt ? 'revoked' : isOver ? 'expired' : 'active',
    expiresAt: row.expiresAt.toISOString(),
    createdBy: { kind: createdByKind as 'user', id: createdById },
    createdAt: row.createdAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
  }
}
