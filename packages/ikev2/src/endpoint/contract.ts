/**
 * The contract between the IKEv2 core and whoever drives it: real UDP, the simulator, a fuzzer.
 *
 * Driver: hand in one input, apply all effects in order, arm `wakeAtMs`, hand in the next input. The core never waits, never
 * reads a clock and draws randomness only from `env.rng`. Slow things leave as `ask` and come back as `answer` with the
 * ticket; answers that are late, doubled or for nobody are ignored.
 */
import type { CryptoProvider, Rng } from '@culvert/crypto'
import type { Identity, IkeSpi, Spi, TrafficSelector, Transform } from '../message/model.ts'

/** Milliseconds of a clock that never goes back. */
export type MonotonicMs = number

export interface SocketAddress {
  /** Textual IPv4 or IPv6 address in canonical form. */
  readonly address: string
  readonly port: number
}

/** Where a datagram came in and from where it came. Answers go back along it. */
export interface Path {
  readonly local: SocketAddress
  readonly remote: SocketAddress
}

export interface Env {
  readonly nowMs: MonotonicMs
  readonly rng: Rng
  readonly crypto: CryptoProvider
  /** 24 bits, the upper part of every AEAD IV made by this process. */
  readonly incarnation: number
  /** A fresh SPI of ours, not zero and not in use. */
  allocateIkeSpi(): IkeSpi
  /** A fresh inbound SPI for an ESP SA; null when the table is full. Freed by the driver when it applies `removeChildSa` or `releaseSpi`. */
  allocateChildSpi(): Spi | null
}

/** Transforms this side accepts, most preferred first; the endpoint config holds one each for IKE and ESP. */
export interface ProposalPolicy {
  readonly ike: readonly SuitePolicy[]
  readonly esp: readonly SuitePolicy[]
}

/** One proposal we would make; a peer's proposal matches when it offers at least one transform of every type here. */
export interface SuitePolicy {
  readonly encr: readonly Transform[]
  readonly prf: readonly Transform[]
  readonly integ: readonly Transform[]
  readonly ke: readonly Transform[]
  /** ESP only. */
  readonly esn: readonly Transform[]
}

export interface EndpointConfig {
  /** What we call ourselves: IDr as responder, IDi as initiator. */
  readonly localId: Identity
  readonly proposals: ProposalPolicy
  /** Half-open SAs above which a cookie is demanded. */
  readonly cookieThreshold: number
  readonly maxHalfOpen: number
  /** Attachments that stand; a device may always replace its own. */
  readonly maxIkeSas: number
  /** Largest IKE message we send unfragmented, in bytes of UDP payload. */
  readonly fragmentBytes: number
  readonly timing: EndpointTiming
  /**
   * Make the peer use UDP encapsulation where there is no NAT, by sending a NAT detection hash that cannot match. Leave out
   * for true: the data plane speaks ESP in UDP only.
   */
  readonly forceUdpEncap?: boolean
}

export interface EndpointTiming {
  /** Silence from the peer after which a liveness check is sent. 0 turns it off. */
  readonly livenessMs: number
  readonly retransmit: { readonly firstMs: number; readonly factor: number; readonly tries: number }
  readonly halfOpenMs: number
  /** Lifetimes after which we start a rekey; jitter takes off up to 10 percent. 0 turns it off. */
  readonly ikeRekeyMs: number
  readonly childRekeyMs: number
  /** Initiator behind NAT: interval of keepalives. 0 turns it off. */
  readonly natKeepaliveMs: number
}

export type Input =
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array; readonly path: Path }
  | { readonly kind: 'wake' }
  | { readonly kind: 'answer'; readonly ticket: number; readonly answer: Answer }
  | { readonly kind: 'command'; readonly command: Command }

/** Names an IKE SA for the driver through all its rekeys; unique within this endpoint. */
export type AttachmentKey = number & { readonly __brand: 'AttachmentKey' }

