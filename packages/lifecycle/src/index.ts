export {
  attachmentStates,
  offlineCauseOf,
  offlineCauses,
  type AttachmentState,
  type OfflineCause,
} from './attachment.ts'
export { attemptHint, attemptReasons, attemptStages, type AttemptReason, type AttemptStage } from './attach-attempt.ts'
export {
  credentialKinds,
  credentialStateAt,
  credentialStates,
  issuances,
  stepCredential,
  type CredentialEvent,
  type CredentialKind,
  type CredentialLife,
  type CredentialState,
  type Issuance,
} from './credential.ts'
export {
  NO_USAGE,
  periodOf,
  quotaPeriods,
  remainingBytes,
  type DeviceLimits,
  type Quota,
  type QuotaPeriod,
  type RateLimit,
  type Usage,
} from './device-limits.ts'
export { iccidFault, luhnCheckDigit, type IccidFault } from './iccid.ts'
export {
  defaultProposalTiers,
  effectiveTiers,
  proposalTiers,
  tierSources,
  type EffectiveTiers,
  type ProposalTier,
  type TierSettings,
  type TierSource,
} from './proposal-tiers.ts'
export {
  closeReasons,
  desiredListener,
  endStateOf,
  expiryReasons,
  failureReasons,
  isFinalTunnel,
  stepTunnel,
  tunnelReasons,
  tunnelStates,
  tunnelTransitions,
  type CloseReason,
  type EndReason,
  type ExpiryReason,
  type FailureReason,
  type TunnelEvent,
  type TunnelEventKind,
  type TunnelReason,
  type TunnelState,
  type TunnelStatus,
  type TunnelTransition,
} from './tunnel.ts'
export {
  actionPermissions,
  callPauseSec,
  maxRuleDepth,
  maxRuleFailures,
  maxRunsOfOrganization,
  ruleEventPrefix,
  ruleFits,
  stepsOf,
  ttlOf,
  type OpenTunnelAction,
  type RuleAction,
  type RuleDevice,
  type RuleEvent,
  type RuleStep,
  type RuleTrigger,
} from './automation/rule.ts'
export {
  renderRuleText,
  ruleTextNames,
  unknownTextName,
  usualRuleText,
  type RuleTextValues,
} from './automation/rule-text.ts'
export { canonicalTimeZone, endOfWeekHours, weekDays, type WeekHours } from './automation/week-hours.ts'
