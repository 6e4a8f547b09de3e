/** The access log of a tunnel: every flow and every refusal, newest first. */
import type { Pool } from 'pg'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { tenant } from './tenant.ts'

export interface ConnectionRecord {
  readonly id: string
  readonly tunnelId: string
  /** What it went to: a host on a LAN behind the device, or null for the device itself. */
  readonly deviceHost: string | null
  readonly devicePort: number
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
  const where = new Conditions().add('c.organization_id = ? AND c.tunnel_id = ?', organizationId, tunnelId)
  if (page.after) where.add('(c.opened_at, c.id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, organizationId).query<ConnectionRecord>(
    `SELECT c.id, c.tunnel_id AS "tunnelId", host(p.device_host) AS "deviceHost", p.device_port AS "devicePort",
       host(c.client_address) AS "clientAddress", c.client_port AS "clientPort", c.state, c.reason, c.opened_at AS "openedAt",
       c.closed_at AS "closedAt", c.bytes_up::float8 AS "bytesUp", c.bytes_down::float8 AS "bytesDown"
     FROM connections c JOIN tunnel_ports p ON p.id = c.tunnel_port_id AND p.organization_id = c.organization_id
     WHERE ${where.text} ORDER BY c.opened_at DESC, c.id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ openedAt, id }) => ({ createdAt: openedAt, id }))
}
