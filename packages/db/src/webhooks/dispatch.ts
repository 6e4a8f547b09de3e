/**
 * Deliveries as a worker sees them. A worker takes an endpoint for a while by a lease and alone sends to it, so that the limits of
 * an endpoint hold however many workers there are; it makes the deliveries that are due and writes what came of each. One that is
 * killed leaves its deliveries pending, and its endpoints to others once the lease is over.
 *
 * These statements look at the rows of all organizations; each row they write names its own.
 */
import type { Pool } from 'pg'
import type { DeliveredEventRow } from './deliveries.ts'

/** An endpoint in the hands of a worker. */
export interface EndpointClaim {
  readonly id: string
  readonly organizationId: string
  readonly url: string
  readonly maxPerSec: number | null
  /** Of its settings and keys. */
  readonly version: number
  /** How often in a row it said that it has too much. */
  readonly throttled: number
  readonly failingSince: Date | null
  readonly warnedAt: Date | null
  readonly keys: readonly ClaimedKey[]
}

export interface ClaimedKey {
  readonly id: string
  readonly sealedKey: Buffer
  readonly sealingKeyId: string
}

/** A delivery that is due. */
export interface DueDelivery {
  readonly id: string
  readonly organizationId: string
  readonly endpointId: string
  readonly eventId: string
  /** Attempts since it was last begun: the place in the retry schedule. */
  readonly step: number
  /** Null: forgotten. */
  readonly event: DeliveredEventRow | null
}

/** A worker that says nothing for so long has lost its endpoints. */
export const endpointLeaseSec = 20

const dueOf = (endpoint: string): string =>
  `EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = ${endpoint} AND d.state = 'pending' AND d.next_attempt_at <= now())`

/** Skips from endpoint to endpoint, whatever waits for each. @returns endpoints that have something due and that nobody holds */
export async function findDueEndpoints(pool: Pool, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `WITH RECURSIVE first AS (
       (SELECT endpoint_id, next_attempt_at FROM webhook_deliveries WHERE state = 'pending' ORDER BY endpoint_id, next_attempt_at LIMIT 1)
       UNION ALL
       SELECT n.endpoint_id, n.next_attempt_at FROM first f CROSS JOIN LATERAL (
         SELECT d.endpoint_id, d.next_attempt_at FROM webhook_deliveries d WHERE d.state = 'pending' AND d.endpoint_id > f.endpoint_id
         ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1) n
     )
     SELECT f.endpoint_id AS id FROM first f JOIN webhook_courses c ON c.endpoint_id = f.endpoint_id
       JOIN webhook_endpoints w ON w.id = f.endpoint_id AND w.state = 'enabled' AND w.deleted_at IS NULL
     WHERE f.next_attempt_at <= now() AND (c.lease_until IS NULL OR c.lease_until < now())
       AND (c.paused_until IS NULL OR c.paused_until <= now())
     ORDER BY f.next_attempt_at LIMIT $1`,
    [limit],
  )
  return rows.map(({ id }) => id)
}

/** @returns those of the endpoints that have something due and nobody held */
export async function claimEndpoints(pool: Pool, runner: string, ids: readonly string[]): Promise<EndpointClaim[]> {
  const { rows } = await pool.query<
    Omit<EndpointClaim, 'keys'> & { keys: { id: string; sealedKey: string; sealingKeyId: string }[] }
  >(
    `WITH free AS (
       SELECT c.endpoint_id FROM webhook_courses c WHERE c.endpoint_id = ANY ($2) AND (c.lease_until IS NULL OR c.lease_until < now())
         AND (c.paused_until IS NULL OR c.paused_until <= now()) AND ${dueOf('c.endpoint_id')}
       FOR NO KEY UPDATE SKIP LOCKED
     )
     UPDATE webhook_courses c SET runner = $1, lease_until = now() + $3 * interval '1 second'
     FROM free f JOIN webhook_endpoints w ON w.id = f.endpoint_id AND w.state = 'enabled' AND w.deleted_at IS NULL
     WHERE c.endpoint_id = f.endpoint_id
     RETURNING w.id, w.organization_id AS "organizationId", w.url, w.max_per_sec AS "maxPerSec", w.version, c.throttled,
       c.failing_since AS "failingSince", c.warned_at AS "warnedAt",
       (SELECT coalesce(json_agg(json_build_object('id', k.id, 'sealedKey', encode(k.sealed_key, 'base64'), 'sealingKeyId', k.sealing_key_id)
          ORDER BY k.expires_at DESC NULLS FIRST, k.id), '[]')
        FROM webhook_keys k WHERE k.organization_id = w.organization_id AND k.endpoint_id = w.id
          AND (k.expires_at IS NULL OR k.expires_at > now())) AS keys`,
    [runner, ids, endpointLeaseSec],
  )
  return rows.map((row) => ({
    ...row,
    keys: row.keys.map((key) => ({ ...key, sealedKey: Buffer.from(key.sealedKey, 'base64') })),
  }))
}

/** @param wanted how many at most of each endpoint @returns the oldest, also those that the caller has at hand already */
export async function loadDueDeliveries(
  pool: Pool,
  wanted: readonly { readonly endpointId: string; readonly limit: number }[],
): Promise<DueDelivery[]> {
  const { rows } = await pool.query<DueDelivery>(
    `SELECT d.id, d.organization_id AS "organizationId", d.endpoint_id AS "endpointId", d.event_id AS "eventId", d.step,
       CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'type', e.type, 'resourceId', e.resource_id, 'sequence', e.sequence,
         'data', e.data, 'createdAt', e.created_at) END AS event
     FROM json_to_recordset($1) AS v("endpointId" text, "limit" int)
     CROSS JOIN LATERAL (
       SELECT * FROM webhook_deliveries d WHERE d.endpoint_id = v."endpointId" AND d.state = 'pending' AND d.next_attempt_at <= now()
       ORDER BY d.next_attempt_at LIMIT v."limit"
     ) d
     LEFT JOIN events e ON e.id = d.event_id AND e.organization_id = d.organization_id`,
    [JSON.stringify(wanted)],
  )
  return rows.map((row) => ({
    ...row,
    event: row.event && { ...row.event, createdAt: new Date(row.event.createdAt) },
  }))
}

/** Says that the worker lives. @returns versions of the endpoints that it still holds, and may still send to, by id */
export async function renewEndpoints(pool: Pool, runner: string, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; version: number }>(
    `UPDATE webhook_courses c SET lease_until = now() + $3 * interval '1 second' FROM webhook_endpoints w
     WHERE c.endpoint_id = ANY ($2) AND c.runner = $1 AND w.id = c.endpoint_id AND w.state = 'enabled' AND w.deleted_at IS NULL
     RETURNING w.id, w.version`,
    [runner, ids, endpointLeaseSec],
  )
  return new Map(rows.map(({ id, version }) => [id, version]))
}

/** Others may send to them. @returns those that have something due meanwhile */
export async function releaseEndpoints(pool: Pool, runner: string, ids: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; due: boolean }>(
    `UPDATE webhook_courses c SET runner = NULL, lease_until = NULL WHERE c.endpoint_id = ANY ($2) AND c.runner = $1
     RETURNING c.endpoint_id AS id, (c.paused_until IS NULL OR c.paused_until <= now()) AND ${dueOf('c.endpoint_id')} AS due`,
    [runner, ids],
  )
  return rows.filter(({ due }) => due).map(({ id }) => id)
}
