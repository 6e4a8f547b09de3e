/**
 * Delete of an IKE SA (RFC 7296 1.4.1, 3.11).
 *
 * ```
 *   HDR, SK {D(IKE)}  -->
 *                    <--  HDR, SK {}
 * ```
 *
 * It is the last request on that IKE SA (C59). On the current one it ends the attachment; on one that was replaced it ends
 * nothing else.
 */
import { closeAttachment, forgetIkeSa, lingerClosed } from '../../endpoint/closing.ts'
import type { CloseReason } from '../../endpoint/contract.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, PROTOCOL } from '../../message/numbers.ts'
import { addOther, type Attachment, endingReason } from '../../sa/attachment.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { standingRival } from '../create-child-sa/rival.ts'
import { adoptIkeSa } from '../ike-establish.ts'

const DELETE_IKE: Payload = { kind: 'delete', protocolId: PROTOCOL.IKE, spis: [] }

/** Sends our Delete; the window of this IKE SA is free. When nothing can be sent any more, it ends at once. */
export function startIkeDelete(
  context: Context,
  attachment: Attachment,
  sa: IkeSa,
  reason: CloseReason = 'deletedLocally',
): void {
  if (sa.state.phase !== 'established' && sa.state.phase !== 'replaced') return
  const { channel } = sa.state
  if (attachment.current !== sa && !attachment.others.includes(sa)) addOther(attachment, sa)
  sa.state = { phase: 'deleting', attachment, channel }
  const exchange = { sa, channel, exchangeType: EXCHANGE.INFORMATIONAL }
  if (!sendRequest(context, exchange, [DELETE_IKE], { kind: 'deleteIke', reason })) {
    endIkeSa(context, attachment, sa, reason)
  }
}

/** Our Delete is answered, or nobody answers it any more. */
export function endIkeSa(context: Context, attachment: Attachment, sa: IkeSa, reason: CloseReason): void {
  if (attachment.current === sa) closeAttachment(context, attachment, reason)
  else forgetIkeSa(context, sa)
}

/** The peer deletes this IKE SA; the answer went out, and is repeated for a while. */
export function acceptIkeDelete(context: Context, attachment: Attachment, { sa, channel }: Received): void {
  const attempt = channel.pending?.attempt
  const rival = attempt?.kind === 'rekeyIke' ? standingRival(context, attempt) : null
  if (attachment.current === sa && rival !== null) {
    adoptIkeSa(context, attachment, rival)
    lingerClosed(context, sa, channel)
  } else if (attachment.current === sa) {
    const reason = attempt?.kind === 'deleteIke' ? attempt.reason : (endingReason(attachment) ?? 'deletedByPeer')
    closeAttachment(context, attachment, reason, sa)
  } else lingerClosed(context, sa, channel)
}
