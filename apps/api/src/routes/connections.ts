/** /v1/connections: the access log of all tunnels of the organization. */
import { AllConnectionsQuery } from '@culvert/contracts'
import { listConnections } from '@culvert/db'
import { Type } from 'typebox'
import { connectionFilterOf } from '../connection-query.ts'
import type { Api, ApiContext } from '../context.ts'
import { askedList, listed } from '../list-query.ts'
import { json, problems } from '../responses.ts'
import { connectionView } from '../views.ts'

export function connectionRoutes(api: Api, { pool }: ApiContext): void {
  api.get(
    '/connections',
    {
      config: { permission: 'connections:read' },
      schema: {
        operationId: 'listAllConnections',
        summary: 'Access log of all tunnels: who connected where, and who was refused',
        description: listed,
        tags: ['tunnels'],
        querystring: AllConnectionsQuery,
        response: { 200: json(Type.Ref('ConnectionPage'), 'A page of connections.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { deviceId, tunnelId, port: devicePort, sort = '-openedAt' } = query
      const filter = { ...connectionFilterOf(query), deviceId, tunnelId, devicePort }
      const { page, answer } = askedList(query, ['all connections', organizationId, filter], sort)
      return answer(await listConnections(pool, organizationId, filter, page), connectionView)
    },
  )
}
