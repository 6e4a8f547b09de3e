/** What filters look at, and deliveries that follow from it. Used by the relay and by replays. */
import { DUE_NOW } from '../due-now.ts'
import { tellsConnections } from '../connection-settings.ts'
import { newId } from '../ids.ts'
import type { TenantSql } from '../tenant-sql.ts'

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

/** @returns how many are enabled in each organization that has any */
export async function countEndpoints(
  tx: Pick<TenantSql, 'query'>,
  organizationIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ id: string; endpoints: number }>(
    `SELECT organization_id AS id, count(*)::int AS endpoints FROM webhook_endpoints
     WHERE organization_id = ANY ($1) AND state = 'enabled' AND deleted_at IS NULL GROUP BY organization_id`,
    [organizationIds],
  )
  return new Map(rows.map(({ id, endpoints }) => [id, endpoints]))
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
  /** Its connections are told to all, and not only to who names them. */
  readonly tellsConnections: boolean
}

/** As they are now, also deleted ones. @returns by id */
export async function devicesOf(
  tx: TenantSql,
  organizationIds: readonly string[],
  ids: readonly string[],
): Promise<Map<string, FilteredDevice>> {
  if (ids.length === 0) return new Map()
  const { rows } = await tx.query<FilteredDevice & { id: string }>(
    `SELECT d.id, d.tags, d.network_id AS "networkId", ${tellsConnections} AS "tellsConnections" FROM devices d
       JOIN networks n ON n.organization_id = d.organization_id AND n.id = d.network_id JOIN organizations o ON o.id = d.organization_id
     WHERE d.organization_id = ANY ($1) AND d.id = ANY ($2)`,
    [organizationIds, ids],
  )
  return new Map(rows.map(({ id, ...device }) => [id, device]))
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
  failed: `DO UPDATE SET state = 'pending', step = 0, next_attempt_at = ${DUE_NOW}, finished_at = NULL
    WHERE d.state = 'failed' OR d.state = 'pending' AND d.next_attempt_at > now()`,
  all: `DO UPDATE SET state = 'pending', step = 0, next_attempt_at = ${DUE_NOW}, finished_at = NULL`,
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
