export { createAttachmentRegistry, type AttachmentRecord, type AttachmentRegistry } from './attachment-registry.ts'
export { copyOfDevice, wipeDevice, type CachedCredential, type CachedDevice } from './cached-device.ts'
export {
  createCredentialCache,
  type CacheAnswer,
  type CredentialCache,
  type CredentialCacheLimits,
  type ForgettingWatch,
} from './credential-cache.ts'
export { DearProofs } from './dear-proofs.ts'
export { attemptReasonOf, readableProposals, type ReadableProposal, type ReadableTransform } from './failed-attempt.ts'
export { createIkeSpiAllocator, type IkeSpiAllocator } from './ike-spi-allocator.ts'
export { selectorOf, selectorsHold } from './selectors.ts'
export { createSubjectTable, type SubjectTable } from './subject-table.ts'
export {
  type AddressHolder,
  MOST_SYNTHETIC_ADDRESSES,
  SyntheticAddresses,
  type SyntheticAddressOptions,
} from './synthetic-addresses.ts'
export { transformText } from './transform-text.ts'
