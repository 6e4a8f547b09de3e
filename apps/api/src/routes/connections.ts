/** /v1/connections: the access log of all tunnels of the organization. */
import { AllConnectionsQuery } from '@culvert/contracts'
import { listConnections } from '@culvert/db'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { readPage, writePage } from '../paging.ts'
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
        tags: ['tunnels'],
        querystring: AllConnectionsQuery,
        response: { 200: json(Type.Ref('ConnectionPage'), 'Newest first.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { limit: _limit, cursor: _cursor, openedFrom, openedBefore, ...filter } = query
      const list = ['all connections', organizationId, { ...filter, openedFrom, openedBefore }]
      const span = { openedFrom: timeOf(openedFrom), openedBefore: timeOf(openedBefore) }
      const page = await listConnections(pool, organizationId, { ...filter, ...span }, readPage(query, list))
      return writePage(page, list, connectionView)
    },
  )
}

const timeOf = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text))
