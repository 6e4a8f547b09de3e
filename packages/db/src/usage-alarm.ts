/**
 * Tells when thresholds of usage are reached: the event and the note that it was told commit together, so that each percent is
 * told once in a period, whoever looks and however often.
 */
import type { Pool } from 'pg'
import { appendEvents } from './outbox.ts'
import { inTransaction } from './transaction.ts'

/** Thresholds that one pass looks at. */
export const thresholdBatch = 200

interface DueThreshold {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly deviceId: string | null
  readonly tag: string | null
  readonly period: 'day' | 'month'
  readonly limitBytes: number
  readonly usedBytes: number
  readonly since: Date
  /** Not told yet in this period, rising. */
  readonly reached: number[]
}

const used = `sum(u.bytes_in + u.bytes_out)`
const ofThis = `u.organization_id = t.organization_id AND u.hour >= p.since`

/** @param everySec how long ago a threshold was looked at last @returns how many were looked at */
export function tellThresholds(pool: Pool, everySec = 60): Promise<number> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<DueThreshold>(
      `WITH due AS (
         SELECT * FROM usage_thresholds WHERE checked_at <= now() - $1::int * interval '1 second' ORDER BY checked_at, id
         LIMIT ${thresholdBatch} FOR UPDATE SKIP LOCKED)
       SELECT t.id, t.organization_id AS "organizationId", t.name, t.device_id AS "deviceId", t.tag, t.period,
         t.bytes::float8 AS "limitBytes", coalesce(s.used, 0)::float8 AS "usedBytes", p.since,
         ARRAY(SELECT percent FROM unnest(t.percents) AS percent WHERE coalesce(s.used, 0) * 100 >= t.bytes::numeric * percent
           AND percent > CASE WHEN t.told_period = p.since THEN coalesce(t.told_percent, 0) ELSE 0 END ORDER BY percent) AS reached
       FROM due t
         CROSS JOIN LATERAL (SELECT date_trunc(t.period, now(), 'UTC') AS since) p
         CROSS JOIN LATERAL (SELECT CASE
           WHEN t.device_id IS NOT NULL THEN
             (SELECT ${used} FROM usage_hourly u WHERE ${ofThis} AND u.kind = 'device' AND u.subject_id = t.device_id)
           WHEN t.tag IS NOT NULL THEN
             (SELECT ${used} FROM device_tags d JOIN usage_hourly u ON u.kind = 'device' AND u.subject_id = d.device_id AND ${ofThis}
              WHERE d.organization_id = t.organization_id AND d.tag = t.tag)
           ELSE
             (SELECT ${used} FROM usage_hourly u WHERE ${ofThis} AND u.kind = 'organization' AND u.subject_id = t.organization_id)
           END AS used) s
       ORDER BY t.id`,
      [everySec],
    )
    if (rows.length === 0) return 0
    await tx.query(
      `UPDATE usage_thresholds t SET checked_at = now(), told_percent = coalesce(v.percent, t.told_percent),
         told_period = CASE WHEN v.percent IS NULL THEN t.told_period ELSE v.since END
       FROM json_to_recordset($1) AS v(id text, percent int, since timestamptz) WHERE t.id = v.id`,
      [JSON.stringify(rows.map(({ id, reached, since }) => ({ id, since, percent: reached.at(-1) ?? null })))],
    )
    await appendEvents(tx, rows.flatMap(eventsOf))
    return rows.length
  })
}

function eventsOf(threshold: DueThreshold) {
  const { id, organizationId, name, deviceId, tag, period, limitBytes, usedBytes, since, reached } = threshold
  return reached.map((percent) => ({
    organizationId,
    type: 'usage.threshold' as const,
    resourceId: id,
    data: { name, deviceId, tag, period, since: since.toISOString(), percent, limitBytes, usedBytes },
  }))
}
