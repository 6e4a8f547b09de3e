/** /v1/members and /v1/me. Nobody gives, changes or takes away a role that may do more than the caller. */
import {
  DomainError,
  MemberId,
  MemberInput,
  MemberPatch,
  MemberQuery,
  rolePermissions,
  type Caller,
  type Member,
  type Permission,
  type Role,
} from '@culvert/contracts'
import {
  changeMember,
  inviteMember,
  listMembers,
  readMember,
  removeMember,
  signOutMember,
  type MemberFault,
  type MemberRecord,
} from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import { Type } from 'typebox'
import { refuseExceeding, type Actor } from '../actor.ts'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { askedList } from '../list-query.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'

const params = Type.Object({ memberId: MemberId }, { additionalProperties: false })
const tags = ['members']
const invitationMs = 14 * 86_400_000

export function memberRoutes(api: Api, context: ApiContext): void {
  caller(api)
  changing(api, context)
  const { pool, publicUrl } = context
  api.get(
    '/members',
    {
      config: { permission: 'members:read' },
      schema: {
        operationId: 'listMembers',
        summary: 'List members and invitations',
        tags,
        querystring: MemberQuery,
        response: { 200: json(Type.Ref('MemberPage'), 'A page of members.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { role, state, email, name, sort = '-createdAt' } = query
      const filter = { role, state, email, name }
      const { page, answer } = askedList(query, ['members', organizationId, filter], sort)
      return answer(await listMembers(pool, organizationId, filter, page), (row) => memberView(row, publicUrl))
    },
  )

  api.get(
    '/members/:memberId',
    {
      config: { permission: 'members:read' },
      schema: {
        operationId: 'getMember',
        summary: 'Read a member',
        tags,
        params,
        response: { 200: json(Type.Ref('Member'), 'The member.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const record = await readMember(pool, request.organizationId, request.params.memberId)
      if (!record) throw new DomainError('not_found')
      setEtag(reply, record.version)
      return memberView(record, publicUrl)
    },
  )
}

function caller(api: Api): void {
  api.get(
    '/me',
    {
      config: { permission: 'authenticated' },
      schema: {
        operationId: 'getCaller',
        summary: 'Who calls, and what it may do',
        tags,
        response: { 200: json(Type.Ref('Caller'), 'The API key or person behind this call.'), ...problems() },
      },
    },
    async ({ actor }): Promise<Caller> => {
      const { kind, id, organizationId, role, scopes } = actor
      return { kind, id, organizationId, role, permissions: [...scopes] }
    },
  )
}

function changing(api: Api, { pool, queues, publicUrl }: ApiContext): void {
  api.post(
    '/members',
    {
      config: { permission: 'members:write' },
      schema: {
        operationId: 'inviteMember',
        summary: 'Invite somebody by e-mail address',
        description:
          'No mail is sent: give the person `acceptUrl`. The invitation is good for 14 days, and is accepted by a login there of who the identity provider says has that address; no other login accepts it.',
        tags,
        body: MemberInput,
        response: { 201: json(Type.Ref('Member'), 'Invited.'), ...problems('member_exists', 'member_limit') },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      refuseExceeding(actor, missingFor(actor, body.role))
      const invitation = {
        email: body.email.toLowerCase(),
        role: body.role,
        expiresAt: new Date(Date.now() + invitationMs),
      }
      const invited = await inviteMember(pool, organizationId, invitation, writeOptions(request))
      if (typeof invited === 'string') throw new DomainError(invited)
      setEtag(reply, invited.version)
      return reply.code(201).header('location', `/v1/members/${invited.id}`).send(memberView(invited, publicUrl))
    },
  )

  api.patch(
    '/members/:memberId',
    {
      config: { permission: 'members:write' },
      schema: {
        operationId: 'updateMember',
        summary: 'Change the role of a member, lock it out, or let it in again',
        description: 'It holds for the next call.',
        tags,
        params,
        body: MemberPatch,
        response: {
          200: json(Type.Ref('Member'), 'Changed.'),
          ...problems('not_found', 'last_owner', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      if (body.role !== undefined) refuseExceeding(actor, missingFor(actor, body.role))
      const key = { ...keyOf(actor, request.params.memberId), organizationId, ifVersion: ifMatch(request) }
      const changed = await changeMember(pool, key, body, writeOptions(request))
      if (typeof changed === 'string') throw refused(changed)
      const { member, gateways } = changed
      hintNodes(queues, { gateways, concentrators: [] }, 'policy.changed')
      setEtag(reply, member.version)
      return memberView(member, publicUrl)
    },
  )

  api.post(
    '/members/:memberId/sign-out',
    {
      config: { permission: 'members:write' },
      schema: {
        operationId: 'signOutMember',
        summary: 'End all sessions of a member in this organization',
        description:
          'Sessions that the person has begun are not good for this organization any more, on whatever device they are: its access tokens are refused at once, and it has to log in again. Its sessions elsewhere, and API keys and tunnels, go on.',
        tags,
        params,
        response: { 204: empty('Signed out.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const { actor, organizationId } = request
      const key = { ...keyOf(actor, request.params.memberId), organizationId }
      const done = await signOutMember(pool, key, writeOptions(request))
      if (done !== 'signed_out') throw refused(done)
      return reply.code(204).send(null)
    },
  )

  api.delete(
    '/members/:memberId',
    {
      config: { permission: 'members:write' },
      schema: {
        operationId: 'removeMember',
        summary: 'Remove a member, or take an invitation back',
        description:
          'Tokens of the person are refused at once, its SSH keys are deleted, and grants to it end with their tunnels. API keys that the person made stay: look at `createdBy`.',
        tags,
        params,
        response: { 204: empty('Removed.'), ...problems('not_found', 'last_owner', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { actor, organizationId } = request
      const key = { ...keyOf(actor, request.params.memberId), organizationId, ifVersion: ifMatch(request) }
      const removed = await removeMember(pool, key, writeOptions(request))
      if (typeof removed === 'string') throw refused(removed)
      hintNodes(queues, { gateways: removed.gateways, concentrators: [] }, 'policy.changed')
      return reply.code(204).send(null)
    },
  )
}

function keyOf(actor: Actor, id: string): { id: string; mayTouch: (role: string) => boolean } {
  return { id, mayTouch: (role) => missingFor(actor, role as Role).length === 0 }
}

function missingFor(actor: Actor, role: Role): Permission[] {
  return rolePermissions[role].filter((permission) => !actor.scopes.has(permission))
}

function refused(fault: MemberFault): DomainError {
  if (fault === 'changed') return new DomainError('precondition_failed')
  if (fault !== 'above_caller') return new DomainError(fault)
  return new DomainError('forbidden', {
    publicDetail: 'The role of this member may do what the caller may not.',
    internalContext: { rule: 'nobody changes who may do more' },
  })
}

function memberView(row: MemberRecord, publicUrl: string | null): Member {
  const { id, userId, email, name, invitationExpiresAt, lockedAt, version } = row
  const isOver = invitationExpiresAt !== null && invitationExpiresAt.getTime() <= Date.now()
  const unlocked = userId !== null ? 'active' : isOver ? 'invitation_expired' : 'invited'
  const state = lockedAt === null ? unlocked : 'locked'
  return {
    id,
    userId,
    email,
    name,
    role: row.role as Role,
    state,
    invitationExpiresAt: invitationExpiresAt?.toISOString() ?? null,
    acceptUrl: state === 'invited' && publicUrl !== null ? `${publicUrl}/v1/auth/login?invitation=${id}` : null,
    version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
