/**
 * What has become due on tunnels without anybody asking: time is up, the device came, the gateway is gone. Every function finds
 * candidates first and decides under the row's lock, so that it may run in several processes and as often as one likes.
 */
import { stepTunnel, type EndReason } from '@culvert/lifecycle'
import type { Pool, PoolClient } from 'pg'
import { chooseGateway, nodeDeadAfterSec } from './nodes.ts'
import { inTransaction } from './transaction.ts'
import { endTunnel, lockTunnel, moveTunnel, type LockedTunnel } from './tunnel-end.ts'

const batch = 200

/** Tunnels whose time is up; one that still waits has failed. @returns the gateways to hint */
export async function expireTunnels(pool: Pool): Promise<string[]> {
  const due = `state IN ('requested', 'waiting_for_device', 'opening', 'open') AND expires_at <= now()`
  return eachTunnel(
    pool,
    `SELECT id FROM tunnels WHERE ${due} ORDER BY expires_at LIMIT ${batch}`,
    [],
    async (tx, tunnel) => {
      const { rows } = await tx.query<{ isGrantOver: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM grants g WHERE g.organization_id = t.organization_id AND g.id = t.grant_id AND g.expires_at <= now())
           AS "isGrantOver" FROM tunnels t WHERE id = $1 AND ${due}`,
        [tunnel.id],
      )
      if (!rows[0]) return null
      if (rows[0].isGrantOver) return endTunnel(tx, tunnel, 'grant_ended')
      const reason: EndReason = tunnel.state === 'waiting_for_device' ? 'device_wait_timeout' : 'ttl_elapsed'
      return endTunnel(tx, tunnel, reason)
    },
  )
}

/** @returns milliseconds until the next tunnel expires, null when none is active */
export async function nextExpiryMs(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number | null }>(
    `SELECT (extract(epoch FROM min(expires_at) - now()) * 1000)::float8 AS ms FROM tunnels
     WHERE state IN ('requested', 'waiting_for_device', 'opening', 'open')`,
  )
  return rows[0]?.ms ?? null
}

/** Waiting tunnels of devices that are attached now and may have tunnels, of these devices or of all (null). @returns the gateways to hint */
export async function openWaitingTunnels(pool: Pool, deviceIds: readonly string[] | null): Promise<string[]> {
  return eachTunnel(
    pool,
    `SELECT t.id FROM tunnels t JOIN attachments a ON a.organization_id = t.organization_id AND a.device_id = t.device_id
     JOIN devices d ON d.organization_id = t.organization_id AND d.id = t.device_id AND d.tunnelable
     WHERE t.state = 'waiting_for_device' AND t.expires_at > now() AND a.state = 'attached' AND ($1::text[] IS NULL OR t.device_id = ANY($1))
     ORDER BY t.created_at LIMIT ${batch}`,
    [deviceIds],
    async (tx, tunnel) => {
      if (!stepTunnel(tunnel, { kind: 'deviceReady' })) return null
      return (await placeOnReadyGateway(tx, tunnel.id)) ? moveTunnel(tx, tunnel, { kind: 'deviceReady' }) : null
    },
  )
}

/** The gateway chosen when the tunnel was asked for may be gone since. */
async function placeOnReadyGateway(tx: PoolClient, tunnelId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT 1 FROM tunnel_ports p JOIN gateways g ON g.id = p.gateway_id
     WHERE p.tunnel_id = $1 AND g.state = 'ready' AND g.heartbeat_at > now() - $2::int * interval '1 second'`,
    [tunnelId, nodeDeadAfterSec],
  )
  if ((rowCount ?? 0) > 0) return true
  const gateway = await chooseGateway(tx)
  if (gateway === null) return false
  await tx.query(`UPDATE tunnel_ports SET gateway_id = $2 WHERE tunnel_id = $1 AND desired = 'close'`, [
    tunnelId,
    gateway,
  ])
  return true
}

/** Ends the tunnels of gateways that are offline: nobody else can, and their ports are closed with them. */
export async function endTunnelsOfLostGateways(pool: Pool): Promise<number> {
  let ended = 0
  await eachTunnel(
    pool,
    `SELECT DISTINCT t.id FROM tunnels t JOIN tunnel_ports p ON p.organization_id = t.organization_id AND p.tunnel_id = t.id
     JOIN gateways g ON g.id = p.gateway_id
     WHERE g.state = 'offline' AND t.state IN ('opening', 'open', 'draining') ORDER BY t.id LIMIT ${batch}`,
    [],
    async (tx, tunnel) => {
      const { rowCount } = await tx.query(
        `SELECT 1 FROM tunnel_ports p JOIN gateways g ON g.id = p.gateway_id WHERE p.tunnel_id = $1 AND g.state = 'offline' FOR UPDATE OF g`,
        [tunnel.id],
      )
      if (rowCount === 0) return null
      if (tunnel.state !== 'draining') await endTunnel(tx, tunnel, 'gateway_lost')
      await tx.query('UPDATE tunnel_ports SET applied_generation = desired_generation WHERE tunnel_id = $1', [
        tunnel.id,
      ])
      const draining = await lockTunnel(tx, tunnel.id)
      if (draining && (await moveTunnel(tx, draining, { kind: 'released' }))) ended += 1
      return null
    },
  )
  return ended
}

/** One transaction for each tunnel, so that one that fails does not keep the others back; the first failure is thrown in the end. */
async function eachTunnel(
  pool: Pool,
  find: string,
  values: unknown[],
  work: (tx: PoolClient, tunnel: LockedTunnel) => Promise<string[] | null>,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(find, values)
  const gateways = new Set<string>()
  const errors: unknown[] = []
  for (const { id } of rows) {
    const touched = inTransaction(pool, async (tx) => {
      const tunnel = await lockTunnel(tx, id)
      return tunnel ? work(tx, tunnel) : null
    })
    for (const gateway of (await touched.catch((error: unknown) => void errors.push(error))) ?? [])
      gateways.add(gateway)
  }
  if (errors.length > 0) throw errors[0]
  return [...gateways]
}
