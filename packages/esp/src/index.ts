export { AddressField, rewriteHeader, type TransportChecksum } from './address-rewrite.ts'
export { ChildSa, SHARED_SA_WORDS, type ChildSaContext, LifetimeNotice } from './child-sa.ts'
export {
  acceptPlaintext,
  commitAuthentic,
  createDecapsulated,
  decapsulate,
  type Decapsulated,
  inspectEspHeader,
} from './decapsulate.ts'
export { DeviceIsolation, type KnownFlow } from './device-isolation.ts'
export { DROP_CODE_COUNT, DROP_CODE_NAMES, DropCode } from './drop-code.ts'
export {
  createEncapsulated,
  encapsulate,
  type Encapsulated,
  espOverheadBytes,
  findOutbound,
  mayLeave,
  nextHeaderOf,
  type PacketSlice,
  paddedBytes,
  sealInto,
  takeSequenceNumber,
  TRAILER_ROOM_BYTES,
  writeTrailer,
} from './encapsulate.ts'
export { ESP_HEADER_BYTES, type EspLayout, type EspOpener, type EspSealer } from './esp-transform.ts'
export {
  createFlowKey,
  FLOW_CLOSING_SEC,
  FLOW_IDLE_SEC,
  FlowEnd,
  type FlowKey,
  FlowTable,
  flowTableBytes,
  type FlowTableOptions,
} from './flow-table.ts'
export { HostMappings, isSynthetic, SYNTHETIC_BLOCK, SYNTHETIC_COUNT, SYNTHETIC_PREFIX } from './host-mappings.ts'
export { translateInbound, translateOutbound } from './host-translation.ts'
export { routeBetweenDevices } from './hairpin.ts'
export { createInnerPacket, type InnerPacket, parseInnerPacket, Protocol } from './inner-packet.ts'
export { largestInnerBytes } from './inner-mtu.ts'
export { IV_THREADS, IvCounter } from './iv-counter.ts'
export { type LifetimeSettings, lifetimeOf, type SaLifetime } from './lifetime.ts'
export { clampMss, updatedChecksum } from './mss-clamp.ts'
export { earnPathCredit, setPathTrial, spendPathCredit } from './path-trial.ts'
export { LeasedAddresses, type Placement } from './placement.ts'
export { OutboundSequence, SEQUENCE_WORDS } from './outbound-sequence.ts'
export { RandomPool } from './random-pool.ts'
export { Commit, MAX_WINDOW_PACKETS, MIN_WINDOW_PACKETS, ReplayWindow, replayWindowWords } from './replay-window.ts'
export { type InstallError, type MoveFindings, Sad, type SadOptions } from './sad.ts'
export { SelectorSet } from './selector-set.ts'
export { distance, highHalf } from './sequence-number.ts'
export { composeSpi, SPI_GENERATION_COUNT, SPI_INDEX_COUNT, spiGeneration, spiIndex, spiSlot } from './spi.ts'
export { SpiAllocator } from './spi-allocator.ts'
export { isUnfragmentable, TOO_BIG_BYTES, writeTooBig } from './too-big.ts'
export {
  Direction,
  type Rate,
  SubjectPolicies,
  type SubjectPolicy,
  subjectPolicyBytes,
  UNLIMITED_POLICY,
} from './subject-policies.ts'
export {
  type AhPair,
  createAhPair,
  createTransformPair,
  type TransformContext,
  type TransformPair,
  type TransformPairError,
} from './transform-pair.ts'
export { TransportMode } from './transport-mode.ts'
export { ahBytes, PROTOCOL_AH } from './ah/ah-header.ts'
export { openAh } from './ah/open-ah.ts'
export { ahPacketBytes, type AhOuterHeader, sealAhInto } from './ah/seal-ah.ts'
export { classifyDatagram, DatagramKind, NON_ESP_MARKER_BYTES } from './udp-encapsulation.ts'
