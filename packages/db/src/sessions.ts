/**
 * Sessions of people: one for each login. A refresh token is good once; one of an earlier generation means that somebody has a
 * copy, so the session ends for both. What an access token says is checked here at every call, so that nothing outlives what it
 * rests on: the session, the person, the membership, the key that signed.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import { appendAudit } from './audit.ts'
import type { Author } from './author.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import { inTransaction } from './transaction.ts'

/** Seconds from login until a person has to log in again. */
export const sessionLifetimeSec = 30 * 86_400
/** Of one person; of more the oldest end. */
export const maxSessions = 50

export interface NewSession {
  readonly id: string
  readonly userId: string
  readonly organizationIds: readonly string[]
  /** SHA-256 of the secret of the first refresh token. */
  readonly refreshHash: Uint8Array
}

/** @returns the organization of the last session, while the person is a member of it, else the one it is in for longest */
export async function startSession(
  pool: Pool,
  session: NewSession,
  from: Pick<Author, 'requestId' | 'address'>,
): Promise<string> {
  const { id, userId, organizationIds, refreshHash } = session
  const chosen = await inTransaction(pool, async (tx) => {
    const last = await tx.query<{ id: string }>(
      'SELECT chosen_organization_id AS id FROM sessions WHERE user_id = $1 ORDER BY refreshed_at DESC LIMIT 1',
      [userId],
    )
    const organizationId = organizationIds.find((one) => one === last.rows[0]?.id) ?? (organizationIds[0] as string)
    await tx.query(
      `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, id OFFSET $2)`,
      [userId, maxSessions - 1],
    )
    await tx.query(
      `INSERT INTO sessions (id, user_id, chosen_organization_id, refresh_secret_hash, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5::int * interval '1 second')`,
      [id, userId, organizationId, Buffer.from(refreshHash), sessionLifetimeSec],
    )
    return organizationId
  })
  await note(pool, chosen, { userId, sessionId: id, action: 'session.started', from })
  return chosen
}

export interface PresentedToken {
  readonly sessionId: string
  readonly generation: number
  readonly secretHash: Uint8Array
}

export interface RefreshedSession {
  readonly userId: string
  readonly organizationId: string
}

/**
 * @param next SHA-256 of the secret of the token that follows, whose generation is one more
 * @param wanted another organization; null: as it is
 * @returns `ended` whatever was wrong with token or session; `not_member` changes nothing
 */
export async function refreshSession(
  pool: Pool,
  presented: PresentedToken,
  { next, wanted }: { next: Uint8Array; wanted: string | null },
  from: Pick<Author, 'requestId' | 'address'>,
): Promise<RefreshedSession | 'ended' | 'not_member'> {
  const { sessionId } = presented
  const done = await inTransaction(pool, async (tx) => {
    const session = await lockSession(tx, sessionId)
    if (!session) return 'ended'
    const { userId, organizationId: chosen } = session
    if (presented.generation < session.generation) {
      await tx.query(`UPDATE sessions SET revoked_at = now(), revoke_reason = 'reuse' WHERE id = $1`, [sessionId])
      return { wasReused: true, userId, organizationId: chosen }
    }
    if (presented.generation !== session.generation) return 'ended'
    if (!timingSafeEqual(session.refreshHash, presented.secretHash)) return 'ended'
    const { rows } = await tx.query<{ id: string }>(
      'SELECT organization_id AS id FROM organizations_of_session($1, $2)',
      [userId, session.began],
    )
    const organizationId =
      rows.find(({ id }) => id === (wanted ?? chosen))?.id ?? (wanted === null ? rows[0]?.id : null)
    if (organizationId === null) return 'not_member'
    if (organizationId === undefined) return 'ended'
    await tx.query(
      `UPDATE sessions SET generation = generation + 1, refresh_secret_hash = $2, refreshed_at = now(), chosen_organization_id = $3 WHERE id = $1`,
      [sessionId, Buffer.from(next), organizationId],
    )
    return { wasReused: false, userId, organizationId }
  })
  if (typeof done === 'string') return done
  const { wasReused, userId, organizationId } = done
  if (!wasReused) return { userId, organizationId }
  await note(pool, organizationId, { userId, sessionId, action: 'session.token_reused', from })
  return 'ended'
}

/** Nothing happens when it has ended, or the token is of another generation. */
export async function endSession(
  pool: Pool,
  { sessionId, generation, secretHash }: PresentedToken,
  from: Pick<Author, 'requestId' | 'address'>,
): Promise<void> {
  const ended = await inTransaction(pool, async (tx) => {
    const session = await lockSession(tx, sessionId)
    if (session?.generation !== generation || !timingSafeEqual(session.refreshHash, secretHash)) return null
    await tx.query(`UPDATE sessions SET revoked_at = now(), revoke_reason = 'logout' WHERE id = $1`, [sessionId])
    return session
  })
  if (!ended) return
  await note(pool, ended.organizationId, { userId: ended.userId, sessionId, action: 'session.ended', from })
}

/** @returns the role of the person there now; null when the session, the person, the membership or the key does not hold any more */
export async function roleInSession(
  pool: Pool,
  organizationId: string,
  token: { userId: string; sessionId: string; kid: string },
): Promise<string | null> {
  const { rows } = await tenant(pool, organizationId).query<{ role: string }>({
    name: 'role_in_session',
    text: `SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id JOIN sessions s ON s.user_id = u.id
       JOIN signing_keys k ON k.kid = $4
     WHERE m.organization_id = $1 AND m.user_id = $2 AND s.id = $3 AND s.revoked_at IS NULL AND s.expires_at > now()
       AND m.locked_at IS NULL AND (m.signed_out_at IS NULL OR m.signed_out_at < s.created_at)
       AND u.disabled_at IS NULL AND k.revoked_at IS NULL AND k.verifies_until > now()`,
    values: [organizationId, token.userId, token.sessionId, token.kid],
  })
  return rows[0]?.role ?? null
}

interface LockedSession {
  readonly userId: string
  readonly organizationId: string
  readonly generation: number
  readonly refreshHash: Buffer
  readonly began: Date
}

async function lockSession(tx: PoolClient, id: string): Promise<LockedSession | null> {
  const { rows } = await tx.query<LockedSession>(
    `SELECT s.user_id AS "userId", s.chosen_organization_id AS "organizationId", s.generation, s.refresh_secret_hash AS "refreshHash",
       s.created_at AS began
     FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL FOR UPDATE OF s`,
    [id],
  )
  return rows[0] ?? null
}

async function note(
  pool: Pool,
  organizationId: string,
  what: { userId: string; sessionId: string; action: string; from: Pick<Author, 'requestId' | 'address'> },
): Promise<void> {
  const by = { kind: 'user', id: what.userId, ...what.from } as const
  await inTenantTransaction(pool, organizationId, (tx) =>
    appendAudit(tx, { organizationId, by, action: what.action, targetType: 'session', targetId: what.sessionId }),
  )
}
