/**
 * Many devices in one transaction: registered, changed, deleted, each with its event and its audit entry, in a few statements
 * whose number does not grow with the devices. Rows are locked in order of their ids, so that two of these never block each
 * other crosswise, and addresses are allotted under the lock of the network before anything is inserted, as for a single one.
 */
import { appendAudits, changedFields } from './audit.ts'
import type { Author } from './author.ts'
import { idSuffix, newId } from './ids.ts'
import { nextAddresses } from './network-pools.ts'
import { appendFirstEvents } from './outbox.ts'
import { address6In } from './pools6.ts'
import type { TenantSql } from './tenant-sql.ts'

/** What a row says; what is left out is as for a single device. */
export interface DeviceSeed {
  readonly iccid: string
  /** Left out: that of the batch. */
  readonly networkId?: string | undefined
  readonly imsi?: string | null | undefined
  readonly imei?: string | null | undefined
  readonly eid?: string | null | undefined
  readonly name?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly tunnelable?: boolean | undefined
  /** Canonical. */
  readonly lanPrefixes?: readonly string[] | undefined
  readonly proposalTiers?: readonly string[] | null | undefined
}

export interface DeviceBatch {
  readonly organizationId: string
  readonly networkId: string
  readonly zone: string
  readonly by: Author
}

export interface CreatedDevices {
  /** ICCIDs, each once. */
  readonly created: ReadonlySet<string>
  /** No address was left for them. */
  readonly unaddressed: ReadonlySet<string>
}

/** ICCIDs that belong to a device already are left alone. @param seeds each ICCID once */
export async function createDevices(
  tx: TenantSql,
  { organizationId, networkId, zone, by }: DeviceBatch,
  seeds: readonly DeviceSeed[],
): Promise<CreatedDevices> {
  const addresses = await nextAddresses(tx, { organizationId, id: networkId }, seeds.length)
  const rows = seeds.slice(0, addresses.length).map((seed, index) => seedRow(seed, addresses[index] ?? ''))
  const { rows: made } = await tx.query<{ id: string; iccid: string }>(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, imsi, imei, eid, tags, ike_identity, address4, address6, tunnelable,
       proposal_tiers, lan_prefixes)
     SELECT v.id, $1, $2, v.name, v.iccid, v.imsi, v.imei, v.eid, v.tags, v.suffix || '.' || o.slug || '.' || $3, v.address, ${address6In('v.address')},
       v.tunnelable, v.tiers, v.lans
     FROM json_to_recordset($4) AS v(id text, name text, iccid text, imsi text, imei text, eid text, tags text[], suffix text, address inet,
         tunnelable bool, tiers text[], lans text[])
       CROSS JOIN organizations o JOIN networks n ON n.organization_id = o.id AND n.id = $2 WHERE o.id = $1
     ON CONFLICT (organization_id, iccid) WHERE deleted_at IS NULL DO NOTHING RETURNING id, iccid`,
    [organizationId, networkId, zone, JSON.stringify(rows)],
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  await appendFirstEvents(
    tx,
    made.map(({ id, iccid }) => ({ organizationId, type: 'device.created', resourceId: id, data: { iccid } })),
  )
  await appendAudits(
    tx,
    made.map(({ id }) => {
      const { name, iccid, imsi, imei, eid, tags, tunnelable, tiers, lans } = byId.get(id) as SeedRow
      const fields = {
        networkId,
        name,
        iccid,
        imsi,
        imei,
        eid,
        tags,
        tunnelable,
        lanPrefixes: lans,
        proposalTiers: tiers,
      }
      const { after } = changedFields({}, fields, Object.keys(fields))
      return { organizationId, by, action: 'device.created', targetType: 'device', targetId: id, after }
    }),
  )
  return {
    created: new Set(made.map(({ iccid }) => iccid)),
    unaddressed: new Set(seeds.slice(addresses.length).map(({ iccid }) => iccid)),
  }
}

type SeedRow = ReturnType<typeof seedRow>

function seedRow(seed: DeviceSeed, address: string) {
  const id = newId('dev')
  const { iccid, imsi = null, imei = null, eid = null, name = `SIM ${iccid}`, tags = [], tunnelable = true } = seed
  const { proposalTiers: tiers = null, lanPrefixes: lans = [] } = seed
  return { id, suffix: idSuffix(id), iccid, imsi, imei, eid, name, tags, tunnelable, tiers, lans, address }
}

export interface KnownDevice {
  readonly id: string
  readonly networkId: string
}

/** @returns the organization's devices with these ICCIDs */
export async function findDevicesByIccid(
  tx: TenantSql,
  organizationId: string,
  iccids: readonly string[],
): Promise<Map<string, KnownDevice>> {
  const { rows } = await tx.query<KnownDevice & { iccid: string }>(
    `SELECT id, iccid, network_id AS "networkId" FROM devices WHERE organization_id = $1 AND iccid = ANY($2) AND deleted_at IS NULL`,
    [organizationId, iccids],
  )
  return new Map(rows.map(({ iccid, ...device }) => [iccid, device]))
}

/**
 * Nobody deletes them until the transaction ends; locked in order of their ids, so that two of these never block each other
 * crosswise. @returns those of the organization
 */
export async function lockNetworks(
  tx: TenantSql,
  organizationId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const { rows } = await tx.query<{ id: string }>(
    'SELECT id FROM networks WHERE organization_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE',
    [organizationId, ids],
  )
  return new Set(rows.map(({ id }) => id))
}
