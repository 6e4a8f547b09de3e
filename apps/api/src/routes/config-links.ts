/**
 * One-time links: making one issues credentials and seals the whole configuration under a key that is in the link alone;
 * POSTing to it gives that once. Reading the link with GET gives a page and changes nothing.
 */
import { ConfigLinkId, ConfigLinkInput, DeviceId, DomainError } from '@culvert/contracts'
import {
  createConfigLink,
  findCredential,
  findDevice,
  newId,
  takeConfigLink,
  withdrawConfigLink,
  type Author,
  type DeviceRecord,
  type NewCredential,
} from '@culvert/db'
import type { DeviceConfigModel } from '@culvert/device-config'
import { hintNodes } from '@culvert/queue'
import type { FastifyRequest } from 'fastify'
import { isIPv6, type Socket } from 'node:net'
import { Type, type TSchema } from 'typebox'
import { writeOptions } from '../author.ts'
import { configLinkHeaders, configLinkPage } from '../config-link-page.ts'
import { newToken, openConfig, readToken, sealConfig } from '../config-link-token.ts'
import type { Api, ApiContext } from '../context.ts'
import { configurationModel, renderOrRefuse } from '../device-configuration.ts'
import { newCredential } from '../new-credential.ts'
import { empty, json, problems, problemsWithoutKey, text } from '../responses.ts'

const ofDevice = Type.Object({ deviceId: DeviceId }, { additionalProperties: false })
const ofLink = Type.Object({ deviceId: DeviceId, configLinkId: ConfigLinkId }, { additionalProperties: false })
const ofToken = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 100, description: 'What is in the link.' }) },
  { additionalProperties: false },
)
const tags = ['credentials']

