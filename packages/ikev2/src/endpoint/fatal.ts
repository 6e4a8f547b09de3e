/**
 * INVALID_SYNTAX: the answer to an authenticated request that cannot be right. It ends the IKE SA on both ends (RFC 7296 2.21.3).
 */
import { closeAttachment, lingerClosed, reportFailure } from './closing.ts'
import type { Context, Received } from './context.ts'
import { respond } from './outbound.ts'
import type { InitAnswered } from '../sa/ike-sa.ts'
import { NOTIFY } from '../message/numbers.ts'
import { notify } from '../exchanges/notify.ts'

/** Answers INVALID_SYNTAX; the IKE SA then only repeats that answer. */
export function answerFatally(context: Context, received: Received): void {
  const { sa, channel, messageId, header, path } = received
  const exchange = { sa, channel, exchangeType: header.exchangeType }
  respond(context, exchange, messageId, [notify(NOTIFY.INVALID_SYNTAX)], path)
  const { state } = sa
  if (state.phase === 'initAnswered') {
    rejectAttempt(context, received, state)
  } else if ('attachment' in state && state.attachment.current === sa) {
    closeAttachment(context, state.attachment, 'protocolError', sa)
  } else lingerClosed(context, sa, channel)
}

/** The peer's only IKE_AUTH request was not understood: the attempt is over, what was answered is repeated (C37). */
export function rejectAttempt(context: Context, { sa, channel, path }: Received, state: InitAnswered): void {
  const { digest, expiresAtMs } = state
  sa.state = { phase: 'rejected', channel, digest, expiresAtMs }
  const detail = 'IKE_AUTH request not understood'
  reportFailure(context, { path, subject: null, idI: null, stage: 'auth', reason: 'protocolError', detail })
}
