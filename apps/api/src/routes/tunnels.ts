/**
 * /v1/tunnels. Opening writes the wish in one transaction, hints the gateway and waits for what becomes of it: 201 when the
 * tunnel is open in time, else 202 and the same resource to be read again.
 */
import {
  canonicalCidr,
  ConnectionQuery,
  DomainError,
  hostCidr,
  TunnelId,
  TunnelInput,
  TunnelPatch,
  TunnelQuery,
  WaitQuery,
} from '@culvert/contracts'
import {
  changeTunnel,
  closeTunnel,
  findTunnel,
  listConnections,
  listTunnels,
  openTunnel,
  type OpenFault,
  type TunnelDenied,
  type TunnelOptions,
  type TunnelRecord,
} from '@culvert/db'
import { isFinalTunnel } from '@culvert/lifecycle'
import { hintNodes } from '@culvert/queue'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import { connectionFilterOf } from '../connection-query.ts'
import type { Api, ApiContext } from '../context.ts'
import { askedList, dateOf, listed } from '../list-query.ts'
import { callerSignal, ifMatch, setEtag, waitMs } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { connectionView, tunnelView } from '../views.ts'

const params = Type.Object({ tunnelId: TunnelId }, { additionalProperties: false })
const tags = ['tunnels']

export function tunnelRoutes(api: Api, context: ApiContext): void {
  opening(api, context)
  changing(api, context)
  const { pool } = context

  api.get(
    '/tunnels',
    {
      config: { permission: 'tunnels:read' },
      schema: {
        operationId: 'listTunnels',
        summary: 'List tunnels',
        description: listed,
        tags,
        querystring: TunnelQuery,
        response: { 200: json(Type.Ref('TunnelPage'), 'A page of tunnels.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { deviceId, active, openedBy, grantId, networkId, tag, sort = '-createdAt' } = query
      const filter = {
        deviceId,
        states: query.state?.split(',').toSorted(),
        active,
        devicePort: query.port,
        deviceHost: query.host,
        openedBy,
        grantId,
        networkId,
        tag,
        createdFrom: dateOf(query.createdFrom),
        createdBefore: dateOf(query.createdBefore),
        expiresBefore: dateOf(query.expiresBefore),
      }
      const { page, answer } = askedList(query, ['tunnels', organizationId, filter], sort)
      return answer(await listTunnels(pool, organizationId, filter, page), tunnelView)
    },
  )

  api.get(
    '/tunnels/:tunnelId',
    {
      config: { permission: 'tunnels:read' },
      schema: {
        operationId: 'getTunnel',
        summary: 'Read a tunnel',
        tags,
        params,
        response: { 200: json(Type.Ref('Tunnel'), 'The tunnel.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const tunnel = await findTunnel(pool, request.organizationId, request.params.tunnelId)
      if (!tunnel) throw new DomainError('not_found')
      setEtag(reply, tunnel.version)
      return tunnelView(tunnel)
    },
  )

  api.get(
    '/tunnels/:tunnelId/connections',
    {
      config: { permission: 'connections:read' },
      schema: {
        operationId: 'listConnections',
        summary: 'Access log of a tunnel: who connected and who was refused',
        tags,
        params,
        querystring: ConnectionQuery,
        response: {
          200: json(Type.Ref('ConnectionPage'), 'A page of connections.'),
          ...problems('not_found', 'invalid_cursor'),
        },
      },
    },
    async ({ organizationId, params: { tunnelId }, query }) => {
      const filter = { ...connectionFilterOf(query), tunnelId }
      const { page, answer } = askedList(query, ['connections', organizationId, filter], query.sort ?? '-openedAt')
      if (!(await findTunnel(pool, organizationId, tunnelId))) throw new DomainError('not_found')
      return answer(await listConnections(pool, organizationId, filter, page), connectionView)
    },
  )
}

function opening(api: Api, context: ApiContext): void {
  api.post(
    '/tunnels',
    {
      config: { permission: ['tunnels:write', 'tunnels:open_granted'] },
      schema: {
        operationId: 'openTunnel',
        summary: 'Open a tunnel to a TCP port of a device, or of a host on a LAN behind it',
        description:
          'Waits up to `wait` seconds for the tunnel to open. Without `allowFrom` only the address this call comes from may connect: ' +
          'name the networks of your users when they are elsewhere, such as `["0.0.0.0/0"]` for everybody.',
        tags,
        querystring: WaitQuery,
        body: TunnelInput,
        response: {
          201: json(Type.Ref('Tunnel'), 'Open: connect to `host` and `port`.'),
          202: json(Type.Ref('Tunnel'), 'Not open yet: read the tunnel again.'),
          ...problems(
            'not_found',
            'device_offline',
            'device_not_tunnelable',
            'host_outside_lans',
            'tunnel_limit',
            'no_gateway',
            'tunnel_failed',
          ),
        },
      },
    },
    async (request, reply) => {
      const { organizationId, body } = request
      const wanted = {
        organizationId,
        deviceId: body.deviceId,
        devicePort: body.port,
        deviceHost: body.host ?? null,
        ttlSec: body.ttlSec ?? 3_600,
        allowFrom: allowList(body.allowFrom, request.ip),
        waitForDevice: body.waitForDevice ?? false,
        maxBytes: body.maxBytes ?? null,
        rateLimit: body.rateLimit ?? null,
      }
      const opened = await openTunnel(context.pool, wanted, tunnelOptions(request))
      if (typeof opened === 'string' || 'missing' in opened) throw notOpened(opened, body.deviceId)
      if (opened.state === 'opening')
        hintNodes(
          context.queues,
          { gateways: [opened.gatewayId], concentrators: opened.concentrators },
          'policy.changed',
        )
      const timeoutMs = waitMs(request, request.query.wait)
      const tunnel = await awaitTunnel(context, request, reply, {
        id: opened.id,
        timeoutMs,
        done: ({ state }) => state === 'open' || isFinalTunnel(state),
      })
      if (tunnel.state === 'failed') throw failed(tunnel)
      setEtag(reply, tunnel.version)
      return reply
        .code(tunnel.state === 'open' ? 201 : 202)
        .header('location', `/v1/tunnels/${tunnel.id}`)
        .send(tunnelView(tunnel))
    },
  )
}

function changing(api: Api, context: ApiContext): void {
  const { pool, queues } = context
  api.patch(
    '/tunnels/:tunnelId',
    {
      config: { permission: ['tunnels:write', 'tunnels:open_granted'] },
      schema: {
        operationId: 'updateTunnel',
        summary: 'Extend a tunnel, change who may connect, or its limits',
        description:
          '`ttlSec` counts from now. Connections that stay allowed go on. Limits act at once, but not on connections that began while there was none.',
        tags,
        params,
        body: TunnelPatch,
        response: {
          200: json(Type.Ref('Tunnel'), 'Changed.'),
          ...problems('not_found', 'tunnel_not_active', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { organizationId, body } = request
      const key = { organizationId, id: request.params.tunnelId, ifVersion: ifMatch(request) }
      const allowFrom = body.allowFrom && allowList(body.allowFrom, request.ip)
      const changed = await changeTunnel(pool, key, { ...body, allowFrom }, tunnelOptions(request))
      if (typeof changed === 'object' && 'missing' in changed) throw denied(changed, 'tunnel', key.id)
      if (typeof changed === 'string') throw new DomainError(changed === 'changed' ? 'precondition_failed' : changed)
      hintNodes(queues, { gateways: changed.gateways, concentrators: [] }, 'policy.changed')
      const tunnel = await findTunnel(pool, organizationId, key.id)
      if (!tunnel) throw new DomainError('not_found')
      setEtag(reply, tunnel.version)
      return tunnelView(tunnel)
    },
  )

  api.delete(
    '/tunnels/:tunnelId',
    {
      config: { permission: ['tunnels:write', 'tunnels:open_granted'] },
      schema: {
        operationId: 'closeTunnel',
        summary: 'Close a tunnel and all its connections',
        description: 'Closing a tunnel that has ended is no error.',
        tags,
        params,
        querystring: WaitQuery,
        response: { 202: json(Type.Ref('Tunnel'), 'Closing.'), 204: empty('Closed.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const { tunnelId: id } = request.params
      const { organizationId } = request
      const closing = await closeTunnel(pool, { organizationId, id }, tunnelOptions(request))
      if (closing === 'not_found') throw new DomainError('not_found')
      if ('missing' in closing) throw denied(closing, 'tunnel', id)
      hintNodes(queues, { gateways: closing.gateways, concentrators: [] }, 'policy.changed')
      const timeoutMs = waitMs(request, request.query.wait)
      const tunnel = await awaitTunnel(context, request, reply, {
        id,
        timeoutMs,
        done: ({ state }) => isFinalTunnel(state),
      })
      return isFinalTunnel(tunnel.state) ? reply.code(204).send(null) : reply.code(202).send(tunnelView(tunnel))
    },
  )
}

async function awaitTunnel(
  { pool, changes }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: { id: string; timeoutMs: number; done: (tunnel: TunnelRecord) => boolean },
): Promise<TunnelRecord> {
  const tunnel = await changes.until({
    organizationId: request.organizationId,
    id: wanted.id,
    timeoutMs: wanted.timeoutMs,
    signal: callerSignal(request, reply),
    read: () => findTunnel(pool, request.organizationId, wanted.id),
    done: (row) => row === null || wanted.done(row),
  })
  if (!tunnel) throw new DomainError('not_found')
  return tunnel
}

/** Who may not open any tunnel is held to what is granted to it. */
function tunnelOptions(request: FastifyRequest): TunnelOptions {
  const { scopes, kind, id } = request.actor
  const options = writeOptions(request)
  return scopes.has('tunnels:write') ? options : { ...options, grantedTo: { kind, id } }
}

const rules: Readonly<Record<TunnelDenied['missing'], string>> = {
  grant: 'Nothing is granted to the caller',
  time: 'The grant for this has ended',
  'device tags': 'No grant of the caller is for a device with these tags',
  port: 'No grant of the caller is for this port of the device',
  host: 'No grant of the caller is for this host behind the device',
  'own tunnel': 'The tunnel was opened by somebody else',
}

function denied({ missing }: TunnelDenied, targetType: 'device' | 'tunnel', targetId: string): DomainError {
  return new DomainError('forbidden', {
    publicDetail: `${rules[missing]}, and the permission \`tunnels:write\` is missing.`,
    internalContext: { targetType, targetId, rule: `grant: ${missing}` },
  })
}

function notOpened(fault: OpenFault, deviceId: string): DomainError {
  if (typeof fault === 'object') return denied(fault, 'device', deviceId)
  if (fault === 'opener_revoked') return new DomainError('unauthenticated')
  if (fault === 'no_gateway') return new DomainError(fault, { retryAfterSec: 5 })
  if (fault !== 'host_outside_lans') return new DomainError(fault)
  return new DomainError(fault, { errors: [{ in: 'body', pointer: '/host', message: 'is on no LAN of the device' }] })
}

function failed(tunnel: TunnelRecord): DomainError {
  return new DomainError('tunnel_failed', {
    publicDetail: `Tunnel ${tunnel.id} failed: ${tunnel.reason ?? 'unknown'}.${hints.get(tunnel.reason) ?? ''}`,
    retryAfterSec: 2,
    undone: true,
    internalContext: { tunnel: tunnel.id, gateway: tunnel.gatewayId, reason: tunnel.reason },
  })
}

/** What the caller can do about a reason. */
const hints: ReadonlyMap<TunnelRecord['reason'], string> = new Map([
  [
    'lan_not_carried',
    ' The Child SA of the device does not hold the LAN of this host: add it to the traffic selectors of the device (its configuration has them) and let it attach anew.',
  ],
])

/** The schema has checked each entry; without any, only the caller may connect. */
function allowList(given: readonly string[] | undefined, callerAddress: string): string[] {
  const prefixes = given?.map(canonicalCidr) ?? [hostCidr(callerAddress)]
  const known = prefixes.filter((prefix) => prefix !== null)
  if (known.length > 0) return [...new Set(known)]
  throw new DomainError('validation_failed', {
    publicDetail: 'The address of this call is not known: set allowFrom.',
    errors: [{ in: 'body', pointer: '/allowFrom', message: 'is required here' }],
  })
}
