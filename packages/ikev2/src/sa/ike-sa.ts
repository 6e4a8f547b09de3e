/**
 * One IKE SA and its states. Each state holds exactly what is valid in it; `docs` draws the table of `transition-table.ts`.
 *
 * ```
 *   with a ticket: resumeSent ─▶ authSent, and resumeAnswered ─▶ resumeAsked ─▶ attachAsked
 *   initiator:  initSent ─▶ [intermediateSent ─▶] authSent ─▶ [trustAsked] ─▶ established ─▶ replaced | deleting ─▶ closed
 *   responder:  [intermediateAwaited ─▶] initAnswered ─▶ credentialAsked ─▶ attachAsked ─▶ established ─▶ replaced | deleting ─▶ closed
 *   with EAP:                   credentialAsked ─▶ eapAsked ⇄ eapSent; eapAsked ─▶ eapProven ─▶ attachAsked
 * ```
 *
 * `closed` only repeats its last response until it is forgotten. An IKE SA made by a rekey starts as `established`.
 */
import type { KeyExchangePrivate } from '@culvert/crypto'
import type {
  CloseReason,
  EapSession,
  FoundCredential,
  InitiatorConfig,
  MonotonicMs,
  ProofKind,
  Question,
  RequestedAddresses,
  ResumptionTicket,
  Signer,
} from '../endpoint/contract.ts'
import type { SignatureChoice } from '../keys/signature-choice.ts'
import type { AnnouncedHash } from '../keys/signature-hashes.ts'
import type { Identity, IkeSpi, MessageId, Payload, Proposal, Spi, TrafficSelector } from '../message/model.ts'
import type { Attachment, Route } from './attachment.ts'
import type { Channel } from './channel.ts'
import type { Retransmission } from './retransmission.ts'
import type { Timed } from './timer-heap.ts'

/**
 * Both IKE_SA_INIT messages as sent, the nonces and what came between: what AUTH covers (RFC 7296 2.15, RFC 9242 3.3); and what
 * they agreed on for it.
 */
export interface InitExchange {
  readonly request: Uint8Array
  readonly response: Uint8Array
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
  readonly skPi: Uint8Array
  readonly skPr: Uint8Array
  /** IntAuth of the IKE_INTERMEDIATE exchanges (RFC 9242 3.3.2); empty without. */
  readonly intAuth: Uint8Array
  /** Hashes the peer takes signatures with; null when it sent no SIGNATURE_HASH_ALGORITHMS. */
  readonly hashes: readonly AnnouncedHash[] | null
  /** Both ends sent USE_PPK (RFC 8784 3). */
  readonly usesPpk: boolean
  /** Made by a ticket: AUTH is made with SK_pi and SK_pr alone (RFC 5723 5.2). */
  readonly isResumed: boolean
}

/** The AUTH payload of a peer, and what stands beside it about its keys. */
export interface PeerAuth {
  /** 0 without an AUTH payload. */
  readonly method: number
  readonly data: Uint8Array
  /** Data of PPK_IDENTITY and of NO_PPK_AUTH; null without. */
  readonly ppkId: Uint8Array | null
  readonly noPpkAuth: Uint8Array | null
}

/** How we prove ourselves. The key is ours alone and zeroed when done. */
export type OwnProof =
  /** AUTH is prf(key, octets): made of the shared secret, or a copy of SK_pi or SK_pr of a resumed IKE SA (RFC 5723 5.1). */
  | { readonly kind: 'sharedKey'; readonly authKey: Uint8Array }
  | { readonly kind: 'signature'; readonly signer: Signer; readonly choice: SignatureChoice }

/** What an IKE_AUTH request asks for, kept while decisions are outstanding. */
export interface AuthClaim {
  readonly messageId: MessageId
  readonly idI: Identity
  /** Body of the IDi payload as it came: AUTH covers it. */
  readonly idBody: Uint8Array
  readonly idR: Identity | null
  readonly auth: PeerAuth
  /** Whose certificates it takes (CERTREQ); empty when it does not say. */
  readonly authorities: readonly Uint8Array[]
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
  /** No Child SA for now (RFC 6023). */
  readonly childless: boolean
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

/** IKE_SESSION_RESUME is under way (RFC 5723). */
export interface ResumeSent {
  readonly phase: 'resumeSent'
  readonly attachment: Attachment
  readonly peer: InitiatorConfig
  readonly resume: ResumptionTicket
  readonly nonceI: Uint8Array
  readonly request: Uint8Array
  /** Cookies demanded so far. */
  readonly cookies: number
  readonly retransmission: Retransmission
}

export interface InitAnswered {
  readonly phase: 'initAnswered'
  readonly channel: Channel
  readonly init: InitExchange
  /** Key in the half-open table. */
  readonly digest: string
  readonly expiresAtMs: MonotonicMs
}

/** Additional key exchanges before IKE_AUTH (RFC 9370 2.2.2). */
export interface IntermediateProgress {
  /** How many are through. */
  readonly done: number
  /** IntAuth of the messages of each side so far, empty before the first (RFC 9242 3.3.2). */
  readonly intAuthI: Uint8Array
  readonly intAuthR: Uint8Array
}

/** As responder: IKE_AUTH comes only after the additional key exchanges that were agreed. */
export interface IntermediateAwaited extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'intermediateAwaited'
  readonly progress: IntermediateProgress
}

