/** Automation rules in chaos: each event that a rule waits for makes one run, which ends well, is told once and did once what it does. */
import fs from 'node:fs'
import { type Pool } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { type Installation } from '../support/installation.ts'
import { allEvents } from './archive.ts'
import { type Receipt } from './temper.ts'

export interface Rules {
  /** Calls a URL of each tunnel that is asked for. */
  readonly calling: string
  /** Opens a tunnel, and calls, when the device that is attached was changed or comes online. */
  readonly opening: string
}

const waitsFor: Readonly<Record<keyof Rules, readonly string[]>> = {
  calling: ['tunnel.requested'],
  opening: ['device.online', 'device.updated'],
}
/** Of the tunnels that the rule opens, and nobody else. */
const rulePort = 22

export async function addRules({ acme }: Installation, deviceId: string, url: string): Promise<Rules> {
  const call = { kind: 'call_webhook', url, format: 'event' }
  const open = { kind: 'open_tunnel', ports: [rulePort], ttlSec: 10, allowFrom: ['192.0.2.0/24'] }
  const add = async (name: keyof Rules, on: object, actions: readonly object[]): Promise<string> => {
    const rule = { name, on: { eventTypes: waitsFor[name], ...on }, actions, maxRunsPerHour: 1_000 }
    const { status, text, body } = await acme<{ id: string }>('POST', '/v1/automation-rules', rule)
    if (status !== 201) throw new Error(`rule: ${status} ${text}`)
    return body.id
  }
  return {
    calling: await add('calling', {}, [call]),
    opening: await add('opening', { deviceIds: [deviceId] }, [open, call]),
  }
}

/** No pause waits any more: the clock is moved until no run is left. */
export async function ran(pool: Pool): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await pool.query<{ left: number; unread: number }>(
        `SELECT (SELECT count(*)::int FROM rule_runs WHERE state = 'pending') AS left,
           (SELECT count(*)::int FROM events WHERE position IS NULL) AS unread`,
      )
      await pool.query(
        `UPDATE rule_runs SET next_at = now() - interval '1 ms' WHERE state = 'pending' AND attempts > 0 AND next_at > now() + interval '1 second'`,
      )
      return rows[0]?.left === 0 && rows[0].unread === 0
    },
    { timeoutMs: 120_000, intervalMs: 200, message: 'rules to have run' },
  )
}

interface RunRow {
  readonly id: string
  readonly rule_id: string
  readonly state: string
  readonly reason: string | null
  readonly steps: readonly { kind: string; state: string; code: string | null; tunnelId: string | null }[]
  readonly told: number
}

export async function complaintsAboutRules(
  pool: Pool,
  rules: Rules,
  deviceId: string,
  file: string,
): Promise<string[]> {
  const { rows: runs } = await pool.query<RunRow>(
    `SELECT u.id, u.rule_id, u.state, u.reason, u.steps,
       (SELECT count(*)::int FROM ${allEvents} e WHERE e.type = 'rule.ran' AND e.resource_id = u.rule_id AND e.data->>'runId' = u.id) AS told
     FROM rule_runs u WHERE u.rule_id = ANY($1)`,
    [Object.values(rules)],
  )
  return [
    ...(await withoutRun(pool, rules, deviceId)),
    ...runs.flatMap(wrongWith),
    ...uncalled(runs, file),
    ...(await opened(pool, runs, deviceId)),
  ]
}

/** Of events after the rule was made. */
async function withoutRun(pool: Pool, rules: Rules, deviceId: string): Promise<string[]> {
  const lost = await Promise.all(
    Object.entries(rules).map(async ([name, id]: [string, string]) => {
      const { rows } = await pool.query<{ id: string }>(
        `SELECT e.id FROM ${allEvents} e, ${allEvents} made
         WHERE made.resource_id = $1 AND made.type = 'rule.created' AND e.organization_id = made.organization_id
           AND e.position > made.position AND e.type = ANY($2) AND ($3::text IS NULL OR e.device_id = $3)
           AND NOT EXISTS (SELECT 1 FROM rule_runs u WHERE u.rule_id = $1 AND u.event_id = e.id)`,
        [id, waitsFor[name as keyof Rules], name === 'opening' ? deviceId : null],
      )
      return rows.map((event) => `rule ${name} never ran for ${event.id}`)
    }),
  )
  return lost.flat()
}

/** That the device was away when a tunnel was to be opened is no fault. */
function wrongWith({ id, state, reason, steps, told }: RunRow): string[] {
  const isAway = steps.some(({ code }) => code === 'device_offline')
  const asDue = state === (isAway ? 'failed' : 'succeeded')
  return [
    ...(asDue ? [] : [`run ${id} is ${state} (${reason}): ${JSON.stringify(steps)}`]),
    ...(told === 1 ? [] : [`run ${id} was told ${told} times`]),
  ]
}

function uncalled(runs: readonly RunRow[], file: string): string[] {
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
  const calls = lines.map((line) => JSON.parse(line) as Receipt).filter(({ temper }) => temper === 'rule')
  const byKey = Map.groupBy(calls, ({ headers }) => headers['idempotency-key'] ?? '')
  const due = runs.flatMap(({ id, steps }) =>
    steps.flatMap(({ kind }, index) => (kind === 'call_webhook' ? [`${id}-${index}`] : [])),
  )
  const wanted = new Set(due)
  return [
    ...due
      .filter((key) => !byKey.get(key)?.some(({ isAccepted }) => isAccepted))
      .map((key) => `${key} was never called`),
    ...[...byKey.keys()].filter((key) => !wanted.has(key)).map((key) => `${key} was called, and is no step of a run`),
    ...[...byKey]
      .filter(([, all]) => new Set(all.map(({ body }) => body)).size > 1)
      .map(([key]) => `${key} was called with different bodies`),
  ]
}

/** Each tunnel to the port of the rule is of one step that says so, and the other way round. */
async function opened(pool: Pool, runs: readonly RunRow[], deviceId: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT t.id FROM tunnels t JOIN tunnel_ports p ON p.tunnel_id = t.id WHERE t.device_id = $1 AND p.device_port = $2`,
    [deviceId, rulePort],
  )
  const steps = runs.flatMap(({ steps: all }) => all.flatMap(({ tunnelId }) => (tunnelId === null ? [] : [tunnelId])))
  const there = rows.map(({ id }) => id)
  return [
    ...there.filter((id) => !steps.includes(id)).map((id) => `${id} was opened by a rule, and no run says so`),
    ...steps.filter((id) => !there.includes(id)).map((id) => `${id} is said to be opened by a rule, and is not there`),
    ...(new Set(steps).size === steps.length ? [] : ['a tunnel is of two runs']),
  ]
}
