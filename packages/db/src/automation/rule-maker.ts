/**
 * With whose rights a rule acts, as they are now: a member that was removed or locked out, and a key that was revoked or has
 * expired, have none.
 */
import type { TenantSql } from '../tenant-sql.ts'
import type { RuleRecord } from './rule-record.ts'

/** What the maker is; `scopes` of null: all. */
export type MakerStanding =
  | { readonly kind: 'api_key'; readonly scopes: string[] | null }
  | { readonly kind: 'user'; readonly role: string }

export async function standingOf(
  tx: TenantSql,
  { organizationId, makerKind, makerId }: Pick<RuleRecord, 'organizationId' | 'makerKind' | 'makerId'>,
): Promise<MakerStanding | null> {
  if (makerKind === 'api_key') {
    const { rows } = await tx.query<{ scopes: string[] | null }>(
      `SELECT scopes FROM api_keys WHERE organization_id = $1 AND id = substr($2, 5) AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > now()) FOR SHARE`,
      [organizationId, makerId],
    )
    return rows[0] ? { kind: 'api_key', scopes: rows[0].scopes } : null
  }
  const { rows } = await tx.query<{ role: string }>(
    `SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = $1 AND m.user_id = $2 AND m.locked_at IS NULL AND u.disabled_at IS NULL FOR SHARE OF m, u`,
    [organizationId, makerId],
  )
  return rows[0] ? { kind: 'user', role: rows[0].role } : null
}
