/** /v1/automation-rules: on these events, for these devices, in these hours, do this. */
import {
  AutomationRuleId,
  AutomationRuleInput,
  AutomationRulePatch,
  AutomationRuleQuery,
  DomainError,
  type AutomationRule,
} from '@culvert/contracts'
import { addRule, changeRule, deleteRule, listRules, readRule, withoutSecrets, type RuleRecord } from '@culvert/db'
import { Type } from 'typebox'
import type { Actor } from '../actor.ts'
import { writeOptions } from '../author.ts'
import type { Api, ApiContext } from '../context.ts'
import { readPage, writePage } from '../paging.ts'
import { ifMatch, setEtag } from '../preconditions.ts'
import { empty, json, problems } from '../responses.ts'
import { checkEndpoints, checkRule, readNewRule, readRuleInput } from '../rule-input.ts'

const params = Type.Object({ ruleId: AutomationRuleId }, { additionalProperties: false })
const tags = ['automation']
const rule = (description: string) => json(Type.Ref('AutomationRule'), description)

export function automationRuleRoutes(api: Api, context: ApiContext): void {
  reading(api, context)
  making(api, context)
  changing(api, context)
}

function reading(api: Api, { pool }: ApiContext): void {
  api.get(
    '/automation-rules',
    {
      config: { permission: 'rules:read' },
      schema: {
        operationId: 'listAutomationRules',
        summary: 'List automation rules, newest first',
        tags,
        querystring: AutomationRuleQuery,
        response: { 200: json(Type.Ref('AutomationRulePage'), 'A page of rules.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { name, enabled } = query
      const list = ['automation-rules', organizationId, name, enabled]
      const page = await listRules(pool, organizationId, { name, enabled }, readPage(query, list))
      return writePage(page, list, ruleView)
    },
  )

  api.get(
    '/automation-rules/:ruleId',
    {
      config: { permission: 'rules:read' },
      schema: {
        operationId: 'getAutomationRule',
        summary: 'Read an automation rule',
        tags,
        params,
        response: { 200: rule('The rule.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params: { ruleId } }, reply) => {
      const record = await readRule(pool, organizationId, ruleId)
      if (!record) throw new DomainError('not_found')
      setEtag(reply, record.version)
      return ruleView(record)
    },
  )
}

function making(api: Api, { pool, egress }: ApiContext): void {
  api.post(
    '/automation-rules',
    {
      config: { permission: 'rules:write' },
      schema: {
        operationId: 'createAutomationRule',
        summary: 'Make an automation rule',
        description:
          'It runs once for each event that happens from now on. Who makes it must hold the permissions of what it does (`tunnels:write` to open a tunnel, `events:read` to call a URL, and `webhooks:write` to deliver to an endpoint), and it acts with the rights that its maker has when it runs.',
        tags,
        body: AutomationRuleInput,
        response: { 201: rule('Made.'), ...problems('rule_limit') },
      },
    },
    async (request, reply) => {
      const { actor, body, organizationId } = request
      const wanted = readNewRule(body, egress)
      checkRule(wanted, actor)
      await checkEndpoints(pool, organizationId, wanted.actions)
      const record = await addRule(pool, organizationId, wanted, makerOf(actor), writeOptions(request))
      if (typeof record === 'string') throw new DomainError(record)
      setEtag(reply, record.version)
      return reply.code(201).header('location', `/v1/automation-rules/${record.id}`).send(ruleView(record))
    },
  )
}

function changing(api: Api, { pool, egress }: ApiContext): void {
  api.patch(
    '/automation-rules/:ruleId',
    {
      config: { permission: 'rules:write' },
      schema: {
        operationId: 'updateAutomationRule',
        summary: 'Change, stop or start an automation rule',
        description:
          'Who changes it is its maker then, and must hold the permissions of all it does. A run that has begun goes on as the rule was, with the rights of its maker then. `actions` are given whole, with their URLs, or not at all.',
        tags,
        params,
        body: AutomationRulePatch,
        response: { 200: rule('Changed.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const { actor, organizationId } = request
      const key = { organizationId, id: request.params.ruleId, ifVersion: ifMatch(request) }
      const change = readRuleInput(request.body, egress)
      await checkEndpoints(pool, organizationId, change.actions ?? [])
      const record = await changeRule(pool, key, change, {
        ...writeOptions(request),
        maker: makerOf(actor),
        check: (wanted) => checkRule(wanted, actor),
      })
      if (typeof record === 'string') throw new DomainError(record === 'changed' ? 'precondition_failed' : record)
      setEtag(reply, record.version)
      return ruleView(record)
    },
  )

  api.delete(
    '/automation-rules/:ruleId',
    {
      config: { permission: 'rules:write' },
      schema: {
        operationId: 'deleteAutomationRule',
        summary: 'Delete an automation rule and its runs',
        tags,
        params,
        response: { 204: empty('Deleted.'), ...problems('not_found', 'precondition_failed') },
      },
    },
    async (request, reply) => {
      const key = {
        organizationId: request.organizationId,
        id: request.params.ruleId,
        ifVersion: ifMatch(request),
      }
      const deleted = await deleteRule(pool, key, writeOptions(request))
      if (deleted !== 'deleted') throw new DomainError(deleted === 'changed' ? 'precondition_failed' : deleted)
      return reply.code(204).send(null)
    },
  )
}

function makerOf({ kind, id }: Actor): { makerKind: 'api_key' | 'user'; makerId: string } {
  return { makerKind: kind, makerId: id }
}

function ruleView(row: RuleRecord): AutomationRule {
  const { id, name, enabled, disabledReason, eventTypes, deviceIds, deviceTags, networkIds } = row
  return {
    id,
    name,
    enabled,
    disabledReason,
    on: { eventTypes, deviceIds, deviceTags, networkIds },
    during: row.during as AutomationRule['during'],
    actions: withoutSecrets(row.actions) as AutomationRule['actions'],
    maxRunsPerHour: row.maxRunsPerHour,
    maker: { kind: row.makerKind, id: row.makerId },
    failures: row.failures,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
