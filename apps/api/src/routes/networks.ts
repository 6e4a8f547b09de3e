/** /v1/networks and /v1/organization: what holds for all devices of a network or of the organization. */
import { DomainError, NetworkId, NetworkPatch, NetworkQuery, OrganizationPatch } from '@culvert/contracts'
import { changeNetwork, changeOrganization, listNetworks, readNetwork, readOrganization } from '@culvert/db'
import { Type } from 'typebox'
import { writeOptions } from '../author.ts'
import { hintNodes, type Api, type ApiContext } from '../context.ts'
import { readPage, writePage } from '../paging.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { json, problems } from '../responses.ts'
import { networkView, organizationView } from '../views.ts'

const params = Type.Object({ networkId: NetworkId }, { additionalProperties: false })

export function networkRoutes(api: Api, context: ApiContext): void {
  organizationRoutes(api, context)
  const { pool, queues } = context
  const tags = ['networks']
  api.get(
    '/networks',
    {
      config: { permission: 'networks:read' },
      schema: {
        operationId: 'listNetworks',
        summary: 'List networks, newest first',
        tags,
        querystring: NetworkQuery,
        response: { 200: json(Type.Ref('NetworkPage'), 'A page of networks.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const list = ['networks', organizationId]
      return writePage(await listNetworks(pool, organizationId, readPage(query, list)), list, networkView)
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
        response: { 200: json(Type.Ref('Network'), 'Changed.'), ...problems('not_found', 'precondition_failed') },
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

function organizationRoutes(api: Api, { pool, queues }: ApiContext): void {
  const tags = ['organization']
  api.get(
    '/organization',
    {
      config: { permission: 'organization:read' },
      schema: {
        operationId: 'getOrganization',
        summary: 'Read the organization that the API key belongs to',
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
