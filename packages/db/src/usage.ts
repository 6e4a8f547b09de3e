/** Usage as its organization reads it: hours, or days of UTC, by device, tunnel or for the whole organization. */
import type { Pool } from 'pg'
import { Conditions } from './page.ts'
import { tenant } from './tenant.ts'

export type UsageKind = 'device' | 'tunnel' | 'organization'
export type UsageInterval = 'hour' | 'day'

export interface UsageFilter {
  readonly groupBy: UsageKind
  readonly interval: UsageInterval
  readonly from: Date
  readonly before: Date
  /** Of this device, and of tunnels to it. */
  readonly deviceId?: string | undefined
  readonly tunnelId?: string | undefined
}

export interface UsageRecord {
  readonly subjectId: string
  readonly deviceId: string | null
  /** Beginning of the hour or day. */
  readonly from: Date
  readonly bytesIn: number
  readonly bytesOut: number
  readonly packetsIn: number
  readonly packetsOut: number
  readonly attachedMs: number
  readonly tunnelsOpened: number
  readonly connections: number
  readonly denied: number
}

/** The last row of the page before. */
export interface UsagePosition {
  readonly subjectId: string
  readonly from: Date
}

/** In order of what was used by, then of time. @returns at most `limit` rows */
export async function readUsage(
  pool: Pool,
  organizationId: string,
  filter: UsageFilter,
  { after, limit }: { after: UsagePosition | null; limit: number },
): Promise<UsageRecord[]> {
  const { groupBy, interval, from, before, deviceId, tunnelId } = filter
  const where = new Conditions().add('organization_id = ?', organizationId).add('kind = ?', groupBy)
  where.add('hour >= ?::timestamptz', from).add('hour < ?::timestamptz', before)
  if (deviceId !== undefined) where.add(groupBy === 'device' ? 'subject_id = ?' : 'device_id = ?', deviceId)
  if (tunnelId !== undefined) where.add(groupBy === 'tunnel' ? 'subject_id = ?' : 'false AND ? = subject_id', tunnelId)
  if (after) where.add('(subject_id, hour) >= (?, ?::timestamptz)', after.subjectId, endOf(after.from, interval))
  const start = interval === 'hour' ? 'hour' : `date_trunc('day', hour, 'UTC')`
  const { rows } = await tenant(pool, organizationId).query<UsageRecord>(
    `SELECT subject_id AS "subjectId", max(device_id) AS "deviceId", ${start} AS "from", sum(bytes_in)::float8 AS "bytesIn",
       sum(bytes_out)::float8 AS "bytesOut", sum(packets_in)::float8 AS "packetsIn", sum(packets_out)::float8 AS "packetsOut",
       sum(attached_ms)::float8 AS "attachedMs", sum(tunnels_opened)::int AS "tunnelsOpened",
       sum(connections)::int AS connections, sum(denied)::int AS denied
     FROM usage_hourly WHERE ${where.text} GROUP BY subject_id, ${start} ORDER BY subject_id, ${start} LIMIT ${limit}`,
    where.values,
  )
  return rows
}

const intervalMs: Readonly<Record<UsageInterval, number>> = { hour: 3_600_000, day: 86_400_000 }

function endOf(start: Date, interval: UsageInterval): Date {
  return new Date(start.getTime() + intervalMs[interval])
}
