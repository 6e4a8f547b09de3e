/**
 * Our rekey of a Child SA: the request (RFC 7296 1.3.3).
 *
 * ```
 *   HDR, SK {N(REKEY_SA, our inbound SPI), SA, Ni, [KEi], TSi, TSr}  -->
 * ```
 *
 * The selectors are those in use, once after a new grant all that is granted. An offer with a KE payload holds NONE too, for a peer without PFS.
 */
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { type Attachment, childToWiden, findChildIn, selectorsForRekey } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import type { Attempt, Task, Work } from '../../sa/request.ts'
import { unfinishedChild, unfinishedIke } from '../../sa/unfinished.ts'
import { childNotify, notify } from '../notify.ts'
import { REKEY_RETRY_MS } from './refusal.ts'
import { childProposalsOf, keyPayload, offerChildRekey } from './offer.ts'

type RekeyChild = Extract<Work, { kind: 'rekeyChild' }>

/** @returns `skipped` when there is nothing (any more) to rekey, or the peer does it already, `exhausted` when the IKE SA cannot send. */
export function requestChildRekey(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
  task: Task & { readonly work: RekeyChild },
): 'sent' | 'skipped' | 'exhausted' {
  const child = findChildIn(attachment, task.work.spiIn)
  if (child === null || child.state.kind !== 'installed') return 'skipped'
  if (unfinishedChild(attachment, 'replaces', child.spiIn) !== null || unfinishedIke(attachment) !== null) {
    child.rekeyAtMs = context.env.nowMs + REKEY_RETRY_MS
    return 'skipped'
  }
  const offer = offerChildRekey(context, attachment, ike.channel, child, task.work.group)
  const spiIn = offer === null ? null : context.env.allocateChildSpi()
  if (offer === null || spiIn === null) return 'skipped'
  const isWider = attachment.offersMore && child === childToWiden(attachment)
  const { tsLocal, tsRemote } = isWider ? selectorsForRekey(attachment, child) : child
  const payloads: Payload[] = [
    childNotify(NOTIFY.REKEY_SA, child.protocol, child.spiIn),
    ...(child.mode === 'transport' ? [notify(NOTIFY.USE_TRANSPORT_MODE)] : []),
    { kind: 'sa', proposals: childProposalsOf(offer, spiIn) },
    { kind: 'nonce', data: offer.nonce },
    ...keyPayload(offer),
    { kind: 'tsI', selectors: tsLocal },
    { kind: 'tsR', selectors: tsRemote },
  ]
  const { refusals } = task
  const { mode } = child
  const attempt: Attempt = {
    kind: 'rekeyChild',
    replaces: child.spiIn,
    spiIn,
    offer,
    mode,
    tsLocal,
    tsRemote,
    isWider,
    refusals,
    rival: null,
    followUp: null,
  }
  const exchange = { ...ike, exchangeType: EXCHANGE.CREATE_CHILD_SA }
  if (sendRequest(context, exchange, payloads, attempt)) {
    if (isWider) attachment.offersMore = false
    return 'sent'
  }
  context.effects.push({ kind: 'releaseSpi', spiIn })
  return 'exhausted'
}
