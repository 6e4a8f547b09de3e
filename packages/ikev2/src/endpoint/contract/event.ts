/** What the core tells the driver about attachments and attempts. */
import type { Identity, IkeSpi, Proposal, Spi, TrafficSelector, Transform } from '../../message/model.ts'
import type { SocketAddress, Path } from './environment.ts'
import type { TierName } from './configuration.ts'
import type { ProofKind } from './credential.ts'
import type { AttachmentKey, CloseReason, GatewayIdentity, ResumptionTicket } from './attachment.ts'

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
  /** The peer is elsewhere, or is seen otherwise from there. */
  | {
      readonly kind: 'moved'
      readonly key: AttachmentKey
      readonly remote: SocketAddress
      readonly peerBehindNat: boolean
    }
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
  /** Left out: ESP. With AH `encr` is ENCR_NULL. */
  readonly protocol?: 'ah'
  readonly mode: 'tunnel' | 'transport'
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  readonly replaces: Spi | null
}
