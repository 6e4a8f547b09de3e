/** /v1/device-authorities: certificate authorities of the organization, whose certificates its own devices may have. */
import {
  DeviceAuthorityId,
  DeviceAuthorityInput,
  DeviceAuthorityPatch,
  DeviceAuthorityQuery,
  DomainError,
  type DeviceAuthority,
} from '@culvert/contracts'
import {
  addDeviceAuthority,
  changeDeviceAuthority,
  deleteDeviceAuthority,
  listAuthorities,
  listDeviceAuthorities,
  readDeviceAuthority,
  type DeviceAuthorityRecord,
} from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { readAuthority } from '../foreign-certificate.ts'
import { askedList } from '../list-query.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'

const params = Type.Object({ authorityId: DeviceAuthorityId }, { additionalProperties: false })
const tags = ['device authorities']

export function deviceAuthorityRoutes(api: Api, context: ApiContext): void {
  making(api, context)
  changing(api, context)
  const { pool } = context
  api.get(
    '/device-authorities',
    {
      config: { permission: 'authorities:read' },
      schema: {
        operationId: 'listDeviceAuthorities',
        summary: 'List the certificate authorities of the organization',
        tags,
        querystring: DeviceAuthorityQuery,
        response: {
          200: json(Type.Ref('DeviceAuthorityPage'), 'A page of authorities.'),
          ...problems('invalid_cursor'),
        },
      },
    },
    async ({ organizationId, query }) => {
      const { name, fingerprint, sort = '-createdAt' } = query
      const filter = { name, fingerprint }
      const { page, answer } = askedList(query, ['device-authorities', organizationId, filter], sort)
      return answer(await listDeviceAuthorities(pool, organizationId, filter, page), authorityView)
    },
  )

  api.get(
    '/device-authorities/:authorityId',
    {
      config: { permission: 'authorities:read' },
      schema: {
        operationId: 'getDeviceAuthority',
        summary: 'Read a certificate authority of the organization, with the state of its list of revoked certificates',
        tags,
        params,
        response: { 200: json(Type.Ref('DeviceAuthority'), 'The authority.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const record = await readDeviceAuthority(pool, request.organizationId, request.params.authorityId)
      if (!record) throw new DomainError('not_found')
      setEtag(reply, record.version)
      return authorityView(record)
    },
  )
}

function making(api: Api, { pool }: ApiContext): void {
  api.post(
    '/device-authorities',
    {
      config: { permission: 'authorities:write' },
      schema: {
        operationId: 'createDeviceAuthority',
        summary: 'Register a certificate authority whose certificates devices may have',
        description:
          'It counts for credentials of this organization that name it, and for nothing else: a certificate of it lets nobody in by itself. Other organizations may register the same one.',
        tags,
        body: DeviceAuthorityInput,
        response: {
          201: json(Type.Ref('DeviceAuthority'), 'Registered.'),
          ...problems('private_key_given', 'authority_refused', 'authority_exists', 'authority_limit'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId } = request
      const revocation = revocationOf(body.revocation) ?? { revocation: 'off' as const, crlUrl: null }
      const own = (await listAuthorities(pool)).map(({ certificate }) => certificate)
      const read = readAuthority(body.certificate, own)
      const wanted = { name: body.name, ...read, ...revocation }
      const added = await addDeviceAuthority(pool, organizationId, wanted, writeOptions(request))
      if (typeof added === 'string') throw new DomainError(added)
      setEtag(reply, added.version)
      return reply.code(201).header('location', `/v1/device-authorities/${added.id}`).send(authorityView(added))
    },
  )
}

function changing(api: Api, { pool, queues }: ApiContext): void {
  api.patch(
    '/device-authorities/:authorityId',
    {
      config: { permission: 'authorities:write' },
      schema: {
        operationId: 'updateDeviceAuthority',
        summary: 'Change the name of an authority, or how its list of revoked certificates is used',
        description:
          'What a list has revoked stays revoked. With another `url`, or after `off`, the list is asked for at once, though never twice in a minute, and its number may begin anew.',
        tags,
        params,
        body: DeviceAuthorityPatch,
        response: {
          200: json(Type.Ref('DeviceAuthority'), 'Changed.'),
          ...problems('not_found', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { body, organizationId } = request
      const at = { organizationId, id: request.params.authorityId, ifVersion: ifMatch(request) }
      const change = { ...(body.name !== undefined && { name: body.name }), ...revocationOf(body.revocation) }
      const changed = await changeDeviceAuthority(pool, at, change, writeOptions(request))
      if (changed === 'changed') throw new DomainError('precondition_failed')
      if (changed === 'not_found') throw new DomainError('not_found')
      setEtag(reply, changed.version)
      return authorityView(changed)
    },
  )

  api.delete(
    '/device-authorities/:authorityId',
    {
      config: { permission: 'authorities:write' },
      schema: {
        operationId: 'deleteDeviceAuthority',
        summary: 'Delete an authority, and revoke every credential that it issued',
        description: 'Devices that are attached with one of those are detached at once and cannot come back with it.',
        tags,
        params,
        response: { 204: empty('Deleted.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { organizationId } = request
      const at = { organizationId, id: request.params.authorityId, ifVersion: ifMatch(request) }
      const touched = await deleteDeviceAuthority(pool, at, writeOptions(request))
      if (touched === 'changed') throw new DomainError('precondition_failed')
      if (touched === 'not_found') throw new DomainError('not_found')
      hintNodes(queues, touched, 'credential.revoked')
      return reply.code(204).send(null)
    },
  )
}

/** @throws validation_failed for a URL that cannot be one, or is missing, or is in the way */
function revocationOf(
  input: DeviceAuthorityInput['revocation'],
): Pick<DeviceAuthorityRecord, 'revocation' | 'crlUrl'> | undefined {
  if (input === undefined) return undefined
  const { mode, url } = input
  if (mode === 'off') {
    if (url !== undefined) throw wrongUrl('is for the modes `soft` and `hard`')
    return { revocation: mode, crlUrl: null }
  }
  if (url === undefined) throw wrongUrl('is required')
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || parsed.username !== '' || parsed.password !== '' || parsed.hash !== '')
    throw wrongUrl('must be the URL of a list, without a user, a password or a fragment')
  return { revocation: mode, crlUrl: parsed.href }
}

function wrongUrl(message: string): DomainError {
  const pointer = '/revocation/url'
  const errors = [{ in: 'body' as const, pointer, message }]
  return new DomainError('validation_failed', { publicDetail: `body ${pointer} ${message}.`, errors })
}

function authorityView(row: DeviceAuthorityRecord): DeviceAuthority {
  const { id, name, subject, fingerprint, certificate, credentialCount, version } = row
  return {
    id,
    name,
    subject,
    fingerprint,
    certificate,
    notAfter: row.notAfter.toISOString(),
    state: row.notAfter.getTime() <= Date.now() ? 'expired' : 'active',
    credentialCount,
    revocation: {
      mode: row.revocation,
      url: row.crlUrl,
      number: row.crlNumber,
      revokedCount: row.revokedCount,
      thisUpdate: row.crlThisUpdate?.toISOString() ?? null,
      nextUpdate: row.crlNextUpdate?.toISOString() ?? null,
      fetchedAt: row.crlFetchedAt?.toISOString() ?? null,
      fault: row.crlFault,
    },
    version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
