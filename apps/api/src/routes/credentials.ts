/**
 * /v1/devices/{deviceId}/credentials: issuing shows a secret once; nothing here can read it back, and no key of a device is made.
 * /v1/credentials: those of all devices, for who asks what expires when.
 */
import {
  CredentialId,
  CredentialInput,
  CredentialListQuery,
  CredentialQuery,
  DeviceId,
  DomainError,
  WaitQuery,
} from '@culvert/contracts'
import {
  addCredential,
  credentialState,
  findCredential,
  findDevice,
  listAllCredentials,
  listCredentials,
  readDeviceAuthority,
  revokeCredential,
  type CredentialRecord,
  type DeviceAuthorityRecord,
} from '@culvert/db'
import { hintNodes, signerQueue } from '@culvert/queue'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { futureTime, newCredential, refuseForeignFields } from '../new-credential.ts'
import { askedList, dateOf, listed } from '../list-query.ts'
import { callerSignal, waitMs } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { credentialSummaryView, credentialView } from '../views.ts'

const ofDevice = Type.Object({ deviceId: DeviceId }, { additionalProperties: false })
const ofCredential = Type.Object({ deviceId: DeviceId, credentialId: CredentialId }, { additionalProperties: false })
const tags = ['credentials']

export function credentialRoutes(api: Api, context: ApiContext): void {
  const { pool, queues } = context
  api.post(
    '/devices/:deviceId/credentials',
    {
      config: { permission: 'credentials:write' },
      schema: {
        operationId: 'issueCredential',
        summary: 'Issue a credential',
        description:
          'A secret is in this answer only. Two credentials of a kind may be active, so that a device can be moved to a new one. Of those that ended, the latest are kept. A certificate is made by request (`csr`), or is one that an authority of the organization has issued (`authorityId`, `certificate`).',
        tags,
        params: ofDevice,
        querystring: WaitQuery,
        body: CredentialInput,
        response: {
          201: json(Type.Ref('IssuedCredential'), 'Issued.'),
          202: json(Type.Ref('IssuedCredential'), 'A certificate that is not signed yet: read the credential later.'),
          ...problems(
            'not_found',
            'private_key_given',
            'credential_limit',
            'certificate_limit',
            'certificate_in_use',
            'weak_psk',
            'csr_refused',
            'certificate_refused',
          ),
        },
      },
    },
    async (request, reply) => {
      const { organizationId, params, body } = request
      refuseForeignFields(body)
      const expiresAt = futureTime(body.expiresAt)
      const device = await findDevice(pool, organizationId, params.deviceId)
      if (!device) throw new DomainError('not_found')
      const authority = await authorityOf(context, organizationId, body.authorityId)
      const { credential, shown } = await newCredential(context.sealing, device, body, expiresAt, authority)
      const added = await addCredential(pool, credential, writeOptions(request))
      if (typeof added === 'string') throw new DomainError(added)
      hintNodes(queues, added.touched, 'policy.changed')
      const isAsked = 'csr' in credential
      if (isAsked) void queues.hint(signerQueue, 'certificates.due')
      const record = isAsked
        ? await signed(context, request, reply, { organizationId, deviceId: device.id, id: credential.id })
        : added.credential
      const issued = { ...credentialView(record, new Date()), ikeIdentity: device.ikeIdentity, ...shown }
      const location = `/v1/devices/${device.id}/credentials/${credential.id}`
      const status = credentialState(record, new Date()) === 'pending' ? 202 : 201
      return reply.code(status).headers({ location, 'cache-control': 'no-store' }).send(issued)
    },
  )

  api.get(
    '/credentials',
    {
      config: { permission: 'credentials:read' },
      schema: {
        operationId: 'listAllCredentials',
        summary: 'List the credentials of all devices, without secrets',
        description: `What expires next month: \`?state=active&expiresBefore=...&sort=expiresAt\`. Chains of certificates are left out: read the credential. ${listed}`,
        tags,
        querystring: CredentialListQuery,
        response: { 200: json(Type.Ref('CredentialPage'), 'A page of credentials.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { kind, state, deviceId, sort = '-createdAt' } = query
      const expires = { expiresFrom: dateOf(query.expiresFrom), expiresBefore: dateOf(query.expiresBefore) }
      const filter = { kind, state, deviceId, ...expires }
      const { page, answer } = askedList(query, ['credentials', organizationId, filter], sort)
      const now = new Date()
      return answer(await listAllCredentials(pool, organizationId, filter, page), (row) =>
        credentialSummaryView(row, now),
      )
    },
  )

  api.get(
    '/devices/:deviceId/credentials',
    {
      config: { permission: 'credentials:read' },
      schema: {
        operationId: 'listCredentials',
        summary: 'List the credentials of a device, without secrets',
        description: 'Chains of certificates are left out: read the credential.',
        tags,
        params: ofDevice,
        querystring: CredentialQuery,
        response: { 200: json(Type.Ref('CredentialList'), 'Newest first.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params, query: { kind, state } }) => {
      const credentials = await listCredentials(pool, organizationId, params.deviceId)
      if (!credentials) throw new DomainError('not_found')
      const now = new Date()
      const shown = credentials.map((credential) => credentialSummaryView(credential, now))
      return { data: shown.filter((one) => one.kind === (kind ?? one.kind) && one.state === (state ?? one.state)) }
    },
  )

  api.get(
    '/devices/:deviceId/credentials/:credentialId',
    {
      config: { permission: 'credentials:read' },
      schema: {
        operationId: 'getCredential',
        summary: 'Read a credential, without its secret; a certificate is part of it',
        tags,
        params: ofCredential,
        response: { 200: json(Type.Ref('Credential'), 'The credential.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params: { deviceId, credentialId } }) => {
      const credential = await findCredential(pool, { organizationId, deviceId, id: credentialId })
      if (!credential) throw new DomainError('not_found')
      return credentialView(credential, new Date())
    },
  )

  api.delete(
    '/devices/:deviceId/credentials/:credentialId',
    {
      config: { permission: 'credentials:write' },
      schema: {
        operationId: 'revokeCredential',
        summary: 'Revoke a credential',
        description:
          'What was attached with it is detached; what was attached with another one stays. A certificate goes onto the revocation list. When no other credential is left, the tunnels of the device are closed.',
        tags,
        params: ofCredential,
        response: { 204: empty('Revoked.'), ...problems('not_found', 'credential_revoked') },
      },
    },
    async (request, reply) => {
      const { organizationId, params } = request
      const key = { organizationId, deviceId: params.deviceId, id: params.credentialId }
      const touched = await revokeCredential(pool, key, writeOptions(request))
      if (typeof touched === 'string') throw new DomainError(touched)
      hintNodes(queues, touched, 'credential.revoked')
      return reply.code(204).send(null)
    },
  )
}

/** @throws not_found for one that is not the organization's */
async function authorityOf(
  { pool }: ApiContext,
  organizationId: string,
  id: string | undefined,
): Promise<DeviceAuthorityRecord | null> {
  if (id === undefined) return null
  const authority = await readDeviceAuthority(pool, organizationId, id)
  if (!authority) throw new DomainError('not_found')
  return authority
}

/** Waits a bounded time for the signer. @throws csr_refused when it will not sign */
async function signed(
  { pool, changes }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  key: { organizationId: string; deviceId: string; id: string },
): Promise<CredentialRecord> {
  const { wait } = request.query as { wait?: number }
  const record = await changes.until({
    organizationId: key.organizationId,
    id: key.id,
    timeoutMs: waitMs(request, wait),
    signal: callerSignal(request, reply),
    read: () => findCredential(pool, key),
    done: (credential) => credential?.issuance !== 'pending',
  })
  if (!record) throw new DomainError('not_found')
  if (record.refusal === null) return record
  throw new DomainError('csr_refused', {
    publicDetail: `No certificate is made for this request: ${record.refusal}.`,
    errors: [{ in: 'body', pointer: '/csr', message: record.refusal }],
  })
}
