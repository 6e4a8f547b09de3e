/** What devices used, and what a concentrator must hold them to: read with the device, written every few seconds. */
import type { DeviceLimits, Quota, QuotaPeriod, RateLimit, Usage } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendEvent } from '../outbox.ts'
import { inTransaction } from '../transaction.ts'

const DAY_BYTES = `CASE WHEN u.day = (now() AT TIME ZONE 'utc')::date THEN u.day_bytes ELSE 0 END::float8`
const MONTH_BYTES = `CASE WHEN u.month = date_trunc('month', now() AT TIME ZONE 'utc')::date THEN u.month_bytes ELSE 0 END::float8`
const TOTAL_BYTES = `coalesce(u.total_bytes, 0)::float8`

/** Columns for `limitsOf`, of devices `d`, networks `n` and `LEFT JOIN device_usage u ON u.device_id = d.id`. */
export const LIMIT_COLUMNS = `n.id AS network_id, n.device_to_device, coalesce(d.rate_limit, n.rate_limit) AS rate_limit, d.quota,
  ${DAY_BYTES} AS day_bytes, ${MONTH_BYTES} AS month_bytes, ${TOTAL_BYTES} AS total_bytes`

/** `Usage` as JSON. */
export const USAGE_OBJECT = `json_build_object('day', ${DAY_BYTES}, 'month', ${MONTH_BYTES}, 'total', ${TOTAL_BYTES})`

export interface UsageRow {
  readonly day_bytes: number
  readonly month_bytes: number
  readonly total_bytes: number
}

export interface LimitRow extends UsageRow {
  readonly network_id: string
  readonly device_to_device: boolean
  readonly rate_limit: RateLimit | null
  readonly quota: Quota | null
}

export function limitsOf(row: LimitRow): DeviceLimits {
  const { network_id: networkId, device_to_device: deviceToDevice, rate_limit: rateLimit, quota } = row
  return { networkId, deviceToDevice, rateLimit, quota, usage: usageOf(row) }
}

export function usageOf({ day_bytes: day, month_bytes: month, total_bytes: total }: UsageRow): Usage {
  return { day, month, total }
}

/**
 * Adds octets to the usage of devices, and of the day and month it is now. Devices that are gone are left out.
 *
 * @returns what is used then, by device
 */
export async function addDeviceUsage(
  pool: Pool,
  used: readonly { readonly deviceId: string; readonly bytes: number }[],
): Promise<ReadonlyMap<string, Usage>> {
  if (used.length === 0) return new Map()
  const { rows } = await pool.query<UsageRow & { device_id: string }>(
    `INSERT INTO device_usage AS u (device_id, organization_id, day, day_bytes, month, month_bytes, total_bytes)
     SELECT d.id, d.organization_id, (now() AT TIME ZONE 'utc')::date, v.bytes, date_trunc('month', now() AT TIME ZONE 'utc')::date, v.bytes, v.bytes
       FROM json_to_recordset($1) AS v(device_id text, bytes bigint) JOIN devices d ON d.id = v.device_id ORDER BY d.id
     ON CONFLICT (device_id) DO UPDATE SET
       day_bytes = EXCLUDED.day_bytes + CASE WHEN u.day = EXCLUDED.day THEN u.day_bytes ELSE 0 END, day = EXCLUDED.day,
       month_bytes = EXCLUDED.month_bytes + CASE WHEN u.month = EXCLUDED.month THEN u.month_bytes ELSE 0 END, month = EXCLUDED.month,
       total_bytes = u.total_bytes + EXCLUDED.total_bytes
     RETURNING device_id, day_bytes::float8, month_bytes::float8, total_bytes::float8`,
    [JSON.stringify(used.map(({ deviceId, bytes }) => ({ device_id: deviceId, bytes })))],
  )
  return new Map(rows.map((row) => [row.device_id, usageOf(row)]))
}

const TODAY = `(now() AT TIME ZONE 'utc')::date`
const THIS_MONTH = `date_trunc('month', now() AT TIME ZONE 'utc')::date`

/**
 * Tells that a quota stopped a device: once for the quota it has now, in the period it is now. The event and the note that it was
 * told commit together, whichever node says so and however often.
 *
 * @returns whether it was told; not when it was before, or the device has no quota or is gone
 */
export function tellQuotaExhausted(pool: Pool, deviceId: string): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ organization_id: string; period: QuotaPeriod; bytes: number }>(
      `WITH d AS (SELECT id, organization_id, quota->>'period' AS period, (quota->>'bytes')::float8 AS bytes FROM devices
         WHERE id = $1 AND jsonb_typeof(quota::jsonb) = 'object'),
       told AS (INSERT INTO device_usage AS u (device_id, organization_id, day, day_bytes, month, month_bytes, total_bytes, quota_told)
         SELECT id, organization_id, ${TODAY}, 0, ${THIS_MONTH}, 0, 0, concat_ws(' ', period,
           CASE period WHEN 'day' THEN ${TODAY} WHEN 'month' THEN ${THIS_MONTH} END, bytes) FROM d
         ON CONFLICT (device_id) DO UPDATE SET quota_told = EXCLUDED.quota_told
           WHERE u.quota_told IS DISTINCT FROM EXCLUDED.quota_told RETURNING device_id)
       SELECT d.organization_id, d.period, d.bytes FROM d JOIN told ON told.device_id = d.id`,
      [deviceId],
    )
    const [quota] = rows
    if (quota === undefined) return false
    const { organization_id: organizationId, period, bytes: limitBytes } = quota
    const data = { period, limitBytes }
    await appendEvent(tx, { organizationId, type: 'device.quota_exhausted', resourceId: deviceId, data })
    return true
  })
}
