/**
 * What we ask of the peer: work that waits, and the one request that is under way.
 *
 * Work is queued per attachment and started one at a time (window 1). An attempt holds what only its request needs: the
 * half-built SA, our nonce and private key, and the rival SA the peer made in a collision. It dies with the request.
 */
import type { KeyExchangePrivate } from '@culvert/crypto'
import type { CloseReason, GatewayIdentity, MonotonicMs, Path, SuitePolicy } from '../endpoint/contract.ts'
import type { IkeSpi, MessageId, Spi, TrafficSelector, Transform } from '../message/model.ts'
import { sameSelectors } from '../traffic-selector/selector.ts'
import type { ChildInput, IkeInput } from './agreement.ts'
import type { Retransmission } from './retransmission.ts'

export type Work =
  /** `group`: what INVALID_KE_PAYLOAD asked for, null for our first choice. */
  | { readonly kind: 'rekeyIke'; readonly group: number | null }
  | { readonly kind: 'rekeyChild'; readonly spiIn: Spi; readonly group: number | null }
  | {
      readonly kind: 'createChild'
      readonly tsLocal: readonly TrafficSelector[]
      readonly tsRemote: readonly TrafficSelector[]
      readonly group: number | null
    }
  | { readonly kind: 'deleteChild'; readonly spiIn: Spi }
  | { readonly kind: 'deleteIke'; readonly reason: CloseReason }
  | { readonly kind: 'liveness' }
  | { readonly kind: 'updateAddresses' }
  | { readonly kind: 'announceAddresses' }
  | { readonly kind: 'redirect'; readonly to: GatewayIdentity }

export interface Task {
  readonly work: Work
  readonly notBeforeMs: MonotonicMs
  /** How often the peer refused it for now (TEMPORARY_FAILURE, INVALID_KE_PAYLOAD). */
  readonly refusals: number
}

/** What we proposed, and our half of a key exchange; `keyExchange` is null for a Child SA without PFS. */
export interface KeyOffer {
  /** Of the proposals: IKE, AH or ESP. */
  readonly protocolId: number
  readonly suites: readonly SuitePolicy[]
  /** With additional key exchanges, where the suites have them. */
  readonly additionalKe: boolean
  readonly nonce: Uint8Array
  readonly group: number
  readonly keyExchange: KeyExchangePrivate | null
}

/** The Child SA that the peer's crossing rekey made in place of the same old one (RFC 7296 2.8.1). */
export interface ChildRival {
  readonly spiIn: Spi
  readonly lowestNonce: Uint8Array
}

/** The IKE SA that the peer's crossing rekey made (2.8.2), by our SPI of it. */
export interface IkeRival {
  readonly localSpi: IkeSpi
  readonly lowestNonce: Uint8Array
}

/**
 * The additional key exchanges of a CREATE_CHILD_SA exchange of ours, of which one is under way in IKE_FOLLOWUP_KE
 * (RFC 9370 2.2.4). No collision is possible any more: the peer's own rekey gets TEMPORARY_FAILURE.
 */
export interface FollowUp<Input> {
  readonly input: Input
  readonly methods: readonly Transform[]
  readonly secrets: readonly Uint8Array[]
  readonly keyExchange: KeyExchangePrivate
}

export type Attempt =
  | { readonly kind: 'auth' }
  | { readonly kind: 'intermediate' }
  | {
      readonly kind: 'rekeyIke'
      readonly localSpi: IkeSpi
      readonly offer: KeyOffer
      readonly refusals: number
      rival: IkeRival | null
      readonly followUp: FollowUp<IkeInput> | null
    }
  | {
      readonly kind: 'rekeyChild'
      readonly replaces: Spi
      readonly spiIn: Spi
      readonly offer: KeyOffer
      readonly mode: 'tunnel' | 'transport'
      /** What we offered: the answer stays within it, also when the old Child SA is gone by then. */
      readonly tsLocal: readonly TrafficSelector[]
      readonly tsRemote: readonly TrafficSelector[]
      /** All that is granted was offered, not only what is in use. */
      readonly isWider: boolean
      readonly refusals: number
      rival: ChildRival | null
      readonly followUp: FollowUp<ChildInput> | null
    }
  | {
      readonly kind: 'createChild'
      readonly spiIn: Spi
      readonly offer: KeyOffer
      readonly mode: 'tunnel' | 'transport'
      readonly tsLocal: readonly TrafficSelector[]
      readonly tsRemote: readonly TrafficSelector[]
      readonly refusals: number
      readonly followUp: FollowUp<ChildInput> | null
    }
  | { readonly kind: 'deleteChild'; readonly spiIn: Spi }
  | { readonly kind: 'deleteIke'; readonly reason: CloseReason }
  /** `cookie2`: what the peer must echo to prove that it got the request (RFC 4555 3.7); null without MOBIKE. */
  | { readonly kind: 'liveness'; readonly cookie2: Uint8Array | null }
  | { readonly kind: 'updateAddresses'; readonly cookie2: Uint8Array }
  | { readonly kind: 'announceAddresses' }
  | { readonly kind: 'redirect' }

export interface PendingRequest {
  readonly messageId: MessageId
  readonly exchangeType: number
  readonly attempt: Attempt
  readonly retransmission: Retransmission
  /** Where it was sent at first. */
  readonly path: Path
}

/** True when doing both would be doing the same twice. */
export function sameWork(a: Work, b: Work): boolean {
  if (a.kind === 'rekeyChild' || a.kind === 'deleteChild') return a.kind === b.kind && a.spiIn === b.spiIn
  if (a.kind !== 'createChild') return a.kind === b.kind
  return b.kind === 'createChild' && sameSelectors(a.tsLocal, b.tsLocal) && sameSelectors(a.tsRemote, b.tsRemote)
}

/** Attempts that make an SA. */
export type CreatingAttempt = Extract<Attempt, { readonly offer: KeyOffer }>

/** True when only the contents of the response tell whether the peer got the request. */
export function hasCookie2(attempt: Attempt): boolean {
  return 'cookie2' in attempt && attempt.cookie2 !== null
}
