/**
 * The end of an attempt with a ticket that was refused, or that nobody answered: an ordinary IKE_SA_INIT follows (RFC 5723 4.3.2).
 */
import { closeAttachment, forgetIkeSa } from '../../endpoint/closing.ts'
import type { InitiatorConfig } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { initiate } from '../ike-sa-init/initiate.ts'

interface Attempted {
  readonly attachment: Attachment
  readonly peer: InitiatorConfig
}

export function beginAnew(context: Context, sa: IkeSa, { attachment, peer }: Attempted): void {
  forgetIkeSa(context, sa)
  closeAttachment(context, attachment, 'refused')
  const { resume: _spent, ...rest } = peer
  initiate(context, rest)
}
