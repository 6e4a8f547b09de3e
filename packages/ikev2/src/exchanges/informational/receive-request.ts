/**
 * An INFORMATIONAL request of the peer: deletes, errors, or nothing at all, which asks whether we live (RFC 7296 1.4, 2.4).
 *
 * Every one is answered. Status notifies we do not act upon and configuration payloads are passed over.
 */
import { closeAttachment } from '../../endpoint/closing.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { respond } from '../../endpoint/outbound.ts'
import { EXCHANGE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import type { Attachment } from '../../sa/attachment.ts'
import { findNotify, type PayloadOf } from '../../sa/payload-shape.ts'
import { hearAuthLifetime } from '../auth-lifetime.ts'
import { followRedirect } from '../redirect/attached.ts'
import { acceptChildDeletes } from './delete-child.ts'
import { acceptIkeDelete } from './delete-ike.ts'
import { answerMobike } from './mobike.ts'

export function receiveInformationalRequest(context: Context, received: Received, attachment: Attachment): void {
  const { payloads, sa, channel, messageId, path } = received
  const deletes = payloads.filter((payload): payload is PayloadOf<'delete'> => payload.kind === 'delete')
  const exchange = { sa, channel, exchangeType: EXCHANGE.INFORMATIONAL }
  if (deletes.some(({ protocolId }) => protocolId === PROTOCOL.IKE)) {
    respond(context, exchange, messageId, [], path)
    acceptIkeDelete(context, attachment, received)
    return
  }
  if (endsTheIkeSa(received)) {
    respond(context, exchange, messageId, [], path)
    if (attachment.current === sa) closeAttachment(context, attachment, 'protocolError', sa)
    return
  }
  hearAuthLifetime(context, attachment, payloads)
  followRedirect(context, attachment, payloads)
  const answers = answerMobike(context, attachment, received)
  respond(
    context,
    exchange,
    messageId,
    [...answers, ...acceptChildDeletes(context, attachment, channel, deletes)],
    path,
  )
}

/** Errors with which the peer gives up the IKE SA after one of our responses (2.21.2, 2.21.3). */
function endsTheIkeSa({ payloads }: Received): boolean {
  return (
    findNotify(payloads, NOTIFY.AUTHENTICATION_FAILED) !== null || findNotify(payloads, NOTIFY.INVALID_SYNTAX) !== null
  )
}
