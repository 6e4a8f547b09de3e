/* oxlint-disable max-lines -- the one door of the package: a line for each thing that others use */
export { makeApiKey, parseApiKey, verifyApiKey, type NewApiKey, type ParsedApiKey } from './api-key.ts'
export { databaseRoles, type DatabaseRole } from './access/roles.ts'
export {
  appendAudit,
  appendAudits,
  appendDenial,
  changedFields,
  type AuditFields,
  type Denial,
  type NewAuditEntry,
} from './audit.ts'
export {
  auditedOrganizations,
  verifyAuditChain,
  type ChainFault,
  type ChainHead,
  type ChainReport,
} from './audit-verify.ts'
export { listAudit, type AuditFilter, type AuditRecord } from './audit-list.ts'
export { systemAuthor, type Author, type WriteOptions } from './author.ts'
export { canonicalJson } from './canonical-json.ts'
export { readAttachment, type AttachmentRecord, type AttachmentSummaryRecord } from './attachments.ts'
export { brokenConstraint, databasePlace, isDatabaseUnavailable, unreachableSentence } from './errors.ts'
export { drawOctets } from './draw.ts'
export {
  claimKey,
  claimLeaseSec,
  keptAnswerHours,
  mostKeptKeys,
  keyName,
  type Claim,
  type ClaimResult,
  type KeptAnswer,
} from './idempotency/idempotency-keys.ts'
export { RequestTakenOver } from './idempotency/kept-effects.ts'
export type { KeyHolder } from './idempotency/kept-seal.ts'
export { idSuffix, newId, type IdPrefix } from './ids.ts'
export { listen, type Listener, type ListenHandler, type ListenOptions, type Notice } from './listen.ts'
export { migrate } from './migrate.ts'
export {
  answerKeptChannel,
  concentratorChannel,
  credentialChangedChannel,
  deviceChangedChannel,
  eventAppendedChannel,
  ruleRunDueChannel,
  feedMovedChannel,
  gatewayChannel,
  notify,
  operationChangedChannel,
  signerChannel,
  tunnelChangedChannel,
  type SqlRunner,
} from './notify.ts'
export { createApiKey, findApiKey, noteApiKeyUse, type ApiKeyRequest, type StoredApiKey } from './api-key-use.ts'
export {
  addApiKey,
  changeApiKey,
  listApiKeys,
  maxApiKeys,
  readApiKey,
  revokeApiKey,
  rotateApiKey,
  type ApiKeyRecord,
  type CallerLimits,
  type ExceedsCaller,
  type IssuedKey,
} from './api-keys.ts'
export {
  changeMember,
  inviteMember,
  listMembers,
  maxMembers,
  readMember,
  removeMember,
  signOutMember,
  type MemberFault,
  type MemberRecord,
} from './members.ts'
export { tagsGrantedTo, type GrantHolder, type GrantRule } from './grant-match.ts'
export {
  addSshKey,
  changeSshKey,
  deleteSshKey,
  listSshKeys,
  maxSshKeysOfOwner,
  readSshKey,
  type SshKeyHolder,
  type SshKeyOwner,
  type SshKeyRecord,
} from './ssh-keys.ts'
export {
  addDeviceAuthority,
  changeDeviceAuthority,
  deleteDeviceAuthority,
  listDeviceAuthorities,
  maxDeviceAuthorities,
  readDeviceAuthority,
  revocationModes,
  type DeviceAuthorityChange,
  type DeviceAuthorityRecord,
  type RevocationMode,
} from './device-authorities.ts'
export {
  claimDueRevocationLists,
  faultRevocationList,
  readOverdueRevocationLists,
  storeRevocationList,
  type DueRevocationList,
} from './device-revocation-lists.ts'
export { addGrant, listGrants, readGrant, revokeGrant, type GrantRecord } from './grants.ts'
export { organizationsOf, recognizePerson, type KnownPerson, type PersonLoggingIn } from './people.ts'
export {
  endSession,
  maxSessions,
  refreshSession,
  roleInSession,
  sessionLifetimeSec,
  startSession,
  type RefreshedSession,
} from './sessions.ts'
export {
  ensureSigningKeys,
  listSigningKeys,
  readSigningKeys,
  revokeSigningKey,
  rotateSigningKeys,
  type SigningKeyRow,
  type SigningKeyTimes,
} from './signing-keys.ts'
export { ensureOrganization, type Organization } from './organizations.ts'
export type { ListedPage, ListPosition, ListRequest, ListSort } from './ordered-list.ts'
export { type Page, type PageRequest, type PageStart } from './page.ts'
export { listTunnels, type TunnelFilter } from './tunnel-list.ts'
export {
  addCredential,
  credentialState,
  findCredential,
  listCredentials,
  maxActiveCredentials,
  maxCertificatesInForce,
  maxEndedCredentials,
  revokeCredential,
  type CredentialRecord,
  type CredentialSummaryRecord,
  type CredentialRefusal,
  type NewCredential,
  type SealedSecret,
} from './credentials.ts'
export {
  forgetAuthorities,
  isAuthorityNeeded,
  listAuthorities,
  publishAuthority,
  type AuthorityRecord,
} from './authorities.ts'
export {
  readGatewayCertificate,
  requestGatewayCertificate,
  type GatewayCertificate,
  type GatewayKeyKind,
} from './concentrator/gateway-certificate.ts'
export {
  decideCertificate,
  decideGateway,
  readPendingCertificates,
  readPendingGateways,
  readRevocations,
  writeRevocationList,
  type Decision,
  type MadeCertificate,
  type PendingCertificate,
  type PendingGateway,
  type RevocationState,
} from './signer-store.ts'
export { listAttempts, type AttemptRecord } from './attempts.ts'
export { isDetached, requestDetach, type DetachRequest } from './detach.ts'
export {
  createDevices,
  findDevicesByIccid,
  lockNetworks,
  type CreatedDevices,
  type KnownDevice,
  type DeviceBatch,
  type DeviceSeed,
} from './device-batch.ts'
export { changeDevices, deleteDevices, type BatchOutcome, type DeviceState } from './device-batch-change.ts'
export { ensureNetwork } from './networks.ts'
export { listConnections, type ConnectionFilter, type ConnectionRecord } from './connections.ts'
export { isEmptyFilter, type DeviceFilter } from './device-filter.ts'
export {
  chooseDevices,
  deviceOrders,
  type DeviceOrder,
  type DevicePageRequest,
  type DevicePosition,
  type DeviceSort,
} from './device-list.ts'
export {
  changeDevice,
  createDevice,
  deleteDevice,
  findDevice,
  listDevices,
  readDevices,
  type DeviceChange,
  type DeviceRecord,
  type NewDevice,
} from './devices.ts'
export { listAttachments, type AttachmentFilter } from './attachment-list.ts'
export { createNetwork, deleteNetwork, maxNetworks, type NetworkRefusal, type NewNetwork } from './network-life.ts'
export { changeNetwork, listNetworks, readNetwork, type NetworkChange, type NetworkRecord } from './network-settings.ts'
export {
  changeOrganization,
  readOrganization,
  type OrganizationChange,
  type OrganizationRecord,
} from './organization-settings.ts'
export {
  findConcentrator,
  listConcentrators,
  redirectConcentrator,
  listGateways,
  type GatewayRecord,
  nodeDeadAfterSec,
  preferredConcentrator,
  type ConcentratorRecord,
  type Touched,
} from './nodes.ts'
export {
  changeTunnel,
  closeTunnel,
  findTunnel,
  maxActiveTunnels,
  openTunnel,
  type NewTunnel,
  type OpenFault,
  type TunnelChange,
  type TunnelDenied,
  type TunnelOptions,
  type TunnelRecord,
} from './tunnels.ts'
export { innerAddressRange } from './network-pools.ts'
export {
  addOperationInput,
  cancelOperation,
  dropOperation,
  findOperation,
  listOperations,
  maxOperations,
  readOperationFaults,
  receivedOperation,
  startOperation,
  type FaultRecord,
  type NewOperation,
  type OperationError,
  type OperationFilter,
  type OperationRecord,
  type OperationState,
} from './operations.ts'
export {
  addOperationFaults,
  advanceOperation,
  claimOperation,
  dropUnreceivedOperations,
  finishOperation,
  maxOperationAttempts,
  maxOperationFaults,
  operationLeaseSec,
  OperationLostError,
  postponeOperation,
  readOperationInput,
  renewOperation,
  yieldOperation,
  type NewFault,
  type OperationClaim,
  type OperationEnd,
  type OperationStep,
} from './operation-work.ts'
export { expiringDays, tellExpiringCredentials } from './credential-sweep.ts'
export { tellTallies } from './event-tallies.ts'
export { appendEvent, appendEvents, type NewEvent } from './outbox.ts'
export { relayBatch, relayEvents, type RelayPass } from './events/relay.ts'
export type { RelayConsumer, RelayedEvent } from './events/relay-consumer.ts'
export {
  findEvent,
  positionSince,
  readFeed,
  type FeedBeginning,
  type FeedEvent,
  type FeedFilter,
  type FeedPage,
} from './events/feed.ts'
export { forgetFloors, removeOldEvents, type Removal } from './events/retention.ts'
export type { RelayFault } from './events/relay-faults.ts'
export { nextTellingMs, tellPresence } from './presence.ts'
export { openPool, type PoolOptions } from './pool.ts'
export { allotPools6 } from './pools6.ts'
export { connectPrisma, type Database } from './prisma.ts'
export {
  createSecretSealer,
  generateSealingKeyPair,
  sealingKeyId,
  sealSecret,
  type SealBinding,
  type SealingKeyPair,
  type SecretSealer,
} from './seal.ts'
export { eventCursors, openEventCursor, type EventCursors } from './events/event-cursors.ts'
export { createKeyRing, type KeyRing } from './key-ring.ts'
export { resealSecrets, type Reseal, type ResealResult } from './reseal.ts'
export { resealWebhookKeys } from './webhooks/reseal-keys.ts'
export { createSecretOpener, openSecret, type SecretOpener } from './secret-opener.ts'
export { Rehearsal } from './rehearsal.ts'
export { apartFromRequest, inRequestScope, isRehearsed, requestScope, type RequestScope } from './request-scope.ts'
export {
  createConfigLink,
  maxPendingConfigLinks,
  takeConfigLink,
  withdrawConfigLink,
  type NewConfigLink,
} from './config-links.ts'
export { inTenantTransaction, tenant, type TenantTransactionOptions } from './tenant.ts'
export type { TenantSql } from './tenant-sql.ts'
export { inTransaction } from './transaction.ts'
export { createDeviceLookup, type DeviceForAttach, type DeviceLookup } from './concentrator/device-lookup.ts'
export {
  mostAttemptsOfBatch,
  mostAttemptsOfDevice,
  mostAttemptsOfSource,
  writeAttempts,
  type AttachAttempt,
  type NearestProposal,
  type OfferedProposal,
  type OfferedTransform,
} from './concentrator/attempt-rows.ts'
export { identityOfUserName, type CredentialForAttach } from './concentrator/attach-credential.ts'
export {
  forgetRestedHosts,
  freeHostMapping,
  readHostMappings,
  readWantedHosts,
  writeHostMapping,
  type HostFailure,
  type HostKey,
  type MappedHost,
  type StoredHost,
} from './concentrator/host-mapping-rows.ts'
export { readTiersInUse } from './concentrator/tiers-in-use.ts'
export { writeAttachments } from './concentrator/attachment-rows.ts'
export type { AttachmentSnapshot, ChildSaSnapshot, IkeSaSnapshot } from './concentrator/attachment-snapshot.ts'
export { markPolicyApplied, readHeldDevices, readPolicyWork, type PolicyWork } from './concentrator/policy-work.ts'
export {
  beatConcentrator,
  readRedirect,
  registerConcentrator,
  type ConcentratorRegistration,
  type ConcentratorState,
} from './concentrator/registration.ts'
export {
  readUsage,
  type UsageFilter,
  type UsageInterval,
  type UsageKind,
  type UsagePage,
  type UsagePosition,
  type UsageRecord,
} from './usage.ts'
export {
  findPeople,
  lockPerson,
  unlockPerson,
  type LeftOrganization,
  type LockedPerson,
  type Person,
} from './person-lock.ts'
export { listAllCredentials, type CredentialFilter, type CredentialOrder } from './credential-list.ts'
export { countPresences, rollUpUsage, usageBatch } from './usage-roll-up.ts'
export { tellThresholds, type ThresholdWatch } from './usage-alarm.ts'
export {
  addThreshold,
  changeThreshold,
  deleteThreshold,
  listThresholds,
  readThreshold,
  type ThresholdRecord,
} from './usage-thresholds.ts'
export { findPastRuns, type PastRun } from './automation/dry-run.ts'
export { ruleConsumer } from './automation/rule-consumer.ts'
export { type MakerStanding } from './automation/rule-maker.ts'
export { withoutSecrets, type RuleRecord, type RuleStop } from './automation/rule-record.ts'
export {
  askMaker,
  claimRun,
  deliveredTo,
  finishRun,
  listRuns,
  postponeRun,
  readRunFacts,
  recordCall,
  RunLostError,
  type RunClaim,
  type RunFacts,
  type RunRecord,
  type StepResult,
} from './automation/rule-runs.ts'
export { doStep } from './automation/rule-steps.ts'
export {
  addRule,
  changeRule,
  deleteRule,
  listRules,
  readRule,
  type RuleChange,
  type RuleFields,
} from './automation/rules.ts'
export { addDeviceUsage, tellQuotaExhausted } from './concentrator/device-usage.ts'
export { writeChildCounters, type ChildCounters } from './concentrator/sa-rows.ts'
export { closeLostConnections, writeConnections } from './gateway-connections.ts'
export type { ConnectionRow } from './connection-row.ts'
export {
  beatGateway,
  GatewayReplacedError,
  readDeviceRoutes,
  readGatewayPorts,
  readQuarantine,
  registerGateway,
  reportPorts,
  type DeviceRoute,
  type GatewayLease,
  type GatewayPort,
  type GatewayRegistration,
  type PortReport,
} from './gateway-store.ts'
export type { Pool } from 'pg'
export { findNodesBehind, markOffline, readHeartbeats, type NodeHeartbeat, type NodesBehind } from './node-sweep.ts'
export { defaultRetention, prune, pruneBatch, type Retention } from './prune.ts'
export { endTunnelsOfLostGateways, expireTunnels, nextExpiryMs, openWaitingTunnels } from './tunnel-sweep.ts'
export {
  disableEndpoint,
  recordAttempts,
  recordCourses,
  type AttemptResult,
  type CourseChange,
} from './webhooks/attempts.ts'
export {
  findDelivery,
  listDeliveries,
  readDelivery,
  replayDelivery,
  type DeliveryAttemptRecord,
  type DeliveredEventRow,
  type DeliveryDetail,
  type DeliveryFilter,
  type DeliveryKey,
  type DeliveryRecord,
  type DeliveryState,
} from './webhooks/deliveries.ts'
export {
  claimEndpoints,
  endpointLeaseSec,
  findDueEndpoints,
  loadDueDeliveries,
  releaseEndpoints,
  renewEndpoints,
  type ClaimedKey,
  type DueDelivery,
  type EndpointClaim,
} from './webhooks/dispatch.ts'
export {
  type WebhookEndpointFault,
  type WebhookEndpointKey,
  type WebhookEndpointRecord,
} from './webhooks/endpoint-rows.ts'
export {
  addWebhookEndpoint,
  changeWebhookEndpoint,
  deleteWebhookEndpoint,
  enableWebhookEndpoint,
  listWebhookEndpoints,
  maxWebhookEndpoints,
  readWebhookEndpoint,
  testWebhookEndpoint,
  type WebhookEndpointChange,
  type WebhookEndpointSettings,
} from './webhooks/endpoints.ts'
export { webhookKeyBinding, type NewWebhookKey, type WebhookKeyRecord } from './webhooks/keys.ts'
export {
  countEndpoints,
  devicesOf,
  endpointsOf,
  filterOf,
  insertDeliveries,
  type Again,
  type FilteredDevice,
  type FilteredEndpoint,
  type NewDelivery,
} from './webhooks/matching.ts'
export {
  eventsAfter,
  eventsBetween,
  lastPosition,
  type FeedSpan,
  type PastEvent,
  type TimeSpan,
} from './webhooks/past-events.ts'
export { rotateWebhookKey } from './webhooks/rotation.ts'
