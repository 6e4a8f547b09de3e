/** What the driver tells the core to do. */
import type { Identity, Spi, TrafficSelector } from '../../message/model.ts'
import type { SocketAddress, Path } from './environment.ts'
import type { TierName } from './configuration.ts'
import type { Ppk, InitiatorProof } from './credential.ts'
import type { AttachmentKey, CloseReason, GatewayIdentity, ResumptionTicket } from './attachment.ts'

/** What protects the packets of a Child SA. */
export type ChildProtocol = 'esp' | 'ah'

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
  /**
   * As responder: from now on the peer may reach `tsLocal`, and `tsRemote` may come from it. Later Child SAs are narrowed to that, and
   * one in tunnel mode that has no other beside it is rekeyed when it carries less. What is in use is never taken away: end the attachment
   * for that.
   */
  | {
      readonly kind: 'regrant'
      readonly key: AttachmentKey
      readonly tsLocal: readonly TrafficSelector[]
      readonly tsRemote: readonly TrafficSelector[]
    }
  /** As initiator: we have another address now; tells the peer with MOBIKE (RFC 4555), does nothing without. */
  | { readonly kind: 'moveTo'; readonly key: AttachmentKey; readonly path: Path }
  /**
   * From now on, in place of `EndpointConfig.addresses`: peers with MOBIKE are told (RFC 4555 3.6). Who moves gives `moveTo` first, so
   * that its peers are told along a path that is there.
   */
  | { readonly kind: 'ownAddresses'; readonly addresses: readonly string[] }
  /** As responder: sends this peer elsewhere in an INFORMATIONAL exchange; does nothing when it does not follow redirects. */
  | { readonly kind: 'redirect'; readonly key: AttachmentKey; readonly to: GatewayIdentity }
  /** As responder, from now on: newcomers that follow redirects are sent elsewhere in IKE_SA_INIT; null ends that. */
  | { readonly kind: 'redirectNewcomers'; readonly to: GatewayIdentity | null }
  /** As responder, from now on: tiers in which anybody at all may come; all of `tiers` until told. */
  | { readonly kind: 'acceptTiers'; readonly names: readonly TierName[] }
  /** From now on, in place of `EndpointConfig.certificateAuthorities`. */
  | { readonly kind: 'acceptAuthorities'; readonly hashes: readonly Uint8Array[] }

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
  /** Of its Child SAs; left out: ESP. AH needs `ah` among the proposals and a path without NAT. */
  readonly protocol?: ChildProtocol
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
