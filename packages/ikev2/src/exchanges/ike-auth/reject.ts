/**
 * The end of an attempt that authentication or the driver refused: one AUTHENTICATION_FAILED, whatever it was (C32).
 */
import { reportFailure, wipeProof } from '../../endpoint/closing.ts'
import type { CloseReason } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { respond } from '../../endpoint/outbound.ts'
import type { Proposal } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import type { AttachAsked, CredentialAsked, IkeSa } from '../../sa/ike-sa.ts'
import { offeredForIke } from '../ike-sa-init/offered.ts'
import { notify } from '../notify.ts'

export interface Failure {
  readonly subject: string | null
  readonly reason: CloseReason
  /** For people; the peer hears AUTHENTICATION_FAILED whatever it was. */
  readonly detail: string
  readonly offered?: readonly Proposal[]
}

/**
 * Who it is is certain, but this IKE SA is in a tier it may not use: NO_PROPOSAL_CHOSEN, as nothing is given away by it any more.
 *
 * @param subject who the peer proved to be.
 */
export function rejectTier(context: Context, sa: IkeSa, state: CredentialAsked | AttachAsked, subject: string): void {
  const detail = 'the proposal for the IKE SA is in a tier that this credential may not use'
  const offered = offeredForIke(state.init)
  rejectPeer(context, sa, state, { subject, reason: 'noProposal', detail, offered }, NOTIFY.NO_PROPOSAL_CHOSEN)
}

/** Answers the request under way; the IKE SA then only repeats that answer. */
export function rejectPeer(
  context: Context,
  sa: IkeSa,
  state: CredentialAsked | AttachAsked,
  failure: Failure,
  answer: number = NOTIFY.AUTHENTICATION_FAILED,
): void {
  const { channel, claim, digest, expiresAtMs } = state
  wipeProof(state)
  sa.state = { phase: 'rejected', channel, digest, expiresAtMs }
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }
  respond(context, exchange, claim.messageId, [notify(answer)], sa.route.path)
  const stage = state.phase === 'attachAsked' ? 'attach' : 'auth'
  reportFailure(context, { ...failure, stage, path: sa.route.path, idI: claim.idI })
}
