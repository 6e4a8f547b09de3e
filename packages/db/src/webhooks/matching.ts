/** What filters look at, and deliveries that follow from it. Used by the relay and by replays. */
import { newId } from '../ids.ts'
import type { TenantSql } from '../tenant.ts'

export interface FilteredEndpoint {
  readonly id: string
  readonly organizationId: string
  readonly eventTypes: string[]
  readonly deviceTags: string[]
  readonly networkIds: string[]
}

const columns = `id, organization_id AS "organizationId", event_types AS "eventTypes", device_tags AS "deviceTags", network_ids AS "networkIds"`

/** Those that are enabled. */
export async function endpointsOf(tx: TenantSql, organizationIds: readonly string[]): Promise<FilteredEndpoint[]> {
  const { rows } = await tx.query<FilteredEndpoint>(
    `SELECT ${columns} FROM webhook_endpoints WHERE organization_id = ANY ($1) AND state = 'enabled' AND deleted_at IS NULL ORDER BY id`,
    [organizationIds],
  )
  return rows
}

/** @returns null when it is deleted */
export async function filterOf(tx: TenantSql, organizationId: string, id: string): Promise<FilteredEndpoint | null> {
  const { rows } = await tx.query<FilteredEndpoint>(
    `SELECT ${columns} FROM webhook_endpoints WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

export interface FilteredDevice {
  readonly tags: string[]
  readonly networkId: string
}

/** As they are now, also deleted ones. @returns by id */
export async function devicesOf(
  tx: TenantSql,
  organizationIds: readonly string[],
  ids: readonly string[],
): Promise<Map<string, FilteredDevice>> {
  if (ids.length === 0) return new Map()
  const { rows } = await tx.query<FilteredDevice & { id: string }>(
    `SELECT id, tags, network_id AS "networkId" FROM devices WHERE organization_id = ANY ($1) AND id = ANY ($2)`,
    [organizationIds, ids],
  )
  return new Map(rows.map(({ id, tags, networkId }) => [id, { tags, networkId }]))
}

export interface NewDelivery {
  readonly organizationId: string
  readonly endpointId: string
  readonly eventId: string
  readonly eventType: string
  readonly resourceId: string
}

/** What becomes of a delivery that is there already. */
export type Again = 'nothing' | 'failed' | 'all'

const onConflict: Readonly<Record<Again, string>> = {
  nothing: 'DO NOTHING',
  failed: `DO UPDATE SET state = 'pending', step = 0, next_attempt_at = now(), finished_at = NULL
    WHERE d.state = 'failed' OR d.state = 'pending' AND d.next_attempt_at > now()`,
  all: `DO UPDATE SET state = 'pending', step = 0, next_attempt_at = now(), finished_at = NULL`,
}

/** @returns how many were made, or are made again */
export async function insertDeliveries(
  tx: TenantSql,
  deliveries: readonly NewDelivery[],
  again: Again = 'nothing',
): Promise<number> {
  if (deliveries.length === 0) return 0
  const { rowCount } = await tx.query(
    `INSERT INTO webhook_deliveries AS d (id, organization_id, endpoint_id, event_id, event_type, resource_id)
     SELECT id, "organizationId", "endpointId", "eventId", "eventType", "resourceId"
     FROM json_to_recordset($1) AS v(id text, "organizationId" text, "endpointId" text, "eventId" text, "eventType" text, "resourceId" text)
     ON CONFLICT (endpoint_id, event_id) ${onConflict[again]}`,
    [JSON.stringify(deliveries.map((delivery) => ({ id: newId('whd'), ...delivery })))],
  )
  return rowCount ?? 0
}

/** An event as replays read it. */
export interface PastEvent {
  readonly id: string
  readonly type: string
  readonly resourceId: string
  readonly deviceId: string | null
  readonly createdAt: Date
  /** As text: no number of JavaScript holds all of them. */
  readonly position: string
}

/** @param after where the part before ended; null: from `since` on @returns in order of time, those that have their place in the feed */
export async function eventsBetween(
  tx: TenantSql,
  organizationId: string,
  {
    since,
    until,
    after,
    limit,
  }: { since: Date; until: Date; after: { at: Date; position: string } | null; limit: number },
): Promise<PastEvent[]> {
  const { rows } = await tx.query<PastEvent>(
    `SELECT id, type, resource_id AS "resourceId", device_id AS "deviceId", created_at AS "createdAt", position::text AS position FROM events
     WHERE organization_id = $1 AND created_at >= $2 AND created_at < $3 AND position IS NOT NULL
       AND ($4::timestamptz IS NULL OR (created_at, position) > ($4, $5::int8))
     ORDER BY created_at, position LIMIT $6`,
    [organizationId, since, until, after?.at ?? null, after?.position ?? '0', limit],
  )
  return rows
}
