/** The log of deliveries as callers see it, and one delivery made again. */
import type { Pool } from 'pg'
import { DUE_NOW } from '../due-now.ts'
import { appendAudit } from '../audit.ts'
import type { WriteOptions } from '../author.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from '../ordered-list.ts'
import { Conditions } from '../page.ts'
import { inTenantTransaction, tenant } from '../tenant.ts'
import type { TenantSql } from '../tenant-sql.ts'

export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'aborted'

export interface DeliveryRecord {
  readonly id: string
  readonly endpointId: string
  readonly eventId: string
  readonly eventType: string
  readonly resourceId: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly nextAttemptAt: Date | null
  readonly createdAt: Date
  readonly finishedAt: Date | null
  readonly lastAt: Date | null
  readonly lastStatus: number | null
  readonly lastError: string | null
}

export interface DeliveryAttemptRecord {
  readonly number: number
  readonly at: Date
  readonly durationMs: number
  readonly requestHeaders: Record<string, string>
  readonly status: number | null
  readonly responseHeaders: Record<string, string> | null
  readonly responseBody: string | null
  readonly responseTruncated: boolean
  readonly error: string | null
  readonly errorDetail: string | null
}

/** The event as it is delivered. */
export interface DeliveredEventRow {
  readonly id: string
  readonly type: string
  readonly resourceId: string
  readonly sequence: number
  readonly data: unknown
  readonly createdAt: Date
}

export interface DeliveryDetail {
  readonly delivery: DeliveryRecord
  readonly url: string
  /** Null: forgotten. */
  readonly event: DeliveredEventRow | null
  /** Newest first. */
  readonly log: readonly DeliveryAttemptRecord[]
}

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined
  readonly eventType?: string | undefined
  readonly resourceId?: string | undefined
  readonly eventId?: string | undefined
  readonly from?: Date | undefined
  readonly before?: Date | undefined
}

export interface DeliveryKey {
  readonly organizationId: string
  readonly endpointId: string
  readonly id: string
}

/** Of a delivery, the latest: twice as many as the retry schedule has. */
export const keptAttempts = 20

const columns = `d.id, d.endpoint_id AS "endpointId", d.event_id AS "eventId", d.event_type AS "eventType", d.resource_id AS "resourceId",
  d.state, d.attempts, d.next_attempt_at AS "nextAttemptAt", d.created_at AS "createdAt", d.finished_at AS "finishedAt",
  a.at AS "lastAt", a.status AS "lastStatus", a.error AS "lastError"`
const source = `webhook_deliveries d LEFT JOIN webhook_attempts a
  ON a.organization_id = d.organization_id AND a.delivery_id = d.id AND a.number = d.attempts`
const ofLiveEndpoint = `EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.organization_id = d.organization_id AND w.id = d.endpoint_id AND w.deleted_at IS NULL)`

/** By when they were made. */
export type DeliveryOrder = 'createdAt'

