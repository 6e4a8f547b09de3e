/**
 * The one database read an attaching device waits for: who owns this IKE identity, and which secrets are valid.
 */
import type { Pool } from 'pg'

export interface DeviceForAttach {
  readonly deviceId: string
  readonly organizationId: string
  readonly address4: string
  readonly policyVersion: number
  readonly credentials: readonly {
    readonly id: string
    readonly sealedSecret: Uint8Array
    readonly sealingKeyId: string
  }[]
}

/** @returns the device that owns this IKE identity with its valid PSK credentials, or null. */
export async function findDeviceByIdentity(pool: Pool, identity: string): Promise<DeviceForAttach | null> {
  const { rows } = await pool.query<{
    id: string
    organization_id: string
    address4: string
    policy_version: number
    credential_id: string | null
    sealed_secret: Buffer
    sealing_key_id: string
  }>({
    name: 'concentrator_find_device',
    text: `SELECT d.id, d.organization_id, host(d.address4) AS address4, d.policy_version, c.id AS credential_id, c.sealed_secret, c.sealing_key_id
       FROM devices d LEFT JOIN credentials c ON c.organization_id = d.organization_id AND c.device_id = d.id AND c.kind = 'psk'
         AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > now())
       WHERE d.ike_identity = $1 AND d.deleted_at IS NULL ORDER BY c.created_at DESC LIMIT 4`,
    values: [identity],
  })
  const first = rows[0]
  if (!first) return null
  return {
    deviceId: first.id,
    organizationId: first.organization_id,
    address4: first.address4,
    policyVersion: first.policy_version,
    credentials: rows.flatMap((row) =>
      row.credential_id === null
        ? []
        : [{ id: row.credential_id, sealedSecret: row.sealed_secret, sealingKeyId: row.sealing_key_id }],
    ),
  }
}
