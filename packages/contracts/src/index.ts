export { canonicalCidr, hostCidr } from './cidr.ts'
export {
  DomainError,
  errorCodes,
  errorRegistry,
  type DomainErrorOptions,
  type ErrorCode,
  type FieldError,
} from './errors.ts'
export {
  eventCatalogue,
  eventSchema,
  eventTypes,
  isOptIn,
  isPlanned,
  type EventData,
  type EventType,
  type WrittenEventType,
} from './events.ts'
export { exampleOf, NoExample, type JsonSchema } from './example.ts'
export {
  ApiKeyId,
  AutomationRuleId,
  ConfigLinkId,
  CredentialId,
  DeviceAuthorityId,
  DeviceId,
  EventId,
  GrantId,
  MemberId,
  NetworkId,
  OperationId,
  SshKeyId,
  TunnelId,
  UsageThresholdId,
  WebhookDeliveryId,
  WebhookEndpointId,
} from './fields.ts'
export { formatFaults, registerFormats } from './formats.ts'
export { escapePointer, schemaFaults, type SchemaFault } from './schema-faults.ts'
export { lanPrefixFault, mostLanPrefixes } from './lan-prefix.ts'
export {
  organizationPermissions,
  permissions,
  rolePermissions,
  roles,
  type Permission,
  type Role,
} from './permissions.ts'
export {
  ApiKey,
  ApiKeyInput,
  ApiKeyPage,
  ApiKeyPatch,
  ApiKeyQuery,
  ApiKeyRotation,
  IssuedApiKey,
} from './resources/api-key.ts'
export { IssuedTokens, LoginQuery, LogoutInput, TokenInput } from './resources/token.ts'
export {
  AttachmentPage,
  AttachmentQuery,
  AttachmentSummary,
  Gateway,
  GatewayList,
  SaList,
  Attachment,
  ChildSa,
  Concentrator,
  ConcentratorList,
  IkeSa,
} from './resources/attachment.ts'
export {
  AttachAttempt,
  AttachAttemptPage,
  AttachAttemptQuery,
  NearestProposal,
  OfferedProposal,
} from './resources/attempt.ts'
export { Event, EventPage, EventQuery } from './resources/event.ts'
export {
  Credential,
  CredentialInput,
  CredentialQuery,
  credentialInputFields,
  CredentialList,
  CredentialListQuery,
  CredentialPage,
  CredentialSummary,
  IssuedCredential,
} from './resources/credential.ts'
export {
  DeviceAuthority,
  DeviceAuthorityInput,
  DeviceAuthorityPage,
  DeviceAuthorityPatch,
  DeviceAuthorityQuery,
} from './resources/device-authority.ts'
export {
  deviceFilterFields,
  deviceSorts,
  Device,
  DeviceInput,
  DevicePage,
  DevicePatch,
  DeviceQuery,
} from './resources/device.ts'
export { ConfigLink, ConfigLinkInput } from './resources/config-link.ts'
export { ConfigQuery, DeviceConfiguration } from './resources/device-config.ts'
export {
  Network,
  NetworkInput,
  NetworkPage,
  NetworkPatch,
  NetworkQuery,
  Organization,
  OrganizationPatch,
} from './resources/network.ts'
export {
  Operation,
  OperationFault,
  operationKinds,
  OperationPage,
  OperationQuery,
  operationErrorCodes,
  operationStates,
  type OperationKind,
  type OperationErrorCode,
  type OperationState,
} from './resources/operation.ts'
export { AuditEntry, AuditEntryPage, AuditExportQuery, AuditQuery } from './resources/audit-log.ts'
export { Caller, Member, MemberInput, MemberPage, MemberPatch, MemberQuery } from './resources/member.ts'
export {
  DeviceBatchDelete,
  DeviceBatchUpdate,
  DeviceExportQuery,
  DeviceImportQuery,
  maxImportBytes,
  ValidateOnlyQuery,
} from './resources/device-bulk.ts'
export { Grant, GrantInput, GrantPage, GrantQuery } from './resources/grant.ts'
export { SshKey, SshKeyInput, SshKeyPage, SshKeyPatch, SshKeyQuery } from './resources/ssh-key.ts'
export { Problem } from './resources/problem.ts'
export {
  AllConnectionsQuery,
  Connection,
  ConnectionPage,
  ConnectionQuery,
  Tunnel,
  TunnelInput,
  TunnelPage,
  TunnelPatch,
  TunnelQuery,
  WaitQuery,
} from './resources/tunnel.ts'
export {
  Usage,
  UsageExportQuery,
  UsagePage,
  UsageQuery,
  UsageThreshold,
  UsageThresholdInput,
  UsageThresholdPage,
  UsageThresholdPatch,
  UsageThresholdQuery,
} from './resources/usage.ts'
export {
  deliveryStates,
  disabledReasons,
  IssuedWebhookEndpoint,
  replayChoices,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookDeliveryPage,
  WebhookDeliveryQuery,
  WebhookEnabling,
  WebhookEndpoint,
  WebhookEndpointInput,
  WebhookEndpointPage,
  WebhookEndpointPatch,
  WebhookEndpointQuery,
  WebhookRecovery,
  WebhookReplay,
  WebhookRotation,
} from './resources/webhook-endpoint.ts'
export {
  AutomationRule,
  AutomationRuleInput,
  AutomationRulePage,
  AutomationRulePatch,
  AutomationRuleQuery,
  DryRun,
  DryRunQuery,
  RuleRun,
  RuleRunPage,
} from './resources/automation-rule.ts'
export { SigningKey, SigningKeyId, SigningKeyList, SigningKeyRotation } from './resources/signing-key.ts'
