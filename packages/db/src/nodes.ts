/** Concentrators and gateways as the rest of the installation sees them. */
import type { Pool } from 'pg'
import { tellOfConcentrator } from './node-news.ts'
import { concentratorChannel, notify } from './notify.ts'
import type { TenantSql } from './tenant-sql.ts'
import { inTransaction } from './transaction.ts'

/** A node that has not said anything for so long is taken for dead. */
export const nodeDeadAfterSec = 30

/** Nodes whose desired state was changed, so that a hint may follow the commit. */
export interface Touched {
  readonly gateways: readonly string[]
  readonly concentrators: readonly string[]
}

export interface ConcentratorRecord {
  readonly id: string
  readonly state: string
  readonly addresses: string[]
  readonly ikeIdentity: string
  readonly dialAddress: string
  readonly dataPlane: string
  /** Devices, as it said last. */
  readonly attachedCount: number
  /** Heard of lately. */
  readonly alive: boolean
  readonly startedAt: Date | null
  readonly heartbeatAt: Date | null
}

const columns = `id, state, addresses, ike_identity AS "ikeIdentity", dial_address AS "dialAddress", data_plane AS "dataPlane",
  attached_count AS "attachedCount", coalesce(heartbeat_at > now() - ${nodeDeadAfterSec} * interval '1 second', false) AS alive,
  started_at AS "startedAt", heartbeat_at AS "heartbeatAt"`

export async function listConcentrators(pool: Pool): Promise<ConcentratorRecord[]> {
  const { rows } = await pool.query<ConcentratorRecord>(`SELECT ${columns} FROM concentrators ORDER BY id`)
  return rows
}

export async function findConcentrator(pool: Pool, id: string): Promise<ConcentratorRecord | null> {
  const { rows } = await pool.query<ConcentratorRecord>(`SELECT ${columns} FROM concentrators WHERE id = $1`, [id])
  return rows[0] ?? null
}

/**
 * From now on this node sends its devices to another gateway (RFC 5685), until it is told null. It is told at once.
 *
 * @param to an address or a name, canonical
 * @returns false when there is no such node, or the gateway is the node itself
 */
export async function redirectConcentrator(pool: Pool, id: string, to: string | null): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ former: string | null }>(
      `UPDATE concentrators SET redirect_to = $2 WHERE id = $1 AND ($2::text IS NULL OR NOT $2 = ANY(addresses))
       RETURNING old.redirect_to AS former`,
      [id, to],
    )
    if (!rows[0]) return false
    if ((rows[0].former === null) !== (to === null))
      await tellOfConcentrator(tx, id, to === null ? 'concentrator.online' : 'concentrator.draining')
    await notify(tx, concentratorChannel(id), '')
    return true
  })
}

export interface GatewayRecord {
  readonly id: string
  readonly state: string
  readonly publicHost: string
  readonly portFrom: number
  readonly portTo: number
  /** Ports of tunnels that it shall listen on. */
  readonly listeningPorts: number
  readonly openConnections: number
  readonly alive: boolean
  readonly startedAt: Date | null
  readonly heartbeatAt: Date | null
}

/** @param id left out: all of them */
export async function listGateways(pool: Pool, id?: string): Promise<GatewayRecord[]> {
  const { rows } = await pool.query<GatewayRecord>(
    `SELECT g.id, g.state, g.public_host AS "publicHost", g.port_from AS "portFrom", g.port_to AS "portTo",
       coalesce(g.heartbeat_at > now() - ${nodeDeadAfterSec} * interval '1 second', false) AS alive, g.started_at AS "startedAt",
       g.heartbeat_at AS "heartbeatAt",
       (SELECT count(*)::int FROM tunnel_ports p WHERE p.gateway_id = g.id AND p.desired = 'listen') AS "listeningPorts",
       (SELECT count(*)::int FROM connections c JOIN tunnel_ports p ON p.id = c.tunnel_port_id
         WHERE p.gateway_id = g.id AND p.desired = 'listen' AND c.state = 'open') AS "openConnections"
     FROM gateways g WHERE $1::text IS NULL OR g.id = $1 ORDER BY g.id`,
    [id ?? null],
  )
  return rows
}

/** @returns the one that a device's configuration shall name: alive first, then the one heard of last; null when there is none */
export async function preferredConcentrator(pool: Pool): Promise<ConcentratorRecord | null> {
  const { rows } = await pool.query<ConcentratorRecord>(
    `SELECT ${columns} FROM concentrators WHERE cardinality(addresses) > 0
     ORDER BY (state = 'ready' AND heartbeat_at > now() - $1 * interval '1 second') DESC, heartbeat_at DESC NULLS LAST, id LIMIT 1`,
    [nodeDeadAfterSec],
  )
  return rows[0] ?? null
}

/**
 * All of them, because each may have the device's credentials in memory.
 * @param deviceId empty: many devices are concerned
 * @returns their ids
 */
export async function tellConcentrators(tx: TenantSql, deviceId: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>('SELECT id FROM concentrators ORDER BY id')
  for (const { id } of rows) await notify(tx, concentratorChannel(id), deviceId)
  return rows.map(({ id }) => id)
}

/** @returns a gateway that is ready and serves the fewest ports, null when none is ready */
export async function chooseGateway(tx: TenantSql): Promise<string | null> {
  const { rows } = await tx.query<{ id: string | null }>('SELECT choose_gateway($1) AS id', [nodeDeadAfterSec])
  return rows[0]?.id ?? null
}
