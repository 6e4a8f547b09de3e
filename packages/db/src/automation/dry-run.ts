/** For which past events a rule would have run. Reads the feed and changes nothing. */
import { ruleFits, type RuleDevice, type RuleTrigger } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { tenant } from '../tenant.ts'
import type { RunEvent } from './rule-runs.ts'

export interface PastRun {
  readonly event: RunEvent
  readonly deviceId: string | null
  readonly deviceName: string | null
}

export interface PastRuns {
  /** Of the types that it waits for. */
  readonly events: number
  /** All of them were looked at. */
  readonly complete: boolean
  readonly runs: readonly PastRun[]
}

/** Most events that are looked at, and most runs that are told. */
const mostEvents = 10_000
const mostRuns = 200

interface PastRow extends Omit<RunEvent, 'timestamp'> {
  readonly createdAt: Date
  readonly deviceId: string | null
  readonly device: (RuleDevice & { readonly name: string }) | null
}

/**
 * @param types all those that it waits for, without `*`
 * @param trigger tags and networks are compared with what devices have now
 */
export async function findPastRuns(
  pool: Pool,
  organizationId: string,
  { types, trigger, since }: { types: readonly string[]; trigger: RuleTrigger; since: Date },
): Promise<PastRuns> {
  const { rows } = await tenant(pool, organizationId).query<PastRow>(
    `SELECT e.id, e.type, e.resource_id AS "resourceId", e.sequence, e.data, e.created_at AS "createdAt", e.device_id AS "deviceId",
       CASE WHEN d.id IS NOT NULL THEN json_build_object('tags', d.tags, 'networkId', d.network_id, 'name', d.name) END AS device
     FROM (SELECT * FROM events WHERE organization_id = $1 AND created_at >= $2 AND type = ANY($3) AND position IS NOT NULL
       ORDER BY created_at, id LIMIT ${mostEvents + 1}) e
     LEFT JOIN devices d ON d.organization_id = $1 AND d.id = e.device_id AND d.deleted_at IS NULL ORDER BY e.position`,
    [organizationId, since, types],
  )
  const seen = rows.slice(0, mostEvents)
  const fitting = seen.filter(({ type, resourceId, deviceId, createdAt, device }) =>
    ruleFits(trigger, { type, resourceId, deviceId, atMs: createdAt.getTime() }, device),
  )
  return {
    events: seen.length,
    complete: rows.length <= mostEvents && fitting.length <= mostRuns,
    runs: fitting.slice(0, mostRuns).map(({ id, type, resourceId, sequence, data, createdAt, deviceId, device }) => ({
      event: { id, type, timestamp: createdAt.toISOString(), resourceId, sequence, data },
      deviceId,
      deviceName: device?.name ?? null,
    })),
  }
}