/** Who stands behind a ticket. */
export interface Resumed {
  readonly ticketId: string
  /** Body of IDi as it was when the ticket was given. */
  readonly idBody: Uint8Array
  readonly subject: string
  readonly credential: string | null
  /** A PPK is in the keys behind it. */
  readonly ppkMixed: boolean
}

export interface ResumeAnswered extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'resumeAnswered'
  readonly resumed: Resumed
}

/** The peer has the keys behind its ticket; is that still enough? */
export interface ResumeAsked extends Omit<ResumeAnswered, 'phase'> {
  readonly phase: 'resumeAsked'
  readonly ask: Ask
  readonly claim: AuthClaim
}

export interface CredentialAsked extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'credentialAsked'
  readonly ask: Ask
  readonly claim: AuthClaim
}

/** One run of an EAP method, with us as the authenticator (RFC 7296 2.16). */
export interface EapRun {
  readonly session: EapSession
  /** Null for a decoy: its success is a failure. */
  readonly found: FoundCredential | null
  /** Our proof for the first response; null when the peer does without (RFC 5998). */
  readonly proof: OwnProof | null
  /** Packets of the peer so far. */
  rounds: number
  /** Identifier of our last EAP request, which the next packet of the peer repeats; null before the first. */
  identifier: number | null
  /** The method has decided against the peer: counted and told already. */
  isLost: boolean
}

/** An EAP packet of the peer, or the start of the method, is with the driver. */
export interface EapAsked extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'eapAsked'
  readonly ask: Ask
  readonly claim: AuthClaim
  readonly eap: EapRun
  /** The request to be answered. */
  readonly messageId: MessageId
}

/** Our EAP request is on its way; the peer's next IKE_AUTH request brings its response. */
export interface EapSent extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'eapSent'
  readonly claim: AuthClaim
  readonly eap: EapRun
}

/** EAP succeeded; the peer has yet to show that it made the same key on this IKE SA. */
export interface EapProven extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'eapProven'
  readonly claim: AuthClaim
  readonly found: FoundCredential
  readonly subject: string
  readonly credential: string | null
  /** Ours alone, zeroed when done; null for a method without key. */
  readonly msk: Uint8Array | null
}

export interface AttachAsked extends Omit<InitAnswered, 'phase'> {
  readonly phase: 'attachAsked'
  readonly ask: Ask
  readonly claim: AuthClaim
  /** The request to be answered: the one whose AUTH payload was good. */
  readonly messageId: MessageId
  readonly attachment: Attachment
  /** Which candidate was proven. */
  readonly credential: string | null
  readonly proof: ProofKind | 'ticket'
  readonly ownProof: OwnProof
  /** A PPK was mixed into the keys. */
  readonly ppkMixed: boolean
}

/** Authentication failed; the answer is repeated until this expires, and the place in the half-open table stays taken. */
export interface Rejected extends Omit<InitAnswered, 'phase' | 'init'> {
  readonly phase: 'rejected'
}

/** As initiator: one IKE_INTERMEDIATE request is under way. */
export interface IntermediateSent {
  readonly phase: 'intermediateSent'
  readonly attachment: Attachment
  readonly peer: InitiatorConfig
  /** No Child SA is asked for in IKE_AUTH (RFC 6023). */
  readonly isChildless: boolean
  readonly channel: Channel
  readonly init: InitExchange
  /** With the request under way in `intAuthI`. */
  readonly progress: IntermediateProgress
  readonly keyExchange: KeyExchangePrivate
}

export interface AuthSent {
  readonly phase: 'authSent'
  readonly attachment: Attachment
  readonly peer: InitiatorConfig
  readonly channel: Channel
  readonly init: InitExchange
  /** Inbound SPI of the Child SA asked for; null when none is (RFC 6023). */
  readonly spiIn: Spi | null
}

/** The responder signed; the driver is asked whose key that is. */
export interface TrustAsked extends Omit<AuthSent, 'phase'> {
  readonly phase: 'trustAsked'
  readonly ask: Ask
  /** Of the response that is being checked. */
  readonly payloads: readonly Payload[]
  readonly expiresAtMs: MonotonicMs
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
  | ResumeSent
  | InitAnswered
  | ResumeAnswered
  | ResumeAsked
  | IntermediateAwaited
  | IntermediateSent
  | CredentialAsked
  | EapAsked
  | EapSent
  | EapProven
  | AttachAsked
  | Rejected
  | AuthSent
  | TrustAsked
  | Established
  | Replaced
  | Deleting
  | Closed

export type Phase = IkeSaState['phase']

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
