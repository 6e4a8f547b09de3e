/** What one endpoint is, accepts and advertises, and how patient it is. Fixed when it is made. */
import type { Identity, Transform } from '../../message/model.ts'

/** Transforms this side accepts, most preferred first; the endpoint config holds one each for IKE and ESP. */
export interface ProposalPolicy {
  readonly ike: readonly SuitePolicy[]
  readonly esp: readonly SuitePolicy[]
  /**
   * Suites of AH (RFC 4302), without encryption; left out: none is offered or taken. A peer that offers both protocols gets ESP, and
   * behind a NAT or with MOBIKE, whose addresses change, there is no AH.
   */
  readonly ah?: readonly SuitePolicy[]
}

/** One proposal we would make; a peer's proposal matches when it offers at least one transform of every type here. */
export interface SuitePolicy {
  readonly encr: readonly Transform[]
  readonly prf: readonly Transform[]
  readonly integ: readonly Transform[]
  readonly ke: readonly Transform[]
  /** ESP and AH only. */
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
   * Every address this end is reached at; peers with MOBIKE are told those that are not in use (RFC 4555 3.4). Left out, peers hear
   * nothing of it.
   */
  readonly addresses?: readonly string[]
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
   * for true. False needs a data plane that sends ESP without UDP, too.
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
