/** A detach that an operator or customer asks for: a wish in the row, done when applied reaches desired. */
import type { Pool } from 'pg'
import { concentratorChannel, notify } from './notify.ts'
import { inTransaction } from './transaction.ts'

export interface DetachRequest {
  readonly concentratorId: string
  /** Done when `detach_applied` is at least this, or the device is not attached any more. */
  readonly generation: number
}

/** @returns null when the device is not attached (or not there) */
export async function requestDetach(
  pool: Pool,
  organizationId: string,
  deviceId: string,
): Promise<DetachRequest | null> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ concentratorId: string; generation: number }>(
      `UPDATE attachments SET detach_desired = detach_desired + 1 WHERE organization_id = $1 AND device_id = $2 AND state = 'attached'
       RETURNING concentrator_id AS "concentratorId", detach_desired AS generation`,
      [organizationId, deviceId],
    )
    const request = rows[0]
    if (!request) return null
    await notify(tx, concentratorChannel(request.concentratorId), deviceId)
    return request
  })
}

export async function isDetached(
  pool: Pool,
  organizationId: string,
  deviceId: string,
  generation: number,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT 1 FROM attachments WHERE organization_id = $1 AND device_id = $2 AND state = 'attached' AND detach_applied < $3`,
    [organizationId, deviceId, generation],
  )
  return rowCount === 0
}
