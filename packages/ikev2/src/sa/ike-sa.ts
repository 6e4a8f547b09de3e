/**
 * One IKE SA and its states. Each state holds exactly what is valid in it; `docs` draws the table of `transition-table.ts`.
 *
 * ```
 *   initiator:  initSent ─▶ authSent ─▶ established ─▶ replaced | deleting ─▶ closed
 *   responder:  initAnswered ─▶ credentialAsked ─▶ attachAsked ─▶ established ─▶ replaced | deleting ─▶ closed
 * ```
 *
 * `closed` only repeats its last response until it is forgotten. An IKE SA made by a rekey starts as `established`.
 */
import type { KeyExchangePrivate } from '@culvert/crypto'
import type { CloseReason, InitiatorConfig, MonotonicMs, Question, RequestedAddresses } from '../endpoint/contract.ts'
import type { Identity, IkeSpi, MessageId, Payload, Proposal, Spi, TrafficSelector } from '../message/model.ts'
import type { Attachment, Route } from './attachment.ts'
import type { Channel } from './channel.ts'
import type { Retransmission } from './retransmission.ts'
import type { Timed } from './timer-heap.ts'

/** Both IKE_SA_INIT messages as sent, the nonces and what came between: what AUTH covers (RFC 7296 2.15, RFC 9242 3.3). */
export interface InitExchange {
  readonly request: Uint8Array
  readonly response: Uint8Array
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
  readonly skPi: Uint8Array
  readonly skPr: Uint8Array
  /** IntAuth of the IKE_INTERMEDIATE exchanges, part of the signed octets; empty without (RFC 9242 3.3.2). */
  readonly intAuth: Uint8Array
}

/** What an IKE_AUTH request asks for, kept while decisions are outstanding. */
export interface AuthClaim {
  readonly messageId: MessageId
  readonly idI: Identity
  /** Body of the IDi payload as it came: AUTH covers it. */
  readonly idBody: Uint8Array
  readonly idR: Identity | null
  readonly authMethod: number
  readonly authData: Uint8Array
  readonly configuration: Extract<Payload, { kind: 'cp' }> | null
  readonly requested: RequestedAddresses
  readonly proposals: readonly Proposal[]
  readonly tsI: readonly TrafficSelector[]
  readonly tsR: readonly TrafficSelector[]
  readonly initialContact: boolean
  readonly wishes: AuthWishes
}

/** Extensions the peer offers or asks for in IKE_AUTH. */
export interface AuthWishes {
  readonly mobike: boolean
  readonly transportMode: boolean
  readonly ticket: boolean
}

/** A question under way. */
export interface Ask {
  readonly ticket: number
  readonly question: Question
  askedAtMs: MonotonicMs
}

export interface InitSent {
  readonly phase: 'initSent'
  readonly attachment: Attachment
  readonly peer: InitiatorConfig
  readonly keyExchange: KeyExchangePrivate
  readonly group: number
  readonly nonceI: Uint8Array
  readonly request: Uint8Array
  readonly cookie: Uint8Array | null
  /** COOKIE and INVALID_KE_PAYLOAD answers so far (RFC 7296 2.6.1). */
  readonly retries: number
  readonly retransmission: Retransmission
  /** An unprotected error came; believed only when nothing better comes until the next transmission (2.21.1). */
  suspicion: CloseReason | null
}

export interface InitAnswered {
  readonly phase: 'initAnswered'
  readonly channel: Channel
  readonly init: InitExchange
  /** Key in the half-open table. */
  readonly digest: string
  readonly expiresAtMs: MonotonicMs
}

export interface CredentialAsked extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'credentialAsked'
  readonly ask: Ask
  readonly claim: AuthClaim
}

export interface AttachAsked extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'attachAsked'
  readonly ask: Ask
  readonly claim: AuthClaim
  readonly attachment: Attachment
  /** Which candidate was proven. */
  readonly credential: string
  /** The secret the peer used; ours is proven with the same. */
  readonly psk: Uint8Array
}

/** Authentication failed; the answer is repeated until this expires, and the place in the half-open table stays taken. */
export interface Rejected extends Omit<InitAnswered, 'phase' | 'init'> {
  readonly phase: 'rejected'
}

export interface AuthSent {
  readonly phase: 'authSent'
  readonly attachment: Attachment
  readonly peer: InitiatorConfig
  readonly channel: Channel
  readonly init: InitExchange
  /** Inbound SPI of the Child SA asked for. */
  readonly spiIn: Spi
}

export interface Established {
  readonly phase: 'established'
  readonly attachment: Attachment
  readonly channel: Channel
  /** When we start a rekey, Infinity once that is queued. */
  rekeyAtMs: MonotonicMs
  /** When it is deleted although no rekey succeeded, Infinity once that is queued. */
  expiresAtMs: MonotonicMs
}

/** Another IKE SA took over; the peer deletes this one. It is answered until then. */
export interface Replaced {
  readonly phase: 'replaced'
  readonly attachment: Attachment
  readonly channel: Channel
  readonly expiresAtMs: MonotonicMs
}

/** Our Delete is under way. */
export interface Deleting {
  readonly phase: 'deleting'
  readonly attachment: Attachment
  readonly channel: Channel
}

export interface Closed {
  readonly phase: 'closed'
  readonly channel: Channel
  readonly expiresAtMs: MonotonicMs
}

export type IkeSaState =
  | InitSent
  | InitAnswered
  | CredentialAsked
  | AttachAsked
  | Rejected
  | AuthSent
  | Established
  | Replaced
  | Deleting
  | Closed

export type Phase = IkeSaState['phase']

/** States in which the peer's messages are protected. */
export type SecuredState = Exclude<IkeSaState, InitSent>

export interface IkeSa extends Timed {
  readonly localSpi: IkeSpi
  readonly spiI: IkeSpi
  /** Zero until the responder has chosen. */
  spiR: IkeSpi
  /** Whether we are the original initiator of this IKE SA: our I flag (3.1). */
  readonly originalInitiator: boolean
  readonly route: Route
  state: IkeSaState
}

export type IkeSaParameters = Pick<IkeSa, 'spiI' | 'spiR' | 'originalInitiator' | 'route' | 'state'>

export function createIkeSa(parameters: IkeSaParameters): IkeSa {
  const { spiI, spiR, originalInitiator } = parameters
  return { ...parameters, localSpi: originalInitiator ? spiI : spiR, heapIndex: -1, dueMs: Infinity, dueOrder: 0 }
}

/** True for the IKE SA on which its attachment works. */
export function isCurrent(sa: IkeSa): boolean {
  return sa.state.phase === 'established' && sa.state.attachment.current === sa
}
