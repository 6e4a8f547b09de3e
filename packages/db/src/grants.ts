/** Grants as a resource: given, listed, revoked. What ends takes its tunnels along. */
import type { Pool } from 'pg'
import { publicPartOf } from './api-key.ts'
import type { Author, WriteOptions } from './author.ts'
import { maxGrantsOfHolder } from './grant-match.ts'
import { newId } from './ids.ts'
import { noteChange } from './noted-change.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnelsOfGrant } from './tunnel-end.ts'

export interface GrantRecord {
  readonly id: string
  readonly name: string
  /** One of both. */
  readonly memberId: string | null
  readonly apiKeyId: string | null
  readonly anyTags: string[]
  readonly allTags: string[]
  /** Null: every port. */
  readonly ports: number[] | null
  /** Canonical prefixes. */
  readonly hosts: string[]
  readonly expiresAt: Date
  readonly createdByKind: string
  readonly createdById: string
  readonly createdAt: Date
  readonly revokedAt: Date | null
}

export type NewGrant = Pick<
  GrantRecord,
  'name' | 'memberId' | 'apiKeyId' | 'anyTags' | 'allTags' | 'ports' | 'hosts' | 'expiresAt'
>

export interface GrantFilter {
  readonly memberId?: string | undefined
  readonly apiKeyId?: string | undefined
  /** A part of it, in any case. */
  readonly name?: string | undefined
  /** It opens devices with this tag. */
  readonly tag?: string | undefined
  readonly active?: boolean | undefined
}

/** Their events carry nothing. */
const target = { targetType: 'grant', data: {} }
const columns = `g.id, g.name, g.member_id AS "memberId", 'key_' || g.api_key_id AS "apiKeyId", g.any_tags AS "anyTags", g.all_tags AS "allTags",
  g.ports, g.hosts, g.expires_at AS "expiresAt", g.created_by_kind AS "createdByKind", g.created_by_id AS "createdById",
  g.created_at AS "createdAt", g.revoked_at AS "revokedAt"`

