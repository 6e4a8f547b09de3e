export type * from './message/model.ts'
export type * from './endpoint/contract.ts'
export { Budgets } from './endpoint/budgets.ts'
export { FamiliarAddresses } from './endpoint/familiar-addresses.ts'
export { hostName, sourceName } from './endpoint/source.ts'
export { ZERO_SPI } from './message/model.ts'
export { createEndpoint } from './endpoint/endpoint.ts'
export type { TransitionObserver } from './endpoint/context.ts'
export {
  INTERNAL_ROWS,
  type InternalRow,
  MESSAGE_ROWS,
  type MessageRow,
  type TablePhase,
} from './sa/transition-table.ts'
export { decodeMessage, decodePayloads } from './message/decode.ts'
export { encodeMessage, encodePayloads } from './message/encode.ts'
export { type PeekedHeader, peekHeader } from './message/header.ts'
export { decodeGateway, encodeGateway } from './message/gateway-identity-codec.ts'
export { identityBody } from './message/identity-codec.ts'
export {
  AUTH_METHOD,
  CERT_ENCODING,
  CFG_ATTRIBUTE,
  CFG_TYPE,
  ENCR,
  ESN,
  EXCHANGE,
  ID_TYPE,
  INTEG,
  KE,
  NOTIFY,
  PAYLOAD,
  PRF,
  PROTOCOL,
  SIGNATURE_HASH,
  TRANSFORM_TYPE,
  TS_TYPE,
} from './message/numbers.ts'
export { type AddedFragment, addFragment, type FragmentSet } from './message/reassembly.ts'
export { openMessage, sealMessage, type SealLimits, type SkKeys } from './message/seal.ts'
export { defaultAhSuites, defaultEspSuites, defaultIkeSuites } from './proposal/default-suites.ts'
export { type NearestMatch, nearestMatch, type ProposalDifference } from './proposal/nearest-match.ts'
export { compatTier, modernTier, proposalTiers, standardTier } from './proposal/tiers.ts'
export { checkChoice, type OfferOptions, proposalsFor } from './proposal/offer.ts'
export { type SelectedSuite, type SelectOptions, selectProposal } from './proposal/select.ts'
export type { KePolicy } from './proposal/transform.ts'
export { sharedKeyAuth, signedOctets, type SignedParts } from './keys/authentication.ts'
export {
  type ChildDirectionKeys,
  type ChildKeyInput,
  deriveChildKeys,
  deriveIkeKeys,
  deriveSkeyseed,
  type IkeKeyInput,
  type IkeKeys,
  type IkeSuite,
  prfPlus,
} from './keys/key-schedule.ts'
export { mixPpk } from './keys/post-quantum-preshared-key.ts'
export { readSignature, type ReadSignature, writeSignature } from './keys/signature-algorithm.ts'
export { isSignedBy, peerSignature, type PeerSignature } from './keys/signature-choice.ts'
export { type AnnouncedHash, readHashes } from './keys/signature-hashes.ts'
export { intAuthOf, type MessageOctets, nextIntAuth, receivedOctets } from './keys/int-auth.ts'
export { natDetectionHash } from './keys/nat-detection.ts'
export { covers, narrow } from './traffic-selector/narrow.ts'
export { contains, fromCidr, intersect, sameSelector, sameSelectors, toText } from './traffic-selector/selector.ts'
