/**
 * Makes runs of events that rules wait for, in the transaction that gives the events their positions: of each rule and event one,
 * whoever dies. One question finds the rules; a batch of organizations without rules costs no more.
 */
import { maxRuleDepth, ruleFits, type RuleDevice, type RuleEvent } from '@culvert/lifecycle'
import type { PoolClient } from 'pg'
import type { RelayConsumer, RelayedEvent } from '../events/relay-consumer.ts'
import { newId } from '../ids.ts'
import { notify, ruleRunDueChannel } from '../notify.ts'
import { ruleColumns, type RuleRecord } from './rule-record.ts'

export const ruleConsumer: RelayConsumer = { name: 'automation_rules', consume: planRuns, weigh: countRules }

async function countRules(tx: PoolClient, organizationIds: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ id: string; rules: number }>(
    `SELECT organization_id AS id, count(*)::int AS rules FROM automation_rules
     WHERE enabled AND organization_id = ANY($1) GROUP BY organization_id`,
    [organizationIds],
  )
  return new Map(rows.map(({ id, rules }) => [id, rules]))
}

async function planRuns(tx: PoolClient, events: readonly RelayedEvent[]): Promise<void> {
  const rules = Map.groupBy(await rulesOf(tx, events), ({ organizationId }) => organizationId)
  if (rules.size === 0) return
  const concerned = events.filter(({ organizationId }) => rules.has(organizationId))
  const devices = await devicesOf(tx, concerned)
  const depths = await depthsOf(tx, concerned)
  const runs = concerned.flatMap((event) =>
    (rules.get(event.organizationId) ?? [])
      .filter((rule) => ruleFits(rule, ruleEventOf(event), devices.get(event.deviceId ?? '') ?? null))
      .map((rule) => runOf(rule, event, depths(event))),
  )
  if (runs.length === 0) return
  await tx.query(
    `INSERT INTO rule_runs (id, organization_id, rule_id, event_id, event, device_id, depth, state, reason, finished_at)
     SELECT v.id, v.organization_id, v.rule_id, v.event_id, v.event, v.device_id, v.depth, v.state, v.reason,
       CASE WHEN v.state <> 'pending' THEN now() END
     FROM json_to_recordset($1) AS v(id text, organization_id text, rule_id text, event_id text, event jsonb, device_id text, depth int,
       state text, reason text)
     ON CONFLICT (rule_id, event_id) DO NOTHING`,
    [JSON.stringify(runs)],
  )
  await notify(tx, ruleRunDueChannel, '')
}

function ruleEventOf({
  type,
  resourceId,
  deviceId,
  createdAt,
}: Pick<RelayedEvent, 'type' | 'resourceId' | 'deviceId' | 'createdAt'>): RuleEvent {
  return { type, resourceId, deviceId, atMs: createdAt.getTime() }
}

/** Locked against being removed, which would take the runs along. */
async function rulesOf(tx: PoolClient, events: readonly RelayedEvent[]): Promise<RuleRecord[]> {
  const { rows } = await tx.query<RuleRecord>(
    `SELECT ${ruleColumns} FROM automation_rules r WHERE r.enabled AND r.organization_id = ANY($1) ORDER BY r.id FOR KEY SHARE`,
    [[...new Set(events.map(({ organizationId }) => organizationId))]],
  )
  return rows
}

async function devicesOf(tx: PoolClient, events: readonly RelayedEvent[]): Promise<ReadonlyMap<string, RuleDevice>> {
  const ids = new Set(events.flatMap(({ deviceId }) => (deviceId === null ? [] : [deviceId])))
  if (ids.size === 0) return new Map()
  const { rows } = await tx.query<RuleDevice & { id: string }>(
    'SELECT id, tags, network_id AS "networkId" FROM devices WHERE id = ANY($1) AND deleted_at IS NULL',
    [[...ids]],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * How many rules led to an event: all that becomes of a tunnel that a rule opened or closed, and what was written in the transaction
 * of a step.
 */
async function depthsOf(tx: PoolClient, events: readonly RelayedEvent[]): Promise<(event: RelayedEvent) => number> {
  const { rows } = await tx.query<{ resourceId: string; at: Date; depth: number }>(
    'SELECT resource_id AS "resourceId", at, depth FROM rule_effects WHERE resource_id = ANY($1)',
    [[...new Set(events.map(({ resourceId }) => resourceId))]],
  )
  const effects = Map.groupBy(rows, ({ resourceId }) => resourceId)
  return ({ resourceId, createdAt }) =>
    (effects.get(resourceId) ?? [])
      .filter(({ at }) => resourceId.startsWith('tun_') || at.getTime() === createdAt.getTime())
      .reduce((deepest, { depth }) => Math.max(deepest, depth), 0)
}

function runOf(rule: RuleRecord, event: RelayedEvent, depth: number): Readonly<Record<string, unknown>> {
  const { id, organizationId, type, resourceId, deviceId, sequence, data, createdAt } = event
  const isLoop = depth >= maxRuleDepth
  return {
    id: newId('run'),
    organization_id: organizationId,
    rule_id: rule.id,
    event_id: id,
    event: { id, type, timestamp: createdAt.toISOString(), resourceId, sequence, data },
    device_id: deviceId,
    depth,
    state: isLoop ? 'skipped' : 'pending',
    reason: isLoop ? 'loop' : null,
  }
}
