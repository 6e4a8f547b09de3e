/**
 * INVALID_SYNTAX: the answer to an authenticated request that cannot be right. It ends the IKE SA on both ends (RFC 7296 2.21.3).
 */
import { closeAttachment, endEap, lingerClosed, reportFailure, stageOf, wipeProof } from './closing.ts'
import type { Context, Received } from './context.ts'
import { respond } from './outbound.ts'
import type { EapProven, EapSent, IkeSaState, InitAnswered, IntermediateAwaited, ResumeAnswered } from '../sa/ike-sa.ts'
import { NOTIFY } from '../message/numbers.ts'
import { notify } from '../exchanges/notify.ts'

/** Answers INVALID_SYNTAX; the IKE SA then only repeats that answer. */
export function answerFatally(context: Context, received: Received): void {
  const { sa, channel, messageId, header, path } = received
  const exchange = { sa, channel, exchangeType: header.exchangeType }
  respond(context, exchange, messageId, [notify(NOTIFY.INVALID_SYNTAX)], path)
  const { state } = sa
  if (isHeardUnproven(state)) {
    rejectAttempt(context, received, state)
  } else if ('attachment' in state && state.attachment.current === sa) {
    closeAttachment(context, state.attachment, 'protocolError', sa)
  } else lingerClosed(context, sa, channel)
}

/** States in which a request of a peer is heard that has not proven itself. */
type HeardUnproven = InitAnswered | ResumeAnswered | IntermediateAwaited | EapSent | EapProven

export function isHeardUnproven(state: IkeSaState): state is HeardUnproven {
  const { phase } = state
  if (phase === 'resumeAnswered') return true
  return phase === 'initAnswered' || phase === 'intermediateAwaited' || phase === 'eapSent' || phase === 'eapProven'
}

/** An IKE_AUTH request was not understood: the attempt is over, what was answered is repeated (C37). */
export function rejectAttempt(context: Context, { sa, channel, path }: Received, state: HeardUnproven): void {
  const { digest, expiresAtMs } = state
  endEap(context, state)
  wipeProof(state)
  sa.state = { phase: 'rejected', channel, digest, expiresAtMs }
  const idI = 'claim' in state ? state.claim.idI : null
  const isAuth = state.phase !== 'intermediateAwaited'
  const detail = isAuth ? 'IKE_AUTH request not understood' : 'additional key exchange not understood'
  reportFailure(context, { path, subject: null, idI, stage: stageOf(state), reason: 'protocolError', detail })
}
