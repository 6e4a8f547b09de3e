/**
 * Nodes that have fallen silent and nodes that are behind. Whether a node is silent is the caller's to judge (it must have
 * watched for long enough); here the judgement is applied only to a heartbeat that has not moved since.
 */
import type { Pool } from 'pg'
import { tellOfConcentrator, tellOfGateway } from './node-news.ts'
import { concentratorChannel, deviceChangedChannel, gatewayChannel, notify, notifyEach } from './notify.ts'
import { appendEvents } from './outbox.ts'
import { offlineEvent, presenceColumns, type PresenceRow } from './presence.ts'
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
  const isOffline = await markNodeOffline(pool, node)
  if (isOffline && node.kind === 'concentrator') while ((await loseDevices(pool, node)) === batch) continue
  return isOffline
}

/** Devices that are detached in one transaction. */
const batch = 1_000

async function markNodeOffline(pool: Pool, node: NodeHeartbeat): Promise<boolean> {
  if (node.kind === 'gateway') {
    return inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<{ former: string }>(
        `UPDATE gateways SET state = 'offline' WHERE id = $1 AND coalesce(heartbeat_at::text, '') = $2 RETURNING old.state AS former`,
        [node.id, node.heartbeat],
      )
      if (rows[0] && isServing(rows[0].former)) await tellOfGateway(tx, node.id, 'gateway.lost')
      return rows.length === 1
    })
  }
  return inTransaction(pool, async (tx) => {
    const { rows: nodes } = await tx.query<{ former: string }>(
      `UPDATE concentrators SET state = 'offline', attached_count = 0 WHERE id = $1 AND coalesce(heartbeat_at::text, '') = $2
       RETURNING old.state AS former`,
      [node.id, node.heartbeat],
    )
    if (!nodes[0]) return false
    if (isServing(nodes[0].former)) await tellOfConcentrator(tx, node.id, 'concentrator.lost')
    return true
  })
}

/**
 * The node was silent for so long that what is told now needs to wait for nothing more. Those that are left by a process that was
 * killed here come with the next judgement: `readHeartbeats` names a node that has some.
 * @returns how many were detached
 */
function loseDevices(pool: Pool, node: NodeHeartbeat): Promise<number> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<PresenceRow & { wasOnline: boolean }>(
      `UPDATE attachments a SET state = 'detached', detached_at = now(), detach_reason = 'node_lost', detach_applied = detach_desired,
         told_online = false, told_at = now(), tell_since = NULL
       WHERE a.device_id IN (SELECT device_id FROM attachments x JOIN concentrators c ON c.id = x.concentrator_id
         WHERE c.id = $1 AND coalesce(c.heartbeat_at::text, '') = $2 AND x.state = 'attached' ORDER BY device_id LIMIT ${batch}
         FOR UPDATE OF x FOR SHARE OF c)
       RETURNING ${presenceColumns('new')}, old.told_online AS "wasOnline"`,
      [node.id, node.heartbeat],
    )
    const devices = rows.map(({ deviceId }) => deviceId)
    await tx.query('DELETE FROM ike_sas WHERE device_id = ANY($1)', [devices])
    await appendEvents(tx, rows.filter(({ wasOnline }) => wasOnline).map(offlineEvent))
    await notifyEach(tx, deviceChangedChannel, devices)
    return rows.length
  })
}

/** One that was stopped is not missed. */
function isServing(state: string): boolean {
  return state !== 'stopped' && state !== 'offline'
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
