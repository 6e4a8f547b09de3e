/**
 * The lock of a person for the whole installation, by who runs it: sessions end, no login and no token is good, tunnels that it opened
 * end, and rules that it made rest, in every organization; until it is let in again, when it has to log in anew. What programs do with
 * API keys that it made goes on, unless these are revoked with it.
 *
 * The lock holds as soon as the first transaction is through. Who is killed after it calls again: everything may be done twice.
 */
import type { Pool, PoolClient } from 'pg'
import { revokeApiKey } from './api-keys.ts'
import { appendAudit } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { appendEvent } from './outbox.ts'
import { inTenantTransaction } from './tenant.ts'
import { inTransaction } from './transaction.ts'
import { endTunnelsOfOpener } from './tunnel-end.ts'

export interface Person {
  readonly id: string
  readonly issuer: string
  readonly email: string
  readonly name: string | null
  readonly lockedAt: Date | null
}

export interface LockedPerson {
  /** Sessions that ended now. */
  readonly sessions: number
  readonly organizations: readonly LeftOrganization[]
}

/** Where it is a member, or made API keys. */
export interface LeftOrganization {
  readonly id: string
  readonly slug: string
  /** Null: no member any more. */
  readonly role: string | null
  /** It has no owner now who gets in. */
  readonly isOwnerless: boolean
  /** API keys that it made, and that were good. */
  readonly keys: readonly { readonly id: string; readonly name: string }[]
}

const columns = 'id, issuer, email, name, disabled_at AS "lockedAt"'

/** @param who an address in any case, or an id */
export async function findPeople(pool: Pool, who: string): Promise<Person[]> {
  const { rows } = await pool.query<Person>(
    `SELECT ${columns} FROM users WHERE id = $1 OR lower(email) = lower($1) ORDER BY created_at, id LIMIT 100`,
    [who],
  )
  return rows
}

/** @param withKeys revokes the API keys that it made, too. @returns null for nobody */
export async function lockPerson(
  pool: Pool,
  userId: string,
  { by, withKeys }: Pick<WriteOptions, 'by'> & { readonly withKeys: boolean },
): Promise<LockedPerson | null> {
  const sessions = await endSessions(pool, userId)
  if (sessions === null) return null
  const organizations = await organizationsTouchedBy(pool, userId)
  for (const one of organizations) {
    await note(pool, one, { userId, action: 'person.locked', by })
    if (!withKeys) continue
    for (const { id } of one.keys) await revokeApiKey(pool, { organizationId: one.id, id, ifVersion: null }, { by })
  }
  return { sessions, organizations }
}

/**
 * It gets in again where it is a member; sessions and keys that ended stay ended, and so does what a login began that was under way
 * when it was locked. @returns null for nobody who is locked
 */
export async function unlockPerson(
  pool: Pool,
  userId: string,
  { by }: Pick<WriteOptions, 'by'>,
): Promise<readonly LeftOrganization[] | null> {
  const isUnlocked = await inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      'UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL',
      [userId],
    )
    if (rowCount === 1) await revokeSessions(tx, userId)
    return rowCount === 1
  })
  if (!isUnlocked) return null
  const organizations = await organizationsTouchedBy(pool, userId)
  for (const one of organizations) await note(pool, one, { userId, action: 'person.unlocked', by })
  return organizations
}

async function endSessions(pool: Pool, userId: string): Promise<number | null> {
  return inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query('UPDATE users SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1', [
      userId,
    ])
    if (rowCount === 0) return null
    return revokeSessions(tx, userId)
  })
}

async function revokeSessions(tx: PoolClient, userId: string): Promise<number> {
  const { rowCount } = await tx.query(
    `UPDATE sessions SET revoked_at = now(), revoke_reason = 'person_locked'
     WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()`,
    [userId],
  )
  return rowCount ?? 0
}

async function organizationsTouchedBy(pool: Pool, userId: string): Promise<LeftOrganization[]> {
  const { rows } = await pool.query<LeftOrganization>(
    `SELECT o.id, o.slug, m.role,
       m.role = 'owner' AND NOT EXISTS (SELECT 1 FROM memberships f JOIN users u ON u.id = f.user_id
         WHERE f.organization_id = o.id AND f.role = 'owner' AND f.locked_at IS NULL AND u.disabled_at IS NULL) IS TRUE AS "isOwnerless",
       coalesce((SELECT json_agg(json_build_object('id', 'key_' || k.id, 'name', k.name) ORDER BY k.created_at, k.id) FROM api_keys k
         WHERE k.organization_id = o.id AND k.created_by_kind = 'user' AND k.created_by_id = $1 AND k.revoked_at IS NULL
           AND (k.expires_at IS NULL OR k.expires_at > now())), '[]') AS keys
     FROM organizations o LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = $1
     WHERE m.id IS NOT NULL OR EXISTS (SELECT 1 FROM api_keys k
       WHERE k.organization_id = o.id AND k.created_by_kind = 'user' AND k.created_by_id = $1 AND k.revoked_at IS NULL)
     ORDER BY o.slug`,
    [userId],
  )
  return rows.map((row) => ({ ...row, isOwnerless: row.isOwnerless ?? false }))
}

async function note(
  pool: Pool,
  { id: organizationId }: LeftOrganization,
  { userId, action, by }: { userId: string; action: 'person.locked' | 'person.unlocked' } & Pick<WriteOptions, 'by'>,
): Promise<void> {
  await inTenantTransaction(pool, organizationId, async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      'SELECT id FROM memberships WHERE organization_id = $1 AND user_id = $2',
      [organizationId, userId],
    )
    if (action === 'person.locked') await endTunnelsOfOpener(tx, organizationId, { kind: 'user', id: userId })
    for (const { id } of rows)
      await appendEvent(tx, { organizationId, type: 'member.updated', resourceId: id, data: {} })
    await appendAudit(tx, { organizationId, by, action, targetType: 'user', targetId: userId })
  })
}
