/** Tunnels of an organization, those that have ended of late too. */
import type { Pool } from 'pg'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { tunnelColumns, tunnelSource, type TunnelRecord } from './tunnels.ts'

/** By the time when they expire only those are listed that have not ended. */
export type TunnelOrder = 'createdAt' | 'expiresAt'

export interface TunnelFilter {
  readonly deviceId?: string | undefined
  /** One of these. */
  readonly states?: readonly string[] | undefined
  /** False: it has ended. */
  readonly active?: boolean | undefined
  readonly devicePort?: number | undefined
  readonly deviceHost?: string | undefined
  /** `key_...` or `usr_...` */
  readonly openedBy?: string | undefined
  readonly grantId?: string | undefined
  /** Of the device. */
  readonly networkId?: string | undefined
  readonly tag?: string | undefined
  readonly createdFrom?: Date | undefined
  readonly createdBefore?: Date | undefined
  readonly expiresBefore?: Date | undefined
}

const activeStates = ['requested', 'waiting_for_device', 'opening', 'open', 'draining']
const isActive = (alias: string): string =>
  `${alias}.state IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining')`
const ofDevice = (condition: string): string =>
  `EXISTS (SELECT 1 FROM devices d WHERE d.organization_id = t.organization_id AND d.id = t.device_id AND ${condition})`

export function listTunnels(
  pool: Pool,
  organizationId: string,
  filter: TunnelFilter,
  page: ListRequest<TunnelOrder>,
): Promise<ListedPage<TunnelRecord>> {
  const fits = (where: Conditions): Conditions => {
    if (filter.active !== undefined) where.add(`${filter.active ? '' : 'NOT '}${isActive('t')}`)
    return new Fitting(where)
      .when('t.state = ANY (?::text[])', filter.states)
      .is('t.device_id', filter.deviceId)
      .is('p.device_port', filter.devicePort)
      .is('p.device_host', filter.deviceHost)
      .is('t.opened_by_id', filter.openedBy)
      .is('t.grant_id', filter.grantId)
      .when(ofDevice('d.network_id = ?'), filter.networkId)
      .when(ofDevice('d.tags @> ARRAY[?::text]'), filter.tag)
      .between('t.created_at', filter.createdFrom, filter.createdBefore)
      .between('t.expires_at', undefined, filter.expiresBefore).conditions
  }
  const shown = { columns: tunnelColumns, source: tunnelSource, organizationId: 't.organization_id', id: 't.id', fits }
  return listInOrder(pool, organizationId, { walk: walkOf(organizationId, filter, page), shown }, page)
}

/** The index that has least beside what is wanted: of those that have not ended, of a device, of a grant, or of all. */
function walkOf(organizationId: string, filter: TunnelFilter, { sort }: ListRequest<TunnelOrder>): Walk {
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  if (sort.by === 'expiresAt') {
    where.add(isActive('w'))
    if (filter.expiresBefore !== undefined) where.add('w.expires_at < ?', filter.expiresBefore)
    return { from: 'tunnels w', key: 'w.expires_at', id: 'w.id', cast: 'timestamptz', where }
  }
  if (filter.deviceId !== undefined) where.add('w.device_id = ?', filter.deviceId)
  else if (filter.grantId !== undefined) where.add('w.grant_id = ?', filter.grantId)
  else if (filter.active === true || filter.states?.every((state) => activeStates.includes(state)))
    where.add(isActive('w'))
  new Fitting(where).between('w.created_at', filter.createdFrom, filter.createdBefore)
  return { from: 'tunnels w', key: 'w.created_at', id: 'w.id', cast: 'timestamptz', where }
}
