/** A rule as its row has it. */
import type { RuleAction, WeekHours } from '@culvert/lifecycle'
import { shownUrl } from '../shown-url.ts'

export type RuleStop = 'failures' | 'maker_gone' | 'permission_missing'

export interface RuleRecord {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly enabled: boolean
  /** Null while it is enabled. */
  readonly disabledReason: RuleStop | 'by_hand' | null
  readonly eventTypes: string[]
  readonly deviceIds: string[]
  readonly deviceTags: string[]
  readonly networkIds: string[]
  readonly during: WeekHours | null
  /** URLs in it may hold secrets. */
  readonly actions: RuleAction[]
  readonly maxRunsPerHour: number
  readonly makerKind: 'api_key' | 'user'
  readonly makerId: string
  readonly failures: number
  readonly deletedAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Of `automation_rules r`. */
export const ruleColumns = `r.id, r.organization_id AS "organizationId", r.name, r.enabled, r.disabled_reason AS "disabledReason",
  r.event_types AS "eventTypes", r.device_ids AS "deviceIds", r.device_tags AS "deviceTags", r.network_ids AS "networkIds",
  r.during, r.actions, r.max_runs_per_hour AS "maxRunsPerHour", r.maker_kind AS "makerKind", r.maker_id AS "makerId", r.failures,
  r.deleted_at AS "deletedAt", r.version, r.created_at AS "createdAt", r.updated_at AS "updatedAt"`

/** Actions as others may see them: of a URL the host alone, as the rest may be a secret. */
export function withoutSecrets(actions: readonly RuleAction[]): RuleAction[] {
  return actions.map((action) => (action.kind === 'call_webhook' ? { ...action, url: shownUrl(action.url) } : action))
}
