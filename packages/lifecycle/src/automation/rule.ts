/**
 * Automation rules: what one waits for, what it does, and what keeps it from doing too much. Decisions alone; the consumer of the
 * relay makes runs of them, the worker does the work.
 */
import { endOfWeekHours, type WeekHours } from './week-hours.ts'

export interface RuleTrigger {
  /** Types, or all of a kind (`tunnel.*`). */
  readonly eventTypes: readonly string[]
  /** Empty: any device, and events about none. */
  readonly deviceIds: readonly string[]
  /** The device has one of them at least; empty: any. */
  readonly deviceTags: readonly string[]
  /** The device is in one of them, or the event is about the network; empty: any. */
  readonly networkIds: readonly string[]
  /** Null: always. */
  readonly during: WeekHours | null
}

export interface RuleEvent {
  readonly type: string
  readonly resourceId: string
  readonly deviceId: string | null
  /** Unix time in milliseconds. */
  readonly atMs: number
}

/** The device that an event is about, as it is now. */
export interface RuleDevice {
  readonly tags: readonly string[]
  readonly networkId: string
}

/** Rules never run for what rules do. */
export const ruleEventPrefix = 'rule.'

/** @param device null when the event is about none, or its device is gone */
export function ruleFits(rule: RuleTrigger, event: RuleEvent, device: RuleDevice | null): boolean {
  const { eventTypes, deviceIds, deviceTags, networkIds, during } = rule
  if (event.type.startsWith(ruleEventPrefix)) return false
  if (!eventTypes.some((wanted) => isOfType(wanted, event.type))) return false
  if (deviceIds.length > 0 && (event.deviceId === null || !deviceIds.includes(event.deviceId))) return false
  if (deviceTags.length > 0 && !deviceTags.some((tag) => device?.tags.includes(tag))) return false
  if (networkIds.length > 0 && !networkIds.includes(device?.networkId ?? event.resourceId)) return false
  return during === null || endOfWeekHours(during, event.atMs) !== null
}

function isOfType(wanted: string, type: string): boolean {
  return wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : wanted === type
}

export interface OpenTunnelAction {
  readonly kind: 'open_tunnel'
  readonly ports: readonly number[]
  /** IPv4 address on a LAN behind the device; null: the device itself. */
  readonly host: string | null
  /** Null: until the hours of the rule end, a day at most. */
  readonly ttlSec: number | null
  /** Canonical prefixes. */
  readonly allowFrom: readonly string[]
}

export type RuleAction =
  | OpenTunnelAction
  | { readonly kind: 'close_tunnels'; /** Null: all. */ readonly ports: readonly number[] | null }
  | { readonly kind: 'tag_device'; readonly tags: readonly string[] }
  | { readonly kind: 'untag_device'; readonly tags: readonly string[] }
  | { readonly kind: 'revoke_credentials' }
  | {
      readonly kind: 'call_webhook'
      readonly url: string
      /** `slack`: `{"text": ...}`; `event`: the event as webhooks have it. */
      readonly format: 'slack' | 'event'
      readonly text: string | null
    }
  | {
      /** The `rule.ran` of the run goes to this endpoint of webhooks, whatever types it takes. */
      readonly kind: 'deliver_webhook'
      readonly endpointId: string
    }

/** What is done at once, and not done again: a tunnel to one port, or another action whole. */
export interface RuleStep {
  readonly action: number
  readonly kind: RuleAction['kind']
  /** Of a tunnel to be opened. */
  readonly port: number | null
}

export function stepsOf(actions: readonly RuleAction[]): RuleStep[] {
  return actions.flatMap(({ kind, ...action }, index): RuleStep[] =>
    kind === 'open_tunnel' && 'ports' in action && action.ports
      ? action.ports.map((port) => ({ action: index, kind, port }))
      : [{ action: index, kind, port: null }],
  )
}

/** One of these permissions is needed for an action. */
export const actionPermissions = {
  open_tunnel: ['tunnels:write', 'tunnels:open_granted'],
  close_tunnels: ['tunnels:write'],
  tag_device: ['devices:write'],
  untag_device: ['devices:write'],
  revoke_credentials: ['credentials:write'],
  call_webhook: ['rules:write'],
  deliver_webhook: ['webhooks:write'],
} as const satisfies Record<RuleAction['kind'], readonly string[]>

/** Needed besides for what tells a receiver of events. */
export const callPermission = 'events:read'

/** Whether an action tells somebody of events. */
export function tellsEvents(kind: RuleAction['kind']): boolean {
  return kind === 'call_webhook' || kind === 'deliver_webhook'
}

/** Seconds that a tunnel opened now shall live; null when the hours it is for are over. */
export function ttlOf(action: OpenTunnelAction, during: WeekHours | null, nowMs: number): number | null {
  if (action.ttlSec !== null) return action.ttlSec
  const end = during && endOfWeekHours(during, nowMs)
  if (end === null) return null
  return Math.min(longestTtlSec, Math.max(shortestTtlSec, Math.floor((end - nowMs) / 1_000)))
}

const shortestTtlSec = 10
const longestTtlSec = 86_400

/** What a rule did may let rules run again, so often one after the other. */
export const maxRuleDepth = 3
/** Runs in a row that fail before a rule is stopped. */
export const maxRuleFailures = 10
/** Runs of all rules of an organization in an hour. */
export const maxRunsOfOrganization = 2_000

/** How long a call that failed waits before it is made again, by how often it was made; null: no more. */
export function callPauseSec(attempts: number): number | null {
  return [5, 30, 120, 600][attempts - 1] ?? null
}
