/** What automation rules did, and what they would have done. */
import {
  AutomationRuleId,
  AutomationRuleInput,
  AutomationRuleQuery,
  DomainError,
  DryRunQuery,
  eventTypes,
  type DryRun,
  type RuleRun,
} from '@culvert/contracts'
import { findPastRuns, listRuns, readRule, type PastRun, type RuleFields, type RunRecord } from '@culvert/db'
import { renderRuleText, stepsOf, ttlOf, usualRuleText, type RuleStep } from '@culvert/lifecycle'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { readPage, writePage } from '../paging.ts'
import { json, problems } from '../responses.ts'
import { checkRule, readNewRule } from '../rule-input.ts'

const params = Type.Object({ ruleId: AutomationRuleId }, { additionalProperties: false })
const tags = ['automation']
const dayMs = 86_400_000
const longestDays = 7

export function ruleRunRoutes(api: Api, context: ApiContext): void {
  const { pool } = context
  api.get(
    '/automation-rules/:ruleId/runs',
    {
      config: { permission: 'rules:read', alsoPermission: 'events:read' },
      schema: {
        operationId: 'listRuleRuns',
        summary: 'List the runs of an automation rule, newest first',
        description: 'Kept for 30 days.',
        tags,
        params,
        querystring: AutomationRuleQuery,
        response: { 200: json(Type.Ref('RuleRunPage'), 'A page of runs.'), ...problems('not_found', 'invalid_cursor') },
      },
    },
    async ({ organizationId, params: { ruleId }, query }) => {
      const list = ['rule-runs', organizationId, ruleId]
      const page = readPage(query, list)
      if (!(await readRule(pool, organizationId, ruleId))) throw new DomainError('not_found')
      return writePage(await listRuns(pool, organizationId, ruleId, page), list, runView)
    },
  )
  dryRuns(api, context)
}

function dryRuns(api: Api, { pool, egress }: ApiContext): void {
  const response = { 200: json(Type.Ref('DryRun'), 'What would have been done.') }
  api.post(
    '/automation-rules/:ruleId/dry-run',
    {
      config: { permission: 'rules:read', alsoPermission: 'events:read' },
      schema: {
        operationId: 'dryRunAutomationRule',
        summary: 'What a rule would have done with past events',
        description: 'Nothing is done. Tags and networks of devices are compared as they are now; limits are left out.',
        tags,
        params,
        querystring: DryRunQuery,
        response: { ...response, ...problems('not_found') },
      },
    },
    async ({ organizationId, params: { ruleId }, query }) => {
      const rule = await readRule(pool, organizationId, ruleId)
      if (!rule) throw new DomainError('not_found')
      return dryRun(pool, organizationId, rule, query.since)
    },
  )

  api.post(
    '/automation-rules/dry-run',
    {
      config: { permission: 'rules:write', alsoPermission: 'events:read' },
      schema: {
        operationId: 'dryRunAutomationRuleDraft',
        summary: 'What a rule that is not made yet would have done with past events',
        description: 'Nothing is done, and no rule is made.',
        tags,
        querystring: DryRunQuery,
        body: AutomationRuleInput,
        response: { ...response, ...problems() },
      },
    },
    async ({ actor, body, organizationId, query }) => {
      const rule = readNewRule(body, egress)
      checkRule(rule, actor)
      return dryRun(pool, organizationId, rule, query.since)
    },
  )
}

/** @throws validation_failed for a time that is too long ago */
async function dryRun(
  pool: ApiContext['pool'],
  organizationId: string,
  rule: RuleFields,
  asked: string | undefined,
): Promise<DryRun> {
  const since = asked === undefined ? new Date(Date.now() - dayMs) : new Date(asked)
  if (since.getTime() < Date.now() - longestDays * dayMs) {
    const message = `is more than ${longestDays} days ago`
    const errors = [{ in: 'query', pointer: '/since', message } as const]
    throw new DomainError('validation_failed', { publicDetail: `query /since ${message}.`, errors })
  }
  const types = eventTypes.filter((type) =>
    rule.eventTypes.some(
      (wanted) => wanted === type || (wanted.endsWith('.*') && type.startsWith(wanted.slice(0, -1))),
    ),
  )
  const { events, complete, runs } = await findPastRuns(pool, organizationId, { types, trigger: rule, since })
  return {
    since: since.toISOString(),
    events,
    complete,
    runs: runs.map((run) => ({
      event: { ...run.event },
      deviceId: run.deviceId,
      steps: stepsOf(rule.actions).map((step) => stepView(rule, step, run)),
    })),
  }
}

function stepView(rule: RuleFields, step: RuleStep, { event, deviceId, deviceName }: PastRun) {
  const action = rule.actions[step.action]
  const isText = action?.kind === 'call_webhook' && action.format === 'slack'
  const values = {
    rule: rule.name,
    event: event.type,
    time: event.timestamp,
    'device.id': deviceId ?? '',
    'device.name': deviceName ?? deviceId ?? event.resourceId,
    resource: event.resourceId,
    tunnels: '',
    outcome: '',
  }
  return {
    ...step,
    ttlSec: action?.kind === 'open_tunnel' ? ttlOf(action, rule.during, Date.parse(event.timestamp)) : null,
    text: isText ? renderRuleText(action.text ?? usualRuleText, values) : null,
  }
}

function runView({ id, event, deviceId, depth, state, reason, steps, ...times }: RunRecord): RuleRun {
  return {
    id,
    event: { ...event },
    deviceId,
    depth,
    state,
    reason,
    steps,
    createdAt: times.createdAt.toISOString(),
    startedAt: times.startedAt?.toISOString() ?? null,
    finishedAt: times.finishedAt?.toISOString() ?? null,
  }
}
