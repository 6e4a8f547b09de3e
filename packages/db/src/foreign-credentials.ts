/**
 * Credentials that are certificates of an organization's own authority. They are never on the list of revoked certificates of this
 * installation: their serials are of another authority, and may be those of somebody else's certificate here.
 */
import { appendAudits } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { concentratorChannel, notifyEach } from './notify.ts'
import type { Touched } from './nodes.ts'
import { appendEvents } from './outbox.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnelsOfDevice } from './tunnel-end.ts'

/**
 * SQL: `c` counts as far as its authority is concerned. One that needs a fresh list and has none lets nobody in. Made without a join,
 * as most credentials have no such authority.
 */
export const AUTHORITY_ALLOWS = `(c.authority_id IS NULL OR EXISTS (SELECT 1 FROM device_authorities v
  WHERE v.organization_id = c.organization_id AND v.id = c.authority_id AND v.not_after > now()
    AND (v.revocation <> 'hard' OR v.crl_next_update > now())))`

/** Most that are revoked in one transaction. */
export const foreignBatch = 500
/** Most that leave an authority in one transaction: nobody is told of it. */
const leavingBatch = 5_000

/**
 * A batch of them: each is told of under a lock of its own. The caller holds the authority.
 *
 * @param which with serials: those whose certificate below the authority has one of them; left out: all
 * @returns whom to hint, and how many there were: `foreignBatch` when there may be more
 */
export async function revokeForeignCredentials(
  tx: TenantSql,
  which: { readonly organizationId: string; readonly authorityId: string; readonly serials?: readonly string[] },
  { by }: Pick<WriteOptions, 'by'>,
): Promise<{ touched: Touched; credentials: number }> {
  const { organizationId, authorityId, serials = null } = which
  const { rows: chosen } = await tx.query<{ id: string; deviceId: string }>(
    `SELECT id, device_id AS "deviceId" FROM credentials WHERE organization_id = $1 AND authority_id = $2 AND revoked_at IS NULL
       AND ($3::text[] IS NULL OR path_serials[cardinality(path_serials)] = ANY($3)) ORDER BY id LIMIT ${foreignBatch}`,
    [organizationId, authorityId, serials],
  )
  if (chosen.length === 0) return { touched: { gateways: [], concentrators: [] }, credentials: 0 }
  const devices = await tx.query<{ id: string }>(
    `UPDATE devices SET policy_version = policy_version + 1 WHERE organization_id = $1 AND id IN (
       SELECT id FROM devices WHERE organization_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE) RETURNING id`,
    [organizationId, chosen.map(({ deviceId }) => deviceId)],
  )
  const revoked = await tx.query<{ id: string; deviceId: string }>(
    `UPDATE credentials SET revoked_at = now() WHERE organization_id = $1 AND id = ANY($2) AND revoked_at IS NULL
     RETURNING id, device_id AS "deviceId"`,
    [organizationId, chosen.map(({ id }) => id)],
  )
  const ids = devices.rows.map(({ id }) => id)
  const gateways = await endTunnelsWithoutCredential(tx, organizationId, ids)
  const type = 'credential.revoked'
  await appendEvents(
    tx,
    revoked.rows.map(({ id, deviceId }) => ({ organizationId, type, resourceId: id, data: { deviceId } })),
  )
  const entry = { organizationId, by, action: type, targetType: 'credential' }
  await appendAudits(
    tx,
    revoked.rows.map(({ id, deviceId }) => ({
      ...entry,
      targetId: id,
      before: { deviceId, kind: 'certificate', authorityId },
    })),
  )
  return { touched: { gateways, concentrators: await tellOfDevices(tx, ids) }, credentials: chosen.length }
}

/**
 * A batch of those of an authority that is to be deleted, all revoked: they stay, for who asks what became of one. The caller holds it.
 *
 * @returns false when there may be more
 */
export async function leaveAuthority(tx: TenantSql, organizationId: string, authorityId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE credentials SET authority_id = NULL, former_authority_id = $2 WHERE organization_id = $1 AND id IN (
       SELECT id FROM credentials WHERE organization_id = $1 AND authority_id = $2 ORDER BY id LIMIT ${leavingBatch})`,
    [organizationId, authorityId],
  )
  return (rowCount ?? 0) < leavingBatch
}

/** Nobody comes back who has no other credential. */
async function endTunnelsWithoutCredential(
  tx: TenantSql,
  organizationId: string,
  deviceIds: readonly string[],
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `SELECT d.id FROM devices d WHERE d.organization_id = $1 AND d.id = ANY($2)
       AND EXISTS (SELECT 1 FROM tunnels t WHERE t.organization_id = d.organization_id AND t.device_id = d.id
         AND t.state IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining'))
       AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.organization_id = d.organization_id AND c.device_id = d.id
         AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > now()) AND c.kind <> 'ppk'
         AND c.issuance IS DISTINCT FROM 'pending') ORDER BY d.id`,
    [organizationId, deviceIds],
  )
  const gateways = new Set<string>()
  for (const { id } of rows) {
    for (const gateway of await endTunnelsOfDevice(tx, organizationId, id, 'credential_revoked')) gateways.add(gateway)
  }
  return [...gateways]
}

/** Each concentrator of each device: it may have the credentials in memory. */
async function tellOfDevices(tx: TenantSql, deviceIds: readonly string[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>('SELECT id FROM concentrators ORDER BY id')
  for (const { id } of rows) await notifyEach(tx, concentratorChannel(id), deviceIds)
  return rows.map(({ id }) => id)
}
