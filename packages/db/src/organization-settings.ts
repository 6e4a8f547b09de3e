/** What holds for all devices of an organization unless their network or they themselves say otherwise. */
import type { ProposalTier } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendAudit, changedFields } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { applyConnectionEvents } from './connection-settings.ts'
import { tellConcentrators, type Touched } from './nodes.ts'
import { appendEvent } from './outbox.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

export interface OrganizationRecord {
  readonly id: string
  readonly name: string
  readonly slug: string
  readonly proposalTiers: ProposalTier[] | null
  /** Each connection of its tunnels is told as events. */
  readonly connectionEvents: boolean
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface OrganizationChange {
  readonly name?: string | undefined
  readonly proposalTiers?: readonly ProposalTier[] | null | undefined
  readonly connectionEvents?: boolean | undefined
}

const columns = `o.id, o.name, o.slug, o.proposal_tiers AS "proposalTiers", o.connection_events AS "connectionEvents", o.version, o.created_at AS "createdAt",
  o.updated_at AS "updatedAt"`

export function readOrganization(pool: Pool, organizationId: string): Promise<OrganizationRecord | null> {
  return findOrganization(tenant(pool, organizationId), organizationId)
}

async function findOrganization(sql: TenantSql, organizationId: string): Promise<OrganizationRecord | null> {
  const { rows } = await sql.query<OrganizationRecord>(`SELECT ${columns} FROM organizations o WHERE o.id = $1`, [
    organizationId,
  ])
  return rows[0] ?? null
}

/** New tiers raise the policy version of every device of the organization: attached ones are looked at again. */
export async function changeOrganization(
  pool: Pool,
  key: { organizationId: string; ifVersion: number | null },
  change: OrganizationChange,
  options: WriteOptions,
): Promise<{ organization: OrganizationRecord; touched: Touched } | 'not_found' | 'changed'> {
  const { organizationId } = key
  const work = async (tx: TenantSql): ReturnType<typeof changeOrganization> => {
    const { rows } = await tx.query<{ version: number }>(
      'SELECT o.version FROM organizations o WHERE o.id = $1 FOR UPDATE',
      [organizationId],
    )
    if (!rows[0]) return 'not_found'
    if (key.ifVersion !== null && rows[0].version !== key.ifVersion) return 'changed'
    const before = (await findOrganization(tx, organizationId)) as OrganizationRecord
    await tx.query(
      `UPDATE organizations o SET name = coalesce($2, o.name), proposal_tiers = CASE WHEN $3 THEN $4::text[] ELSE o.proposal_tiers END,
         connection_events = coalesce($5, o.connection_events), version = o.version + 1, updated_at = now() WHERE o.id = $1`,
      [
        organizationId,
        change.name ?? null,
        change.proposalTiers !== undefined,
        change.proposalTiers ?? null,
        change.connectionEvents ?? null,
      ],
    )
    if (change.connectionEvents !== undefined) await applyConnectionEvents(tx, organizationId)
    const data = {
      changed: Object.keys(change).filter((name) => change[name as keyof OrganizationChange] !== undefined),
    }
    await appendEvent(tx, { organizationId, type: 'organization.updated', resourceId: organizationId, data })
    const organization = (await findOrganization(tx, organizationId)) as OrganizationRecord
    const audited = { organizationId, by: options.by, action: 'organization.updated', targetType: 'organization' }
    const changes = changedFields(before, organization, ['name', 'proposalTiers', 'connectionEvents'])
    await appendAudit(tx, { ...audited, targetId: organizationId, ...changes })
    if (change.proposalTiers === undefined) return { organization, touched: { gateways: [], concentrators: [] } }
    await tx.query(
      'UPDATE devices SET policy_version = policy_version + 1 WHERE organization_id = $1 AND deleted_at IS NULL',
      [organizationId],
    )
    return { organization, touched: { gateways: [], concentrators: await tellConcentrators(tx, '') } }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
