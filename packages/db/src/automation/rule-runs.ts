/**
 * Runs of rules. A run is taken for a while by raising its claim; whoever took it before writes nothing any more, so that each
 * step is recorded by one. Nothing is lost with a worker: what it had taken is free again when its time is over.
 */
import { maxRunsOfOrganization, type RuleAction, type RuleStep, type WeekHours } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { appendAudit } from '../audit.ts'
import { systemAuthor } from '../author.ts'
import { appendEvent } from '../outbox.ts'
import { Conditions, toPage, type Page, type PageRequest } from '../page.ts'
import { inTenantTransaction, tenant } from '../tenant.ts'
import type { TenantSql } from '../tenant-sql.ts'
import { inTransaction } from '../transaction.ts'
import { filterOf, insertDeliveries } from '../webhooks/matching.ts'
import { standingOf, type MakerStanding } from './rule-maker.ts'
import { ruleColumns, type RuleRecord, type RuleStop } from './rule-record.ts'

/** What a step came to. */
export interface StepResult extends RuleStep {
  readonly state: 'done' | 'failed'
  /** Why it failed. */
  readonly code: string | null
  readonly detail: string | null
  readonly tunnelId: string | null
}

export interface RunEvent {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly resourceId: string
  readonly sequence: number
  readonly data: Readonly<Record<string, unknown>>
}

export interface RunRecord {
  readonly id: string
  readonly ruleId: string
  readonly event: RunEvent
  readonly deviceId: string | null
  readonly depth: number
  readonly state: 'pending' | 'succeeded' | 'failed' | 'skipped'
  readonly reason: string | null
  readonly steps: StepResult[]
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
}

/** What the rule said when the run began, and who had made it so: it acts for nobody else. */
export interface RunPlan {
  readonly actions: RuleAction[]
  readonly during: WeekHours | null
  readonly makerKind: RuleRecord['makerKind']
  readonly makerId: string
}

export interface RunClaim {
  readonly id: string
  readonly claim: number
  readonly organizationId: string
  /** As it is now, but for the maker, who is that of the plan. */
  readonly rule: RuleRecord
  readonly plan: RunPlan
  readonly event: RunEvent
  readonly deviceId: string | null
  readonly depth: number
  readonly steps: StepResult[]
  /** Calls made of the step at hand. */
  readonly attempts: number
  readonly startedAt: Date
}

/** Longer than any step. */
const leaseSec = 60
/** Most runs that are skipped at once. */
export const skipBatch = 1_000
/** Times that a run is taken: more than any that goes well needs. */
const maxClaims = 100

const runColumns = `u.id, u.rule_id AS "ruleId", u.event, u.device_id AS "deviceId", u.depth, u.state, u.reason, u.steps,
  u.created_at AS "createdAt", u.started_at AS "startedAt", u.finished_at AS "finishedAt"`

