/** Thresholds of usage as a resource. The worker tells when one is reached (usage-alarm.ts). */
import type { Pool } from 'pg'
import { changedFields } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { newId } from './ids.ts'
import { noteChange } from './noted-change.ts'
import { Fitting } from './ordered-list.ts'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

export interface ThresholdRecord {
  readonly id: string
  readonly name: string
  /** Null, as the tag: of the organization. */
  readonly deviceId: string | null
  readonly tag: string | null
  readonly bytes: number
  readonly period: 'day' | 'month'
  readonly percents: number[]
  /** The greatest that was told in the period it was told for. */
  readonly toldPercent: number | null
  readonly toldPeriod: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type NewThreshold = Pick<ThresholdRecord, 'name' | 'deviceId' | 'tag' | 'bytes' | 'period' | 'percents'>
export type ThresholdChange = { readonly [Name in 'name' | 'bytes' | 'percents']?: NewThreshold[Name] | undefined }

/** Of one organization. */
export const maxThresholds = 100
const startLock = 22

const columns = `id, name, device_id AS "deviceId", tag, bytes::float8 AS bytes, period, percents, told_percent AS "toldPercent",
  told_period AS "toldPeriod", version, created_at AS "createdAt", updated_at AS "updatedAt"`
const target = { targetType: 'usage_threshold' }

/** @returns `not_found` when there is no such device */
export async function addThreshold(
  pool: Pool,
  organizationId: string,
  threshold: NewThreshold,
  options: WriteOptions,
): Promise<ThresholdRecord | 'not_found' | 'threshold_limit'> {
  const id = newId('uth')
  const { name, deviceId, tag, bytes, period, percents } = threshold
  const work = async (tx: TenantSql): Promise<ThresholdRecord | 'not_found' | 'threshold_limit'> => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, $2))', [organizationId, startLock])
    const { rows: there } = await tx.query<{ count: number; device: boolean }>(
      `SELECT (SELECT count(*)::int FROM usage_thresholds WHERE organization_id = $1) AS count,
         $2::text IS NULL OR EXISTS (SELECT 1 FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL) AS device`,
      [organizationId, deviceId],
    )
    if (!there[0]?.device) return 'not_found'
    if (there[0].count >= maxThresholds) return 'threshold_limit'
    const { rows } = await tx.query<ThresholdRecord>(
      `INSERT INTO usage_thresholds (id, organization_id, name, device_id, tag, bytes, period, percents)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${columns}`,
      [id, organizationId, name, deviceId, tag, bytes, period, percents],
    )
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'usage_threshold.created', data: {}, after: threshold })
    return rows[0] as ThresholdRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export interface ThresholdFilter {
  /** A part of it, in any case. */
  readonly name?: string | undefined
  readonly deviceId?: string | undefined
  readonly tag?: string | undefined
}

export async function listThresholds(
  pool: Pool,
  organizationId: string,
  filter: ThresholdFilter,
  page: PageRequest,
): Promise<Page<ThresholdRecord>> {
  const where = new Conditions().add('organization_id = ?', organizationId)
  new Fitting(where).has('name', filter.name).is('device_id', filter.deviceId).is('tag', filter.tag)
  if (page.after) where.add('(created_at, id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, organizationId).query<ThresholdRecord>(
    `SELECT ${columns} FROM usage_thresholds WHERE ${where.text} ORDER BY created_at DESC, id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ createdAt, id }) => ({ createdAt, id }))
}

export async function readThreshold(pool: Pool, organizationId: string, id: string): Promise<ThresholdRecord | null> {
  return findThreshold(tenant(pool, organizationId), organizationId, id)
}

async function findThreshold(
  sql: TenantSql,
  organizationId: string,
  id: string,
  lock = '',
): Promise<ThresholdRecord | null> {
  const { rows } = await sql.query<ThresholdRecord>(
    `SELECT ${columns} FROM usage_thresholds WHERE organization_id = $1 AND id = $2 ${lock}`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

interface ThresholdKey {
  readonly organizationId: string
  readonly id: string
  readonly ifVersion: number | null
}

/** With other octets or percents it tells anew what is reached. */
export async function changeThreshold(
  pool: Pool,
  { organizationId, id, ifVersion }: ThresholdKey,
  change: ThresholdChange,
  options: WriteOptions,
): Promise<ThresholdRecord | 'not_found' | 'changed'> {
  const work = async (tx: TenantSql): Promise<ThresholdRecord | 'not_found' | 'changed'> => {
    const before = await findThreshold(tx, organizationId, id, 'FOR UPDATE')
    if (!before) return 'not_found'
    if (ifVersion !== null && before.version !== ifVersion) return 'changed'
    const { rows } = await tx.query<ThresholdRecord>(
      `UPDATE usage_thresholds SET name = coalesce($3, name), bytes = coalesce($4::bigint, bytes), percents = coalesce($5::int[], percents),
         told_percent = CASE WHEN $4::bigint IS NULL AND $5::int[] IS NULL THEN told_percent END, version = version + 1, updated_at = now()
       WHERE organization_id = $1 AND id = $2 RETURNING ${columns}`,
      [organizationId, id, change.name ?? null, change.bytes ?? null, change.percents ?? null],
    )
    const after = rows[0] as ThresholdRecord
    const fields = changedFields(before, after, ['name', 'bytes', 'percents'])
    const data = { changed: Object.keys(fields.after) }
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'usage_threshold.updated', data, ...fields })
    return after
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export async function deleteThreshold(
  pool: Pool,
  { organizationId, id, ifVersion }: ThresholdKey,
  options: WriteOptions,
): Promise<'deleted' | 'not_found' | 'changed'> {
  const work = async (tx: TenantSql): Promise<'deleted' | 'not_found' | 'changed'> => {
    const before = await findThreshold(tx, organizationId, id, 'FOR UPDATE')
    if (!before) return 'not_found'
    if (ifVersion !== null && before.version !== ifVersion) return 'changed'
    await tx.query('DELETE FROM usage_thresholds WHERE organization_id = $1 AND id = $2', [organizationId, id])
    const { name, deviceId, tag, bytes, period, percents } = before
    const fields = { name, deviceId, tag, bytes, period, percents }
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'usage_threshold.deleted', data: {}, before: fields })
    return 'deleted'
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
