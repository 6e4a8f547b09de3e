/** What callers write of an automation rule, checked and brought into the form that is kept. */
import {
  canonicalCidr,
  DomainError,
  eventTypes,
  type AutomationRuleInput,
  type FieldError,
  type Permission,
} from '@culvert/contracts'
import { readWebhookEndpoint, type Pool, type RuleFields } from '@culvert/db'
import type { Egress } from '@culvert/egress'
import {
  actionPermissions,
  callPermission,
  canonicalTimeZone,
  ruleEventPrefix,
  tellsEvents,
  unknownTextName,
  type RuleAction,
  type WeekHours,
} from '@culvert/lifecycle'
import { refuseExceeding, type Actor } from './actor.ts'

type Given = { readonly [Name in keyof AutomationRuleInput]?: AutomationRuleInput[Name] | undefined }
type Read = { -readonly [Name in keyof RuleFields]?: RuleFields[Name] }

/** @throws validation_failed with all that is wrong */
export function readRuleInput({ on, during, actions, ...rest }: Given, egress: Pick<Egress, 'checkUrl'>): Read {
  const errors: FieldError[] = []
  const wrong = (pointer: string, message: string): void => void errors.push({ in: 'body', pointer, message })
  const read: Read = { ...rest } as Read
  if (on) {
    const { eventTypes: types, deviceIds = [], deviceTags = [], networkIds = [] } = on
    types.forEach((type, index) => {
      if (!isKnownType(type)) wrong(`/on/eventTypes/${index}`, 'is no type of event that rules run for')
    })
    Object.assign(read, { eventTypes: types, deviceIds, deviceTags, networkIds })
  }
  if (during !== undefined) read.during = during && hoursOf(during, wrong)
  if (actions) read.actions = actions.map((action, index) => actionOf(action, `/actions/${index}`, { egress, wrong }))
  throwAny(errors)
  return read
}

/** Of a rule that is made: with what is meant by what was left out. @throws validation_failed */
export function readNewRule(body: AutomationRuleInput, egress: Pick<Egress, 'checkUrl'>): RuleFields {
  const {
    eventTypes: types = [],
    deviceIds = [],
    deviceTags = [],
    networkIds = [],
    ...rest
  } = readRuleInput(body, egress)
  const { enabled = true, during = null, maxRunsPerHour = usualRunsPerHour, actions = [] } = rest
  const { name } = body
  return { name, enabled, eventTypes: types, deviceIds, deviceTags, networkIds, during, actions, maxRunsPerHour }
}

const usualRunsPerHour = 60

type Wrong = (pointer: string, message: string) => void

function isKnownType(type: string): boolean {
  if (type.startsWith(ruleEventPrefix)) return false
  return type.endsWith('.*')
    ? eventTypes.some((known) => known.startsWith(type.slice(0, -1)))
    : eventTypes.some((known) => known === type)
}

function hoursOf(during: NonNullable<AutomationRuleInput['during']>, wrong: Wrong): WeekHours {
  const timeZone = canonicalTimeZone(during.timeZone)
  if (timeZone === null) wrong('/during/timeZone', 'is no time zone')
  return { timeZone: timeZone ?? 'UTC', windows: during.windows }
}

function actionOf(
  action: AutomationRuleInput['actions'][number],
  pointer: string,
  { egress, wrong }: { egress: Pick<Egress, 'checkUrl'>; wrong: Wrong },
): RuleAction {
  switch (action.kind) {
    case 'open_tunnel': {
      const { kind, ports, host = null, ttlSec = null } = action
      const allowFrom = [
        ...new Set(action.allowFrom.map((text) => canonicalCidr(text)).filter((prefix) => prefix !== null)),
      ]
      return { kind, ports, host, ttlSec, allowFrom }
    }
    case 'close_tunnels':
      return { kind: action.kind, ports: action.ports ?? null }
    case 'call_webhook': {
      const { kind, format = 'slack', text = null } = action
      const checked = egress.checkUrl(action.url)
      if (!checked.ok) wrong(`${pointer}/url`, checked.message)
      const unknown = text === null ? null : unknownTextName(text)
      if (unknown !== null) wrong(`${pointer}/text`, 'has a name in double braces that stands for nothing')
      if (text !== null && format !== 'slack') wrong(`${pointer}/text`, 'is for the format `slack` alone')
      return { kind, url: checked.ok ? checked.url : action.url, format, text }
    }
    case 'tag_device':
    case 'untag_device':
    case 'revoke_credentials':
    case 'deliver_webhook':
      return action
  }
}

/**
 * What only the whole rule shows.
 * @throws validation_failed, or forbidden when the caller may not do itself what the rule would
 */
export function checkRule(rule: Pick<RuleFields, 'actions' | 'during'>, actor: Actor): void {
  const errors: FieldError[] = []
  for (const [index, action] of rule.actions.entries())
    if (action.kind === 'open_tunnel' && action.ttlSec === null && rule.during === null)
      errors.push({ in: 'body', pointer: `/actions/${index}/ttlSec`, message: 'is needed in a rule without hours' })
  throwAny(errors)
  const missing = rule.actions.flatMap(({ kind }): Permission[] => {
    if (tellsEvents(kind) && !actor.scopes.has(callPermission)) return [callPermission]
    const enough: readonly Permission[] = actionPermissions[kind]
    return enough.some((one) => actor.scopes.has(one)) ? [] : enough.slice(0, 1)
  })
  refuseExceeding(actor, [...new Set(missing)])
}

/** @throws validation_failed for an endpoint of webhooks that there is not */
export async function checkEndpoints(
  pool: Pool,
  organizationId: string,
  actions: readonly RuleAction[],
): Promise<void> {
  const errors: FieldError[] = []
  for (const [index, action] of actions.entries()) {
    if (action.kind !== 'deliver_webhook' || (await readWebhookEndpoint(pool, organizationId, action.endpointId)))
      continue
    errors.push({ in: 'body', pointer: `/actions/${index}/endpointId`, message: 'is no webhook endpoint' })
  }
  throwAny(errors)
}

function throwAny(errors: readonly FieldError[]): void {
  const [first] = errors
  if (!first) return
  throw new DomainError('validation_failed', { publicDetail: `body ${first.pointer} ${first.message}.`, errors })
}
