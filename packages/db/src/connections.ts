/** The access log: every flow and every refusal, newest first. */
import type { Pool } from 'pg'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'

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

export type ConnectionOrder = 'openedAt'

export interface ConnectionFilter {
  readonly deviceId?: string | undefined
  readonly tunnelId?: string | undefined
  readonly state?: ConnectionRecord['state'] | undefined
  readonly reason?: string | undefined
  /** Canonical CIDR: the client's address is in it. */
  readonly clientPrefix?: string | undefined
  readonly devicePort?: number | undefined
  /** Both ends of a half-open span. */
  readonly openedFrom?: Date | undefined
  readonly openedBefore?: Date | undefined
}

const columns = `c.id, c.tunnel_id AS "tunnelId", host(p.device_host) AS "deviceHost", p.device_port AS "devicePort",
  host(c.client_address) AS "clientAddress", c.client_port AS "clientPort", c.state, c.reason, c.opened_at AS "openedAt",
  c.closed_at AS "closedAt", c.bytes_up::float8 AS "bytesUp", c.bytes_down::float8 AS "bytesDown"`
const source = 'connections c JOIN tunnel_ports p ON p.id = c.tunnel_port_id AND p.organization_id = c.organization_id'

/** Of all tunnels of the organization, those that have ended too. */
export function listConnections(
  pool: Pool,
  organizationId: string,
  filter: ConnectionFilter,
  page: ListRequest<ConnectionOrder>,
): Promise<ListedPage<ConnectionRecord>> {
  const { deviceId, tunnelId, state, openedFrom, openedBefore } = filter
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  if (tunnelId !== undefined) where.add('w.tunnel_id = ?', tunnelId)
  else if (deviceId !== undefined) where.add('w.device_id = ?', deviceId)
  // A literal: an index is of this state alone.
  else if (state === 'refused' || state === 'open') where.add(`w.state = '${state}'`)
  new Fitting(where).between('w.opened_at', openedFrom, openedBefore)
  const walk: Walk = { from: 'connections w', key: 'w.opened_at', id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions =>
    new Fitting(and)
      .is('c.device_id', deviceId)
      .is('c.state', state)
      .is('c.reason', filter.reason)
      .is('p.device_port', filter.devicePort)
      .when('c.client_address <<= ?::inet', filter.clientPrefix).conditions
  const shown = { columns, source, organizationId: 'c.organization_id', id: 'c.id', fits }
  return listInOrder(pool, organizationId, { walk, shown }, page)
}
