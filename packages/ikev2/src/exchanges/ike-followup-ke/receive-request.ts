/**
 * IKE_FOLLOWUP_KE as responder: one additional key exchange of a CREATE_CHILD_SA exchange of the peer (RFC 9370 2.2.4).
 *
 * ```
 *   HDR(IKE_FOLLOWUP_KE), SK {KEi(n), N(ADDITIONAL_KEY_EXCHANGE)(link)}  -->
 *                     <--  HDR(IKE_FOLLOWUP_KE), SK {KEr(n), [N(ADDITIONAL_KEY_EXCHANGE)(next link)]}
 *                     <--  HDR(IKE_FOLLOWUP_KE), SK {N(STATE_NOT_FOUND)}
 * ```
 *
 * With the last one the SA is made, before the response leaves (C43).
 */
import { dropUnfinished } from '../../endpoint/closing.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { answerFatally } from '../../endpoint/fatal.ts'
import { respond } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { constantTimeEqual } from '../../message/octets.ts'
import { wipeSecrets } from '../../sa/agreement.ts'
import { type Attachment, isEnding, removeUnfinished } from '../../sa/attachment.ts'
import { isCurrent } from '../../sa/ike-sa.ts'
import { findNotify, findPayload } from '../../sa/payload-shape.ts'
import { nextMethod, type Unfinished } from '../../sa/unfinished.ts'
import { exchangeKeys } from '../child-answer.ts'
import { finishChild } from '../create-child-sa/answer-child.ts'
import { finishIkeRekey } from '../create-child-sa/answer-ike.ts'
import { notify } from '../notify.ts'
import { drawLink, linkPayload } from './promise.ts'

/** The payloads fit the table. */
export function receiveFollowUpRequest(context: Context, received: Received, attachment: Attachment): void {
  const { sa, channel, payloads, messageId, path } = received
  const link = findNotify(payloads, NOTIFY.ADDITIONAL_KEY_EXCHANGE)
  if (link === null) {
    answerFatally(context, received)
    return
  }
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_FOLLOWUP_KE }
  const entry = findLinked(received, attachment, link.data)
  // Our Delete may be under way: what was promised before keeps nobody attached.
  if (entry === null || !isCurrent(sa) || isEnding(attachment)) {
    respond(context, exchange, messageId, [notify(NOTIFY.STATE_NOT_FOUND)], path)
    return
  }
  const answer = goOn(context, received, attachment, entry)
  if (answer === null) {
    dropUnfinished(context, attachment, entry)
    answerFatally(context, received)
  } else respond(context, exchange, messageId, answer, path)
}

function findLinked({ channel }: Received, { unfinished }: Attachment, link: Uint8Array): Unfinished | null {
  return unfinished.find((entry) => entry.channel === channel && constantTimeEqual(entry.link, link)) ?? null
}

/** @returns null when the peer's value is no good, or of another method. */
function goOn(
  context: Context,
  received: Received,
  attachment: Attachment,
  entry: Unfinished,
): readonly Payload[] | null {
  const method = nextMethod(entry)
  const exchanged = method && exchangeKeys(context, method.id, findPayload(received.payloads, 'ke'))
  if (method === undefined || exchanged === undefined) return null
  const ke: Payload = { kind: 'ke', group: method.id, data: exchanged.publicValue }
  entry.secrets = [...entry.secrets, exchanged.sharedSecret]
  if (nextMethod(entry) !== undefined) {
    entry.link = drawLink(context)
    return [ke, linkPayload(entry.link)]
  }
  return finish(context, received, attachment, entry) ? [ke] : [notify(NOTIFY.STATE_NOT_FOUND)]
}

/** @returns false when what was to be rekeyed is gone. */
function finish(context: Context, received: Received, attachment: Attachment, entry: Unfinished): boolean {
  removeUnfinished(attachment, entry)
  if (entry.kind === 'ike') {
    finishIkeRekey(context, attachment, received, entry.input, entry.secrets)
    return true
  }
  const isDone = finishChild(context, attachment, received, entry.input, entry.secrets)
  if (!isDone) context.effects.push({ kind: 'releaseSpi', spiIn: entry.input.spiIn })
  wipeSecrets([entry.input.secrets?.sharedSecret, ...entry.secrets])
  return isDone
}
