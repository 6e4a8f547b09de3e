/** A detach that an operator or customer asks for: a wish in the row, done when applied reaches desired. */
import type { Pool } from 'pg'
import { appendAudit } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { concentratorChannel, notify } from './notify.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

export interface DetachRequest {
  readonly concentratorId: string
  /** Done when `detach_applied` is at least this, or the device is not attached any more. */
  readonly generation: number
}

/** @returns null when the device is not attached (or not there) */
export async function requestDetach(
  pool: Pool,
  { organizationId, deviceId }: { organizationId: string; deviceId: string },
  options: WriteOptions,
): Promise<DetachRequest | null> {
  const work = async (tx: TenantSql): ReturnType<typeof requestDetach> => {
    const { rows } = await tx.query<{ concentratorId: string; generation: number }>(
      `UPDATE attachments SET detach_desired = detach_desired + 1 WHERE organization_id = $1 AND device_id = $2 AND state = 'attached'
       RETURNING concentrator_id AS "concentratorId", detach_desired AS generation`,
      [organizationId, deviceId],
    )
    const request = rows[0]
    if (!request) return null
    const audited = { organizationId, by: options.by, action: 'device.detached', targetType: 'device' }
    await appendAudit(tx, { ...audited, targetId: deviceId, before: { concentratorId: request.concentratorId } })
    await notify(tx, concentratorChannel(request.concentratorId), deviceId)
    return request
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export async function isDetached(
  pool: Pool,
  organizationId: string,
  deviceId: string,
  generation: number,
): Promise<boolean> {
  const { rowCount } = await tenant(pool, organizationId).query(
    `SELECT 1 FROM attachments WHERE organization_id = $1 AND device_id = $2 AND state = 'attached' AND detach_applied < $3`,
    [organizationId, deviceId, generation],
  )
  return rowCount === 0
}
