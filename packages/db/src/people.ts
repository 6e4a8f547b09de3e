/**
 * People as they log in: known by issuer and subject, never by their address. An address that the provider has verified opens the
 * invitations that wait for it, and nothing else; who has none gets no row.
 */
import type { Pool } from 'pg'
import type { Author } from './author.ts'
import { newId } from './ids.ts'
import { noteChange } from './noted-change.ts'
import { inTenantTransaction } from './tenant.ts'

export interface PersonLoggingIn {
  readonly issuer: string
  readonly subject: string
  /** In lower case; null unless the provider has verified it. */
  readonly email: string | null
  readonly name: string | null
  /** Id of the one invitation that the person accepts; null: none. */
  readonly invitation: string | null
}

export interface KnownPerson {
  readonly userId: string
  /** Where it is a member, longest first. */
  readonly organizationIds: readonly string[]
}

/** @param from the request, for the audit log */
export async function recognizePerson(
  pool: Pool,
  person: PersonLoggingIn,
  from: Pick<Author, 'requestId' | 'address'>,
): Promise<KnownPerson | 'no_membership'> {
  const waiting = person.email === null || person.invitation === null ? [] : await invitationsFor(pool, person.email)
  const invitations = waiting.filter(({ id }) => id === person.invitation)
  const user = await noteLogin(pool, person, invitations.length > 0)
  if (!user || user.isDisabled) return 'no_membership'
  for (const { organizationId, id } of invitations) {
    await accept(pool, organizationId, { id, by: { kind: 'user', id: user.id, ...from } })
  }
  const organizationIds = await organizationsOf(pool, user.id)
  return organizationIds.length === 0 ? 'no_membership' : { userId: user.id, organizationIds }
}

/** @returns ids, the one where it is a member for longest first */
export async function organizationsOf(pool: Pool, userId: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('SELECT organization_id AS id FROM organizations_of_user($1)', [
    userId,
  ])
  return rows.map(({ id }) => id)
}

async function invitationsFor(pool: Pool, email: string): Promise<{ organizationId: string; id: string }[]> {
  const { rows } = await pool.query<{ organizationId: string; id: string }>(
    'SELECT organization_id AS "organizationId", id FROM invitations_for($1)',
    [email],
  )
  return rows
}

/** @returns null for somebody who is not known and is not to be */
async function noteLogin(
  pool: Pool,
  { issuer, subject, email, name }: PersonLoggingIn,
  isInvited: boolean,
): Promise<{ id: string; isDisabled: boolean } | null> {
  const update = `UPDATE users SET email = coalesce($3, email), name = coalesce($4, name), last_login_at = now()
    WHERE issuer = $1 AND subject = $2 RETURNING id, disabled_at IS NOT NULL AS "isDisabled"`
  const values = [issuer, subject, email, name]
  const known = await pool.query<{ id: string; isDisabled: boolean }>(update, values)
  if (known.rows[0] || !isInvited) return known.rows[0] ?? null
  await pool.query(
    `INSERT INTO users (id, issuer, subject, email, name) VALUES ($5, $1, $2, $3, $4) ON CONFLICT (issuer, subject) DO NOTHING`,
    [...values, newId('usr')],
  )
  return (await pool.query<{ id: string; isDisabled: boolean }>(update, values)).rows[0] ?? null
}

/** Nothing happens when it was taken back, locked or accepted meanwhile, or the person is a member already. */
async function accept(pool: Pool, organizationId: string, { id, by }: { id: string; by: Author }): Promise<void> {
  await inTenantTransaction(pool, organizationId, async (tx) => {
    await tx.query('SELECT 1 FROM organizations o WHERE o.id = $1 FOR NO KEY UPDATE', [organizationId])
    const { rows } = await tx.query<{ role: string }>(
      `UPDATE memberships SET user_id = $3, invitation_expires_at = NULL, version = version + 1, updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND user_id IS NULL AND locked_at IS NULL AND invitation_expires_at > now()
         AND NOT EXISTS (SELECT 1 FROM memberships o WHERE o.organization_id = $1 AND o.user_id = $3) RETURNING role`,
      [organizationId, id, by.id],
    )
    if (!rows[0]) return
    const after = { userId: by.id, role: rows[0].role }
    const target = { organizationId, targetType: 'member', resourceId: id }
    await noteChange(tx, { ...target, by, type: 'member.joined', data: {}, after })
  })
}
