/**
 * Calls the URL of a rule: at least once, with the same `idempotency-key` each time. The text is made of fixed names; what the
 * other side answers is not kept, its status alone.
 */
import type { RunClaim, RunFacts } from '@culvert/db'
import type { Egress } from '@culvert/egress'
import { callPauseSec, renderRuleText, usualRuleText, type RuleAction } from '@culvert/lifecycle'

export type CallAction = Extract<RuleAction, { kind: 'call_webhook' }>
export type CallOutcome =
  | { readonly kind: 'done'; readonly detail: string }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string }
  | { readonly kind: 'again'; readonly afterSec: number; readonly counts: boolean }

const timeoutMs = 10_000
const busyPauseSec = 2
/** Of the network: another time it may go well. */
const passing = new Set([
  'name_unresolved',
  'connect_failed',
  'proxy_failed',
  'tls_failed',
  'connection_closed',
  'invalid_response',
  'timeout',
])

/** Never rejects for what the other side does. */
export async function callWebhook(
  egress: Egress,
  run: RunClaim,
  action: CallAction,
  facts: RunFacts,
): Promise<CallOutcome> {
  const result = await egress.send({
    url: action.url,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'culvert',
      'idempotency-key': `${run.id}-${run.steps.length}`,
    },
    body: bodyOf(run, action, facts),
    timeoutMs,
    maxResponseBytes: 1_024,
  })
  if (!result.ok) {
    if (result.code === 'busy') return { kind: 'again', afterSec: busyPauseSec, counts: false }
    return again(run, passing.has(result.code), { code: result.code, detail: result.message })
  }
  if (result.status >= 200 && result.status < 300) return { kind: 'done', detail: `Answered ${result.status}.` }
  const isPassing = result.status >= 500 || result.status === 429 || result.status === 408
  return again(run, isPassing, { code: 'refused', detail: `Answered ${result.status}.` })
}

function again(run: RunClaim, isPassing: boolean, failure: { code: string; detail: string }): CallOutcome {
  const afterSec = isPassing ? callPauseSec(run.attempts + 1) : null
  return afterSec === null ? { kind: 'failed', ...failure } : { kind: 'again', afterSec, counts: true }
}

function bodyOf(run: RunClaim, action: CallAction, facts: RunFacts): string {
  if (action.format === 'event') return JSON.stringify(run.event)
  const text = renderRuleText(action.text ?? usualRuleText, {
    rule: run.rule.name,
    event: run.event.type,
    time: run.event.timestamp,
    'device.id': run.deviceId ?? '',
    'device.name': facts.deviceName ?? run.deviceId ?? run.event.resourceId,
    resource: run.event.resourceId,
    tunnels: facts.tunnels.map(placeOf).join(', '),
    outcome: outcomeOf(run),
  })
  return JSON.stringify({ text })
}

function placeOf({ state, devicePort, host, port }: RunFacts['tunnels'][number]): string {
  return state === 'open' && port !== null
    ? `${host}:${port} leads to port ${devicePort}`
    : `port ${devicePort}: ${state}`
}

function outcomeOf({ steps }: RunClaim): string {
  const failed = steps.filter(({ state }) => state === 'failed')
  if (failed.length === 0) return steps.length === 0 ? '' : 'Done.'
  return `Failed: ${failed.map(({ kind, port, code }) => `${kind}${port === null ? '' : ` ${port}`} (${code})`).join(', ')}.`
}
