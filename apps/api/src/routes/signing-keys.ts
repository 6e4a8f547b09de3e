/** /v1/signing-keys: keys of access tokens, for who runs the installation, when one got out or may have. */
import { DomainError, SigningKeyId, SigningKeyRotation, type SigningKey } from '@culvert/contracts'
import { listSigningKeys, revokeSigningKey, rotateSigningKeys, type SigningKeyTimes } from '@culvert/db'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { empty, json, problems } from '../responses.ts'

const tags = ['login']

export function signingKeyRoutes(api: Api, { pool, login }: ApiContext): void {
  api.get(
    '/signing-keys',
    {
      config: { permission: 'installation:read' },
      schema: {
        operationId: 'listSigningKeys',
        summary: 'Keys whose access tokens are good',
        tags,
        response: { 200: json(Type.Ref('SigningKeyList'), 'The one that signs last first.'), ...problems() },
      },
    },
    async () => ({ data: (await listSigningKeys(pool)).map(signingKeyView) }),
  )

  api.post(
    '/signing-keys/rotate',
    {
      config: { permission: 'installation:write' },
      schema: {
        operationId: 'rotateSigningKeys',
        summary: 'Sign access tokens with another key from now on',
        description:
          'Without this call keys follow one another every 30 days. Who keeps a copy of the JWK Set has the new key within five minutes; this API takes it at once.',
        tags,
        body: SigningKeyRotation,
        response: { 200: json(Type.Ref('SigningKeyList'), 'Rotated.'), ...problems('login_off') },
      },
    },
    async (request) => {
      if (!login) throw new DomainError('login_off')
      const { organizationId, body } = request
      const change = { key: await login.ring.make(), revoke: body.revoke ?? false }
      await rotateSigningKeys(pool, organizationId, change, writeOptions(request))
      return { data: (await listSigningKeys(pool)).map(signingKeyView) }
    },
  )

  api.delete(
    '/signing-keys/:kid',
    {
      config: { permission: 'installation:write' },
      schema: {
        operationId: 'revokeSigningKey',
        summary: 'Refuse what a key has signed, at once',
        description:
          'Another one signs, which is made if there is none. People get new tokens with their refresh tokens.',
        tags,
        params: Type.Object({ kid: SigningKeyId }, { additionalProperties: false }),
        response: { 204: empty('Revoked.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const { organizationId, params } = request
      if (!(await revokeSigningKey(pool, organizationId, params.kid, writeOptions(request))))
        throw new DomainError('not_found')
      return reply.code(204).send(null)
    },
  )
}

function signingKeyView({ kid, signs, signsFrom, signsUntil, verifiesUntil }: SigningKeyTimes): SigningKey {
  return {
    kid,
    signs,
    signsFrom: signsFrom.toISOString(),
    signsUntil: signsUntil.toISOString(),
    verifiesUntil: verifiesUntil.toISOString(),
  }
}
