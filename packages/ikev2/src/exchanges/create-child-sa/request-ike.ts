/**
 * Our rekey of the IKE SA: the request (RFC 7296 1.3.2, 2.18).
 *
 * ```
 *   HDR, SK {SA (our new SPI), Ni, KEi}  -->
 * ```
 */
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE } from '../../message/numbers.ts'
import { ikeSpiBytes } from '../../message/octets.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import type { Task, Work } from '../../sa/request.ts'
import { unfinishedIke } from '../../sa/unfinished.ts'
import { REKEY_RETRY_MS } from './refusal.ts'
import { ikeProposalsOf, keyPayload, offerIkeRekey } from './offer.ts'

type RekeyIke = Extract<Work, { kind: 'rekeyIke' }>

/** @returns `skipped` when the policy has no method the provider knows, or the peer rekeys already, `exhausted` when the IKE SA cannot send. */
export function requestIkeRekey(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
  task: Task & { readonly work: RekeyIke },
): 'sent' | 'skipped' | 'exhausted' {
  if (unfinishedIke(attachment) !== null) {
    if (ike.sa.state.phase === 'established') ike.sa.state.rekeyAtMs = context.env.nowMs + REKEY_RETRY_MS
    return 'skipped'
  }
  const offer = offerIkeRekey(context, attachment, ike.channel, task.work.group)
  if (offer === null) return 'skipped'
  const localSpi = context.env.allocateIkeSpi()
  const payloads: Payload[] = [
    { kind: 'sa', proposals: ikeProposalsOf(offer, ikeSpiBytes(localSpi)) },
    { kind: 'nonce', data: offer.nonce },
    ...keyPayload(offer),
  ]
  const attempt = { kind: 'rekeyIke', localSpi, offer, refusals: task.refusals, rival: null, followUp: null } as const
  const exchange = { ...ike, exchangeType: EXCHANGE.CREATE_CHILD_SA }
  return sendRequest(context, exchange, payloads, { ...attempt }) ? 'sent' : 'exhausted'
}
