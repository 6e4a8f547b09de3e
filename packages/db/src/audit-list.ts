/** The audit log as its organization reads it, newest first. */
import type { Pool } from 'pg'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { tenant } from './tenant.ts'

export interface AuditRecord {
  readonly id: string
  readonly sequence: number
  readonly at: Date
  /** Canonical JSON, as it was hashed. */
  readonly entry: string
  readonly previousHash: Buffer
  readonly hash: Buffer
}

export interface AuditFilter {
  readonly actorId?: string | undefined
  readonly targetId?: string | undefined
  readonly action?: string | undefined
  readonly from?: Date | undefined
  readonly before?: Date | undefined
}

/** Time never runs backwards along the chain, so that a time is a place in it. */
const firstAt = `(SELECT l.sequence FROM audit_log l WHERE l.organization_id = ? AND l.at >= ?::timestamptz ORDER BY l.at, l.sequence LIMIT 1)`

export async function listAudit(
  pool: Pool,
  organizationId: string,
  filter: AuditFilter,
  page: PageRequest,
): Promise<Page<AuditRecord>> {
  const where = new Conditions().add('organization_id = ?', organizationId)
  if (filter.actorId !== undefined) where.add('actor_id = ?', filter.actorId)
  if (filter.targetId !== undefined) where.add('target_id = ?', filter.targetId)
  if (filter.action !== undefined) where.add('action = ?', filter.action)
  if (filter.from) where.add(`sequence >= ${firstAt}`, organizationId, filter.from)
  if (filter.before) where.add(`sequence < coalesce(${firstAt}, 9223372036854775807)`, organizationId, filter.before)
  if (page.after)
    where.add(
      'sequence < (SELECT c.sequence FROM audit_log c WHERE c.organization_id = ? AND c.id = ?)',
      organizationId,
      page.after.id,
    )
  const { rows } = await tenant(pool, organizationId).query<AuditRecord>(
    `SELECT id, sequence::float8 AS sequence, at, entry, previous_hash AS "previousHash", hash FROM audit_log
     WHERE ${where.text} ORDER BY sequence DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ at, id }) => ({ createdAt: at, id }))
}
