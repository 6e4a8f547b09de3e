/** Concentrators and gateways as the rest of the installation sees them. */
import type { Pool } from 'pg'
import { concentratorChannel, notify } from './notify.ts'
import type { TenantSql } from './tenant.ts'

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
  readonly startedAt: Date | null
  readonly heartbeatAt: Date | null
}

const columns = `id, state, addresses, ike_identity AS "ikeIdentity", dial_address AS "dialAddress", data_plane AS "dataPlane",
  started_at AS "startedAt", heartbeat_at AS "heartbeatAt"`

export async function listConcentrators(pool: Pool): Promise<ConcentratorRecord[]> {
  const { rows } = await pool.query<ConcentratorRecord>(`SELECT ${columns} FROM concentrators ORDER BY id`)
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
