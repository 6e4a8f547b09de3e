export {
  attachmentStates,
  stepAttachment,
  type AttachmentEvent,
  type AttachmentState,
  type AttachmentStatus,
} from './attachment.ts'
export {
  credentialStateAt,
  credentialStates,
  stepCredential,
  type CredentialEvent,
  type CredentialState,
  type CredentialTimes,
} from './credential.ts'
export { iccidFault, luhnCheckDigit, type IccidFault } from './iccid.ts'
export {
  closeReasons,
  desiredListener,
  endStateOf,
  expiryReasons,
  failureReasons,
  isActiveTunnel,
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
