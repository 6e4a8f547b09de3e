/**
 * The response to our CREATE_CHILD_SA request: to a rekey of a Child SA or of the IKE SA, or to a wish for one more Child SA.
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { type Attachment, isEnding } from '../../sa/attachment.ts'
import type { Attempt } from '../../sa/request.ts'
import { completeChildRekey } from './complete-child.ts'
import { completeIkeRekey } from './complete-ike.ts'
import { completeNewChild } from './new-child.ts'

/** @param attempt what the request was for; it is not pending any more. */
export function receiveCreateChildSaResponse(
  context: Context,
  received: Received,
  attachment: Attachment,
  attempt: Attempt,
): void {
  const makesChild = attempt.kind === 'rekeyChild' || attempt.kind === 'createChild'
  if (makesChild && isEnding(attachment)) {
    context.effects.push({ kind: 'releaseSpi', spiIn: attempt.spiIn })
  } else if (attempt.kind === 'rekeyChild') completeChildRekey(context, attachment, received, attempt)
  else if (attempt.kind === 'createChild') completeNewChild(context, attachment, received, attempt)
  else if (attempt.kind === 'rekeyIke') completeIkeRekey(context, attachment, received, attempt)
}
