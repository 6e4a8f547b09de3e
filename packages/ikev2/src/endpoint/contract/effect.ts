/** What the driver has to do after a step, in order. */
import type { Spi, TrafficSelector, Transform } from '../../message/model.ts'
import type { ChildProtocol } from './command.ts'
import type { Path } from './environment.ts'
import type { AttachmentKey } from './attachment.ts'
import type { Question, EapSession } from './question.ts'
import type { IkeEvent } from './event.ts'

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

/** 4 or 16 octets each. */
export interface OriginalAddresses {
  readonly local: Uint8Array
  readonly remote: Uint8Array
}

export interface ChildSaDescription {
  readonly spiIn: Spi
  readonly spiOut: Spi
  readonly keys: ChildKeys
  readonly path: Path
  /** ESP in UDP: with a NAT in the way, or forced (`forceUdpEncap`). Else ESP is sent as an IP protocol of its own. */
  readonly udpEncap: boolean
  readonly peerBehindNat: boolean
  /** Left out: ESP. For AH `keys.encr` is ENCR_NULL without a key, and there is no UDP encapsulation (RFC 4302). */
  readonly protocol?: ChildProtocol
  readonly mode: 'tunnel' | 'transport'
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  /**
   * In transport mode with a NAT in the way: the addresses the peer computed its checksums with (RFC 7296 2.23.1), `unknown` when
   * only the peer knows them. Left out: those of the selectors.
   */
  readonly originalAddresses?: OriginalAddresses | 'unknown'
  /** False for the responder of a rekey: receive now, send with the old SA until `activateOutbound`. */
  readonly outbound: boolean
  /** SPI (ours, inbound) of the Child SA this one replaces, null for a new one. */
  readonly replaces: Spi | null
}

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
      /** As found now, as in `ChildSaDescription`. */
      readonly udpEncap: boolean
    }
  | { readonly kind: 'removeChildSa'; readonly key: AttachmentKey; readonly spiIn: Spi }
  /** An inbound SPI that was allocated but never installed. */
  | { readonly kind: 'releaseSpi'; readonly spiIn: Spi }
  /** An EAP run that will not go on. Not sent after its own success or failure. */
  | { readonly kind: 'endEap'; readonly session: EapSession }
  | { readonly kind: 'event'; readonly event: IkeEvent }
