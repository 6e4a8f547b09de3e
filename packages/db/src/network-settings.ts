/** What an organization sets for all devices of a network: proposal tiers, resolvers, how often devices authenticate anew. */
import type { ProposalTier, RateLimit } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendAudit, changedFields } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { applyConnectionEvents } from './connection-settings.ts'
import { brokenConstraint } from './errors.ts'
import { tellConcentrators, type Touched } from './nodes.ts'
import { appendEvent } from './outbox.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

export interface NetworkRecord {
  readonly id: string
  readonly name: string
  /** First inner address pool, a prefix with its length. */
  readonly pool4: string
  /** All of them: a network grows with its devices. */
  readonly pools4: string[]
  /** Null while its devices have IPv4 alone. */
  readonly pool6: string | null
  readonly proposalTiers: ProposalTier[] | null
  readonly organizationProposalTiers: ProposalTier[] | null
  /** IPv4 and IPv6 mixed. */
  readonly dnsServers: string[]
  readonly dnsDomains: string[]
  readonly reauthenticateAfterSec: number | null
  readonly deviceToDevice: boolean
  /** Of devices that say nothing themselves. */
  readonly rateLimit: RateLimit | null
  /** Each connection of its tunnels is told as events; null: as the organization says. */
  readonly connectionEvents: boolean | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface NetworkChange {
  readonly name?: string | undefined
  readonly proposalTiers?: readonly ProposalTier[] | null | undefined
  readonly dnsServers?: readonly string[] | undefined
  readonly dnsDomains?: readonly string[] | undefined
  readonly reauthenticateAfterSec?: number | null | undefined
  readonly deviceToDevice?: boolean | undefined
  readonly rateLimit?: RateLimit | null | undefined
  readonly connectionEvents?: boolean | null | undefined
}

const columns = `n.id, n.name, n.pool4::text AS pool4,
  ARRAY(SELECT p.pool4::text FROM network_pools p WHERE p.organization_id = n.organization_id AND p.network_id = n.id ORDER BY p.pool4) AS "pools4", n.pool6::text AS pool6, n.proposal_tiers AS "proposalTiers",
  o.proposal_tiers AS "organizationProposalTiers", n.dns_servers AS "dnsServers", n.dns_domains AS "dnsDomains",
  n.reauthenticate_after_sec AS "reauthenticateAfterSec", n.device_to_device AS "deviceToDevice", n.rate_limit AS "rateLimit",
  n.connection_events AS "connectionEvents", n.version, n.created_at AS "createdAt", n.updated_at AS "updatedAt"`
const source = 'networks n JOIN organizations o ON o.id = n.organization_id'
/** Changeable fields and their columns. */
const changeable = new Map([
  ['name', 'name'],
  ['proposalTiers', 'proposal_tiers'],
  ['dnsServers', 'dns_servers'],
  ['dnsDomains', 'dns_domains'],
  ['reauthenticateAfterSec', 'reauthenticate_after_sec'],
  ['deviceToDevice', 'device_to_device'],
  ['rateLimit', 'rate_limit'],
  ['connectionEvents', 'connection_events'],
])

export type NetworkOrder = 'createdAt' | 'name'

export interface NetworkFilter {
  /** A part of it, in any case. */
  readonly name?: string | undefined
}

/** They are few (`maxNetworks`). */
export function listNetworks(
  pool: Pool,
  organizationId: string,
  { name }: NetworkFilter,
  page: ListRequest<NetworkOrder>,
): Promise<ListedPage<NetworkRecord>> {
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  const walk: Walk =
    page.sort.by === 'name'
      ? { from: 'networks w', key: 'lower(w.name)', id: 'w.id', cast: 'text', where }
      : { from: 'networks w', key: 'w.created_at', id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions => new Fitting(and).has('n.name', name).conditions
  const shown = { columns, source, organizationId: 'n.organization_id', id: 'n.id', fits }
  return listInOrder(pool, organizationId, { walk, shown }, page)
}

/** @returns null for a network that is unknown or of another organization */
export function readNetwork(pool: Pool, organizationId: string, id: string): Promise<NetworkRecord | null> {
  return findNetwork(tenant(pool, organizationId), organizationId, id)
}

export async function findNetwork(sql: TenantSql, organizationId: string, id: string): Promise<NetworkRecord | null> {
  const { rows } = await sql.query<NetworkRecord>(
    `SELECT ${columns} FROM ${source} WHERE n.organization_id = $1 AND n.id = $2`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

/** Raises the policy version of every device in it, unless only its name changed: attached ones are looked at again. */
export async function changeNetwork(
  pool: Pool,
  key: { organizationId: string; id: string; ifVersion: number | null },
  change: NetworkChange,
  options: WriteOptions,
): Promise<{ network: NetworkRecord; touched: Touched } | 'not_found' | 'changed' | 'duplicate_network'> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): ReturnType<typeof changeNetwork> => {
    const { rows } = await tx.query<{ version: number }>(
      'SELECT version FROM networks WHERE organization_id = $1 AND id = $2 FOR UPDATE',
      [organizationId, id],
    )
    if (!rows[0]) return 'not_found'
    if (key.ifVersion !== null && rows[0].version !== key.ifVersion) return 'changed'
    const before = (await findNetwork(tx, organizationId, id)) as NetworkRecord
    const changed = await writeSettings(tx, key, change)
    if (changed.includes('connectionEvents')) await applyConnectionEvents(tx, organizationId)
    const isForDevices = changed.some((name) => name !== 'name')
    if (isForDevices)
      await tx.query(
        `UPDATE devices SET policy_version = policy_version + 1 WHERE organization_id = $1 AND network_id = $2 AND deleted_at IS NULL`,
        [organizationId, id],
      )
    await appendEvent(tx, { organizationId, type: 'network.updated', resourceId: id, data: { changed } })
    const touched = { gateways: [], concentrators: isForDevices ? await tellConcentrators(tx, '') : [] }
    const network = (await findNetwork(tx, organizationId, id)) as NetworkRecord
    const audited = { organizationId, by: options.by, action: 'network.updated', targetType: 'network', targetId: id }
    await appendAudit(tx, { ...audited, ...changedFields(before, network, [...changeable.keys()]) })
    return { network, touched }
  }
  try {
    return await inTenantTransaction(pool, organizationId, work, options)
  } catch (error) {
    if (brokenConstraint(error) === 'networks_organization_id_name_key') return 'duplicate_network'
    throw error
  }
}

/** @returns the names of what was written */
export async function writeSettings(
  tx: TenantSql,
  { organizationId, id }: { organizationId: string; id: string },
  change: NetworkChange,
): Promise<string[]> {
  const fields = Object.entries(change).filter(([name, value]) => changeable.has(name) && value !== undefined)
  const sets = fields.map(([name], index) => `${changeable.get(name)} = $${index + 3}`)
  await tx.query(
    `UPDATE networks SET ${[...sets, 'version = version + 1', 'updated_at = now()'].join(', ')} WHERE organization_id = $1 AND id = $2`,
    [organizationId, id, ...fields.map(([, value]) => value)],
  )
  return fields.map(([name]) => name)
}