export function configLinkRoutes(api: Api, context: ApiContext): void {
  const { pool, queues, publicUrl } = context
  api.post(
    '/devices/:deviceId/config-links',
    {
      config: { permission: 'credentials:write' },
      schema: {
        operationId: 'createConfigLink',
        summary: 'Make a link that gives the configuration with its secret, once',
        description:
          'For whoever sets the device up. The secret is in the configuration and nowhere else: the link is its key, and it is in this answer only.',
        tags,
        params: ofDevice,
        body: ConfigLinkInput,
        response: {
          201: json(Type.Ref('ConfigLink'), 'Made.'),
          ...problems(
            'not_found',
            'no_concentrator',
            'config_not_possible',
            'credential_limit',
            'secret_not_readable',
            'config_link_limit',
          ),
        },
      },
    },
    async (request, reply) => {
      const { organizationId, body } = request
      const device = await findDevice(pool, organizationId, request.params.deviceId)
      if (!device) throw new DomainError('not_found')
      const { model, issued } = await wholeModel(context, device, body)
      const config = renderOrRefuse(body.target, model)
      const token = newToken(organizationId)
      const id = newId('cfl')
      const expiresAt = new Date(Date.now() + (body.expiresInSec ?? 900) * 1_000)
      const ciphertext = sealConfig(token, { id, deviceId: device.id }, config)
      const link = { id, deviceId: device.id, tokenHash: token.hash, ciphertext, target: body.target, expiresAt }
      const created = await createConfigLink(pool, organizationId, link, issued, writeOptions(request))
      if (typeof created === 'string') throw new DomainError(created)
      hintNodes(queues, created.touched, 'policy.changed')
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({
          id,
          deviceId: device.id,
          target: body.target,
          url: `${publicUrl ?? originOf(request.socket)}/v1/config-links/${token.text}`,
          credentialIds: created.credentials.map((credential) => credential.id),
          expiresAt: created.expiresAt.toISOString(),
        })
    },
  )

  api.delete(
    '/devices/:deviceId/config-links/:configLinkId',
    {
      config: { permission: 'credentials:write' },
      schema: {
        operationId: 'withdrawConfigLink',
        summary: 'Withdraw a link that was not used',
        description: 'What was issued for it stays: revoke the credentials when nobody shall have them.',
        tags,
        params: ofLink,
        response: { 204: empty('It gives nothing any more.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const { deviceId, configLinkId: id } = request.params
      const key = { organizationId: request.organizationId, deviceId, id }
      if (!(await withdrawConfigLink(pool, key, writeOptions(request)))) throw new DomainError('not_found')
      return reply.code(204).send(null)
    },
  )
}

/** Where the call came in. What it says of itself (`Host`) is the caller's own: a link would lead where somebody else likes. */
function originOf({ localAddress = '127.0.0.1', localPort }: Pick<Socket, 'localAddress' | 'localPort'>): string {
  const address = localAddress.replace(/^::ffff:/, '')
  const host = isIPv6(address) ? `[${address}]` : address
  return `http://${host}${localPort === undefined ? '' : `:${localPort}`}`
}

/** What people and `curl` do with a link; it needs no key, because it is one. */
export function openedLinkRoutes(api: Api, context: ApiContext): void {
  // Apart, so that no other route takes the type that a form sends.
  void api.register(async (inner) => openedLinks(inner as Api, context))
}

function openedLinks(api: Api, { pool }: ApiContext): void {
  const security: [] = []
  api.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: 1024 },
    (_request, _body, done) => done(null, undefined),
  )
  api.get(
    '/config-links/:token',
    {
      config: { permission: 'public' },
      schema: {
        operationId: 'showConfigLink',
        summary: 'A page with a button, for browsers; reading it changes nothing',
        tags,
        security,
        params: ofToken,
        response: {
          200: text('The same page for every link.', '<!doctype html>...', 'text/html'),
          ...problemsWithoutKey(),
        },
      },
    },
    async (_request, reply) => reply.headers(configLinkHeaders).type('text/html; charset=utf-8').send(configLinkPage),
  )

  api.post(
    '/config-links/:token',
    {
      config: { permission: 'public' },
      schema: {
        operationId: 'openConfigLink',
        summary: 'Get the configuration, once',
        tags,
        security,
        params: ofToken,
        response: { 200: given, ...problemsWithoutKey('config_link_gone') },
      },
    },
    async (request, reply) => {
      const token = readToken(request.params.token)
      const taken = token && (await takeConfigLink(pool, token.organizationId, token.hash, openerOf(request)))
      if (!token || !taken) throw new DomainError('config_link_gone')
      const { text: config, mediaType, fileName } = openConfig(token, taken, taken.ciphertext)
      return reply
        .headers({ ...configLinkHeaders, 'content-disposition': `attachment; filename="${fileName}"` })
        .type(mediaType)
        .send(config)
    },
  )
}

const given = {
  description: 'The configuration of the target, with its secret.',
  content: Object.fromEntries(
    ['text/plain', 'application/json', 'application/x-apple-aspen-config', 'application/vnd.strongswan.profile'].map(
      (type) => [type, { schema: Type.String(), example: 'connections {\n  culvert { ... }\n}\nsecrets { ... }\n' }],
    ),
  ),
} as unknown as TSchema

/** Of whoever comes with a link only the address is known. */
function openerOf(request: FastifyRequest): Author {
  return { kind: 'system', id: 'config-link', requestId: request.id, address: request.ip }
}

/** The model with the secrets in it, and the credentials to issue for that. @throws validation_failed, secret_not_readable */
async function wholeModel(
  context: ApiContext,
  device: DeviceRecord,
  { issue, credentialId }: ConfigLinkInput,
): Promise<{ model: DeviceConfigModel; issued: NewCredential[] }> {
  if ((issue === undefined) === (credentialId === undefined))
    throw wrong('/issue', 'or `credentialId` is required, not both')
  if (credentialId !== undefined) return withCertificate(context, device, credentialId)
  const kinds = issue ?? []
  const proof = kinds.find((kind) => kind !== 'ppk')
  if (proof === undefined || (kinds.includes('psk') && kinds.includes('eap')))
    throw wrong('/issue', 'names one of `psk` and `eap`, and `ppk` beside it')
  const made = await Promise.all(kinds.map((kind) => newCredential(context.sealing, device, { kind }, null)))
  const model = await configurationModel(context, device, proof)
  const issued = made.map(({ credential }) => credential)
  const ofKind = (kind: string) => made.find(({ credential }) => credential.kind === kind)
  const eap = ofKind('eap')
  const ppk = ofKind('ppk')
  return {
    issued,
    model: {
      ...model,
      ...(eap?.credential.kind === 'eap' && { proof: { kind: 'eap', userName: eap.credential.identity } }),
      ...(ppk?.credential.kind === 'ppk' && {
        ppk: { identity: ppk.credential.identity, isRequired: ppk.credential.isRequired },
      }),
      secrets: {
        psk: ofKind('psk')?.shown.psk ?? null,
        eap: eap?.shown.password ?? null,
        ppk: ppk?.shown.ppk ?? null,
      },
    },
  }
}

async function withCertificate(
  context: ApiContext,
  device: DeviceRecord,
  credentialId: string,
): Promise<{ model: DeviceConfigModel; issued: NewCredential[] }> {
  const { id: deviceId, organizationId } = device
  const credential = await findCredential(context.pool, { organizationId, deviceId, id: credentialId })
  if (!credential) throw wrong('/credentialId', 'is no credential of this device')
  if (credential.kind !== 'certificate') throw new DomainError('secret_not_readable')
  return { issued: [], model: await configurationModel(context, device, 'certificate') }
}

function wrong(pointer: string, message: string): DomainError {
  return new DomainError('validation_failed', {
    publicDetail: `body ${pointer} ${message}.`,
    errors: [{ in: 'body', pointer, message }],
  })
}