export type Command =
  | { readonly kind: 'initiate'; readonly peer: InitiatorConfig }
  | { readonly kind: 'rekeyIke'; readonly key: AttachmentKey }
  | { readonly kind: 'rekeyChild'; readonly key: AttachmentKey; readonly spiIn: Spi }
  | { readonly kind: 'deleteChild'; readonly key: AttachmentKey; readonly spiIn: Spi }
  /** Sends Delete, waits for the answer or the last retransmission, then closes; with `revoked` traffic ends at once. */
  | { readonly kind: 'deleteIke'; readonly key: AttachmentKey; readonly reason: CloseReason }
  | { readonly kind: 'checkLiveness'; readonly key: AttachmentKey }
  /** The data plane saw authenticated, fresh traffic on this SA: silence is over. */
  | { readonly kind: 'inboundTraffic'; readonly key: AttachmentKey }
  /** The data plane saw a fresh, authenticated packet from another outer address (RFC 7296 2.23): followed on trial, and asked whether the peer is there. */
  | { readonly kind: 'peerMoved'; readonly key: AttachmentKey; readonly remote: SocketAddress }
  /** A soft limit (bytes, packets, sequence number) was reached. */
  | { readonly kind: 'childSoftLimit'; readonly key: AttachmentKey; readonly spiIn: Spi }

export interface InitiatorConfig {
  readonly path: Path
  readonly localId: Identity
  readonly remoteId: Identity
  readonly psk: Uint8Array
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  readonly requestAddress: { readonly ip4: boolean; readonly ip6: boolean }
  /** Opaque to the core; comes back as `subject` in every event. */
  readonly label: string
}

export type Question =
  /** Who is this? Asked with the claimed identity, before anything is proven. */
  | { readonly kind: 'credential'; readonly idI: Identity; readonly idR: Identity | null; readonly path: Path }
  /** The peer proved to be `subject`: may it attach, with which address and selectors? */
  | {
      readonly kind: 'attach'
      readonly key: AttachmentKey
      readonly subject: string
      readonly requested: RequestedAddresses
      readonly initialContact: boolean
      readonly path: Path
    }

export interface RequestedAddresses {
  readonly ip4: boolean
  readonly ip6: boolean
}

export type Answer =
  /** `psks`: every secret valid now (rotation gives two). `subject` comes back in later questions and events. Null: unknown; the core still does the work of a known one. */
  | {
      readonly kind: 'credential'
      readonly found: { readonly subject: string; readonly psks: readonly Uint8Array[] } | null
    }
  | { readonly kind: 'attach'; readonly grant: AttachGrant | null; readonly refusal?: 'addressFailure' | 'refused' }

export interface AttachGrant {
  /** Leased inner addresses, textual; at most one of each family. */
  readonly ip4: string | null
  readonly ip6: string | null
  readonly dns4: readonly string[]
  /** What the peer may reach on our side; TSr is narrowed to it. */
  readonly tsLocal: readonly TrafficSelector[]
  /** What may come from the peer; TSi is narrowed to it (the leased addresses, later LAN prefixes). */
  readonly tsRemote: readonly TrafficSelector[]
  /** Other attachments of the same subject to be closed silently once this one stands; keys of another subject do nothing. */
  readonly replaces: readonly AttachmentKey[]
}

export interface ChildKeys {
  readonly encr: Transform
  readonly integ: Transform | null
  readonly esn: boolean
  /** Encryption key then salt; owned by the receiver of the effect, who zeroes it. */
  readonly inboundKey: Uint8Array
  readonly outboundKey: Uint8Array
  readonly inboundIntegKey: Uint8Array
  readonly outboundIntegKey: Uint8Array
}

export interface ChildSaDescription {
  readonly spiIn: Spi
  readonly spiOut: Spi
  readonly keys: ChildKeys
  readonly path: Path
  /** ESP in UDP (always true once NAT was detected or port 4500 is used). */
  readonly udpEncap: boolean
  readonly peerBehindNat: boolean
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  /** False for the responder of a rekey: receive now, send with the old SA until `activateOutbound`. */
  readonly outbound: boolean
  /** SPI (ours, inbound) of the Child SA this one replaces, null for a new one. */
  readonly replaces: Spi | null
}

