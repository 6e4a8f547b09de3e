/** Devices: registration, change, deletion. Every statement is bound to an organization. */
import type { ProposalTier, Quota, RateLimit, Usage } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendAudit, changedFields } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { revokeCredentialsOf } from './credentials.ts'
import { brokenConstraint } from './errors.ts'
import { idSuffix, newId } from './ids.ts'
import type { DeviceFilter } from './device-filter.ts'
import { listDeviceIds, type DevicePageRequest, type DevicePosition } from './device-list.ts'
import { nextAddresses } from './network-pools.ts'
import { ensureNetwork } from './networks.ts'
import { tellConcentrators, type Touched } from './nodes.ts'
import { noteChange } from './noted-change.ts'
import { appendEvent, appendFirstEvents } from './outbox.ts'
import { address6In } from './pools6.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnelsOfDevice, endTunnelsOutsideLans } from './tunnel-end.ts'

export interface DeviceRecord {
  readonly id: string
  readonly organizationId: string
  readonly networkId: string
  readonly name: string
  readonly iccid: string
  readonly imsi: string | null
  readonly imei: string | null
  readonly eid: string | null
  readonly tags: string[]
  readonly ikeIdentity: string
  readonly address4: string
  readonly address6: string | null
  readonly tunnelable: boolean
  /** LANs behind it, canonical IPv4 prefixes. */
  readonly lanPrefixes: string[]
  /** What is said for this device alone; null: nothing. */
  readonly proposalTiers: ProposalTier[] | null
  readonly networkProposalTiers: ProposalTier[] | null
  readonly organizationProposalTiers: ProposalTier[] | null
  readonly rateLimit: RateLimit | null
  readonly quota: Quota | null
  /** A few seconds behind. */
  readonly usage: Usage
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly attached: boolean
  readonly lastSeenAt: Date | null
}

export interface NewDevice {
  readonly organizationId: string
  readonly zone: string
  /** Where IPv6 pools of networks come from; null or left out: new networks have IPv4 alone. */
  readonly pool6Prefix?: string | null
  /** Left out: `default`. */
  readonly networkId?: string | undefined
  readonly iccid: string
  readonly imsi: string | null
  readonly imei: string | null
  readonly eid: string | null
  readonly name: string | null
  readonly tags: readonly string[]
  readonly tunnelable: boolean
  /** Canonical. */
  readonly lanPrefixes: readonly string[]
  readonly proposalTiers: readonly ProposalTier[] | null
}

export interface DeviceChange {
  readonly imsi?: string | null | undefined
  readonly imei?: string | null | undefined
  readonly eid?: string | null | undefined
  readonly name?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly tunnelable?: boolean | undefined
  /** Canonical. */
  readonly lanPrefixes?: readonly string[] | undefined
  readonly proposalTiers?: readonly ProposalTier[] | null | undefined
  readonly rateLimit?: RateLimit | null | undefined
  readonly quota?: Quota | null | undefined
}

const usageColumn = `json_build_object(
  'day', CASE WHEN u.day = (now() AT TIME ZONE 'utc')::date THEN u.day_bytes ELSE 0 END,
  'month', CASE WHEN u.month = date_trunc('month', now() AT TIME ZONE 'utc')::date THEN u.month_bytes ELSE 0 END,
  'total', coalesce(u.total_bytes, 0)) AS usage`
const columns = `d.id, d.organization_id AS "organizationId", d.network_id AS "networkId", d.name, d.iccid, d.imsi, d.imei, d.eid, d.tags,
  d.ike_identity AS "ikeIdentity", host(d.address4) AS address4, host(d.address6) AS address6, d.tunnelable, d.lan_prefixes AS "lanPrefixes", d.proposal_tiers AS "proposalTiers",
  n.proposal_tiers AS "networkProposalTiers", d.rate_limit AS "rateLimit", d.quota, ${usageColumn}, o.proposal_tiers AS "organizationProposalTiers", d.version, d.created_at AS "createdAt",
  d.updated_at AS "updatedAt", coalesce(a.state = 'attached', false) AS attached, a.last_seen_at AS "lastSeenAt"`
const related = `JOIN networks n ON n.organization_id = d.organization_id AND n.id = d.network_id
  JOIN organizations o ON o.id = d.organization_id LEFT JOIN attachments a ON a.organization_id = d.organization_id AND a.device_id = d.id
  LEFT JOIN device_usage u ON u.device_id = d.id`
