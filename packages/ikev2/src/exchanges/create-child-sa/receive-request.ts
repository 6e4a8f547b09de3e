/**
 * A CREATE_CHILD_SA request of the peer: finds out which of the three kinds it is, and answers (RFC 7296 1.3).
 *
 * Creating costs us more than asking costs the peer, so every attachment has a budget; beyond it the answer is
 * TEMPORARY_FAILURE (RFC 8019 4.7, N27).
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { answerFatally } from '../../endpoint/fatal.ts'
import { respond } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { type Attachment, isEnding } from '../../sa/attachment.ts'
import { findNotify, findPayload } from '../../sa/payload-shape.ts'
import { takeToken } from '../../sa/token-bucket.ts'
import { notify } from '../notify.ts'
import { reportRefusal } from '../report-refusal.ts'
import { answerChildRekey, answerNewChild } from './answer-child.ts'
import { answerIkeRekey } from './answer-ike.ts'

export function receiveCreateChildSaRequest(context: Context, received: Received, attachment: Attachment): void {
  const payloads = answerTo(context, received, attachment)
  if (payloads.some((payload) => payload.kind === 'notify' && payload.type === NOTIFY.INVALID_SYNTAX)) {
    answerFatally(context, received)
    return
  }
  const [first] = payloads
  const offered = findPayload(received.payloads, 'sa')?.proposals ?? []
  if (first !== undefined) reportRefusal(context, attachment, first, offered)
  const exchange = { sa: received.sa, channel: received.channel, exchangeType: EXCHANGE.CREATE_CHILD_SA }
  respond(context, exchange, received.messageId, payloads, received.path)
}

function answerTo(context: Context, received: Received, attachment: Attachment): readonly Payload[] {
  const { payloads } = received
  const isGranted = !isEnding(attachment) && takeToken(attachment.creations, context.env.nowMs)
  if (!isGranted) return [notify(NOTIFY.TEMPORARY_FAILURE)]
  const rekey = findNotify(payloads, NOTIFY.REKEY_SA)
  if (rekey !== null) return answerChildRekey(context, attachment, received, rekey)
  const isForIke = findPayload(payloads, 'sa')?.proposals[0]?.protocolId === PROTOCOL.IKE
  return isForIke ? answerIkeRekey(context, attachment, received) : answerNewChild(context, attachment, received)
}
