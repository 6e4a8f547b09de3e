/**
 * The response to our INFORMATIONAL request: a Delete is done, or the peer lives.
 */
import { closeAttachment } from '../../endpoint/closing.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { NOTIFY } from '../../message/numbers.ts'
import type { Attachment } from '../../sa/attachment.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import type { Attempt } from '../../sa/request.ts'
import { completeChildDelete } from './delete-child.ts'
import { endIkeSa } from './delete-ike.ts'

/** @param attempt what the request was for; it is not pending any more. */
export function receiveInformationalResponse(
  context: Context,
  { sa, payloads }: Received,
  attachment: Attachment,
  attempt: Attempt,
): void {
  if (attempt.kind === 'deleteIke') endIkeSa(context, attachment, sa, attempt.reason)
  else if (findNotify(payloads, NOTIFY.INVALID_SYNTAX) !== null && attachment.current === sa) {
    closeAttachment(context, attachment, 'protocolError')
  } else if (attempt.kind === 'deleteChild') completeChildDelete(context, attachment, attempt.spiIn)
}
