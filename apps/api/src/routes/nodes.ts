/** Concentrators and gateways: nodes of the installation, for who runs it. No role has the permission, and no key can give it. */
import { DomainError } from '@culvert/contracts'
import { findConcentrator, listConcentrators, listGateways } from '@culvert/db'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { json, problems } from '../responses.ts'
import { concentratorView, gatewayView } from '../views.ts'

const params = Type.Object(
  { nodeId: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', description: 'Name of the node.' }) },
  { additionalProperties: false },
)
const config = { permission: 'installation:read' } as const

export function nodeRoutes(api: Api, { pool }: ApiContext): void {
  api.get(
    '/concentrators',
    {
      config,
      schema: {
        operationId: 'listConcentrators',
        summary: 'Concentrators that devices attach to',
        tags: ['concentrators'],
        response: { 200: json(Type.Ref('ConcentratorList'), 'All of them.'), ...problems() },
      },
    },
    async () => ({ data: (await listConcentrators(pool)).map(concentratorView) }),
  )

  api.get(
    '/concentrators/:nodeId',
    {
      config,
      schema: {
        operationId: 'getConcentrator',
        summary: 'Read a concentrator',
        tags: ['concentrators'],
        params,
        response: { 200: json(Type.Ref('Concentrator'), 'The concentrator.'), ...problems('not_found') },
      },
    },
    async ({ params: { nodeId } }) => {
      const concentrator = await findConcentrator(pool, nodeId)
      if (!concentrator) throw new DomainError('not_found')
      return concentratorView(concentrator)
    },
  )

  api.get(
    '/gateways',
    {
      config,
      schema: {
        operationId: 'listGateways',
        summary: 'Gateways that customers connect to',
        tags: ['gateways'],
        response: { 200: json(Type.Ref('GatewayList'), 'All of them.'), ...problems() },
      },
    },
    async () => ({ data: (await listGateways(pool)).map(gatewayView) }),
  )

  api.get(
    '/gateways/:nodeId',
    {
      config,
      schema: {
        operationId: 'getGateway',
        summary: 'Read a gateway',
        tags: ['gateways'],
        params,
        response: { 200: json(Type.Ref('Gateway'), 'The gateway.'), ...problems('not_found') },
      },
    },
    async ({ params: { nodeId } }) => {
      const [gateway] = await listGateways(pool, nodeId)
      if (!gateway) throw new DomainError('not_found')
      return gatewayView(gateway)
    },
  )
}
