/** Automation rules as a resource. What they do is done with the rights of whoever changed them last (rule-maker.ts). */
import type { Pool } from 'pg'
import { changedFields } from '../audit.ts'
import type { WriteOptions } from '../author.ts'
import { applyNamedTypes } from '../connection-settings.ts'
import { newId } from '../ids.ts'
import { noteChange } from '../noted-change.ts'
import { Fitting } from '../ordered-list.ts'
import { Conditions, toPage, type Page, type PageRequest } from '../page.ts'
import { inTenantTransaction, tenant } from '../tenant.ts'
import type { TenantSql } from '../tenant-sql.ts'
import { ruleColumns, withoutSecrets, type RuleRecord } from './rule-record.ts'

export type RuleFields = Pick<
  RuleRecord,
  | 'name'
  | 'enabled'
  | 'eventTypes'
  | 'deviceIds'
  | 'deviceTags'
  | 'networkIds'
  | 'during'
  | 'actions'
  | 'maxRunsPerHour'
>
export type RuleChange = { readonly [Name in keyof RuleFields]?: RuleFields[Name] | undefined }

/** Of one organization. */
export const maxRules = 100
const startLock = 23
const auditedFields = [
  'name',
  'enabled',
  'eventTypes',
  'deviceIds',
  'deviceTags',
  'networkIds',
  'during',
  'actions',
  'maxRunsPerHour',
] as const
const target = { targetType: 'automation_rule' }

export interface RuleKey {
  readonly organizationId: string
  readonly id: string
  readonly ifVersion: number | null
}

type Maker = Pick<RuleRecord, 'makerKind' | 'makerId'>

export async function addRule(
  pool: Pool,
  organizationId: string,
  rule: RuleFields,
  maker: Maker,
  options: WriteOptions,
): Promise<RuleRecord | 'rule_limit'> {
  const id = newId('rul')
  const work = async (tx: TenantSql): Promise<RuleRecord | 'rule_limit'> => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, $2))', [organizationId, startLock])
    const { rows: counted } = await tx.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM automation_rules WHERE organization_id = $1 AND deleted_at IS NULL',
      [organizationId],
    )
    if ((counted[0]?.count ?? 0) >= maxRules) return 'rule_limit'
    const { rows } = await tx.query<RuleRecord>(
      `INSERT INTO automation_rules AS r (id, organization_id, name, enabled, disabled_reason, event_types, device_ids, device_tags,
         network_ids, during, actions, max_runs_per_hour, maker_kind, maker_id)
       VALUES ($1, $2, $3, $4, CASE WHEN $4 THEN NULL ELSE 'by_hand' END, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING ${ruleColumns}`,
      [id, organizationId, ...valuesOf(rule), maker.makerKind, maker.makerId],
    )
    await applyNamedTypes(tx, organizationId, rule.eventTypes)
    const after = { ...rule, actions: withoutSecrets(rule.actions) }
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'rule.created', data: {}, after })
    return rows[0] as RuleRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

function valuesOf(rule: RuleFields): unknown[] {
  const { name, enabled, eventTypes, deviceIds, deviceTags, networkIds, during, actions, maxRunsPerHour } = rule
  return [
    name,
    enabled,
    eventTypes,
    deviceIds,
    deviceTags,
    networkIds,
    during && JSON.stringify(during),
    JSON.stringify(actions),
    maxRunsPerHour,
  ]
}

export interface RuleFilter {
  /** A part of it, in any case. */
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
}

