export { attachmentStates, type AttachmentState } from './attachment.ts'
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
