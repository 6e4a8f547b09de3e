/**
 * Webhook endpoints as a resource: made, listed, changed, disabled, enabled and deleted. Each write appends an event and an audit
 * entry. What is deleted is gone for callers at once; its deliveries are removed in small parts (prune.ts).
 */
import type { Pool } from 'pg'
import { changedFields } from '../audit.ts'
import type { WriteOptions } from '../author.ts'
import { applyNamedTypes } from '../connection-settings.ts'
import { newId } from '../ids.ts'
import { Fitting } from '../ordered-list.ts'
import { Conditions, toPage, type Page, type PageRequest } from '../page.ts'
import { inTenantTransaction, tenant } from '../tenant.ts'
import type { TenantSql } from '../tenant-sql.ts'
import {
  endpointColumns,
  endpointSource,
  lockWebhookEndpoint,
  noteEndpoint,
  readEndpointRow,
  setDisabled,
  withKeyDates,
  type WebhookEndpointFault,
  type WebhookEndpointKey,
  type WebhookEndpointRecord,
} from './endpoint-rows.ts'
import { insertWebhookKey, type NewWebhookKey } from './keys.ts'

export type WebhookEndpointSettings = Pick<
  WebhookEndpointRecord,
  'name' | 'url' | 'eventTypes' | 'deviceTags' | 'networkIds' | 'maxPerSec'
>
export type WebhookEndpointChange = { readonly [K in keyof WebhookEndpointSettings]?: WebhookEndpointSettings[K] }

/** Of an organization: each event is matched with all of them. */
export const maxWebhookEndpoints = 100

const audited = ['name', 'url', 'eventTypes', 'deviceTags', 'networkIds', 'maxPerSec'] as const