export async function listRules(
  pool: Pool,
  organizationId: string,
  filter: RuleFilter,
  page: PageRequest,
): Promise<Page<RuleRecord>> {
  const where = new Conditions().add('r.organization_id = ?', organizationId).add('r.deleted_at IS NULL')
  new Fitting(where).has('r.name', filter.name).is('r.enabled', filter.enabled)
  if (page.after) where.add('(r.created_at, r.id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, organizationId).query<RuleRecord>(
    `SELECT ${ruleColumns} FROM automation_rules r WHERE ${where.text} ORDER BY r.created_at DESC, r.id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ createdAt, id }) => ({ createdAt, id }))
}

/** @returns null for a rule that is unknown or of another organization */
export function readRule(pool: Pool, organizationId: string, id: string): Promise<RuleRecord | null> {
  return findRule(tenant(pool, organizationId), organizationId, id)
}

async function findRule(sql: TenantSql, organizationId: string, id: string, lock = ''): Promise<RuleRecord | null> {
  const { rows } = await sql.query<RuleRecord>(
    `SELECT ${ruleColumns} FROM automation_rules r WHERE r.organization_id = $1 AND r.id = $2 AND r.deleted_at IS NULL ${lock}`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

/**
 * Whoever changes it is its maker then. Enabling forgets what failed; runs that wait are done as it says now.
 *
 * @param check called with the rule as it would be, under its lock; what it throws is thrown
 */
export async function changeRule(
  pool: Pool,
  { organizationId, id, ifVersion }: RuleKey,
  change: RuleChange,
  { maker, check, ...options }: WriteOptions & { readonly maker: Maker; readonly check: (rule: RuleFields) => void },
): Promise<RuleRecord | 'not_found' | 'changed'> {
  const work = async (tx: TenantSql): Promise<RuleRecord | 'not_found' | 'changed'> => {
    const before = await findRule(tx, organizationId, id, 'FOR NO KEY UPDATE')
    if (!before) return 'not_found'
    if (ifVersion !== null && before.version !== ifVersion) return 'changed'
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
    const wanted: RuleFields = { ...before, ...given }
    check(wanted)
    const { rows } = await tx.query<RuleRecord>(
      `UPDATE automation_rules r SET name = $3, enabled = $4, event_types = $5, device_ids = $6, device_tags = $7, network_ids = $8,
         during = $9, actions = $10, max_runs_per_hour = $11, maker_kind = $12, maker_id = $13, version = version + 1, updated_at = now(),
         disabled_reason = CASE WHEN $4 THEN NULL ELSE coalesce(disabled_reason, 'by_hand') END,
         failures = CASE WHEN $4 AND NOT r.enabled THEN 0 ELSE failures END
       WHERE r.organization_id = $1 AND r.id = $2 RETURNING ${ruleColumns}`,
      [organizationId, id, ...valuesOf(wanted), maker.makerKind, maker.makerId],
    )
    const after = rows[0] as RuleRecord
    if (change.eventTypes) await applyNamedTypes(tx, organizationId, before.eventTypes, after.eventTypes)
    const shown = (rule: RuleFields): RuleFields => ({ ...rule, actions: withoutSecrets(rule.actions) })
    const fields = changedFields(shown(before), shown(after), auditedFields)
    const changed = auditedFields.filter((name) => name in given)
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'rule.updated', data: { changed }, ...fields })
    return after
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/**
 * Nobody finds it any more, and a run that is at work does no further step. Its row and runs, of which there may be many, go later
 * (prune.ts): the relay waits for whoever deletes a rule.
 */
export async function deleteRule(
  pool: Pool,
  { organizationId, id, ifVersion }: RuleKey,
  options: WriteOptions,
): Promise<'deleted' | 'not_found' | 'changed'> {
  const work = async (tx: TenantSql): Promise<'deleted' | 'not_found' | 'changed'> => {
    const before = await findRule(tx, organizationId, id, 'FOR NO KEY UPDATE')
    if (!before) return 'not_found'
    if (ifVersion !== null && before.version !== ifVersion) return 'changed'
    await tx.query(
      `UPDATE automation_rules SET deleted_at = now(), enabled = false, disabled_reason = coalesce(disabled_reason, 'by_hand'),
         actions = '[]', version = version + 1 WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    )
    await applyNamedTypes(tx, organizationId, before.eventTypes)
    const fields = { name: before.name, actions: withoutSecrets(before.actions) }
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'rule.deleted', data: {}, before: fields })
    return 'deleted'
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