export type CloseReason =
  | 'deletedByPeer'
  | 'deletedLocally'
  | 'peerSilent'
  | 'superseded'
  | 'revoked'
  | 'authenticationFailed'
  | 'refused'
  | 'noProposal'
  | 'protocolError'
  | 'expired'
  | 'shutdown'

export type Effect =
  | { readonly kind: 'send'; readonly path: Path; readonly bytes: Uint8Array }
  /** One octet 0xFF without marker (RFC 3948 2.3); only made when `natKeepaliveMs` is set and we are behind NAT. */
  | { readonly kind: 'keepalive'; readonly path: Path }
  /** The same ticket may come again when the peer repeats its request and no answer came; the first answer counts. */
  | { readonly kind: 'ask'; readonly ticket: number; readonly question: Question }
  | { readonly kind: 'installChildSa'; readonly key: AttachmentKey; readonly child: ChildSaDescription }
  | { readonly kind: 'activateOutbound'; readonly key: AttachmentKey; readonly spiIn: Spi }
  | { readonly kind: 'moveChildSa'; readonly key: AttachmentKey; readonly spiIn: Spi; readonly path: Path }
  | { readonly kind: 'removeChildSa'; readonly key: AttachmentKey; readonly spiIn: Spi }
  /** An inbound SPI that was allocated but never installed. */
  | { readonly kind: 'releaseSpi'; readonly spiIn: Spi }
  | { readonly kind: 'event'; readonly event: IkeEvent }

export type IkeEvent =
  | {
      readonly kind: 'established'
      readonly key: AttachmentKey
      readonly subject: string
      readonly role: 'initiator' | 'responder'
      readonly ike: IkeSaSummary
      /** Addresses assigned by the responder, textual. */
      readonly ip4: string | null
      readonly ip6: string | null
    }
  | { readonly kind: 'ikeRekeyed'; readonly key: AttachmentKey; readonly ike: IkeSaSummary }
  | { readonly kind: 'childEstablished' | 'childRekeyed'; readonly key: AttachmentKey; readonly child: ChildSaSummary }
  | { readonly kind: 'childClosed'; readonly key: AttachmentKey; readonly spiIn: Spi }
  | { readonly kind: 'moved'; readonly key: AttachmentKey; readonly remote: SocketAddress }
  | {
      readonly kind: 'closed'
      readonly key: AttachmentKey
      readonly subject: string | null
      readonly reason: CloseReason
    }
  /** An attempt ended before it was established; for people, never for the peer. `detail` holds no secret and is bounded. */
  | {
      readonly kind: 'attemptFailed'
      readonly path: Path
      /** The label of our own attempt, or who the peer proved to be; null when nothing was proven. */
      readonly subject: string | null
      readonly idI: Identity | null
      readonly reason: CloseReason
      readonly detail: string
    }

export interface IkeSaSummary {
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
  readonly encr: Transform
  readonly prf: Transform
  readonly integ: Transform | null
  readonly ke: Transform
  readonly path: Path
  readonly peerBehindNat: boolean
  readonly localBehindNat: boolean
}

export interface ChildSaSummary {
  readonly spiIn: Spi
  readonly spiOut: Spi
  readonly encr: Transform
  readonly integ: Transform | null
  readonly esn: boolean
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  readonly replaces: Spi | null
}

export interface StepResult {
  readonly effects: readonly Effect[]
  /** When the driver must hand in `wake` at the latest; null when nothing is due. */
  readonly wakeAtMs: MonotonicMs | null
}

/** All IKE SAs of one node behind one pure `step`. Created by `createEndpoint(config)`. */
export interface IkeEndpoint {
  step(input: Input, env: Env): StepResult
  readonly size: { readonly established: number; readonly halfOpen: number }
}
