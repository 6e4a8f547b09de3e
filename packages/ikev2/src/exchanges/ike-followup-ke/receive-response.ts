/**
 * The response to our IKE_FOLLOWUP_KE request: the next additional key exchange, or the SA (RFC 9370 2.2.4).
 *
 * STATE_NOT_FOUND and other errors end the negotiation, which starts anew later; a response that does not fit ends the IKE SA.
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { addTask, type Attachment, isEnding } from '../../sa/attachment.ts'
import { findPayload, firstError, type Notify } from '../../sa/payload-shape.ts'
import type { Attempt, CreatingAttempt } from '../../sa/request.ts'
import { finishOwnChildRekey, refusedChildRekey } from '../create-child-sa/complete-child.ts'
import { finishOwnIkeRekey, refusedIkeRekey } from '../create-child-sa/complete-ike.ts'
import { finishNewChild, refusedNewChild } from '../create-child-sa/new-child.ts'
import { sendFollowUp } from './initiate.ts'

/** @param attempt what the request was for; it is not pending any more. */
export function receiveFollowUpResponse(
  context: Context,
  received: Received,
  attachment: Attachment,
  attempt: Attempt,
): void {
  if (!('followUp' in attempt) || attempt.followUp === null) return
  const error = firstError(received.payloads)
  const secret = error === null ? secretOf(received, attempt.followUp) : null
  if (isEnding(attachment)) release(context, attempt)
  else if (error !== null) refused(context, received, attachment, attempt, error)
  else if (secret === null || !goOn(context, received, attachment, attempt, secret)) {
    release(context, attempt)
    addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
  }
}

type Ongoing = NonNullable<CreatingAttempt['followUp']>

function secretOf({ payloads }: Received, { methods, secrets, keyExchange }: Ongoing): Uint8Array | null {
  const ke = findPayload(payloads, 'ke')
  return ke !== null && ke.group === methods[secrets.length]?.id ? keyExchange.sharedSecret(ke.data) : null
}

/** @returns false when the responder does not say how to go on. */
function goOn(
  context: Context,
  received: Received,
  attachment: Attachment,
  attempt: CreatingAttempt,
  secret: Uint8Array,
): boolean {
  const { followUp } = attempt
  if (followUp === null) return false
  const secrets = [...followUp.secrets, secret]
  if (secrets.length < followUp.methods.length) {
    return sendFollowUp(context, received, attempt, { ...followUp, secrets })
  }
  switch (attempt.kind) {
    case 'rekeyChild':
      finishOwnChildRekey(context, attachment, attempt, secrets)
      return true
    case 'createChild':
      finishNewChild(context, attachment, attempt, secrets)
      return true
    case 'rekeyIke':
      finishOwnIkeRekey(context, attachment, received, attempt, secrets)
      return true
  }
}

function release(context: Context, attempt: CreatingAttempt): void {
  if (attempt.kind !== 'rekeyIke') context.effects.push({ kind: 'releaseSpi', spiIn: attempt.spiIn })
}

function refused(
  context: Context,
  received: Received,
  attachment: Attachment,
  attempt: CreatingAttempt,
  error: Notify,
): void {
  release(context, attempt)
  switch (attempt.kind) {
    case 'rekeyChild':
      refusedChildRekey(context, attachment, attempt, error)
      break
    case 'createChild':
      refusedNewChild(context, attachment, attempt, error)
      break
    case 'rekeyIke':
      refusedIkeRekey(context, attachment, received, attempt, error)
      break
  }
}
