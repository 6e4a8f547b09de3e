/** /v1/networks and /v1/organization: what holds for all devices of a network or of the organization. */
import {
  canonicalCidr,
  DomainError,
  NetworkId,
  NetworkInput,
  NetworkPatch,
  NetworkQuery,
  OrganizationPatch,
} from '@culvert/contracts'
import { cidrContainsCidr, parseCidr } from '@culvert/bytes'
import {
  changeNetwork,
  changeOrganization,
  createNetwork,
  deleteNetwork,
  innerAddressRange,
  listNetworks,
  readNetwork,
  readOrganization,
} from '@culvert/db'
import { hintNodes } from '@culvert/queue'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { askedList } from '../list-query.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { networkView, organizationView } from '../views.ts'

const params = Type.Object({ networkId: NetworkId }, { additionalProperties: false })

export function networkRoutes(api: Api, context: ApiContext): void {
  organizationRoutes(api, context)
  networkLife(api, context)
  const { pool, queues } = context
  const tags = ['networks']
  api.get(
    '/networks',
    {
      config: { permission: 'networks:read' },
      schema: {
        operationId: 'listNetworks',
        summary: 'List networks',
        tags,
        querystring: NetworkQuery,
        response: { 200: json(Type.Ref('NetworkPage'), 'A page of networks.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { name, sort = '-createdAt' } = query
      const { page, answer } = askedList(query, ['networks', organizationId, name], sort)
      return answer(await listNetworks(pool, organizationId, { name }, page), networkView)
    },
  )

  api.get(
    '/networks/:networkId',
    {
      config: { permission: 'networks:read' },
      schema: {
        operationId: 'getNetwork',
        summary: 'Read a network',
        tags,
        params,
        response: { 200: json(Type.Ref('Network'), 'The network.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const network = await readNetwork(pool, request.organizationId, request.params.networkId)
      if (!network) throw new DomainError('not_found')
      setEtag(reply, network.version)
      return networkView(network)
    },
  )

  api.patch(
    '/networks/:networkId',
    {
      config: { permission: 'networks:write' },
      schema: {
        operationId: 'updateNetwork',
        summary: 'Change what a network sets for its devices',
        description:
          'An attached device gets it when it attaches next; one that uses a tier no longer allowed is detached.',
        tags,
        params,
        body: NetworkPatch,
        response: {
          200: json(Type.Ref('Network'), 'Changed.'),
          ...problems('not_found', 'duplicate_network', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const key = { organizationId: request.organizationId, id: request.params.networkId, ifVersion: ifMatch(request) }
      const changed = await changeNetwork(pool, key, request.body, writeOptions(request))
      if (typeof changed === 'string') throw new DomainError(changed === 'changed' ? 'precondition_failed' : changed)
      hintNodes(queues, changed.touched, 'policy.changed')
      setEtag(reply, changed.network.version)
      return networkView(changed.network)
    },
  )
}

function networkLife(api: Api, { pool, pool6Prefix }: ApiContext): void {
  const tags = ['networks']
  api.post(
    '/networks',
    {
      config: { permission: 'networks:write' },
      schema: {
        operationId: 'createNetwork',
        summary: 'Make a network',
        description: 'Devices join it with `networkId` when they are registered.',
        tags,
        body: NetworkInput,
        response: {
          201: json(Type.Ref('Network'), 'Made.'),
          ...problems('duplicate_network', 'pool_taken', 'network_limit', 'network_full'),
        },
      },
    },
    async (request, reply) => {
      const { name, pool: chosen, poolBits, ...settings } = request.body
      if (chosen !== undefined && poolBits !== undefined) throw wrongPool('/poolBits', 'is for a pool that is allotted')
      const pool4 = chosen === undefined ? null : chosenPool(chosen)
      const wanted = { name, pool4, poolBits: poolBits ?? null, pool6Prefix, settings }
      const network = await createNetwork(pool, request.organizationId, wanted, writeOptions(request))
      if (typeof network === 'string') throw new DomainError(network)
      setEtag(reply, network.version)
      return reply.code(201).header('location', `/v1/networks/${network.id}`).send(networkView(network))
    },
  )

  api.delete(
    '/networks/:networkId',
    {
      config: { permission: 'networks:write' },
      schema: {
        operationId: 'deleteNetwork',
        summary: 'Delete a network that has no devices',
        tags,
        params,
        response: { 204: empty('Deleted.'), ...problems('not_found', 'network_in_use', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const key = { organizationId: request.organizationId, id: request.params.networkId, ifVersion: ifMatch(request) }
      const deleted = await deleteNetwork(pool, key, writeOptions(request))
      if (typeof deleted === 'string') throw new DomainError(deleted === 'changed' ? 'precondition_failed' : deleted)
      if ('deleted' in deleted) return reply.code(204).send(null)
      const { devices, deletedDevices } = deleted
      throw new DomainError('network_in_use', {
        publicDetail: `The network has ${devices} devices, and the addresses of ${deletedDevices} deleted ones rest still.`,
      })
    },
  )
}

/** @throws validation_failed for what is no part of the range of the installation */
function chosenPool(text: string): string {
  const canonical = canonicalCidr(text)
  const pool = canonical === null ? undefined : parseCidr(canonical)
  const range = parseCidr(innerAddressRange)
  if (pool === undefined || range === undefined || !cidrContainsCidr(range, pool))
    throw wrongPool('/pool', `is no prefix in ${innerAddressRange}`)
  if (pool.prefixLength < 14 || pool.prefixLength > 28) throw wrongPool('/pool', 'must have 14 to 28 bits')
  return canonical as string
}

function wrongPool(pointer: string, message: string): DomainError {
  return new DomainError('validation_failed', {
    publicDetail: `body ${pointer} ${message}.`,
    errors: [{ in: 'body', pointer, message }],
  })
}

function organizationRoutes(api: Api, { pool, queues }: ApiContext): void {
  const tags = ['organization']
  api.get(
    '/organization',
    {
      config: { permission: 'organization:read' },
      schema: {
        operationId: 'getOrganization',
        summary: 'Read the organization of the caller',
        tags,
        response: { 200: json(Type.Ref('Organization'), 'The organization.'), ...problems('not_found') },
      },
    },
    async (request, reply) => {
      const organization = await readOrganization(pool, request.organizationId)
      if (!organization) throw new DomainError('not_found')
      setEtag(reply, organization.version)
      return organizationView(organization)
    },
  )

  api.patch(
    '/organization',
    {
      config: { permission: 'organization:write' },
      schema: {
        operationId: 'updateOrganization',
        summary: 'Change the organization',
        tags,
        body: OrganizationPatch,
        response: { 200: json(Type.Ref('Organization'), 'Changed.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const key = { organizationId: request.organizationId, ifVersion: ifMatch(request) }
      const changed = await changeOrganization(pool, key, request.body, writeOptions(request))
      if (typeof changed === 'string') throw new DomainError(changed === 'changed' ? 'precondition_failed' : changed)
      hintNodes(queues, changed.touched, 'policy.changed')
      setEtag(reply, changed.organization.version)
      return organizationView(changed.organization)
    },
  )
}