const source = `devices d ${related}`

/** Without a network of its own the device joins the network `default`, which is made with the first device. */
export async function createDevice(
  pool: Pool,
  device: NewDevice,
  options: WriteOptions,
): Promise<DeviceRecord | 'duplicate_iccid' | 'network_full' | 'unknown_network'> {
  const id = newId('dev')
  const { organizationId, pool6Prefix = null } = device
  const { by } = options
  const work = async (tx: TenantSql): Promise<DeviceRecord> => {
    const networkId =
      device.networkId === undefined
        ? await ensureNetwork(tx, { organizationId, name: 'default', pool6Prefix, by })
        : await lockNetwork(tx, organizationId, device.networkId)
    if (networkId === null) throw device.networkId === undefined ? new NetworkFull() : new UnknownNetwork()
    const [address] = await nextAddresses(tx, { organizationId, id: networkId }, 1)
    if (address === undefined) throw new NetworkFull()
    await tx.query(
      `INSERT INTO devices (id, organization_id, network_id, name, iccid, imsi, imei, eid, tags, ike_identity, address4, address6, tunnelable,
           proposal_tiers, lan_prefixes)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 || '.' || o.slug || '.' || $11, $12::inet, ${address6In('$12')}, $13, $14::text[], $15::text[]
         FROM organizations o JOIN networks n ON n.organization_id = o.id AND n.id = $3 WHERE o.id = $2`,
      [
        id,
        organizationId,
        networkId,
        device.name ?? `SIM ${device.iccid}`,
        device.iccid,
        device.imsi,
        device.imei,
        device.eid,
        device.tags,
        idSuffix(id),
        device.zone,
        address,
        device.tunnelable,
        device.proposalTiers,
        device.lanPrefixes,
      ],
    )
    const { iccid } = device
    await appendFirstEvents(tx, [{ organizationId, resourceId: id, type: 'device.created', data: { iccid } }])
    const made = (await readDevice(tx, organizationId, id)) as DeviceRecord
    const after = changedFields({}, made, auditedFields).after
    await appendAudit(tx, { organizationId, by, action: 'device.created', targetType: 'device', targetId: id, after })
    return made
  }
  try {
    return await inTenantTransaction(pool, organizationId, work, options)
  } catch (error) {
    if (error instanceof NetworkFull) return 'network_full'
    if (error instanceof UnknownNetwork) return 'unknown_network'
    if (brokenConstraint(error) === 'devices_organization_id_iccid_key') return 'duplicate_iccid'
    throw error
  }
}

class NetworkFull extends Error {}
class UnknownNetwork extends Error {}

/** Nobody deletes it meanwhile. */
async function lockNetwork(tx: TenantSql, organizationId: string, id: string): Promise<string | null> {
  const { rowCount } = await tx.query('SELECT 1 FROM networks WHERE organization_id = $1 AND id = $2 FOR UPDATE', [
    organizationId,
    id,
  ])
  return rowCount === 0 ? null : id
}

/** What the audit log holds of a device. */
export const auditedFields = [
  'networkId',
  'name',
  'iccid',
  'imsi',
  'imei',
  'eid',
  'tags',
  'tunnelable',
  'lanPrefixes',
  'proposalTiers',
  'rateLimit',
  'quota',
]

/** @returns null for a device that is deleted, unknown or of another organization */
export function findDevice(pool: Pool, organizationId: string, id: string): Promise<DeviceRecord | null> {
  return readDevice(tenant(pool, organizationId), organizationId, id)
}

