/**
 * Tells people that a Child SA, or a rekey, was refused on an IKE SA that stands; the peer hears the notify alone.
 */
import { type Context, emit } from '../endpoint/context.ts'
import type { Payload, Proposal } from '../message/model.ts'
import { NOTIFY } from '../message/numbers.ts'
import type { Attachment } from '../sa/attachment.ts'
import { copyProposals } from './ike-sa-init/offered.ts'

/** Part of a negotiation that goes on, or of the end of the IKE SA, which is reported as such. */
const NO_REFUSALS: readonly number[] = [
  NOTIFY.INVALID_SYNTAX,
  NOTIFY.INVALID_KE_PAYLOAD,
  NOTIFY.TEMPORARY_FAILURE,
  NOTIFY.CHILD_SA_NOT_FOUND,
  NOTIFY.STATE_NOT_FOUND,
]

/** @param refusal the notify of the answer. @param offered what the peer asked for; copied. */
export function reportRefusal(
  context: Context,
  attachment: Attachment,
  refusal: Payload,
  offered: readonly Proposal[],
): void {
  if (refusal.kind !== 'notify' || NO_REFUSALS.includes(refusal.type)) return
  const { key } = attachment
  const { type: notify } = refusal
  const isAboutProposals = notify === NOTIFY.NO_PROPOSAL_CHOSEN
  emit(context, { kind: 'childRefused', key, notify, offered: isAboutProposals ? copyProposals(offered) : null })
}