export async function listRuns(
  pool: Pool,
  organizationId: string,
  ruleId: string,
  page: PageRequest,
): Promise<Page<RunRecord>> {
  const where = new Conditions().add('u.organization_id = ?', organizationId).add('u.rule_id = ?', ruleId)
  if (page.after) where.add('(u.created_at, u.id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, organizationId).query<RunRecord>(
    `SELECT ${runColumns} FROM rule_runs u WHERE ${where.text} ORDER BY u.created_at DESC, u.id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ createdAt, id }) => ({ createdAt, id }))
}

type DueRun = Omit<RunClaim, 'rule' | 'startedAt' | 'plan'> & {
  readonly ruleId: string
  readonly plan: RunPlan | null
  readonly startedAt: Date | null
}

/** Whose turn it is. */
export interface RunOrder {
  /** Organizations that have their share of what goes on. */
  readonly busy: readonly string[]
  /** Organizations that had a run lately, the last one at the end: whoever is not among them comes first. */
  readonly served: readonly string[]
}

/**
 * Organizations take turns, so that no backlog of one stands before the runs of others.
 *
 * @returns a run to work on, `over` when a batch of runs was ended by its limits, null when none is due
 */
export function claimRun(
  pool: Pool,
  { busy, served }: RunOrder = { busy: [], served: [] },
): Promise<RunClaim | 'over' | null> {
  return inTransaction(pool, async (tx) => {
    const run = await nextRun(tx, busy, served)
    if (!run) return null
    const { rows: rules } = await tx.query<RuleRecord>(
      `SELECT ${ruleColumns} FROM automation_rules r WHERE r.id = $1`,
      [run.ruleId],
    )
    const rule = rules[0] as RuleRecord
    const refusal = await refusalOf(tx, rule, run)
    if (refusal !== null) return skip(tx, run, refusal)
    if (run.claim > maxClaims) return fail(tx, run)
    const { actions, during, makerKind, makerId } = rule
    const plan = { makerKind, makerId, ...(run.plan ?? { actions, during }) }
    const { rows: taken } = await tx.query<{ startedAt: Date }>(
      `UPDATE rule_runs SET claim = $2, plan = $3, started_at = coalesce(started_at, now()),
         next_at = now() + ${leaseSec} * interval '1 second' WHERE id = $1 RETURNING started_at AS "startedAt"`,
      [run.id, run.claim, JSON.stringify(plan)],
    )
    const made = { ...rule, makerKind: plan.makerKind, makerId: plan.makerId }
    return { ...run, rule: made, plan, startedAt: taken[0]?.startedAt ?? new Date(0) }
  })
}

/** One probe of the index for each organization that has runs that wait, however many those are. */
async function nextRun(tx: TenantSql, busy: readonly string[], served: readonly string[]): Promise<DueRun | null> {
  const { rows: organizations } = await tx.query<{ id: string }>(
    `WITH RECURSIVE waiting(id, next_at) AS (
       (SELECT organization_id, next_at FROM rule_runs WHERE state = 'pending' ORDER BY organization_id, next_at LIMIT 1)
       UNION ALL
       SELECT n.organization_id, n.next_at FROM waiting w CROSS JOIN LATERAL
         (SELECT organization_id, next_at FROM rule_runs WHERE state = 'pending' AND organization_id > w.id
          ORDER BY organization_id, next_at LIMIT 1) n
     )
     SELECT id FROM waiting WHERE next_at <= now() AND id <> ALL($1)
     ORDER BY coalesce(array_position($2::text[], id), 0), next_at, id`,
    [busy, served],
  )
  for (const { id } of organizations) {
    const { rows } = await tx.query<DueRun>(
      `SELECT id, claim + 1 AS claim, organization_id AS "organizationId", rule_id AS "ruleId", event, device_id AS "deviceId", depth,
         plan, steps, attempts, started_at AS "startedAt" FROM rule_runs
       WHERE state = 'pending' AND next_at <= now() AND organization_id = $1 ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [id],
    )
    if (rows[0]) return rows[0]
  }
  return null
}

async function fail(tx: TenantSql, { id }: DueRun): Promise<'over'> {
  await tx.query(
    `UPDATE rule_runs SET state = 'failed', reason = 'internal_error', plan = NULL, finished_at = now() WHERE id = $1`,
    [id],
  )
  return 'over'
}

interface Refusal {
  readonly reason: 'rule_disabled' | 'rate_limited'
  /** Whose runs it holds for. */
  readonly of: 'rule' | 'organization'
  /** Also for runs that have begun. */
  readonly all: boolean
}

/** What holds for one holds for all that are due: they are ended together, whatever their number. */
async function skip(tx: TenantSql, run: DueRun, { reason, of, all }: Refusal): Promise<'over'> {
  await tx.query(
    `UPDATE rule_runs SET state = 'skipped', reason = $1, plan = NULL, finished_at = now() WHERE id IN (
       SELECT id FROM rule_runs WHERE organization_id = $2 AND ($3::text IS NULL OR rule_id = $3) AND state = 'pending'
         AND next_at <= now() AND ($4 OR started_at IS NULL) ORDER BY next_at LIMIT ${skipBatch} FOR UPDATE SKIP LOCKED)`,
    [reason, run.organizationId, of === 'rule' ? run.ruleId : null, all],
  )
  return 'over'
}

