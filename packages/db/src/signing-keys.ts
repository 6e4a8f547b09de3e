/**
 * Keys that sign access tokens, as rows. One signs at a time; the next is published a day before it signs, so that who keeps a
 * copy of our keys has it in time, and each verifies for a while after its last signature. Private halves are sealed.
 */
import type { Pool } from 'pg'
import { appendAudit } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { inTenantTransaction } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { inTransaction } from './transaction.ts'

export interface SigningKeyRow {
  readonly kid: string
  readonly publicJwk: Record<string, unknown>
  readonly sealedPrivateKey: Uint8Array
  /** It signs now. */
  readonly signs: boolean
}

/** When a key is used. */
export interface SigningKeyTimes {
  readonly kid: string
  readonly signs: boolean
  readonly signsFrom: Date
  readonly signsUntil: Date
  readonly verifiesUntil: Date
}

const signDays = 30
const publishedBeforeHours = 24
const verifiesAfterHours = 1
const keyLock = 5_163_002
const columns = `kid, public_jwk AS "publicJwk", sealed_private_key AS "sealedPrivateKey",
  signs_from <= now() AND signs_until > now() AS signs`

/** @returns the ones whose tokens are good, the one that signs last is first */
export async function readSigningKeys(pool: Pick<Pool, 'query'>): Promise<SigningKeyRow[]> {
  const { rows } = await pool.query<SigningKeyRow>(
    `SELECT ${columns} FROM signing_keys WHERE revoked_at IS NULL AND verifies_until > now() ORDER BY signs_from DESC, kid`,
  )
  return rows
}

/** The same, the one that signs last first, without what is in them. */
export async function listSigningKeys(pool: Pick<Pool, 'query'>): Promise<SigningKeyTimes[]> {
  const { rows } = await pool.query<SigningKeyTimes>(
    `SELECT kid, signs_from <= now() AND signs_until > now() AS signs, signs_from AS "signsFrom", signs_until AS "signsUntil",
       verifies_until AS "verifiesUntil" FROM signing_keys WHERE revoked_at IS NULL AND verifies_until > now() ORDER BY signs_from DESC, kid`,
  )
  return rows
}

/**
 * Makes what is missing: a key that signs now, and its successor when its time is nearly over. Several processes that ask at the
 * same time get the same keys.
 * @param replace a key that cannot be used for signing, such as one that was sealed with another secret
 */
export async function ensureSigningKeys(
  pool: Pool,
  make: () => Promise<Omit<SigningKeyRow, 'signs'>>,
  replace: string | null = null,
): Promise<SigningKeyRow[]> {
  const [now, next] = await dueKeys(pool, replace)
  if (!now && !next) return readSigningKeys(pool)
  // Made before the lock is taken, as it takes a while; who comes second throws its own away.
  const key = await make()
  return inTransaction(pool, async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [keyLock])
    const [nowStill, nextStill] = await dueKeys(tx, replace)
    if (nowStill || nextStill) {
      if (replace !== null)
        await tx.query('UPDATE signing_keys SET signs_until = now() WHERE kid = $1 AND signs_until > now()', [replace])
      await tx.query(
        `INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, signs_from, signs_until, verifies_until)
         SELECT $1, $2, $3, v.start, v.start + $5::int * interval '1 day', v.start + $5::int * interval '1 day' + $6::int * interval '1 hour'
         FROM (SELECT CASE WHEN $4 THEN date_trunc('milliseconds', now()) ELSE
           (SELECT max(signs_until) FROM signing_keys WHERE revoked_at IS NULL AND signs_until > now()) END AS start) v`,
        [
          key.kid,
          JSON.stringify(key.publicJwk),
          Buffer.from(key.sealedPrivateKey),
          nowStill,
          signDays,
          verifiesAfterHours,
        ],
      )
    }
    return readSigningKeys(tx)
  })
}

/** Its tokens are refused from now on; a new key signs when it is asked for. @param organizationId whose audit log tells it */
export async function revokeSigningKey(
  pool: Pool,
  organizationId: string,
  kid: string,
  options: WriteOptions,
): Promise<boolean> {
  const work = async (tx: TenantSql): Promise<boolean> => {
    const { rowCount } = await tx.query(
      'UPDATE signing_keys SET revoked_at = now() WHERE kid = $1 AND revoked_at IS NULL',
      [kid],
    )
    if (rowCount !== 1) return false
    const audited = { action: 'signing_key.revoked', targetType: 'signing_key', targetId: kid }
    await appendAudit(tx, { organizationId, by: options.by, ...audited })
    return true
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/**
 * Another key signs from now on; its successor is made when it is due. @param organizationId whose audit log tells it
 * @param revoke tokens of all others are refused at once, else they are good until they expire
 */
export async function rotateSigningKeys(
  pool: Pool,
  organizationId: string,
  { key, revoke }: { key: Omit<SigningKeyRow, 'signs'>; revoke: boolean },
  options: WriteOptions,
): Promise<void> {
  const work = async (tx: TenantSql): Promise<void> => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [keyLock])
    await tx.query(
      revoke
        ? 'UPDATE signing_keys SET revoked_at = now() WHERE revoked_at IS NULL'
        : `UPDATE signing_keys SET signs_until = least(signs_until, now()), signs_from = least(signs_from, now()),
             verifies_until = least(verifies_until, now() + $1::int * interval '1 hour') WHERE revoked_at IS NULL AND signs_until > now()`,
      revoke ? [] : [verifiesAfterHours],
    )
    await tx.query(
      `INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, signs_from, signs_until, verifies_until)
       SELECT $1, $2, $3, v.start, v.start + $4::int * interval '1 day', v.start + $4::int * interval '1 day' + $5::int * interval '1 hour'
       FROM (SELECT date_trunc('milliseconds', now()) AS start) v`,
      [key.kid, JSON.stringify(key.publicJwk), Buffer.from(key.sealedPrivateKey), signDays, verifiesAfterHours],
    )
    const audited = { action: 'signing_key.rotated', targetType: 'signing_key', targetId: key.kid, after: { revoke } }
    await appendAudit(tx, { organizationId, by: options.by, ...audited })
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** @returns whether one is missing that signs now, and else whether its successor is missing */
async function dueKeys(sql: Pick<Pool, 'query'>, replace: string | null): Promise<[now: boolean, next: boolean]> {
  const { rows } = await sql.query<{ signs: boolean; lasts: boolean }>(
    `SELECT coalesce(bool_or(signs_from <= now()), false) AS signs,
       coalesce(bool_or(signs_until > now() + $2::int * interval '1 hour'), false) AS lasts
     FROM signing_keys WHERE revoked_at IS NULL AND signs_until > now() AND kid IS DISTINCT FROM $1`,
    [replace, publishedBeforeHours],
  )
  const { signs = false, lasts = false } = rows[0] ?? {}
  return [!signs, signs && !lasts]
}