export async function addWebhookEndpoint(
  pool: Pool,
  organizationId: string,
  { id, settings, key }: { id: string; settings: WebhookEndpointSettings; key: NewWebhookKey },
  options: WriteOptions,
): Promise<WebhookEndpointRecord | 'webhook_endpoint_limit'> {
  const work = async (tx: TenantSql): Promise<WebhookEndpointRecord | 'webhook_endpoint_limit'> => {
    await tx.query('SELECT 1 FROM organizations o WHERE o.id = $1 FOR NO KEY UPDATE', [organizationId])
    const { rowCount } = await tx.query(
      'SELECT 1 FROM webhook_endpoints WHERE organization_id = $1 AND deleted_at IS NULL LIMIT $2',
      [organizationId, maxWebhookEndpoints],
    )
    if ((rowCount ?? 0) >= maxWebhookEndpoints) return 'webhook_endpoint_limit'
    const { name, url, eventTypes, deviceTags, networkIds, maxPerSec } = settings
    await tx.query(
      `INSERT INTO webhook_endpoints (id, organization_id, name, url, event_types, device_tags, network_ids, max_per_sec)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [id, organizationId, name, url, eventTypes, deviceTags, networkIds, maxPerSec],
    )
    await tx.query('INSERT INTO webhook_courses (endpoint_id, organization_id) VALUES ($1, $2)', [id, organizationId])
    await insertWebhookKey(tx, organizationId, id, key)
    await applyNamedTypes(tx, organizationId, eventTypes)
    await noteEndpoint(tx, { organizationId, id, type: 'webhook.created', options, after: { ...settings } })
    return (await readEndpointRow(tx, organizationId, id)) as WebhookEndpointRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export interface WebhookEndpointFilter {
  /** A part of it, in any case. */
  readonly name?: string | undefined
  readonly state?: 'enabled' | 'disabled' | undefined
}

export async function listWebhookEndpoints(
  pool: Pool,
  organizationId: string,
  filter: WebhookEndpointFilter,
  page: PageRequest,
): Promise<Page<WebhookEndpointRecord>> {
  const where = new Conditions().add('w.organization_id = ?', organizationId).add('w.deleted_at IS NULL')
  new Fitting(where).has('w.name', filter.name).is('w.state', filter.state)
  if (page.after) where.add('(w.created_at, w.id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, organizationId).query<WebhookEndpointRecord>(
    `SELECT ${endpointColumns} FROM ${endpointSource} WHERE ${where.text} ORDER BY w.created_at DESC, w.id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows.map(withKeyDates), page.limit, ({ createdAt, id }) => ({ createdAt, id }))
}

/** @returns null for an endpoint that is unknown, deleted or of another organization */
export function readWebhookEndpoint(
  pool: Pool,
  organizationId: string,
  id: string,
): Promise<WebhookEndpointRecord | null> {
  return readEndpointRow(tenant(pool, organizationId), organizationId, id)
}

export async function changeWebhookEndpoint(
  pool: Pool,
  key: WebhookEndpointKey,
  { disable, ...change }: WebhookEndpointChange & { readonly disable: boolean },
  options: WriteOptions,
): Promise<WebhookEndpointRecord | WebhookEndpointFault> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): Promise<WebhookEndpointRecord | WebhookEndpointFault> => {
    const before = await lockWebhookEndpoint(tx, key)
    if (typeof before === 'string') return before
    const wanted = { ...before, ...definedOf(change) }
    const { name, url, eventTypes, deviceTags, networkIds, maxPerSec } = wanted
    await tx.query(
      `UPDATE webhook_endpoints SET name = $3, url = $4, event_types = $5, device_tags = $6, network_ids = $7, max_per_sec = $8,
         version = version + 1, updated_at = now() WHERE organization_id = $1 AND id = $2`,
      [organizationId, id, name, url, eventTypes, deviceTags, networkIds, maxPerSec],
    )
    if (change.eventTypes) await applyNamedTypes(tx, organizationId, before.eventTypes, eventTypes)
    const changed = changedFields(before, wanted, audited)
    if (Object.keys(changed.after).length > 0)
      await noteEndpoint(tx, { organizationId, id, type: 'webhook.updated', options, ...changed })
    if (disable && before.state === 'enabled') {
      await setDisabled(tx, organizationId, id, 'requested')
      await noteEndpoint(tx, { organizationId, id, type: 'webhook.disabled', options, after: { reason: 'requested' } })
    }
    return (await readEndpointRow(tx, organizationId, id)) as WebhookEndpointRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** Switched on again, with a clean slate. */
export async function enableWebhookEndpoint(
  pool: Pool,
  key: WebhookEndpointKey,
  options: WriteOptions,
): Promise<WebhookEndpointRecord | WebhookEndpointFault> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): Promise<WebhookEndpointRecord | WebhookEndpointFault> => {
    const before = await lockWebhookEndpoint(tx, key)
    if (typeof before === 'string') return before
    await tx.query(
      `UPDATE webhook_courses SET paused_until = NULL, throttled = 0, failing_since = NULL, warned_at = NULL
       WHERE organization_id = $1 AND endpoint_id = $2`,
      [organizationId, id],
    )
    if (before.state === 'disabled') {
      await tx.query(
        `UPDATE webhook_endpoints SET state = 'enabled', disabled_reason = NULL, disabled_at = NULL, version = version + 1,
           updated_at = now() WHERE organization_id = $1 AND id = $2`,
        [organizationId, id],
      )
      await noteEndpoint(tx, { organizationId, id, type: 'webhook.enabled', options })
    }
    return (await readEndpointRow(tx, organizationId, id)) as WebhookEndpointRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export async function deleteWebhookEndpoint(
  pool: Pool,
  key: WebhookEndpointKey,
  options: WriteOptions,
): Promise<'deleted' | WebhookEndpointFault> {
  const { organizationId, id } = key
  const work = async (tx: TenantSql): Promise<'deleted' | WebhookEndpointFault> => {
    const before = await lockWebhookEndpoint(tx, key)
    if (typeof before === 'string') return before
    await tx.query('UPDATE webhook_endpoints SET deleted_at = now() WHERE organization_id = $1 AND id = $2', [
      organizationId,
      id,
    ])
    await tx.query('DELETE FROM webhook_keys WHERE organization_id = $1 AND endpoint_id = $2', [organizationId, id])
    await applyNamedTypes(tx, organizationId, before.eventTypes)
    const fields = Object.fromEntries(audited.map((name) => [name, before[name]]))
    await noteEndpoint(tx, { organizationId, id, type: 'webhook.deleted', options, before: fields })
    return 'deleted'
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** An event for this endpoint alone, with its delivery. @returns the id of the delivery */
export async function testWebhookEndpoint(
  pool: Pool,
  key: WebhookEndpointKey,
  options: WriteOptions,
): Promise<{ deliveryId: string } | WebhookEndpointFault | 'webhook_disabled'> {
  const { organizationId, id } = key
  const deliveryId = newId('whd')
  const work = async (tx: TenantSql): Promise<{ deliveryId: string } | WebhookEndpointFault | 'webhook_disabled'> => {
    const endpoint = await lockWebhookEndpoint(tx, key)
    if (typeof endpoint === 'string') return endpoint
    if (endpoint.state === 'disabled') return 'webhook_disabled'
    const eventId = await noteEndpoint(tx, { organizationId, id, type: 'webhook.test', options })
    await tx.query(
      `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, resource_id)
       VALUES ($1, $2, $3, $4, 'webhook.test', $3)`,
      [deliveryId, organizationId, id, eventId],
    )
    return { deliveryId }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

function definedOf(change: WebhookEndpointChange): WebhookEndpointChange {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
}
