/** Networks that customers make and delete. Each has a name in its organization and a pool that no other network overlaps. */
import type { WriteOptions } from './author.ts'
import { brokenConstraint } from './errors.ts'
import { newId } from './ids.ts'
import { addressesLeft, firstPoolBits, freePool4, poolSizeOf } from './network-pools.ts'
import { findNetwork, writeSettings, type NetworkChange, type NetworkRecord } from './network-settings.ts'
import { noteChange } from './noted-change.ts'
import { allocationLock, nextPool6 } from './pools6.ts'
import { inTenantTransaction } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import type { Pool } from 'pg'

export interface NewNetwork {
  readonly name: string
  /** CIDR out of the installation's range; null: one is allotted. */
  readonly pool4: string | null
  /** Length of the allotted pool; null: the usual one. */
  readonly poolBits: number | null
  /** Where its IPv6 pool comes from; null for none. */
  readonly pool6Prefix: string | null
  readonly settings: NetworkChange
}

/** Of an organization. */
export const maxNetworks = 100

export type NetworkRefusal = 'duplicate_network' | 'pool_taken' | 'network_limit' | 'network_full'

export async function createNetwork(
  pool: Pool,
  organizationId: string,
  wanted: NewNetwork,
  options: WriteOptions,
): Promise<NetworkRecord | NetworkRefusal> {
  const { name, settings, pool6Prefix } = wanted
  const { by } = options
  const id = newId('net')
  const work = async (tx: TenantSql): Promise<NetworkRecord | NetworkRefusal> => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [allocationLock])
    const { rows } = await tx.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM networks WHERE organization_id = $1',
      [organizationId],
    )
    if ((rows[0]?.count ?? 0) >= maxNetworks) return 'network_limit'
    const pool4 = wanted.pool4 ?? (await freePool4(tx, wanted.poolBits ?? firstPoolBits))
    if (pool4 === null) return 'network_full'
    if (poolSizeOf(pool4) > (await addressesLeft(tx, organizationId))) return 'network_limit'
    const pool6 = pool6Prefix === null ? null : await nextPool6(tx, pool6Prefix)
    await tx.query('INSERT INTO networks (id, organization_id, name, pool4, pool6) VALUES ($1, $2, $3, $4, $5)', [
      id,
      organizationId,
      name,
      pool4,
      pool6,
    ])
    if (Object.values(settings).some((value) => value !== undefined))
      await writeSettings(tx, { organizationId, id }, settings)
    const network = (await findNetwork(tx, organizationId, id)) as NetworkRecord
    const after = { ...settings, name, pool4, pool6 }
    const noted = { organizationId, by, targetType: 'network', resourceId: id }
    await noteChange(tx, { ...noted, type: 'network.created', data: { name }, after })
    return network
  }
  try {
    return await inTenantTransaction(pool, organizationId, work, options)
  } catch (error) {
    const constraint = brokenConstraint(error)
    if (constraint === 'networks_organization_id_name_key') return 'duplicate_network'
    if (constraint === 'networks_pools_never_overlap' || constraint === 'network_pools_never_overlap')
      return 'pool_taken'
    throw error
  }
}

/** Nothing of it may be there any more: deleted devices keep their address, and so their network, until their rows are forgotten. */
export async function deleteNetwork(
  pool: Pool,
  key: { organizationId: string; id: string; ifVersion: number | null },
  options: WriteOptions,
): Promise<{ deleted: true } | { devices: number; deletedDevices: number } | 'not_found' | 'changed'> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): ReturnType<typeof deleteNetwork> => {
    const { rows } = await tx.query<{ version: number; name: string }>(
      'SELECT version, name FROM networks WHERE organization_id = $1 AND id = $2 FOR UPDATE',
      [organizationId, id],
    )
    const network = rows[0]
    if (!network) return 'not_found'
    if (key.ifVersion !== null && network.version !== key.ifVersion) return 'changed'
    const { rows: counted } = await tx.query<{ devices: number; deletedDevices: number }>(
      `SELECT count(*) FILTER (WHERE deleted_at IS NULL)::int AS devices, count(*) FILTER (WHERE deleted_at IS NOT NULL)::int AS "deletedDevices"
       FROM (SELECT deleted_at FROM devices WHERE organization_id = $1 AND network_id = $2 LIMIT 10000) d`,
      [organizationId, id],
    )
    const left = counted[0] ?? { devices: 0, deletedDevices: 0 }
    if (left.devices + left.deletedDevices > 0) return left
    await tx.query('DELETE FROM networks WHERE organization_id = $1 AND id = $2', [organizationId, id])
    const noted = { organizationId, by: options.by, targetType: 'network', resourceId: id }
    await noteChange(tx, { ...noted, type: 'network.deleted', data: {}, before: { name: network.name } })
    return { deleted: true }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
