/**
 * Tells when thresholds of usage are reached: the event and the note that it was told commit together, so that each percent is
 * told once in a period, whoever looks and however often.
 *
 * A threshold of a tag costs what its devices are many: organizations take turns, each look has a limit, and what cost much is
 * looked at less often. So nobody's thresholds keep those of others waiting.
 */
import type { Pool, PoolClient } from 'pg'
import { appendEvents } from './outbox.ts'
import { inTransaction } from './transaction.ts'

export interface ThresholdWatch {
  /** How long ago a threshold was looked at last, at least. */
  readonly everySec?: number
  /** Longest that one look may take. */
  readonly mostMs?: number
  /** Asked between two looks: true ends the pass. */
  readonly isOver?: () => boolean
  /** A look that took longer than it may. */
  readonly onTooLong?: (thresholdId: string) => void
}

/** What costs more is looked at less often, by as much. */
const cheapMs = 1_000
/** One of each organization at most. */
const turn = 200
/** PostgreSQL's query_canceled: here by statement_timeout. */
const tookTooLong = '57014'

/** Looks once at every threshold that is due. @returns how many were looked at */
export async function tellThresholds(pool: Pool, watch: ThresholdWatch = {}): Promise<number> {
  const { everySec = 60, isOver = () => false } = watch
  const { rows } = await pool.query<{ now: Date }>('SELECT now()')
  const beganAt = rows[0]?.now
  for (let looked = 0; ;) {
    const { rows: due } = await pool.query<{ id: string }>(
      `SELECT DISTINCT ON (organization_id) id FROM usage_thresholds
       WHERE checked_at <= $1::timestamptz - $2::float8 * greatest(1, check_ms / ${cheapMs}::float8) * interval '1 second'
       ORDER BY organization_id, checked_at, id LIMIT ${turn}`,
      [beganAt, everySec],
    )
    let inTurn = 0
    for (const { id } of due) {
      if (isOver()) return looked
      if (await look(pool, id, watch)) inTurn++
    }
    looked += inTurn
    // Those that are left are looked at by another worker.
    if (inTurn === 0) return looked
  }
}

/** @returns false when another worker is at it, or the threshold is gone */
async function look(pool: Pool, id: string, { mostMs = 10_000, onTooLong }: ThresholdWatch): Promise<boolean> {
  const startMs = performance.now()
  try {
    return await inTransaction(pool, async (tx) => {
      await tx.query(`SELECT set_config('statement_timeout', $1, true)`, [`${mostMs}ms`])
      const { rows } = await tx.query<Threshold>(taken, [id])
      const [threshold] = rows
      if (!threshold) return false
      const usedBytes = await usedOf(tx, threshold)
      const reached = threshold.untold.filter((percent) => usedBytes * 100 >= threshold.limitBytes * percent)
      await tx.query(
        `UPDATE usage_thresholds SET checked_at = clock_timestamp(), check_ms = $2, told_percent = coalesce($3, told_percent),
           told_period = CASE WHEN $3::int IS NULL THEN told_period ELSE $4::timestamptz END WHERE id = $1`,
        [id, Math.ceil(performance.now() - startMs), reached.at(-1) ?? null, threshold.since],
      )
      await appendEvents(tx, eventsOf(threshold, usedBytes, reached))
      return true
    })
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== tookTooLong) throw error
    onTooLong?.(id)
    await pool.query('UPDATE usage_thresholds SET checked_at = clock_timestamp(), check_ms = $2 WHERE id = $1', [
      id,
      mostMs,
    ])
    return true
  }
}

interface Threshold {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly deviceId: string | null
  readonly tag: string | null
  readonly period: 'day' | 'month'
  readonly limitBytes: number
  /** Beginning of the period that lasts. */
  readonly since: Date
  /** Percents not told yet in this period, rising. */
  readonly untold: number[]
}

const taken = `SELECT t.id, t.organization_id AS "organizationId", t.name, t.device_id AS "deviceId", t.tag, t.period,
    t.bytes::float8 AS "limitBytes", p.since, ARRAY(SELECT percent FROM unnest(t.percents) AS percent
      WHERE percent > CASE WHEN t.told_period = p.since THEN coalesce(t.told_percent, 0) ELSE 0 END ORDER BY percent) AS untold
  FROM usage_thresholds t CROSS JOIN LATERAL (SELECT date_trunc(t.period, now(), 'UTC') AS since) p
  WHERE t.id = $1 FOR UPDATE OF t SKIP LOCKED`

const usedBy = {
  device: `SELECT sum(bytes)::float8 AS used FROM usage_daily WHERE organization_id = $1 AND day >= $2 AND device_id = $3`,
  tag: `SELECT sum(u.bytes)::float8 AS used FROM device_tags d
      JOIN usage_daily u ON u.organization_id = d.organization_id AND u.device_id = d.device_id AND u.day >= $2
    WHERE d.organization_id = $1 AND d.tag = $3`,
  organization: `SELECT sum(bytes_in + bytes_out)::float8 AS used FROM usage_hourly
    WHERE organization_id = $1 AND hour >= $2 AND kind = 'organization' AND subject_id = $3`,
}

/** @returns octets of both directions in the period */
async function usedOf(tx: PoolClient, { organizationId, since, deviceId, tag }: Threshold): Promise<number> {
  const scope = deviceId !== null ? 'device' : tag !== null ? 'tag' : 'organization'
  const { rows } = await tx.query<{ used: number | null }>(usedBy[scope], [
    organizationId,
    since,
    deviceId ?? tag ?? organizationId,
  ])
  return rows[0]?.used ?? 0
}

function eventsOf(threshold: Threshold, usedBytes: number, reached: readonly number[]) {
  const { id, organizationId, name, deviceId, tag, period, limitBytes, since } = threshold
  return reached.map((percent) => ({
    organizationId,
    type: 'usage.threshold' as const,
    resourceId: id,
    data: { name, deviceId, tag, period, since: since.toISOString(), percent, limitBytes, usedBytes },
  }))
}
