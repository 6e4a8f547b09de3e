/** The access log: every flow and every refusal, newest first. */
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

export interface ConnectionFilter {
  readonly deviceId?: string | undefined
  readonly tunnelId?: string | undefined
  readonly state?: ConnectionRecord['state'] | undefined
  /** Both ends of a half-open span. */
  readonly openedFrom?: Date | undefined
  readonly openedBefore?: Date | undefined
}

/** Of all tunnels of the organization, those that have ended too. */
export async function listConnections(
  pool: Pool,
  organizationId: string,
  filter: ConnectionFilter,
  page: PageRequest,
): Promise<Page<ConnectionRecord>> {
  const where = new Conditions().add('c.organization_id = ?', organizationId)
  const { deviceId, tunnelId, state, openedFrom, openedBefore } = filter
  if (tunnelId !== undefined) where.add('c.tunnel_id = ?', tunnelId)
  if (deviceId !== undefined)
    where.add(
      'c.tunnel_id IN (SELECT id FROM tunnels WHERE organization_id = ? AND device_id = ?)',
      organizationId,
      deviceId,
    )
  if (state !== undefined) where.add('c.state = ?', state)
  if (openedFrom !== undefined) where.add('c.opened_at >= ?', openedFrom)
  if (openedBefore !== undefined) where.add('c.opened_at < ?', openedBefore)
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