/** @returns `not_found` when there is no such member or key */
export async function addGrant(
  pool: Pool,
  organizationId: string,
  grant: NewGrant,
  options: WriteOptions,
): Promise<GrantRecord | 'not_found' | 'grant_limit'> {
  const id = newId('grt')
  const { by } = options
  const work = async (tx: TenantSql): Promise<GrantRecord | 'not_found' | 'grant_limit'> => {
    const holder = await lockHolder(tx, organizationId, grant)
    if (!holder) return 'not_found'
    const { rowCount } = await tx.query(
      `SELECT 1 FROM grants WHERE organization_id = $1 AND revoked_at IS NULL AND expires_at > now()
         AND (member_id = $2 OR api_key_id = $3) LIMIT $4`,
      [organizationId, grant.memberId, holder.apiKeyId, maxGrantsOfHolder],
    )
    if ((rowCount ?? 0) >= maxGrantsOfHolder) return 'grant_limit'
    const { rows } = await tx.query<GrantRecord>(
      `INSERT INTO grants AS g (id, organization_id, name, member_id, api_key_id, any_tags, all_tags, ports, hosts, expires_at, created_by_kind, created_by_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING ${columns}`,
      [
        id,
        organizationId,
        grant.name,
        grant.memberId,
        holder.apiKeyId,
        grant.anyTags,
        grant.allTags,
        grant.ports,
        grant.hosts,
        grant.expiresAt,
        by.kind,
        by.id,
      ],
    )
    const after = { ...grant, expiresAt: grant.expiresAt.toISOString() }
    await noteChange(tx, { ...target, organizationId, by, type: 'grant.created', resourceId: id, after })
    return rows[0] as GrantRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export type GrantOrder = 'createdAt' | 'expiresAt'

export function listGrants(
  pool: Pool,
  organizationId: string,
  filter: GrantFilter,
  page: ListRequest<GrantOrder>,
): Promise<ListedPage<GrantRecord>> {
  const { apiKeyId, active } = filter
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  const key = page.sort.by === 'expiresAt' ? 'w.expires_at' : 'w.created_at'
  const walk: Walk = { from: 'grants w', key, id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions => {
    if (active !== undefined) and.add(`${active ? '' : 'NOT '}(g.revoked_at IS NULL AND g.expires_at > now())`)
    return new Fitting(and)
      .is('g.member_id', filter.memberId)
      .is('g.api_key_id', apiKeyId === undefined ? undefined : publicPartOf(apiKeyId))
      .has('g.name', filter.name)
      .when('g.any_tags || g.all_tags @> ARRAY[?::text]', filter.tag).conditions
  }
  const shown = { columns, source: 'grants g', organizationId: 'g.organization_id', id: 'g.id', fits }
  return listInOrder(pool, organizationId, { walk, shown }, page)
}

/** @returns null for a grant that is unknown or of another organization */
export async function readGrant(pool: Pool, organizationId: string, id: string): Promise<GrantRecord | null> {
  const { rows } = await tenant(pool, organizationId).query<GrantRecord>(
    `SELECT ${columns} FROM grants g WHERE g.organization_id = $1 AND g.id = $2`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

/** Nothing happens when it has ended. @returns the gateways to hint */
export async function revokeGrant(
  pool: Pool,
  organizationId: string,
  id: string,
  options: WriteOptions,
): Promise<{ gateways: string[] } | 'not_found'> {
  const work = async (tx: TenantSql): Promise<{ gateways: string[] } | 'not_found'> => {
    const { rows } = await tx.query<{ revoked: boolean }>(
      'SELECT revoked_at IS NOT NULL AS revoked FROM grants WHERE organization_id = $1 AND id = $2 FOR UPDATE',
      [organizationId, id],
    )
    if (!rows[0]) return 'not_found'
    return { gateways: rows[0].revoked ? [] : await endGrant(tx, organizationId, { id, by: options.by }) }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** All of a member who goes, or of a key that is revoked. @returns the gateways to hint */
export async function endGrantsOf(
  tx: TenantSql,
  organizationId: string,
  holder: { memberId: string } | { apiKeyId: string },
  by: Author,
): Promise<string[]> {
  const [column, id] =
    'memberId' in holder
      ? (['member_id', holder.memberId] as const)
      : (['api_key_id', publicPartOf(holder.apiKeyId)] as const)
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM grants WHERE organization_id = $1 AND ${column} = $2 AND revoked_at IS NULL ORDER BY id FOR UPDATE`,
    [organizationId, id],
  )
  const gateways = new Set<string>()
  for (const grant of rows)
    for (const gateway of await endGrant(tx, organizationId, { id: grant.id, by })) gateways.add(gateway)
  return [...gateways]
}

async function endGrant(
  tx: TenantSql,
  organizationId: string,
  { id, by }: { id: string; by: Author },
): Promise<string[]> {
  await tx.query('UPDATE grants SET revoked_at = now() WHERE organization_id = $1 AND id = $2', [organizationId, id])
  await noteChange(tx, { ...target, organizationId, by, type: 'grant.revoked', resourceId: id })
  return endTunnelsOfGrant(tx, organizationId, id)
}

/** One grant after the other is counted, and the holder does not go meanwhile. */
async function lockHolder(
  tx: TenantSql,
  organizationId: string,
  { memberId, apiKeyId }: Pick<NewGrant, 'memberId' | 'apiKeyId'>,
): Promise<{ apiKeyId: string | null } | null> {
  if (apiKeyId !== null) {
    const { rows } = await tx.query<{ id: string }>(
      'SELECT id FROM api_keys WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL FOR NO KEY UPDATE',
      [organizationId, publicPartOf(apiKeyId)],
    )
    return rows[0] ? { apiKeyId: rows[0].id } : null
  }
  const { rowCount } = await tx.query(
    'SELECT 1 FROM memberships WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE',
    [organizationId, memberId],
  )
  return rowCount === 0 ? null : { apiKeyId: null }
}
