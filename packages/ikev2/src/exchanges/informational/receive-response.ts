/**
 * The response to our INFORMATIONAL request: a Delete is done, the peer lives, or it knows where we are.
 */
import { closeAttachment } from '../../endpoint/closing.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { NOTIFY } from '../../message/numbers.ts'
import type { Attachment } from '../../sa/attachment.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import { hasCookie2, type PendingRequest } from '../../sa/request.ts'
import { awaitLeaving } from '../redirect/attached.ts'
import { completeChildDelete } from './delete-child.ts'
import { endIkeSa } from './delete-ike.ts'
import { noticeNat, receiveEcho } from './mobike.ts'

/** @param answered what the request was; it is not pending any more. */
export function receiveInformationalResponse(
  context: Context,
  received: Received,
  attachment: Attachment,
  answered: PendingRequest,
): void {
  const { sa, payloads } = received
  const { attempt } = answered
  if (attempt.kind === 'deleteIke') endIkeSa(context, attachment, sa, attempt.reason)
  else if (findNotify(payloads, NOTIFY.INVALID_SYNTAX) !== null && attachment.current === sa) {
    closeAttachment(context, attachment, 'protocolError')
  } else if (attempt.kind === 'deleteChild') completeChildDelete(context, attachment, attempt.spiIn)
  else if (attempt.kind === 'redirect') awaitLeaving(context, attachment)
  else {
    if (hasCookie2(attempt)) receiveEcho(context, attachment, received, answered)
    if (attempt.kind === 'liveness' && attachment.stage !== 'closed') noticeNat(context, attachment, received)
  }
}
