/** Usage as its organization reads it: hours, or days of UTC, by device, tunnel or for the whole organization. */
import type { Pool } from 'pg'
import { boundedPlans } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { inTenantTransaction } from './tenant.ts'

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

export interface UsagePage {
  readonly rows: readonly UsageRecord[]
  /** After which the next page begins; null: there are no more. A page may have fewer rows than asked for, or none, and still a next one. */
  readonly next: UsagePosition | null
}

/** So many places of the index are looked at for a page: three for each row, and one or two for each thing without use in the time. */
const walkLimit = 4_000
/** Of a page: each costs up to 24 rows of hours. */
const maxRows = 1_000

/** In order of what was used by, then of time. */
export async function readUsage(
  pool: Pool,
  organizationId: string,
  filter: UsageFilter,
  page: { after: UsagePosition | null; limit: number },
): Promise<UsagePage> {
  const { text, values } = usagePageOf(organizationId, filter, page)
  const found = await inTenantTransaction(pool, organizationId, async (sql) => {
    await sql.query(boundedPlans)
    return (await sql.query<UsageRecord & Walked>(text, values)).rows
  })
  const shown = found.filter(({ from }) => from !== null)
  const rows = shown.slice(0, page.limit).map(({ walkedTo: _to, step: _step, ...row }) => row)
  if (shown.length > page.limit) return { rows, next: rows.at(-1) ?? null }
  const last = found.at(-1)
  if (last?.step !== walkLimit) return { rows, next: null }
  const { subjectId, walkedTo } = last
  return { rows, next: { subjectId, from: new Date(walkedTo.getTime() - intervalMs[filter.interval]) } }
}

interface Walked {
  readonly step: number
  /** What is looked for next, of this thing. */
  readonly walkedTo: Date
}

/**
 * From place to place in the index of hours, each time to the next one that matters, so that a page costs what it shows however much
 * there is before, behind and between:
 *
 * ```
 *   hour before the time asked for   on to the beginning of that time, of the same thing
 *   hour in it                       a row: this hour, or all hours of its day; on to the next hour or day
 *   hour after it, or another device on to the next thing
 * ```
 */
export function usagePageOf(
  organizationId: string,
  { groupBy, interval, from, before, deviceId, tunnelId }: UsageFilter,
  { after, limit }: { after: UsagePosition | null; limit: number },
): { text: string; values: unknown[] } {
  const first = [after?.subjectId ?? '', after === null ? new Date(0) : endOf(after.from, interval)]
  const fixed = [organizationId, groupBy, from, before, ...first]
  const ofKind = 'u.organization_id = $1 AND u.kind = $2'
  const [begin, end] = ['$3::timestamptz', '$4::timestamptz']
  const wanted = new Conditions(fixed.length).add('true')
  if (deviceId !== undefined && groupBy === 'device') wanted.add('u.subject_id = ?', deviceId)
  if (tunnelId !== undefined)
    wanted.add(groupBy === 'tunnel' ? 'u.subject_id = ?' : 'false AND ? = u.subject_id', tunnelId)
  const device = new Conditions(fixed.length + wanted.values.length).add('true')
  if (deviceId !== undefined && groupBy !== 'device') device.add('n.device_id IS NOT DISTINCT FROM ?', deviceId)
  const start = interval === 'hour' ? 'n.hour' : `date_trunc('day', n.hour, 'UTC')`
  const length = interval === 'hour' ? `interval '1 hour'` : `interval '24 hours'`
  const fits = `(n.hour >= ${begin} AND n.hour < ${end} AND ${device.text})`
  const text = `WITH RECURSIVE walk AS (
      SELECT $5::text AS subject_id, $6::timestamptz AS at, NULL::timestamptz AS start, 0 AS step, 0 AS shown
      UNION ALL
      SELECT n.subject_id, CASE WHEN ${fits} THEN ${start} + ${length} WHEN n.hour < ${begin} AND ${device.text} THEN ${begin} ELSE 'infinity' END,
        CASE WHEN ${fits} THEN ${start} END, w.step + 1, w.shown + ${fits}::int
      FROM walk w CROSS JOIN LATERAL (
        SELECT u.subject_id, u.hour, u.device_id FROM usage_hourly u
        WHERE ${ofKind} AND ${wanted.text} AND (u.subject_id, u.hour) >= (w.subject_id, w.at) ORDER BY u.subject_id, u.hour LIMIT 1) n
      WHERE w.step < ${walkLimit} AND w.shown <= ${Math.min(limit, maxRows)})
    SELECT w.step, least(w.at, ${end}) AS "walkedTo", w.subject_id AS "subjectId", w.start AS "from", s.*
    FROM walk w CROSS JOIN LATERAL (
      SELECT max(u.device_id) AS "deviceId", sum(u.bytes_in)::float8 AS "bytesIn", sum(u.bytes_out)::float8 AS "bytesOut",
        sum(u.packets_in)::float8 AS "packetsIn", sum(u.packets_out)::float8 AS "packetsOut",
        sum(u.attached_ms)::float8 AS "attachedMs", sum(u.tunnels_opened)::int AS "tunnelsOpened",
        sum(u.connections)::int AS connections, sum(u.denied)::int AS denied
      FROM usage_hourly u WHERE ${ofKind} AND w.start IS NOT NULL AND u.subject_id = w.subject_id
        AND u.hour >= greatest(w.start, ${begin}) AND u.hour < least(w.start + ${length}, ${end})) s
    WHERE w.start IS NOT NULL OR w.step = ${walkLimit}`
  return { text, values: [...fixed, ...wanted.values, ...device.values] }
}

const intervalMs: Readonly<Record<UsageInterval, number>> = { hour: 3_600_000, day: 86_400_000 }

function endOf(start: Date, interval: UsageInterval): Date {
  return new Date(start.getTime() + intervalMs[interval])
}