/** Counted one after the other within an organization. */
async function refusalOf(tx: TenantSql, rule: RuleRecord, run: DueRun): Promise<Refusal | null> {
  if (rule.deletedAt !== null) return { reason: 'rule_disabled', of: 'rule', all: true }
  if (run.startedAt !== null) return null
  if (!rule.enabled) return { reason: 'rule_disabled', of: 'rule', all: false }
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 24))', [rule.organizationId])
  const { rows } = await tx.query<{ all: number; own: number }>(
    `SELECT count(*)::int AS "all", count(*) FILTER (WHERE rule_id = $2)::int AS own FROM rule_runs
     WHERE organization_id = $1 AND started_at > now() - interval '1 hour'`,
    [rule.organizationId, rule.id],
  )
  const { all = 0, own = 0 } = rows[0] ?? {}
  if (own >= rule.maxRunsPerHour) return { reason: 'rate_limited', of: 'rule', all: false }
  return all >= maxRunsOfOrganization ? { reason: 'rate_limited', of: 'organization', all: false } : null
}

/** Somebody else took the run, or its rule was deleted. */
export class RunLostError extends Error {}

/**
 * Locks the run until the transaction ends, and its rule before it: whoever deletes the rule waits until the step has committed, and no
 * step commits after that.
 * @throws RunLostError
 */
export async function holdRun(tx: TenantSql, { id, claim, organizationId, rule }: RunClaim): Promise<void> {
  const { rowCount: rules } = await tx.query(
    'SELECT 1 FROM automation_rules WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR SHARE',
    [organizationId, rule.id],
  )
  const { rowCount: runs } = await tx.query(
    `SELECT 1 FROM rule_runs WHERE organization_id = $1 AND id = $2 AND claim = $3 AND state = 'pending' FOR UPDATE`,
    [organizationId, id, claim],
  )
  if (rules !== 1 || runs !== 1) throw new RunLostError(id)
}

/** @returns how the maker stands, while the run is held; for a step that changes no rows */
export function askMaker(pool: Pool, run: RunClaim): Promise<MakerStanding | null> {
  return inTenantTransaction(pool, run.organizationId, async (tx) => {
    await holdRun(tx, run)
    return standingOf(tx, run.rule)
  })
}

/** Records a step that changed no rows. @throws RunLostError */
export function recordCall(pool: Pool, run: RunClaim, result: StepResult): Promise<RunClaim> {
  return inTenantTransaction(pool, run.organizationId, async (tx) => {
    await holdRun(tx, run)
    return recordStep(tx, run, result)
  })
}

/** In the transaction that did the step, which holds the run. */
export async function recordStep(tx: TenantSql, run: RunClaim, result: StepResult): Promise<RunClaim> {
  const steps = [...run.steps, result]
  await tx.query(
    `UPDATE rule_runs SET steps = $3, attempts = 0, next_at = now() + ${leaseSec} * interval '1 second'
     WHERE organization_id = $1 AND id = $2`,
    [run.organizationId, run.id, JSON.stringify(steps)],
  )
  return { ...run, steps, attempts: 0 }
}

/** The step at hand is done later. @param called it was tried, and another one is counted */
export async function postponeRun(pool: Pool, run: RunClaim, afterSec: number, called: boolean): Promise<void> {
  await pool.query(
    `UPDATE rule_runs SET next_at = now() + $3::float8 * interval '1 second', attempts = attempts + $4
     WHERE id = $1 AND claim = $2 AND state = 'pending'`,
    [run.id, run.claim, afterSec, called ? 1 : 0],
  )
}

/** What a call tells: the device, and the tunnels of the run with where they are. */
export interface RunFacts {
  readonly deviceName: string | null
  readonly tunnels: readonly { state: string; devicePort: number; host: string; port: number | null }[]
}

