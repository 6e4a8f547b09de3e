/**
 * Hosts on LANs behind devices, as the concentrator that holds the devices maps them: what tunnels want in, addresses out.
 *
 * A host is wanted while a tunnel port that names it shall listen and the device belongs to this node, attached or not: a device
 * that comes back finds its streams. Addresses that are not wanted any more rest as rows, so that a restarted node knows them.
 */
import type { Pool } from 'pg'
import { deviceChangedChannel, gatewayChannel, notify } from '../notify.ts'
import { inTransaction } from '../transaction.ts'

export interface HostKey {
  readonly organizationId: string
  readonly deviceId: string
  /** IPv4, textual. */
  readonly host: string
}

/** Why a host has no address. */
export type HostFailure = 'lan_not_carried' | 'no_host_address'

export interface MappedHost extends HostKey {
  /** IPv4 out of 198.18.0.0/15; null when `failure` says why there is none. */
  readonly synthetic: string | null
  readonly failure: HostFailure | null
}

/** One that this node made in this or an earlier life. */
export interface StoredHost extends MappedHost {
  /** How long it has not been wanted; null while it is. */
  readonly restingMs: number | null
}

export async function readWantedHosts(pool: Pool, nodeId: string): Promise<HostKey[]> {
  const { rows } = await pool.query<HostKey>(
    `SELECT DISTINCT t.organization_id AS "organizationId", t.device_id AS "deviceId", host(p.device_host) AS host
     FROM tunnel_ports p JOIN tunnels t ON t.organization_id = p.organization_id AND t.id = p.tunnel_id
       JOIN attachments a ON a.organization_id = t.organization_id AND a.device_id = t.device_id
     WHERE p.device_host IS NOT NULL AND p.desired = 'listen' AND a.concentrator_id = $1`,
    [nodeId],
  )
  return rows
}

export async function readHostMappings(pool: Pool, nodeId: string): Promise<StoredHost[]> {
  const { rows } = await pool.query<StoredHost>(
    `SELECT organization_id AS "organizationId", device_id AS "deviceId", host(host) AS host, host(synthetic4) AS synthetic, failure,
       (extract(epoch FROM now() - freed_at) * 1000)::float8 AS "restingMs"
     FROM host_mappings WHERE concentrator_id = $1`,
    [nodeId],
  )
  return rows
}

/** Writes what was mapped, or why not, and tells the gateways that wait for it. */
export async function writeHostMapping(pool: Pool, nodeId: string, mapped: MappedHost): Promise<void> {
  const { organizationId, deviceId, host, synthetic, failure } = mapped
  await inTransaction(pool, async (tx) => {
    await tx.query(
      `INSERT INTO host_mappings (concentrator_id, organization_id, device_id, host, synthetic4, failure)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (concentrator_id, device_id, host) DO UPDATE SET synthetic4 = excluded.synthetic4, failure = excluded.failure, freed_at = NULL`,
      [nodeId, organizationId, deviceId, host, synthetic, failure],
    )
    const { rows } = await tx.query<{ gateway_id: string }>(
      `SELECT DISTINCT p.gateway_id FROM tunnel_ports p JOIN tunnels t ON t.organization_id = p.organization_id AND t.id = p.tunnel_id
       WHERE t.organization_id = $1 AND t.device_id = $2 AND p.device_host = $3 AND p.desired = 'listen'`,
      [organizationId, deviceId, host],
    )
    for (const { gateway_id } of rows) await notify(tx, gatewayChannel(gateway_id), '')
    await notify(tx, deviceChangedChannel, deviceId)
  })
}

/** The host is not wanted any more: its address rests from now on, and a failure is forgotten. */
export async function freeHostMapping(
  pool: Pool,
  nodeId: string,
  { organizationId, deviceId, host }: HostKey,
): Promise<void> {
  const key = [nodeId, organizationId, deviceId, host]
  const where = 'concentrator_id = $1 AND organization_id = $2 AND device_id = $3 AND host = $4'
  await pool.query(`DELETE FROM host_mappings WHERE ${where} AND failure IS NOT NULL`, key)
  await pool.query(`UPDATE host_mappings SET freed_at = now() WHERE ${where} AND freed_at IS NULL`, key)
}

/** Rows whose address has rested for longer than any quarantine. */
export async function forgetRestedHosts(pool: Pool, nodeId: string, quarantineMs: number): Promise<void> {
  await pool.query(
    `DELETE FROM host_mappings WHERE concentrator_id = $1 AND freed_at < now() - $2::float8 * interval '1 ms'`,
    [nodeId, quarantineMs],
  )
}
