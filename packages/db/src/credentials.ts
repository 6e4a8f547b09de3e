/** Credentials of devices. The secret comes sealed and is never read back here. */
import { credentialStateAt, type CredentialState } from '@culvert/lifecycle'
import type { Pool, PoolClient } from 'pg'
import { tellConcentrators, type Touched } from './nodes.ts'
import { appendEvent } from './outbox.ts'
import { inTransaction } from './transaction.ts'
import { endTunnelsOfDevice } from './tunnel-end.ts'

export interface CredentialRecord {
  readonly id: string
  readonly deviceId: string
  readonly kind: 'psk'
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

export interface NewCredential {
  readonly id: string
  readonly organizationId: string
  readonly deviceId: string
  readonly sealedSecret: Uint8Array
  readonly sealingKeyId: string
  readonly expiresAt: Date | null
}

/** Two, so that a device can be moved to a new secret without a gap. */
export const maxActiveCredentials = 2
const columns = `c.id, c.device_id AS "deviceId", c.kind, c.created_at AS "createdAt", c.expires_at AS "expiresAt", c.revoked_at AS "revokedAt"`
const isActive = `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`

export async function addCredential(
  pool: Pool,
  credential: NewCredential,
): Promise<{ credential: CredentialRecord; touched: Touched } | 'not_found' | 'credential_limit'> {
  const { id, organizationId, deviceId } = credential
  return inTransaction(pool, async (tx) => {
    if (!(await lockDevice(tx, organizationId, deviceId))) return 'not_found'
    const { rows: counted } = await tx.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM credentials WHERE organization_id = $1 AND device_id = $2 AND ${isActive}`,
      [organizationId, deviceId],
    )
    if ((counted[0]?.n ?? 0) >= maxActiveCredentials) return 'credential_limit'
    await raisePolicyVersion(tx, organizationId, deviceId)
    const { rows } = await tx.query<CredentialRecord>(
      `INSERT INTO credentials AS c (id, organization_id, device_id, kind, sealed_secret, sealing_key_id, expires_at)
       VALUES ($1, $2, $3, 'psk', $4, $5, $6) RETURNING ${columns}`,
      [
        id,
        organizationId,
        deviceId,
        Buffer.from(credential.sealedSecret),
        credential.sealingKeyId,
        credential.expiresAt,
      ],
    )
    await appendEvent(tx, { organizationId, type: 'credential.created', resourceId: id, data: { deviceId } })
    const touched = { gateways: [], concentrators: await tellConcentrators(tx, deviceId) }
    return { credential: rows[0] as CredentialRecord, touched }
  })
}

/** @returns newest first, revoked ones included; null when there is no such device */
export async function listCredentials(
  pool: Pool,
  organizationId: string,
  deviceId: string,
): Promise<CredentialRecord[] | null> {
  const { rows } = await pool.query<CredentialRecord & { id: string | null }>(
    `SELECT ${columns} FROM devices d
     LEFT JOIN credentials c ON c.organization_id = d.organization_id AND c.device_id = d.id
     WHERE d.organization_id = $1 AND d.id = $2 AND d.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT 200`,
    [organizationId, deviceId],
  )
  return rows.length === 0 ? null : rows.filter((row) => row.id !== null)
}

/** Ends the device's tunnels too when no credential is left with which it could come back. */
export async function revokeCredential(
  pool: Pool,
  key: { organizationId: string; deviceId: string; id: string },
): Promise<Touched | 'not_found' | 'credential_revoked'> {
  const { organizationId, deviceId, id } = key
  return inTransaction(pool, async (tx) => {
    if (!(await lockDevice(tx, organizationId, deviceId))) return 'not_found'
    const { rows } = await tx.query<{ revoked: boolean }>(
      `SELECT revoked_at IS NOT NULL AS revoked FROM credentials WHERE organization_id = $1 AND device_id = $2 AND id = $3 FOR UPDATE`,
      [organizationId, deviceId, id],
    )
    if (!rows[0]) return 'not_found'
    if (rows[0].revoked) return 'credential_revoked'
    await tx.query('UPDATE credentials SET revoked_at = now() WHERE organization_id = $1 AND id = $2', [
      organizationId,
      id,
    ])
    await raisePolicyVersion(tx, organizationId, deviceId)
    const left = await tx.query(
      `SELECT 1 FROM credentials WHERE organization_id = $1 AND device_id = $2 AND ${isActive} LIMIT 1`,
      [organizationId, deviceId],
    )
    const gateways =
      left.rowCount === 0 ? await endTunnelsOfDevice(tx, organizationId, deviceId, 'credential_revoked') : []
    await appendEvent(tx, { organizationId, type: 'credential.revoked', resourceId: id, data: { deviceId } })
    return { gateways, concentrators: await tellConcentrators(tx, deviceId) }
  })
}

/** Makes the concentrators look at the device's credentials again. */
async function raisePolicyVersion(tx: PoolClient, organizationId: string, deviceId: string): Promise<void> {
  await tx.query('UPDATE devices SET policy_version = policy_version + 1 WHERE organization_id = $1 AND id = $2', [
    organizationId,
    deviceId,
  ])
}

async function lockDevice(tx: PoolClient, organizationId: string, deviceId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE',
    [organizationId, deviceId],
  )
  return rowCount === 1
}

export function credentialState(record: CredentialRecord, now: Date): CredentialState {
  const times = { revokedAtMs: record.revokedAt?.getTime() ?? null, expiresAtMs: record.expiresAt?.getTime() ?? null }
  return credentialStateAt(times, now.getTime())
}