export function listDeliveries(
  pool: Pool,
  organizationId: string,
  endpointId: string,
  { filter, page }: { filter: DeliveryFilter; page: ListRequest<DeliveryOrder> },
): Promise<ListedPage<DeliveryRecord>> {
  const { state, eventType, resourceId, eventId, from, before } = filter
  const where = new Conditions().add('w.organization_id = ?', organizationId).add('w.endpoint_id = ?', endpointId)
  if (eventId !== undefined) where.add('w.event_id = ?', eventId)
  // A literal: an index is of this state alone.
  else if (state === 'failed') where.add(`w.state = 'failed'`)
  new Fitting(where).between('w.created_at', from, before)
  // There is one of an event: no index in the order of time is to be read for it.
  const key = eventId === undefined ? 'w.created_at' : `(w.created_at + interval '0')`
  const walk: Walk = { from: 'webhook_deliveries w', key, id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions =>
    new Fitting(and).is('d.state', state).is('d.event_type', eventType).is('d.resource_id', resourceId).conditions
  const shown = { columns, source, organizationId: 'd.organization_id', id: 'd.id', fits }
  return listInOrder(pool, organizationId, { walk, shown }, page)
}

/** @returns null for what is unknown, of a deleted endpoint, or of another organization */
export async function findDelivery(pool: Pool, key: DeliveryKey): Promise<DeliveryRecord | null> {
  const { rows } = await tenant(pool, key.organizationId).query<DeliveryRecord>(
    `SELECT ${columns} FROM ${source} WHERE d.organization_id = $1 AND d.endpoint_id = $2 AND d.id = $3 AND ${ofLiveEndpoint}`,
    [key.organizationId, key.endpointId, key.id],
  )
  return rows[0] ?? null
}

export async function readDelivery(pool: Pool, key: DeliveryKey): Promise<DeliveryDetail | null> {
  const { organizationId, endpointId, id } = key
  const sql = tenant(pool, organizationId)
  const delivery = await findDelivery(pool, key)
  if (!delivery) return null
  const { rows: endpoints } = await sql.query<{ url: string }>(
    'SELECT url FROM webhook_endpoints WHERE organization_id = $1 AND id = $2',
    [organizationId, endpointId],
  )
  const { rows: events } = await sql.query<DeliveredEventRow>(
    `SELECT id, type, resource_id AS "resourceId", sequence, data, created_at AS "createdAt"
     FROM events WHERE organization_id = $1 AND id = $2`,
    [organizationId, delivery.eventId],
  )
  const { rows: log } = await sql.query<DeliveryAttemptRecord>(
    `SELECT number, at, duration_ms AS "durationMs", request_headers AS "requestHeaders", status, response_headers AS "responseHeaders",
       response_body AS "responseBody", response_truncated AS "responseTruncated", error, error_detail AS "errorDetail"
     FROM webhook_attempts WHERE organization_id = $1 AND delivery_id = $2 ORDER BY number DESC LIMIT ${keptAttempts}`,
    [organizationId, id],
  )
  return { delivery, url: endpoints[0]?.url ?? '', event: events[0] ?? null, log }
}

/** Begins the delivery anew, whatever became of it: the same event, the same `webhook-id`. */
export async function replayDelivery(
  pool: Pool,
  key: DeliveryKey,
  options: WriteOptions,
): Promise<DeliveryRecord | 'not_found' | 'webhook_disabled' | 'event_forgotten'> {
  const { organizationId, endpointId, id } = key
  const work = async (
    tx: TenantSql,
  ): Promise<DeliveryRecord | 'not_found' | 'webhook_disabled' | 'event_forgotten'> => {
    const { rows } = await tx.query<{ state: string; known: boolean }>(
      `SELECT w.state, EXISTS (SELECT 1 FROM events e WHERE e.organization_id = d.organization_id AND e.id = d.event_id) AS known
       FROM webhook_deliveries d JOIN webhook_endpoints w ON w.organization_id = d.organization_id AND w.id = d.endpoint_id
       WHERE d.organization_id = $1 AND d.endpoint_id = $2 AND d.id = $3 AND w.deleted_at IS NULL FOR UPDATE OF d`,
      [organizationId, endpointId, id],
    )
    const [found] = rows
    if (!found) return 'not_found'
    if (found.state === 'disabled') return 'webhook_disabled'
    if (!found.known) return 'event_forgotten'
    await tx.query(
      `UPDATE webhook_deliveries SET state = 'pending', step = 0, next_attempt_at = ${DUE_NOW}, finished_at = NULL
       WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    )
    await appendAudit(tx, {
      organizationId,
      by: options.by,
      action: 'webhook.delivery_replayed',
      targetType: 'webhook_endpoint',
      targetId: endpointId,
      after: { deliveryId: id },
    })
    const { rows: replayed } = await tx.query<DeliveryRecord>(
      `SELECT ${columns} FROM ${source} WHERE d.organization_id = $1 AND d.id = $2`,
      [organizationId, id],
    )
    return replayed[0] as DeliveryRecord
  }
  return inTenantTransaction(pool, organizationId, work, options)
}
