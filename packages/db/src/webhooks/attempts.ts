/** What came of attempts: written for many deliveries in one statement, with what it means for the endpoints. */
import type { Pool } from 'pg'
import { appendAudit } from '../audit.ts'
import { systemAuthor } from '../author.ts'
import { appendEvent, appendEvents, type NewEvent } from '../outbox.ts'
import { inTenantTransaction } from '../tenant.ts'
import { inTransaction } from '../transaction.ts'
import { keptAttempts, type DeliveryState } from './deliveries.ts'
import { setDisabled } from './endpoint-rows.ts'

export interface AttemptResult {
  readonly deliveryId: string
  readonly organizationId: string
  readonly state: DeliveryState
  /** To the next attempt; null unless pending. */
  readonly nextMs: number | null
  readonly at: Date
  readonly durationMs: number
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly status: number | null
  readonly responseHeaders: Readonly<Record<string, string>> | null
  /** Without NUL, which PostgreSQL has no text for. */
  readonly responseBody: string | null
  readonly responseTruncated: boolean
  readonly error: string | null
  readonly errorDetail: string | null
}

/** What is not pending any more, as another worker was quicker, is left as it is. Attempts beyond {@link keptAttempts} are forgotten. */
export async function recordAttempts(pool: Pool, results: readonly AttemptResult[]): Promise<void> {
  if (results.length === 0) return
  await pool.query(
    `WITH v AS MATERIALIZED (
       SELECT * FROM json_to_recordset($1) AS v("deliveryId" text, "organizationId" text, state text, "nextMs" int8, at timestamptz,
         "durationMs" int, "requestHeaders" jsonb, status int, "responseHeaders" jsonb, "responseBody" text, "responseTruncated" boolean,
         error text, "errorDetail" text)
     ), done AS (
       UPDATE webhook_deliveries d SET state = v.state, attempts = d.attempts + 1, step = d.step + 1,
         next_attempt_at = now() + v."nextMs" * interval '1 millisecond', finished_at = CASE WHEN v.state <> 'pending' THEN now() END
       FROM v WHERE d.id = v."deliveryId" AND d.organization_id = v."organizationId" AND d.state = 'pending'
       RETURNING d.id, d.organization_id, d.attempts
     ), forgotten AS (
       DELETE FROM webhook_attempts a USING done d
       WHERE a.organization_id = d.organization_id AND a.delivery_id = d.id AND a.number <= d.attempts - $2
     )
     INSERT INTO webhook_attempts (delivery_id, number, organization_id, at, duration_ms, request_headers, status, response_headers,
       response_body, response_truncated, error, error_detail)
     SELECT v."deliveryId", d.attempts, v."organizationId", v.at, v."durationMs", v."requestHeaders", v.status, v."responseHeaders",
       v."responseBody", v."responseTruncated", v.error, v."errorDetail" FROM done d JOIN v ON v."deliveryId" = d.id`,
    [JSON.stringify(results), keptAttempts],
  )
}

/** How sending to an endpoint goes, as far as it changed. */
export interface CourseChange {
  readonly endpointId: string
  readonly failingSince: Date | null
  readonly warnedAt: Date | null
  readonly throttled: number
  /** From now; 0: go on. */
  readonly pauseMs: number
  /** Null: none since this was written last. */
  readonly succeededAt: Date | null
  readonly failedAt: Date | null
}

/** An endpoint that is warned about now is told of by an event: both are written, or neither. */
export async function recordCourses(pool: Pool, runner: string, changes: readonly CourseChange[]): Promise<void> {
  if (changes.length === 0) return
  await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{
      id: string
      organizationId: string
      failingSince: Date | null
      isWarned: boolean
    }>(
      `UPDATE webhook_courses c SET failing_since = v."failingSince", warned_at = v."warnedAt", throttled = v.throttled,
       paused_until = CASE WHEN v."pauseMs" > 0 THEN now() + v."pauseMs" * interval '1 millisecond' END,
       last_success_at = coalesce(v."succeededAt", c.last_success_at), last_failure_at = coalesce(v."failedAt", c.last_failure_at)
     FROM json_to_recordset($2) AS v("endpointId" text, "failingSince" timestamptz, "warnedAt" timestamptz, throttled int, "pauseMs" int8,
       "succeededAt" timestamptz, "failedAt" timestamptz)
     WHERE c.endpoint_id = v."endpointId" AND c.runner = $1
     RETURNING c.endpoint_id AS id, c.organization_id AS "organizationId", c.failing_since AS "failingSince",
       old.warned_at IS NULL AND new.warned_at IS NOT NULL AS "isWarned"`,
      [runner, JSON.stringify(changes)],
    )
    const news = rows.flatMap(({ id, organizationId, failingSince, isWarned }) =>
      isWarned && failingSince ? [failingEvent(organizationId, id, failingSince)] : [],
    )
    await appendEvents(tx, news)
  })
}

/** The endpoint will be disabled when it goes on like this. */
function failingEvent(organizationId: string, id: string, failingSince: Date): NewEvent {
  const data = { failingSince: failingSince.toISOString() }
  return { organizationId, type: 'webhook.failing', resourceId: id, data }
}

interface EndpointOf {
  readonly organizationId: string
  readonly id: string
}

/** @returns whether it was enabled until now */
export function disableEndpoint(
  pool: Pool,
  { organizationId, id }: EndpointOf,
  reason: 'gone' | 'failing',
): Promise<boolean> {
  return inTenantTransaction(pool, organizationId, async (tx) => {
    if (!(await setDisabled(tx, organizationId, id, reason))) return false
    await appendEvent(tx, { organizationId, type: 'webhook.disabled', resourceId: id, data: { reason } })
    await appendAudit(tx, {
      organizationId,
      by: systemAuthor('worker'),
      action: 'webhook.disabled',
      targetType: 'webhook_endpoint',
      targetId: id,
      after: { reason },
    })
    return true
  })
}
