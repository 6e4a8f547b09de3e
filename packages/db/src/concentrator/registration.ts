/**
 * A concentrator's own row: registration with a fresh incarnation, heartbeats.
 */
import type { Pool } from 'pg'
import { tellOfConcentrator } from '../node-news.ts'
import { deviceChangedChannel, notify } from '../notify.ts'
import { inTransaction } from '../transaction.ts'

export interface ConcentratorRegistration {
  readonly id: string
  readonly slot: number
  readonly addresses: readonly string[]
  readonly ikeIdentity: string
  readonly tunNamespace: string
  readonly dialAddress: string
  /** Null, or left out: no IPv6 inside. */
  readonly dialAddress6?: string | null
}

const LARGEST_INCARNATION = 0xff_ffff

/**
 * Registers the node, ends attachments a former life left behind, and draws an incarnation by a committed update (DESIGN 8).
 * @returns the incarnation, 24 bits, greater than every one before it.
 */
export async function registerConcentrator(pool: Pool, node: ConcentratorRegistration): Promise<number> {
  return inTransaction(pool, async (client) => {
    await client.query(`INSERT INTO installation (id, incarnation) VALUES (1, 0) ON CONFLICT (id) DO NOTHING`)
    const drawn = await client.query<{ incarnation: number }>(
      `UPDATE installation SET incarnation = incarnation + 1 WHERE id = 1 RETURNING incarnation`,
    )
    const incarnation = drawn.rows[0]?.incarnation ?? 0
    if (incarnation < 1 || incarnation > LARGEST_INCARNATION)
      throw new Error('the incarnations of this installation are used up')
    await client.query(
      `INSERT INTO concentrators (id, slot, incarnation, addresses, ike_identity, tun_namespace, dial_address, dial_address6, state, started_at, heartbeat_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'starting', now(), now())
       ON CONFLICT (id) DO UPDATE SET slot = excluded.slot, incarnation = excluded.incarnation, addresses = excluded.addresses,
         ike_identity = excluded.ike_identity, tun_namespace = excluded.tun_namespace, dial_address = excluded.dial_address,
         dial_address6 = excluded.dial_address6,         state = 'starting', started_at = now(), heartbeat_at = now(), attached_count = 0`,
      [
        node.id,
        node.slot,
        incarnation,
        node.addresses,
        node.ikeIdentity,
        node.tunNamespace,
        node.dialAddress,
        node.dialAddress6 ?? null,
      ],
    )
    const left = await client.query<{ device_id: string }>(
      `UPDATE attachments SET state = 'detached', detached_at = now(), detach_reason = 'node_restarted',
         tell_since = CASE WHEN told_online THEN now() END
       WHERE concentrator_id = $1 AND state = 'attached' RETURNING device_id`,
      [node.id],
    )
    const devices = left.rows.map((row) => row.device_id)
    await client.query(`DELETE FROM ike_sas WHERE device_id = ANY($1)`, [devices])
    // Told offline unless they come back at once.
    if (devices.length > 0) await notify(client, deviceChangedChannel, devices[0] ?? '')
    return incarnation
  })
}

/** @returns where the node shall send its devices; null: nowhere */
export async function readRedirect(pool: Pool, id: string): Promise<string | null> {
  const { rows } = await pool.query<{ redirect_to: string | null }>(
    'SELECT redirect_to FROM concentrators WHERE id = $1',
    [id],
  )
  return rows[0]?.redirect_to ?? null
}

const newsOfState = { ready: 'concentrator.online', stopped: 'concentrator.stopped' } as const

export type ConcentratorState = 'ready' | 'failing' | 'stopped'

export async function beatConcentrator(
  pool: Pool,
  beat: { id: string; state: ConcentratorState; attachedCount: number; dataPlane: string },
): Promise<void> {
  const { id, state, attachedCount, dataPlane } = beat
  const update = `UPDATE concentrators SET heartbeat_at = now(), state = $2, attached_count = $3, data_plane = $4 WHERE id = $1`
  const values = [id, state, attachedCount, dataPlane]
  const { rowCount } = await pool.query(`${update} AND state = $2`, values)
  if (rowCount === 1) return
  await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ former: string }>(`${update} RETURNING old.state AS former`, values)
    if (rows[0] && rows[0].former !== state && state !== 'failing') await tellOfConcentrator(tx, id, newsOfState[state])
  })
}
