/**
 * Asks whether the peer lives, and with MOBIKE whether it is where we believe it to be (RFC 7296 2.4, RFC 4555 3.7), and as
 * initiator whether a NAT between us came or went (3.8).
 *
 * ```
 *   HDR, SK {[N(NAT_DETECTION_*_IP)], [N(COOKIE2)]}  -->
 *                                                   <--  HDR, SK {[N(NAT_DETECTION_*_IP)], [N(COOKIE2)]}
 * ```
 *
 * Message ids can be guessed, so a peer could answer a request it never got; the octets of COOKIE2 cannot.
 */
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { natDetectionNotifies } from '../ike-sa-init/nat-detection.ts'
import { notify } from '../notify.ts'

export const COOKIE2_BYTES = 16

/** @returns `exhausted` when the IKE SA cannot send. */
export function requestLiveness(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
): 'sent' | 'exhausted' {
  const isProbe = attachment.mobike !== null && attachment.route.trial !== null
  const cookie2 = isProbe ? context.env.rng(COOKIE2_BYTES) : null
  const payloads = [
    ...(attachment.role === 'initiator' ? natQuestion(context, attachment, ike.sa) : []),
    ...(cookie2 === null ? [] : [notify(NOTIFY.COOKIE2, cookie2)]),
  ]
  const exchange = { ...ike, exchangeType: EXCHANGE.INFORMATIONAL }
  return sendRequest(context, exchange, payloads, { kind: 'liveness', cookie2 }) ? 'sent' : 'exhausted'
}

/** The answer says how the peer sees us; nothing is asked without MOBIKE. */
export function natQuestion(
  context: Context,
  { mobike, route }: Attachment,
  spis: Pick<IkeSa, 'spiI' | 'spiR'>,
): readonly Payload[] {
  if (mobike === null) return []
  const isForced = (context.config.forceUdpEncap ?? true) && !route.peerBehindNat
  return natDetectionNotifies(context, spis, route.path, isForced)
}
