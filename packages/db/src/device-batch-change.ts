/** Changes and deletes many devices in one transaction, as `device-batch.ts` registers them. */
import { appendAudits, changedFields } from './audit.ts'
import type { Author } from './author.ts'
import { revokeCredentialsOf } from './credentials.ts'
import { auditedFields, changeableFields, policyFields, type DeviceChange } from './devices.ts'
import { tellConcentrators, type Touched } from './nodes.ts'
import { appendEvents } from './outbox.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnelsOfDevice, endTunnelsOutsideLans } from './tunnel-end.ts'

/** The fields of a device that work on many looks at. */
export interface DeviceState {
  readonly id: string
  readonly name: string
  readonly iccid: string
  readonly imsi: string | null
  readonly imei: string | null
  readonly eid: string | null
  readonly tags: readonly string[]
  readonly tunnelable: boolean
  readonly lanPrefixes: readonly string[]
  readonly proposalTiers: readonly string[] | null
}

export interface BatchOutcome {
  readonly changed: number
  readonly touched: Touched
}

const stateColumns = `id, network_id AS "networkId", name, iccid, imsi, imei, eid, tags, tunnelable, lan_prefixes AS "lanPrefixes",
  proposal_tiers AS "proposalTiers", rate_limit AS "rateLimit", quota`

/** Locks them, in order. Those that are deleted meanwhile are missing. */
async function lockDevices(tx: TenantSql, organizationId: string, ids: readonly string[]): Promise<DeviceState[]> {
  const { rows } = await tx.query<DeviceState>(
    `SELECT ${stateColumns} FROM devices WHERE organization_id = $1 AND id = ANY($2) AND deleted_at IS NULL ORDER BY id FOR UPDATE`,
    [organizationId, ids],
  )
  return rows
}

/** @param changeOf what is to be different in a device; what is as it says already is not touched */
export async function changeDevices(
  tx: TenantSql,
  { organizationId, ids, by }: { organizationId: string; ids: readonly string[]; by: Author },
  changeOf: (device: DeviceState) => DeviceChange,
): Promise<BatchOutcome> {
  const audits = []
  const changes = []
  for (const before of await lockDevices(tx, organizationId, ids)) {
    const given = Object.entries(changeOf(before)).filter(
      ([name, value]) => changeableFields.has(name) && value !== undefined,
    )
    const after = { ...before, ...Object.fromEntries(given) } as DeviceState
    const differences = changedFields(before, after, auditedFields)
    const names = Object.keys(differences.after)
    if (names.length === 0) continue
    changes.push({ id: before.id, names, after, isPolicy: names.some((name) => policyFields.has(name)) })
    audits.push({
      organizationId,
      by,
      action: 'device.updated',
      targetType: 'device',
      targetId: before.id,
      ...differences,
    })
  }
  if (changes.length === 0) return { changed: 0, touched: { gateways: [], concentrators: [] } }
  await tx.query(
    `UPDATE devices d SET name = v.name, imsi = v.imsi, imei = v.imei, eid = v.eid, tags = v.tags, tunnelable = v.tunnelable,
       lan_prefixes = v.lans, proposal_tiers = v.tiers, version = d.version + 1, updated_at = now(),
       policy_version = d.policy_version + v.raised
     FROM json_to_recordset($2) AS v(id text, name text, imsi text, imei text, eid text, tags text[], tunnelable bool, lans text[],
       tiers text[], raised int) WHERE d.organization_id = $1 AND d.id = v.id`,
    [
      organizationId,
      JSON.stringify(
        changes.map(({ id, after, isPolicy }) => {
          const { name, imsi, imei, eid, tags, tunnelable, lanPrefixes: lans, proposalTiers: tiers } = after
          return { id, name, imsi, imei, eid, tags, tunnelable, lans, tiers, raised: isPolicy ? 1 : 0 }
        }),
      ),
    ],
  )
  await appendEvents(
    tx,
    changes.map(({ id, names }) => ({
      organizationId,
      type: 'device.updated',
      resourceId: id,
      data: { changed: names },
    })),
  )
  await appendAudits(tx, audits)
  const gateways = new Set<string>()
  for (const { id, names } of changes) {
    if (!names.includes('lanPrefixes')) continue
    for (const gateway of await endTunnelsOutsideLans(tx, organizationId, id)) gateways.add(gateway)
  }
  const concentrators = changes.some(({ isPolicy }) => isPolicy) ? await tellConcentrators(tx, '') : []
  return { changed: changes.length, touched: { gateways: [...gateways], concentrators } }
}

/** Revokes their credentials, ends their tunnels and tells the concentrators. */
export async function deleteDevices(
  tx: TenantSql,
  { organizationId, ids, by }: { organizationId: string; ids: readonly string[]; by: Author },
): Promise<BatchOutcome> {
  const devices = await lockDevices(tx, organizationId, ids)
  if (devices.length === 0) return { changed: 0, touched: { gateways: [], concentrators: [] } }
  const found = devices.map(({ id }) => id)
  await tx.query(
    `UPDATE devices SET deleted_at = now(), updated_at = now(), version = version + 1, policy_version = policy_version + 1
     WHERE organization_id = $1 AND id = ANY($2)`,
    [organizationId, found],
  )
  await revokeCredentialsOf(tx, organizationId, found)
  const { rows: reached } = await tx.query<{ id: string }>(
    `SELECT DISTINCT device_id AS id FROM tunnels WHERE organization_id = $1 AND device_id = ANY($2)
       AND state IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining') ORDER BY device_id`,
    [organizationId, found],
  )
  const gateways = new Set<string>()
  for (const { id } of reached) {
    for (const gateway of await endTunnelsOfDevice(tx, organizationId, id, 'device_deleted')) gateways.add(gateway)
  }
  await appendEvents(
    tx,
    found.map((id) => ({ organizationId, type: 'device.deleted', resourceId: id, data: {} })),
  )
  await appendAudits(
    tx,
    devices.map((device) => {
      const before = changedFields({}, device, auditedFields).after
      return { organizationId, by, action: 'device.deleted', targetType: 'device', targetId: device.id, before }
    }),
  )
  return { changed: found.length, touched: { gateways: [...gateways], concentrators: await tellConcentrators(tx, '') } }
}
