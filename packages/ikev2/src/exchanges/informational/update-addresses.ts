/**
 * As initiator with MOBIKE: tells the peer that we have another address (RFC 4555 3.5).
 *
 * ```
 *   HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}  -->
 * ```
 *
 * The addresses themselves are those of the outer header; nothing inside names them.
 */
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { notify } from '../notify.ts'
import { COOKIE2_BYTES, natQuestion } from './liveness.ts'

/** @returns `skipped` without MOBIKE, `exhausted` when the IKE SA cannot send. */
export function requestAddressUpdate(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
): 'sent' | 'skipped' | 'exhausted' {
  if (attachment.mobike === null) return 'skipped'
  const { env } = context
  const cookie2 = env.rng(COOKIE2_BYTES)
  const payloads: Payload[] = [
    notify(NOTIFY.UPDATE_SA_ADDRESSES),
    ...natQuestion(context, attachment, ike.sa),
    notify(NOTIFY.COOKIE2, cookie2),
  ]
  const exchange = { ...ike, exchangeType: EXCHANGE.INFORMATIONAL }
  return sendRequest(context, exchange, payloads, { kind: 'updateAddresses', cookie2 }) ? 'sent' : 'exhausted'
}
