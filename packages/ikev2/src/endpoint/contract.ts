/**
 * The contract between the IKEv2 core and whoever drives it: real UDP, the simulator, a fuzzer.
 *
 * Driver: hand in one input, apply all effects in order, arm `wakeAtMs`, hand in the next input. The core never waits, never
 * reads a clock and draws randomness only from `env.rng`. Slow things leave as `ask` and come back as `answer` with the
 * ticket; answers that are late, doubled or for nobody are ignored.
 */
import type { CryptoProvider, Rng, SigningKey, VerifyingKey } from '@culvert/crypto'
import type { Identity, IkeSpi, Proposal, Spi, TrafficSelector, Transform } from '../message/model.ts'

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
  /** Seals and opens resumption tickets under keys all nodes share (RFC 5723); left out: none are given or taken. */
  readonly tickets?: TicketVault
}

/** Absolute expiry and key rotation are the vault's: it knows the time of day, the core does not. */
export interface TicketVault {
  /** @returns an opaque ticket, or null when none can be made now. */
  seal(content: Uint8Array, lifetimeMs: number): Uint8Array | null
  /** @returns the content; null for what is forged, expired or sealed under a forgotten key. */
  open(ticket: Uint8Array): Uint8Array | null
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
  /**
   * Additional key exchanges in order, ADDKE1 first (RFC 9370). An empty list or one left out means none; a list that holds
   * NONE may be passed over by the peer.
   */
  readonly additionalKe?: readonly (readonly Transform[])[]
}

export type TierName = 'modern' | 'standard' | 'compat'

/** What a kind of peer may use; a responder tries its tiers one after the other, so nobody gets less than it offers. */
export interface ProposalTier extends ProposalPolicy {
  readonly name: TierName
}

/** What is done beyond RFC 7296, and therefore advertised (C18). Everything is off when left out. */
export interface EndpointFeatures {
  readonly childless?: boolean
  readonly mobike?: boolean
  readonly redirect?: boolean
  readonly resumption?: boolean
  readonly ppk?: boolean
}