export async function readRunFacts(pool: Pool, run: RunClaim): Promise<RunFacts> {
  const sql = tenant(pool, run.organizationId)
  const ids = run.steps.flatMap(({ tunnelId }) => (tunnelId === null ? [] : [tunnelId]))
  const { rows: devices } = await sql.query<{ name: string }>(
    'SELECT name FROM devices WHERE organization_id = $1 AND id = $2',
    [run.organizationId, run.deviceId],
  )
  const { rows: tunnels } = await sql.query<RunFacts['tunnels'][number]>(
    `SELECT t.state, p.device_port AS "devicePort", g.public_host AS host, p.gateway_port AS port FROM tunnels t
       JOIN tunnel_ports p ON p.organization_id = t.organization_id AND p.tunnel_id = t.id JOIN gateways g ON g.id = p.gateway_id
     WHERE t.organization_id = $1 AND t.id = ANY($2) ORDER BY p.device_port`,
    [run.organizationId, ids],
  )
  return { deviceName: devices[0]?.name ?? null, tunnels }
}

/** @returns endpoints of webhooks that get the event of the run's end because the rule says so */
export function deliveredTo({ plan, steps }: RunClaim): string[] {
  const ids = steps.flatMap(({ action, state }) => {
    const said = plan.actions[action]
    return said?.kind === 'deliver_webhook' && state === 'done' ? [said.endpointId] : []
  })
  return [...new Set(ids)]
}

/**
 * Ends the run with an event of its rule. A rule whose maker may not act, or that fails again and again, is stopped in the same
 * transaction; not when it is somebody else's by now.
 *
 * @param stop why the rule is stopped at once; null: only when it failed too often
 * @param maxFailures runs in a row that may fail
 */
export async function finishRun(
  pool: Pool,
  run: RunClaim,
  { stop, maxFailures }: { stop: RuleStop | null; maxFailures: number },
): Promise<RuleStop | null> {
  const { organizationId, rule } = run
  return inTenantTransaction(pool, organizationId, async (tx) => {
    const { rows: rules } = await tx.query<{ enabled: boolean; failures: number; makerId: string }>(
      'SELECT enabled, failures, maker_id AS "makerId" FROM automation_rules WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE',
      [organizationId, rule.id],
    )
    await holdRun(tx, run)
    const failed = stop !== null || run.steps.some(({ state }) => state === 'failed')
    const state = failed ? 'failed' : 'succeeded'
    await tx.query(
      `UPDATE rule_runs SET state = $3, reason = $4, plan = NULL, finished_at = now() WHERE organization_id = $1 AND id = $2`,
      [organizationId, run.id, state, stop],
    )
    const { enabled = false, failures = 0, makerId } = rules[0] ?? {}
    const isTheirs = makerId === rule.makerId
    const ownInRow = failed ? failures + 1 : 0
    const inRow = isTheirs ? ownInRow : failures
    const ending = stop ?? (failed && inRow >= maxFailures ? 'failures' : null)
    const disabled = isTheirs ? ending : null
    await tx.query(
      `UPDATE automation_rules SET failures = $3, enabled = enabled AND $4::text IS NULL,
         disabled_reason = CASE WHEN enabled THEN $4 ELSE disabled_reason END,
         version = version + CASE WHEN enabled AND $4::text IS NOT NULL THEN 1 ELSE 0 END
       WHERE organization_id = $1 AND id = $2`,
      [organizationId, rule.id, inRow, disabled],
    )
    const tunnelIds = run.steps.flatMap(({ kind, tunnelId }) =>
      kind === 'open_tunnel' && tunnelId !== null ? [tunnelId] : [],
    )
    const data = { runId: run.id, eventId: run.event.id, deviceId: run.deviceId, state, tunnelIds } as const
    const eventId = await appendEvent(tx, { organizationId, type: 'rule.ran', resourceId: rule.id, data })
    for (const endpointId of stop === null ? deliveredTo(run) : []) {
      if ((await filterOf(tx, organizationId, endpointId)) === null) continue
      await insertDeliveries(tx, [{ organizationId, endpointId, eventId, eventType: 'rule.ran', resourceId: rule.id }])
    }
    if (disabled === null || !enabled) return null
    await appendEvent(tx, {
      organizationId,
      type: 'rule.disabled',
      resourceId: rule.id,
      data: { reason: disabled, runId: run.id },
    })
    const by = systemAuthor('worker')
    const entry = { organizationId, by, action: 'rule.disabled', targetType: 'automation_rule', targetId: rule.id }
    await appendAudit(tx, { ...entry, after: { reason: disabled } })
    return disabled
  })
}
