/**
 * Nodes that have fallen silent and nodes that are behind. Whether a node is silent is the caller's to judge (it must have
 * watched for long enough); here the judgement is applied only to a heartbeat that has not moved since.
 */
import type { Pool } from 'pg'
import { concentratorChannel, deviceChangedChannel, gatewayChannel, notify } from './notify.ts'
import { appendEvents } from './outbox.ts'
import { inTransaction } from './transaction.ts'

export interface NodeHeartbeat {
  readonly kind: 'gateway' | 'concentrator'
  readonly id: string
  /** Text of the database, compared as it is. */
  readonly heartbeat: string
}

/** @returns the heartbeats of all nodes that are not known to be offline */
export async function readHeartbeats(pool: Pool): Promise<NodeHeartbeat[]> {
  const { rows } = await pool.query<NodeHeartbeat>(
    `SELECT 'gateway' AS kind, id, coalesce(heartbeat_at::text, '') AS heartbeat FROM gateways WHERE state <> 'offline'
     UNION ALL SELECT 'concentrator', id, coalesce(heartbeat_at::text, '') FROM concentrators c
     WHERE state <> 'offline' OR EXISTS (SELECT 1 FROM attachments a WHERE a.concentrator_id = c.id AND a.state = 'attached')`,
  )
  return rows
}

/**
 * Marks a silent node offline; the devices of a concentrator are detached with it, with event and notice.
 * @returns false when it has beaten meanwhile
 */
export async function markOffline(pool: Pool, node: NodeHeartbeat): Promise<boolean> {
  if (node.kind === 'gateway') {
    const { rowCount } = await pool.query(
      `UPDATE gateways SET state = 'offline' WHERE id = $1 AND coalesce(heartbeat_at::text, '') = $2`,
      [node.id, node.heartbeat],
    )
    return rowCount === 1
  }
  return inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE concentrators SET state = 'offline', attached_count = 0 WHERE id = $1 AND coalesce(heartbeat_at::text, '') = $2`,
      [node.id, node.heartbeat],
    )
    if (rowCount !== 1) return false
    const { rows } = await tx.query<{ device_id: string; organization_id: string }>(
      `UPDATE attachments SET state = 'detached', detached_at = now(), detach_reason = 'node_lost', detach_applied = detach_desired
       WHERE concentrator_id = $1 AND state = 'attached' RETURNING device_id, organization_id`,
      [node.id],
    )
    await tx.query('DELETE FROM ike_sas WHERE device_id = ANY($1)', [rows.map((row) => row.device_id)])
    await appendEvents(
      tx,
      rows.map((row) => ({
        organizationId: row.organization_id,
        resourceId: row.device_id,
        type: 'device.offline',
        data: { reason: 'node_lost' },
      })),
    )
    await tx.query('SELECT pg_notify($1, id) FROM unnest($2::text[]) AS device(id)', [
      deviceChangedChannel,
      rows.map((row) => row.device_id),
    ])
    return true
  })
}

export interface NodesBehind {
  readonly gateways: string[]
  readonly detach: string[]
  readonly policy: string[]
}

/** Nodes that have not done for a while what their rows say; they are told again on both paths. */
export async function findNodesBehind(pool: Pool): Promise<NodesBehind> {
  const [ports, detach, policy] = await Promise.all([
    pool.query<{ id: string }>(
      `SELECT DISTINCT p.gateway_id AS id FROM tunnel_ports p JOIN tunnels t ON t.organization_id = p.organization_id AND t.id = p.tunnel_id
       WHERE p.applied_generation < p.desired_generation AND t.updated_at < now() - interval '10 seconds'`,
    ),
    pool.query<{ id: string }>(
      `SELECT DISTINCT concentrator_id AS id FROM attachments WHERE state = 'attached' AND detach_desired > detach_applied`,
    ),
    pool.query<{ id: string }>(
      `SELECT DISTINCT a.concentrator_id AS id FROM attachments a JOIN devices d ON d.organization_id = a.organization_id AND d.id = a.device_id
       WHERE a.state = 'attached' AND d.policy_version > a.policy_applied`,
    ),
  ])
  const behind = {
    gateways: ports.rows.map(({ id }) => id),
    detach: detach.rows.map(({ id }) => id),
    policy: policy.rows.map(({ id }) => id),
  }
  for (const id of behind.gateways) await notify(pool, gatewayChannel(id), '')
  for (const id of new Set([...behind.detach, ...behind.policy])) await notify(pool, concentratorChannel(id), '')
  return behind
}
