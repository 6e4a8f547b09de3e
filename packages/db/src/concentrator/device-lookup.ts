/**
 * The one database read an attaching device waits for: who owns this IKE identity, and which secrets are valid.
 *
 * Devices that come in the same turn of the event loop share a statement: ten thousand may come back at once.
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

export interface DeviceLookup {
  /** @returns the device that owns this IKE identity with its valid PSK credentials, newest first, or null. */
  find(identity: string): Promise<DeviceForAttach | null>
}

const MOST_AT_ONCE = 200

interface Waiting {
  readonly identity: string
  resolve(device: DeviceForAttach | null): void
  reject(error: unknown): void
}

export function createDeviceLookup(pool: Pool): DeviceLookup {
  let waiting: Waiting[] = []

  function flush(): void {
    const all = waiting
    waiting = []
    for (let from = 0; from < all.length; from += MOST_AT_ONCE) {
      const batch = all.slice(from, from + MOST_AT_ONCE)
      readDevices(
        pool,
        batch.map(({ identity }) => identity),
      ).then(
        (devices) => {
          for (const { identity, resolve } of batch) resolve(devices.get(identity) ?? null)
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error)
        },
      )
    }
  }

  return {
    find: (identity) =>
      new Promise((resolve, reject) => {
        waiting.push({ identity, resolve, reject })
        if (waiting.length === 1) setImmediate(flush)
      }),
  }
}

interface Row {
  readonly ike_identity: string
  readonly id: string
  readonly organization_id: string
  readonly address4: string
  readonly policy_version: number
  readonly credential_id: string | null
  readonly sealed_secret: Buffer
  readonly sealing_key_id: string
}

async function readDevices(pool: Pool, identities: readonly string[]): Promise<Map<string, DeviceForAttach>> {
  const { rows } = await pool.query<Row>({
    name: 'concentrator_find_devices',
    text: `SELECT d.ike_identity, d.id, d.organization_id, host(d.address4) AS address4, d.policy_version, c.id AS credential_id,
         c.sealed_secret, c.sealing_key_id
       FROM devices d LEFT JOIN LATERAL (SELECT id, sealed_secret, sealing_key_id, created_at FROM credentials
         WHERE organization_id = d.organization_id AND device_id = d.id AND kind = 'psk'
           AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) ORDER BY created_at DESC LIMIT 4) c ON true
       WHERE d.ike_identity = ANY($1) AND d.deleted_at IS NULL ORDER BY c.created_at DESC`,
    values: [identities],
  })
  const devices = new Map<string, DeviceForAttach & { credentials: DeviceForAttach['credentials'][number][] }>()
  for (const row of rows) {
    const known = devices.get(row.ike_identity)
    const device = known ?? {
      deviceId: row.id,
      organizationId: row.organization_id,
      address4: row.address4,
      policyVersion: row.policy_version,
      credentials: [],
    }
    if (known === undefined) devices.set(row.ike_identity, device)
    if (row.credential_id === null) continue
    device.credentials.push({
      id: row.credential_id,
      sealedSecret: row.sealed_secret,
      sealingKeyId: row.sealing_key_id,
    })
  }
  return devices
}
