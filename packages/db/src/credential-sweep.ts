/** Credentials that end soon, or have ended, by the clock of the database: told once each. */
import type { CredentialKind } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendEvents } from './outbox.ts'
import { inTransaction } from './transaction.ts'

/** How long before its end a credential is said to end soon, unless its whole time is short. */
export const expiringDays = 14

const most = 500
const isLive = `revoked_at IS NULL AND expired_told_at IS NULL AND (issuance IS NULL OR issuance = 'issued')`
/** Of one that is good for three days: a day before. */
const soonBefore = `least(${expiringDays} * interval '1 day', (expires_at - created_at) / 3)`

interface DueCredential {
  readonly id: string
  readonly organizationId: string
  readonly deviceId: string
  readonly kind: CredentialKind
  readonly expiresAt: Date
}

/** @returns whether there may be more */
export async function tellExpiringCredentials(pool: Pool): Promise<boolean> {
  const ended = await tellOnce(pool, 'credential.expired', 'expired_told_at', 'expires_at <= now()')
  const soon = `expires_at <= now() + ${expiringDays} * interval '1 day' AND expires_at > now() AND expires_at - ${soonBefore} <= now()
    AND expiring_told_at IS NULL`
  const ending = await tellOnce(pool, 'credential.expiring', 'expiring_told_at', soon)
  return ended || ending
}

/** @param column marked when it was told @param which a condition of this file, never input */
function tellOnce(
  pool: Pool,
  type: 'credential.expiring' | 'credential.expired',
  column: string,
  which: string,
): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<DueCredential>(
      `UPDATE credentials SET ${column} = now() WHERE id IN (
         SELECT id FROM credentials WHERE ${isLive} AND ${which} ORDER BY id LIMIT ${most} FOR UPDATE SKIP LOCKED)
       RETURNING id, organization_id AS "organizationId", device_id AS "deviceId", kind, expires_at AS "expiresAt"`,
    )
    await appendEvents(
      tx,
      rows.map(({ id, organizationId, deviceId, kind, expiresAt }) => ({
        organizationId,
        type,
        resourceId: id,
        data: { deviceId, kind, expiresAt: expiresAt.toISOString() },
      })),
    )
    return rows.length === most
  })
}
