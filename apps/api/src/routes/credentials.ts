/** /v1/devices/{deviceId}/credentials: issuing shows the secret once; nothing here can read it back. */
import { CredentialId, CredentialInput, DeviceId, DomainError } from '@culvert/contracts'
import { addCredential, findDevice, listCredentials, newId, revokeCredential, sealSecret } from '@culvert/db'
import { Type } from 'typebox'
import { hintNodes, type Api, type ApiContext } from '../context.ts'
import { estimateBits, leastPskBits, makePsk } from '../psk.ts'
import { empty, json, problems } from '../responses.ts'
import { pskPlaceholder, swanctlSecret } from '../swanctl-config.ts'
import { credentialView } from '../views.ts'

const ofDevice = Type.Object({ deviceId: DeviceId }, { additionalProperties: false })
const ofCredential = Type.Object({ deviceId: DeviceId, credentialId: CredentialId }, { additionalProperties: false })
const tags = ['credentials']

export function credentialRoutes(api: Api, context: ApiContext): void {
  const { pool, queues } = context
  api.post(
    '/devices/:deviceId/credentials',
    {
      schema: {
        operationId: 'issueCredential',
        summary: 'Issue a credential',
        description:
          'The pre-shared key is in this answer only. Two credentials may be active, so that a device can be moved to a new one.',
        tags,
        params: ofDevice,
        body: CredentialInput,
        response: {
          201: json(Type.Ref('IssuedCredential'), 'Issued.'),
          ...problems('not_found', 'credential_limit', 'weak_psk'),
        },
      },
    },
    async ({ organizationId, params, body }, reply) => {
      const psk = acceptPsk(body.psk)
      const device = await findDevice(pool, organizationId, params.deviceId)
      if (!device) throw new DomainError('not_found')
      const added = await seal(context, {
        organizationId,
        deviceId: device.id,
        psk,
        expiresAt: futureTime(body.expiresAt),
      })
      if (typeof added === 'string') throw new DomainError(added)
      hintNodes(queues, added.touched, 'policy.changed')
      const issued = {
        ...credentialView(added.credential, new Date()),
        ikeIdentity: device.ikeIdentity,
        psk,
        swanctl: { placeholder: pskPlaceholder, secret: swanctlSecret(psk) },
      }
      const location = `/v1/devices/${device.id}/credentials/${added.credential.id}`
      return reply.code(201).headers({ location, 'cache-control': 'no-store' }).send(issued)
    },
  )

  api.get(
    '/devices/:deviceId/credentials',
    {
      schema: {
        operationId: 'listCredentials',
        summary: 'List the credentials of a device, without secrets',
        tags,
        params: ofDevice,
        response: { 200: json(Type.Ref('CredentialList'), 'Newest first.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params }) => {
      const credentials = await listCredentials(pool, organizationId, params.deviceId)
      if (!credentials) throw new DomainError('not_found')
      const now = new Date()
      return { data: credentials.map((credential) => credentialView(credential, now)) }
    },
  )

  api.delete(
    '/devices/:deviceId/credentials/:credentialId',
    {
      schema: {
        operationId: 'revokeCredential',
        summary: 'Revoke a credential',
        description:
          'What was attached with it is detached. When no other credential is left, the tunnels of the device are closed.',
        tags,
        params: ofCredential,
        response: { 204: empty('Revoked.'), ...problems('not_found', 'credential_revoked') },
      },
    },
    async ({ organizationId, params }, reply) => {
      const touched = await revokeCredential(pool, {
        organizationId,
        deviceId: params.deviceId,
        id: params.credentialId,
      })
      if (typeof touched === 'string') throw new DomainError(touched)
      hintNodes(queues, touched, 'credential.revoked')
      return reply.code(204).send(null)
    },
  )
}

/** The secret is the text's bytes, sealed to the concentrators and bound to this organization, device and credential. */
async function seal(
  { pool, sealing }: ApiContext,
  wanted: { organizationId: string; deviceId: string; psk: string; expiresAt: Date | null },
): ReturnType<typeof addCredential> {
  const { organizationId, deviceId, psk, expiresAt } = wanted
  const id = newId('crd')
  const binding = { organizationId, deviceId, credentialId: id }
  const sealedSecret = await sealSecret(sealing.publicKey, new TextEncoder().encode(psk), binding)
  return addCredential(pool, { id, organizationId, deviceId, sealedSecret, sealingKeyId: sealing.keyId, expiresAt })
}

function acceptPsk(given: string | undefined): string {
  if (given === undefined) return makePsk()
  if (estimateBits(given) >= leastPskBits) return given
  throw new DomainError('weak_psk', {
    errors: [{ in: 'body', pointer: '/psk', message: `has fewer than ${leastPskBits} bits by estimate` }],
  })
}

function futureTime(text: string | undefined): Date | null {
  if (text === undefined) return null
  const time = new Date(text)
  if (time.getTime() > Date.now()) return time
  throw new DomainError('validation_failed', {
    publicDetail: 'body /expiresAt must be in the future.',
    errors: [{ in: 'body', pointer: '/expiresAt', message: 'must be in the future' }],
  })
}
