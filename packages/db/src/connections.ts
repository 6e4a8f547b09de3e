/** The access log of a tunnel: every flow and every refusal, newest first. */
import type { Pool } from 'pg'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'

export interface ConnectionRecord {
  readonly id: string
  readonly tunnelId: string
  readonly clientAddress: string
  readonly clientPort: number
  readonly state: 'open' | 'closed' | 'refused'
  readonly reason: string | null
  readonly openedAt: Date
  readonly closedAt: Date | null
  readonly bytesUp: number
  readonly bytesDown: number
}

export async function listConnections(
  pool: Pool,
  organizationId: string,
  tunnelId: string,
  page: PageRequest,
): Promise<Page<ConnectionRecord>> {
  const where = new Conditions().add('organization_id = ? AND tunnel_id = ?', organizationId, tunnelId)
  if (page.after) where.add('(opened_at, id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await pool.query<ConnectionRecord>(
    `SELECT id, tunnel_id AS "tunnelId", host(client_address) AS "clientAddress", client_port AS "clientPort", state, reason,
       opened_at AS "openedAt", closed_at AS "closedAt", bytes_up::float8 AS "bytesUp", bytes_down::float8 AS "bytesDown"
     FROM connections WHERE ${where.text} ORDER BY opened_at DESC, id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ openedAt, id }) => ({ createdAt: openedAt, id }))
}