async function readDevice(sql: TenantSql, organizationId: string, id: string): Promise<DeviceRecord | null> {
  const { rows } = await sql.query<DeviceRecord>(
    `SELECT ${columns} FROM ${source} WHERE d.organization_id = $1 AND d.id = $2 AND d.deleted_at IS NULL`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

/** @returns a page, which may be shorter than asked for although there is a next one (device-list.ts) */
export async function listDevices(
  pool: Pool,
  organizationId: string,
  filter: DeviceFilter,
  page: DevicePageRequest,
): Promise<{ rows: DeviceRecord[]; next: DevicePosition | null }> {
  const { ids, next } = await listDeviceIds(pool, organizationId, filter, page)
  return { rows: await readDevices(pool, organizationId, ids), next }
}

/** @returns those that are there, in the order of `ids` */
export async function readDevices(pool: Pool, organizationId: string, ids: readonly string[]): Promise<DeviceRecord[]> {
  if (ids.length === 0) return []
  const { rows } = await tenant(pool, organizationId).query<DeviceRecord>(
    // One look by id for each: left to itself the planner would read an index of the network, which has all of its devices.
    `SELECT ${columns} FROM unnest($2::text[]) AS wanted(id) CROSS JOIN LATERAL
       (SELECT * FROM devices d WHERE d.organization_id = $1 AND d.id = wanted.id AND d.deleted_at IS NULL OFFSET 0) d ${related}`,
    [organizationId, ids],
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** @param ifVersion the version the caller saw, null when it does not care */
export async function changeDevice(
  pool: Pool,
  key: { organizationId: string; id: string; ifVersion: number | null },
  change: DeviceChange,
  options: WriteOptions,
): Promise<{ device: DeviceRecord; touched: Touched } | 'not_found' | 'changed'> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): ReturnType<typeof changeDevice> => {
    const { rows } = await tx.query<{ version: number }>(
      'SELECT version FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE',
      [organizationId, id],
    )
    if (!rows[0]) return 'not_found'
    if (key.ifVersion !== null && rows[0].version !== key.ifVersion) return 'changed'
    const before = (await readDevice(tx, organizationId, id)) as DeviceRecord
    const fields = Object.entries(change).filter(([name, value]) => changeableFields.has(name) && value !== undefined)
    const sets = fields.map(([name], index) => `${changeableFields.get(name)} = $${index + 3}`)
    const isPolicy = fields.some(([name]) => policyFields.has(name))
    const raised = isPolicy ? ['policy_version = policy_version + 1'] : []
    await tx.query(
      `UPDATE devices SET ${[...sets, ...raised, 'version = version + 1', 'updated_at = now()'].join(', ')} WHERE organization_id = $1 AND id = $2`,
      [organizationId, id, ...fields.map(([, value]) => value)],
    )
    const data = { changed: fields.map(([name]) => name) }
    await appendEvent(tx, { organizationId, type: 'device.updated', resourceId: id, data })
    const gateways = change.lanPrefixes === undefined ? [] : await endTunnelsOutsideLans(tx, organizationId, id)
    const concentrators = isPolicy ? await tellConcentrators(tx, id) : []
    const device = (await readDevice(tx, organizationId, id)) as DeviceRecord
    const audited = { organizationId, by: options.by, action: 'device.updated', targetType: 'device', targetId: id }
    await appendAudit(tx, { ...audited, ...changedFields(before, device, auditedFields) })
    return { device, touched: { gateways, concentrators } }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** Changeable fields and their columns. */
export const changeableFields: ReadonlyMap<string, string> = new Map([
  ...['imsi', 'imei', 'eid', 'name', 'tags', 'tunnelable'].map((name) => [name, name] as const),
  ['proposalTiers', 'proposal_tiers'],
  ['rateLimit', 'rate_limit'],
  ['quota', 'quota'],
  ['lanPrefixes', 'lan_prefixes'],
])
/** What concentrators act on. */
export const policyFields: ReadonlySet<string> = new Set(['proposalTiers', 'lanPrefixes', 'rateLimit', 'quota'])

/** Revokes its credentials, ends its tunnels and tells the concentrators. @returns whom to hint, null when there is no such device */
export async function deleteDevice(
  pool: Pool,
  key: { organizationId: string; id: string; ifVersion: number | null },
  options: WriteOptions,
): Promise<Touched | 'not_found' | 'changed'> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): ReturnType<typeof deleteDevice> => {
    const { rows } = await tx.query<{ version: number }>(
      'SELECT version FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE',
      [organizationId, id],
    )
    if (!rows[0]) return 'not_found'
    if (key.ifVersion !== null && rows[0].version !== key.ifVersion) return 'changed'
    const before = changedFields({}, (await readDevice(tx, organizationId, id)) as DeviceRecord, auditedFields).after
    await tx.query(
      `UPDATE devices SET deleted_at = now(), updated_at = now(), version = version + 1, policy_version = policy_version + 1
       WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    )
    await revokeCredentialsOf(tx, organizationId, [id])
    const gateways = await endTunnelsOfDevice(tx, organizationId, id, 'device_deleted')
    const noted = { organizationId, by: options.by, targetType: 'device', resourceId: id }
    await noteChange(tx, { ...noted, type: 'device.deleted', data: {}, before })
    return { gateways, concentrators: await tellConcentrators(tx, id) }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
