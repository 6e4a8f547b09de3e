/**
 * The end of an attempt that authentication or the driver refused: one AUTHENTICATION_FAILED, whatever it was; where EAP is under
 * way, its own failure packet and no notify (C32, RFC 7296 2.21.2).
 */
import { reportFailure, stageOf, wipeProof } from '../../endpoint/closing.ts'
import type { CloseReason } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { noteFailure } from '../../endpoint/failed-attempts.ts'
import { respond } from '../../endpoint/outbound.ts'
import type { MessageId, Payload, Proposal } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import type {
  AttachAsked,
  AuthClaim,
  CredentialAsked,
  EapAsked,
  EapProven,
  EapSent,
  IkeSa,
  ResumeAnswered,
  ResumeAsked,
} from '../../sa/ike-sa.ts'
import { offeredForIke } from '../ike-sa-init/offered.ts'
import { notify } from '../notify.ts'

/** States of a peer that said who it is. */
export type Claiming =
  | ResumeAsked
  | (ResumeAnswered & { readonly claim: AuthClaim })
  | CredentialAsked
  | EapAsked
  | EapSent
  | EapProven
  | AttachAsked

export interface Failure {
  /** Of the request to be answered. */
  readonly messageId: MessageId
  readonly subject: string | null
  readonly reason: CloseReason
  /** For people; the peer hears the same whatever it was. */
  readonly detail: string
  readonly offered?: readonly Proposal[]
}

/**
 * Who it is is certain, but this IKE SA is in a tier it may not use: NO_PROPOSAL_CHOSEN, as nothing is given away by it any more.
 *
 * @param subject who the peer proved to be.
 */
export function rejectTier(
  context: Context,
  sa: IkeSa,
  state: CredentialAsked | EapProven | ResumeAsked,
  { messageId, subject }: Pick<Failure, 'messageId' | 'subject'>,
): void {
  const detail = 'the proposal for the IKE SA is in a tier that this credential may not use'
  const offered = offeredForIke(state.init)
  const failure = { messageId, subject, reason: 'noProposal', detail, offered } as const
  rejectWith(context, sa, state, failure, [notify(NOTIFY.NO_PROPOSAL_CHOSEN)])
}

/** Answers AUTHENTICATION_FAILED; the IKE SA then only repeats that answer. */
export function rejectPeer(context: Context, sa: IkeSa, state: Claiming, failure: Failure): void {
  rejectWith(context, sa, state, failure, [notify(NOTIFY.AUTHENTICATION_FAILED)])
}

/** Ends the attempt with these payloads; what the driver has under way for it is ended by the caller. */
export function rejectWith(
  context: Context,
  sa: IkeSa,
  state: Claiming,
  { messageId, ...failure }: Failure,
  payloads: readonly Payload[],
): void {
  const { channel, digest, expiresAtMs } = state
  const isTold = (state.phase === 'eapAsked' || state.phase === 'eapSent') && state.eap.isLost
  wipeProof(state)
  sa.state = { phase: 'rejected', channel, digest, expiresAtMs }
  respond(context, { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }, messageId, payloads, sa.route.path)
  if (!isTold) tellFailure(context, sa, state, failure)
}

/** Counts the failure against who claims this name from there, and tells people. */
export function tellFailure(context: Context, sa: IkeSa, state: Claiming, failure: Omit<Failure, 'messageId'>): void {
  const { claim } = state
  const { path } = sa.route
  if (failure.reason === 'authenticationFailed') noteFailure(context, claim.idBody, path.remote.address)
  reportFailure(context, { ...failure, stage: stageOf(state), path, idI: claim.idI })
}
