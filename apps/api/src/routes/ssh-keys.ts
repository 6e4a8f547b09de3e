/** /v1/ssh-keys: public keys of members and of automations. A private key is refused before anything looks at it. */
import {
  DomainError,
  rolePermissions,
  SshKeyId,
  SshKeyInput,
  SshKeyPatch,
  SshKeyQuery,
  type Permission,
  type Role,
  type SshKey,
} from '@culvert/contracts'
import {
  addSshKey,
  changeSshKey,
  deleteSshKey,
  listSshKeys,
  readSshKey,
  type SshKeyHolder,
  type SshKeyOwner,
  type SshKeyRecord,
} from '@culvert/db'
import {
  leastRsaBits,
  looksLikePrivateKey,
  parseSshPublicKey,
  type SshKeyFault,
  type SshPublicKey,
} from '@culvert/identity'
import { Type } from 'typebox'
import type { Actor } from '../actor.ts'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { expiryOf } from '../key-expiry.ts'
import { askedList } from '../list-query.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'

const params = Type.Object({ sshKeyId: SshKeyId }, { additionalProperties: false })
const tags = ['ssh keys']
const longestMs = 3_653 * 86_400_000

export function sshKeyRoutes(api: Api, context: ApiContext): void {
  making(api, context)
  changing(api, context)
  const { pool } = context
  api.get(
    '/ssh-keys',
    {
      config: { permission: 'ssh_keys:read' },
      schema: {
        operationId: 'listSshKeys',
        summary: 'List SSH keys',
        tags,
        querystring: SshKeyQuery,
        response: { 200: json(Type.Ref('SshKeyPage'), 'A page of keys.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { memberId, apiKeyId, fingerprint, name, sort = '-createdAt' } = query
      const filter = { memberId, apiKeyId, fingerprint, name }
      const { page, answer } = askedList(query, ['ssh-keys', organizationId, filter], sort)
      return answer(await listSshKeys(pool, organizationId, filter, page), sshKeyView)
    },
  )

  api.get(
    '/ssh-keys/:sshKeyId',
    {
      config: { permission: 'ssh_keys:read' },
      schema: {
        operationId: 'getSshKey',
        summary: 'Read an SSH key',
        tags,
        params,
        response: { 200: json(Type.Ref('SshKey'), 'The key.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const record = await readSshKey(pool, request.organizationId, request.params.sshKeyId)
      if (!record) throw new DomainError('not_found')
      setEtag(reply, record.version)
      return sshKeyView(record)
    },
  )
}

function making(api: Api, { pool }: ApiContext): void {
  api.post(
    '/ssh-keys',
    {
      config: { permission: 'ssh_keys:write' },
      schema: {
        operationId: 'createSshKey',
        summary: 'Register the SSH key of a member or of an automation',
        description:
          'Who has the private key will act as its owner: for another owner than oneself it takes `members:write` or `api_keys:write`, and whatever that owner may do. It goes with its owner.',
        tags,
        body: SshKeyInput,
        response: {
          201: json(Type.Ref('SshKey'), 'Registered.'),
          ...problems('not_found', 'private_key_given', 'ssh_key_exists', 'ssh_key_limit'),
        },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      const key = readKey(body.publicKey)
      if (looksLikePrivateKey(body.name ?? '')) throw new DomainError('private_key_given')
      const wanted = {
        name: body.name ?? (key.comment.slice(0, 100) || key.type),
        keyType: key.type,
        bits: key.bits,
        publicKey: key.line,
        fingerprint: key.fingerprint,
        comment: key.comment,
        expiresAt: expiryOf(body.expiresAt ?? undefined, longestMs) ?? null,
        holder: holderOf(body),
        mayActFor: actsFor(actor),
      }
      const added = await addSshKey(pool, organizationId, wanted, writeOptions(request))
      if (added === 'above_caller') throw aboveCaller()
      if (typeof added === 'string') throw new DomainError(added)
      setEtag(reply, added.version)
      return reply.code(201).header('location', `/v1/ssh-keys/${added.id}`).send(sshKeyView(added))
    },
  )
}

function changing(api: Api, { pool }: ApiContext): void {
  api.patch(
    '/ssh-keys/:sshKeyId',
    {
      config: { permission: 'ssh_keys:write' },
      schema: {
        operationId: 'updateSshKey',
        summary: 'Change the name of an SSH key, or until when it is good',
        tags,
        params,
        body: SshKeyPatch,
        response: { 200: json(Type.Ref('SshKey'), 'Changed.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      const at = {
        organizationId,
        id: request.params.sshKeyId,
        ifVersion: ifMatch(request),
        mayActFor: actsFor(actor),
      }
      const expiresAt = body.expiresAt === null ? null : expiryOf(body.expiresAt, longestMs)
      const changed = await changeSshKey(pool, at, { name: body.name, expiresAt }, writeOptions(request))
      if (changed === 'above_caller') throw aboveCaller()
      if (changed === 'changed') throw new DomainError('precondition_failed')
      if (typeof changed === 'string') throw new DomainError(changed)
      setEtag(reply, changed.version)
      return sshKeyView(changed)
    },
  )

  api.delete(
    '/ssh-keys/:sshKeyId',
    {
      config: { permission: 'ssh_keys:write' },
      schema: {
        operationId: 'deleteSshKey',
        summary: 'Delete an SSH key',
        tags,
        params,
        response: { 204: empty('Deleted.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { organizationId } = request
      const at = { organizationId, id: request.params.sshKeyId, ifVersion: ifMatch(request) }
      const deleted = await deleteSshKey(pool, at, writeOptions(request))
      if (deleted === 'changed') throw new DomainError('precondition_failed')
      if (deleted === 'not_found') throw new DomainError('not_found')
      return reply.code(204).send(null)
    },
  )
}

/** Oneself; or whom one may change, and who may do nothing more. */
function actsFor(actor: Actor): (owner: SshKeyOwner) => boolean {
  return (owner) => {
    if (owner.isCaller) return true
    if (owner.kind === 'member')
      return actor.scopes.has('members:write') && has(actor, rolePermissions[owner.role as Role])
    if (!actor.scopes.has('api_keys:write')) return false
    return owner.scopes === null ? actor.unlimited : has(actor, owner.scopes as Permission[])
  }
}

function has(actor: Actor, permissions: readonly Permission[]): boolean {
  return permissions.every((permission) => actor.scopes.has(permission))
}

function aboveCaller(): DomainError {
  return new DomainError('forbidden', {
    publicDetail:
      'For another owner it takes `members:write` or `api_keys:write`, and every permission that the owner has.',
    internalContext: { rule: 'nobody acts as who may do more' },
  })
}

/** @throws validation_failed for two owners */
function holderOf({ memberId, apiKeyId }: SshKeyInput): SshKeyHolder {
  if (memberId !== undefined && apiKeyId !== undefined) throw wrong('/memberId', 'is not possible with `apiKeyId`')
  if (memberId !== undefined) return { memberId }
  return apiKeyId === undefined ? 'caller' : { apiKeyId }
}

/** @throws private_key_given, validation_failed */
function readKey(text: string): SshPublicKey {
  const key = parseSshPublicKey(text)
  if (!('fault' in key)) return key
  if (key.fault === 'private_key') throw new DomainError('private_key_given')
  throw wrong('/publicKey', faults[key.fault])
}

const faults: Readonly<Record<Exclude<SshKeyFault, 'private_key'>, string>> = {
  several_lines: 'must be one key on one line',
  options: 'has options before the key, which are not kept: leave them out',
  certificate: 'is a certificate: send the key that it is for',
  type: 'must begin with a type that is known, such as `ssh-ed25519`, and the key behind it',
  base64: 'has a key that is not base64',
  contents: 'has a key that is damaged, or no key of the type before it',
  too_short: `has an RSA key of fewer than ${leastRsaBits} bits: make a new one`,
  too_long: 'is too long',
  comment: 'has a comment that is too long or is not one line of text',
}

function wrong(pointer: string, message: string): DomainError {
  const errors = [{ in: 'body' as const, pointer, message }]
  return new DomainError('validation_failed', { publicDetail: `body ${pointer} ${message}.`, errors })
}

function sshKeyView(row: SshKeyRecord): SshKey {
  const { id, name, memberId, apiKeyId, keyType, bits, fingerprint, publicKey, comment, version } = row
  return {
    id,
    name,
    memberId,
    apiKeyId,
    type: keyType,
    bits,
    fingerprint,
    publicKey,
    comment,
    state: row.expiresAt !== null && row.expiresAt.getTime() <= Date.now() ? 'expired' : 'active',
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastUsedAddress: row.lastUsedAddress,
    createdBy: { kind: row.createdByKind as 'user', id: row.createdById },
    version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