export interface EndpointConfig {
  /** What we call ourselves: IDr as responder, IDi as initiator. */
  readonly localId: Identity
  readonly proposals: ProposalPolicy
  /** As responder: tiers in order of preference. Left out: `proposals` alone. */
  readonly tiers?: readonly ProposalTier[]
  readonly features?: EndpointFeatures
  /**
   * Whose certificates we take, SHA-1 of each CA's SubjectPublicKeyInfo, 20 octets (RFC 7296 3.7). Peers are asked for one of
   * these, the first 32; left out or empty: no CERTREQ is sent.
   */
  readonly certificateAuthorities?: readonly Uint8Array[]
  /** Emit `ikeKeys` events, for a dissector. Never in production. */
  readonly exposeKeys?: boolean
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
  /** As initiator: one more Child SA (also the first one of a childless IKE SA). */
  | {
      readonly kind: 'createChild'
      readonly key: AttachmentKey
      readonly tsLocal: readonly TrafficSelector[]
      readonly tsRemote: readonly TrafficSelector[]
    }
  /** As initiator: we have another address now; tells the peer with MOBIKE (RFC 4555), does nothing without. */
  | { readonly kind: 'moveTo'; readonly key: AttachmentKey; readonly path: Path }
  /** As responder: sends this peer elsewhere in an INFORMATIONAL exchange; does nothing when it does not follow redirects. */
  | { readonly kind: 'redirect'; readonly key: AttachmentKey; readonly to: GatewayIdentity }
  /** As responder, from now on: newcomers that follow redirects are sent elsewhere in IKE_SA_INIT; null ends that. */
  | { readonly kind: 'redirectNewcomers'; readonly to: GatewayIdentity | null }
  /** As responder, from now on: tiers in which anybody at all may come; all of `tiers` until told. */
  | { readonly kind: 'acceptTiers'; readonly names: readonly TierName[] }
  /** From now on, in place of `EndpointConfig.certificateAuthorities`. */
  | { readonly kind: 'acceptAuthorities'; readonly hashes: readonly Uint8Array[] }

/** Another gateway (RFC 5685 3). */
export type GatewayIdentity =
  | { readonly kind: 'ip4' | 'ip6'; readonly address: string }
  | { readonly kind: 'fqdn'; readonly name: string }

/** A post-quantum preshared key (RFC 8784). `id` is the body of PPK_IDENTITY: type octet, then the name. */
export interface Ppk {
  readonly id: Uint8Array
  readonly secret: Uint8Array
}

/** A PPK as a responder holds it. */
export interface ResponderPpk extends Ppk {
  readonly isRequired: boolean
}

/** A signing key and the certificates that speak for it, DER, the signer's own first. */
export interface Signer {
  readonly key: SigningKey
  readonly certificates: readonly Uint8Array[]
}

export type InitiatorProof =
  | { readonly kind: 'psk'; readonly secret: Uint8Array }
  | ({ readonly kind: 'signature' } & Signer)

/** Opaque to the driver, who keeps it secret and hands it back at most once. */
export interface ResumptionTicket {
  readonly ticket: Uint8Array
  readonly state: Uint8Array
}

export interface InitiatorConfig {
  readonly path: Path
  readonly localId: Identity
  readonly remoteId: Identity
  readonly proof: InitiatorProof
  /** Mixed into the keys when the responder knows it too; with `isRequired` nothing is attached without. */
  readonly ppk?: Ppk & { readonly isRequired: boolean }
  /** No Child SA in IKE_AUTH when the responder allows that (RFC 6023); see `createChild`. */
  readonly childless?: boolean
  readonly transportMode?: boolean
  /** Ask for a ticket; it comes as event `ticket`. */
  readonly requestTicket?: boolean
  /** Come back with this ticket; when it is refused, an ordinary IKE_SA_INIT follows. */
  readonly resume?: ResumptionTicket
  /** The gateway that sent us here (RFC 5685 4): bounds the loop, which is the driver's to guard. */
  readonly redirectedFrom?: GatewayIdentity
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  readonly requestAddress: { readonly ip4: boolean; readonly ip6: boolean }
  /** Opaque to the core; comes back as `subject` in every event. */
  readonly label: string
}

/** How a peer wants to prove itself: method of its AUTH payload, `eap` when there is none, `other` for what we never take. */
export type ProofKind = 'psk' | 'signature' | 'eap' | 'other'

export interface PeerCertificate {
  /** CERT encoding (RFC 7296 3.6). */
  readonly encoding: number
  readonly data: Uint8Array
}

export type Question =
  /** Who is this? Asked with the claimed identity, before anything is proven. */
  | {
      readonly kind: 'credential'
      readonly idI: Identity
      readonly idR: Identity | null
      readonly path: Path
      readonly proof: ProofKind
      /** In the order they came, bounded in count and size; nothing about them has been checked. */
      readonly certificates: readonly PeerCertificate[]
      /** The peer takes an EAP method in place of our certificate (RFC 5998). */
      readonly eapOnly: boolean
    }
  /** One round of EAP as authenticator: null starts the method, else the peer's whole EAP packet. */
  | {
      readonly kind: 'eap'
      readonly session: EapSession
      readonly idI: Identity
      readonly path: Path
      readonly packet: Uint8Array | null
      /** The peer hears no AUTH of ours before EAP is over: only a method that proves both ends may be used (RFC 5998 4). */
      readonly withoutOurProof: boolean
    }
  /** As initiator: does this chain speak for `idR`? */
  | {
      readonly kind: 'trust'
      readonly label: string
      readonly idR: Identity
      readonly certificates: readonly PeerCertificate[]
    }
  /** A ticket opened: is what stands behind it still good enough, and is this its first use? */
  | {
      readonly kind: 'resume'
      readonly idI: Identity
      readonly subject: string
      readonly credential: string | null
      /** Names the ticket among all of this installation. */
      readonly ticketId: string
      /** In which its IKE SA was made; null without tiers. */
      readonly tier: TierName | null
      /** A PPK is in its keys (RFC 8784). */
      readonly ppkMixed: boolean
      readonly path: Path
    }
  /** The peer proved to be `subject`: may it attach, with which address and selectors? */
  | {
      readonly kind: 'attach'
      readonly key: AttachmentKey
      readonly subject: string
      /** `id` of the candidate that was proven; null when the driver gave none. */
      readonly credential: string | null
      readonly proof: ProofKind | 'ticket'
      readonly requested: RequestedAddresses
      readonly initialContact: boolean
      readonly path: Path
    }

/** Names one run of an EAP method; never reused within an endpoint. */
export type EapSession = number & { readonly __brand: 'EapSession' }

export interface RequestedAddresses {
  readonly ip4: boolean
  readonly ip6: boolean
}

/** One way in which the peer may prove itself; rotation gives several. `id` comes back when it was the one. */
export type Candidate =
  | { readonly kind: 'psk'; readonly id: string; readonly secret: Uint8Array }
  /** Key of a certificate that was checked and bound to the identity. */
  | { readonly kind: 'publicKey'; readonly id: string; readonly key: VerifyingKey }
  /** Start EAP; which method is the driver's business. With `withoutOurProof` a peer that takes EAP only hears no AUTH of ours. */
  | { readonly kind: 'eap'; readonly id: string | null; readonly withoutOurProof: boolean }

export interface FoundCredential {
  /** Comes back in later questions and events. Null when only EAP will tell. */
  readonly subject: string | null
  readonly candidates: readonly Candidate[]
  /** How we prove ourselves. Left out: with the peer's own shared key. */
  readonly signer?: Signer
  /** Tiers this peer may use; an IKE SA in another one is refused. Left out: any. */
  readonly tiers?: readonly TierName[]
  /** All that are good now, rotation gives two; the peer names one. With a required one nothing is attached without. */
  readonly ppks?: readonly ResponderPpk[]
}

/**
 * What stands in for a credential that is not there, or that is not of the kind the peer wants to prove: so that nobody learns
 * which identities exist, and how they authenticate (N26). Nothing proven with it is ever believed.
 */
export interface Decoy {
  /** Of the realm: how we would prove ourselves. With it, or with `withoutOurProof`, EAP is played to its failure. */
  readonly signer?: Signer
  /** Key of the certificate the peer sent, to compute with. */
  readonly key?: VerifyingKey
  readonly withoutOurProof?: boolean
  /** Of the realm, as in `FoundCredential`. */
  readonly tiers?: readonly TierName[]
}

export type Answer =
  /** Null: unknown; the core still does the work of a known one. */
  | {
      readonly kind: 'credential'
      readonly found: FoundCredential | null
      readonly decoy?: Decoy
    }
  | {
      readonly kind: 'eap'
      readonly outcome: 'continue'
      readonly packet: Uint8Array
      /**
       * The method has decided against the peer, and says so in this packet; why, for people, as `detail` of a failure. Many peers
       * are not heard of again.
       */
      readonly lost?: string
    }
  | {
      readonly kind: 'eap'
      readonly outcome: 'failure'
      readonly packet: Uint8Array
      /** Why, for the event `attemptFailed`: holds no secret and is bounded. */
      readonly detail?: string
    }
  | {
      readonly kind: 'eap'
      readonly outcome: 'success'
      readonly packet: Uint8Array
      /** Both AUTH payloads are made with it; null for a method that makes no key (RFC 7296 2.16). */
      readonly msk: Uint8Array | null
      readonly subject: string
      readonly credential: string | null
      /** Of who was proven; they count in place of those in `FoundCredential`. */
      readonly tiers?: readonly TierName[]
      readonly ppks?: readonly ResponderPpk[]
    }
  | { readonly kind: 'trust'; readonly key: VerifyingKey | null }
  | { readonly kind: 'resume'; readonly isAllowed: boolean }
  | {
      readonly kind: 'attach'
      readonly grant: AttachGrant | null
      readonly refusal?: 'addressFailure' | 'refused'
      /** With a null grant: where the peer shall go instead, if it follows redirects. */
      readonly redirect?: GatewayIdentity
    }

export interface AttachGrant {
  /** Leased inner addresses, textual; at most one of each family. */
  readonly ip4: string | null
  readonly ip6: string | null
  readonly dns4: readonly string[]
  readonly dns6?: readonly string[]
  /** Domains to be resolved by these servers alone (RFC 8598). */
  readonly dnsDomains?: readonly string[]
  /** Time after which the peer must authenticate again (RFC 4478); null for never. */
  readonly authLifetimeMs?: number | null
  /** Transport mode is granted to a peer that asks for it. */
  readonly transportMode?: boolean
  /** Lifetime of a resumption ticket for a peer that asks for one; null gives none. */
  readonly ticketLifetimeMs?: number | null
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
  readonly mode: 'tunnel' | 'transport'
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
  | 'redirected'
  | 'shutdown'

export type Effect =
  | { readonly kind: 'send'; readonly path: Path; readonly bytes: Uint8Array }
  /** One octet 0xFF without marker (RFC 3948 2.3); only made when `natKeepaliveMs` is set and we are behind NAT. */
  | { readonly kind: 'keepalive'; readonly path: Path }
  /** The same ticket may come again when the peer repeats its request and no answer came; the first answer counts. */
  | { readonly kind: 'ask'; readonly ticket: number; readonly question: Question }
  | { readonly kind: 'installChildSa'; readonly key: AttachmentKey; readonly child: ChildSaDescription }
  | { readonly kind: 'activateOutbound'; readonly key: AttachmentKey; readonly spiIn: Spi }
  /**
   * From now on `path`. While it is not confirmed, the peer was not heard to answer from there, and at most three times the bytes
   * that came from there go back; the same comes again with `isConfirmed` when it was heard.
   */
  | {
      readonly kind: 'moveChildSa'
      readonly key: AttachmentKey
      readonly spiIn: Spi
      readonly path: Path
      readonly isConfirmed: boolean
      /** As found now: only such a peer is followed without a word (C60). */
      readonly peerBehindNat: boolean
    }
  | { readonly kind: 'removeChildSa'; readonly key: AttachmentKey; readonly spiIn: Spi }
  /** An inbound SPI that was allocated but never installed. */
  | { readonly kind: 'releaseSpi'; readonly spiIn: Spi }
  /** An EAP run that will not go on. Not sent after its own success or failure. */
  | { readonly kind: 'endEap'; readonly session: EapSession }
  | { readonly kind: 'event'; readonly event: IkeEvent }

export type IkeEvent =
  | {
      readonly kind: 'established'
      readonly key: AttachmentKey
      readonly subject: string
      readonly role: 'initiator' | 'responder'
      readonly ike: IkeSaSummary
      /** Of the peer, as in the question `attach`; null as initiator. */
      readonly credential: string | null
      readonly proof: ProofKind | 'ticket' | null
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
      readonly stage: AttemptStage
      readonly reason: CloseReason
      readonly detail: string
      /** What the peer offered, when nothing of it could be taken; copies, bounded by the decoder. */
      readonly offered: readonly Proposal[] | null
    }
  /** A Child SA was refused on an IKE SA that stands; for people. */
  | {
      readonly kind: 'childRefused'
      readonly key: AttachmentKey
      /** Notify type the peer heard; as initiator, the one it sent. */
      readonly notify: number
      readonly offered: readonly Proposal[] | null
    }
  /** As initiator: the responder sends us elsewhere; the attempt or attachment ends, the driver goes on. */
  | {
      readonly kind: 'redirected'
      readonly key: AttachmentKey | null
      readonly subject: string
      readonly to: GatewayIdentity
    }
  /** As initiator: keep it for `InitiatorConfig.resume`. */
  | {
      readonly kind: 'ticket'
      readonly key: AttachmentKey
      readonly ticket: ResumptionTicket
      readonly lifetimeMs: number
    }
  /** As initiator: authenticate anew before this time is over (RFC 4478). */
  | { readonly kind: 'authLifetime'; readonly key: AttachmentKey; readonly lifetimeMs: number }
  /** Only with `exposeKeys`: keys of an IKE SA that was just made. */
  | { readonly kind: 'ikeKeys'; readonly keys: ExposedIkeKeys }

/** How far an attempt came. */
export type AttemptStage = 'init' | 'intermediate' | 'auth' | 'eap' | 'attach' | 'resume'

export interface ExposedIkeKeys {
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
  readonly encr: Transform
  readonly integ: Transform | null
  readonly skEi: Uint8Array
  readonly skEr: Uint8Array
  readonly skAi: Uint8Array
  readonly skAr: Uint8Array
}

export interface IkeSaSummary {
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
  readonly encr: Transform
  readonly prf: Transform
  readonly integ: Transform | null
  readonly ke: Transform
  /** Methods of the additional key exchanges, in order; empty without. */
  readonly additionalKe: readonly Transform[]
  /** Null as initiator, and without tiers. */
  readonly tier: TierName | null
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
  readonly mode: 'tunnel' | 'transport'
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
  /** Entries of every table that grows with peers, for a gauge of memory: at rest, one IKE SA, attachment and timer for each peer. */
  readonly tableSizes: {
    readonly ikeSas: number
    readonly attachments: number
    readonly asks: number
    readonly timers: number
  }
}
