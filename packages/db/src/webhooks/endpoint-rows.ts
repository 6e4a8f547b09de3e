/** Rows of webhook endpoints, with how sending to them goes: read, locked, disabled, and what each change leaves behind. */
import { appendAudit, type AuditFields } from '../audit.ts'
import type { WriteOptions } from '../author.ts'
import { appendEvent } from '../outbox.ts'
import { shownUrl } from '../shown-url.ts'
import type { TenantSql } from '../tenant-sql.ts'
import { webhookKeysOf, type WebhookKeyRecord } from './keys.ts'

export interface WebhookEndpointRecord {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly eventTypes: string[]
  readonly deviceTags: string[]
  readonly networkIds: string[]
  readonly maxPerSec: number | null
  readonly state: 'enabled' | 'disabled'
  readonly disabledReason: 'requested' | 'gone' | 'failing' | null
  readonly disabledAt: Date | null
  readonly failingSince: Date | null
  readonly warnedAt: Date | null
  readonly pausedUntil: Date | null
  readonly lastSuccessAt: Date | null
  readonly lastFailureAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Newest first, without those that sign nothing any more. */
  readonly keys: WebhookKeyRecord[]
}

export const endpointColumns = `w.id, w.name, w.url, w.event_types AS "eventTypes", w.device_tags AS "deviceTags", w.network_ids AS "networkIds",
  w.max_per_sec AS "maxPerSec", w.state, w.disabled_reason AS "disabledReason", w.disabled_at AS "disabledAt",
  c.failing_since AS "failingSince", c.warned_at AS "warnedAt", CASE WHEN c.paused_until > now() THEN c.paused_until END AS "pausedUntil",
  c.last_success_at AS "lastSuccessAt", c.last_failure_at AS "lastFailureAt", w.version, w.created_at AS "createdAt",
  w.updated_at AS "updatedAt", ${webhookKeysOf} AS keys`
export const endpointSource = `webhook_endpoints w JOIN webhook_courses c ON c.organization_id = w.organization_id AND c.endpoint_id = w.id`

export interface WebhookEndpointKey {
  readonly organizationId: string
  readonly id: string
  readonly ifVersion: number | null
}

export type WebhookEndpointFault = 'not_found' | 'changed'

/** Changes of one endpoint follow one another. */
export async function lockWebhookEndpoint(
  tx: TenantSql,
  { organizationId, id, ifVersion }: WebhookEndpointKey,
): Promise<WebhookEndpointRecord | WebhookEndpointFault> {
  await tx.query('SELECT 1 FROM webhook_endpoints WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE', [
    organizationId,
    id,
  ])
  const record = await readEndpointRow(tx, organizationId, id)
  if (!record) return 'not_found'
  return ifVersion === null || ifVersion === record.version ? record : 'changed'
}

/** @returns whether it was enabled */
export async function setDisabled(
  tx: Pick<TenantSql, 'query'>,
  organizationId: string,
  id: string,
  reason: 'requested' | 'gone' | 'failing',
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE webhook_endpoints SET state = 'disabled', disabled_reason = $3, disabled_at = now(), version = version + 1, updated_at = now()
     WHERE organization_id = $1 AND id = $2 AND state = 'enabled' AND deleted_at IS NULL`,
    [organizationId, id, reason],
  )
  return rowCount === 1
}

export async function readEndpointRow(
  sql: TenantSql,
  organizationId: string,
  id: string,
): Promise<WebhookEndpointRecord | null> {
  const { rows } = await sql.query<WebhookEndpointRecord>(
    `SELECT ${endpointColumns} FROM ${endpointSource} WHERE w.organization_id = $1 AND w.id = $2 AND w.deleted_at IS NULL`,
    [organizationId, id],
  )
  return rows[0] ? withKeyDates(rows[0]) : null
}

interface Note {
  readonly organizationId: string
  readonly id: string
  readonly type:
    | 'webhook.created'
    | 'webhook.updated'
    | 'webhook.disabled'
    | 'webhook.enabled'
    | 'webhook.deleted'
    | 'webhook.rotated'
    | 'webhook.test'
  readonly options: WriteOptions
  readonly before?: AuditFields
  readonly after?: AuditFields
}

/** @returns the id of the event */
export async function noteEndpoint(
  tx: TenantSql,
  { organizationId, id, type, options, before, after }: Note,
): Promise<string> {
  await appendAudit(tx, {
    organizationId,
    by: options.by,
    action: type === 'webhook.test' ? 'webhook.tested' : type,
    targetType: 'webhook_endpoint',
    targetId: id,
    before: before && audited(before),
    after: after && audited(after),
  })
  const of = { organizationId, resourceId: id }
  if (type === 'webhook.updated') return appendEvent(tx, { ...of, type, data: { changed: Object.keys(after ?? {}) } })
  if (type === 'webhook.disabled') return appendEvent(tx, { ...of, type, data: { reason: 'requested' } })
  return appendEvent(tx, { ...of, type, data: {} })
}

function audited(fields: AuditFields): AuditFields {
  const { url } = fields
  return typeof url === 'string' ? { ...fields, url: shownUrl(url) } : fields
}

/** Keys come as JSON, which has no dates. */
export function withKeyDates(row: WebhookEndpointRecord): WebhookEndpointRecord {
  const keys = row.keys.map((key) => ({
    ...key,
    createdAt: new Date(key.createdAt),
    expiresAt: key.expiresAt && new Date(key.expiresAt),
  }))
  return { ...row, keys }
}
