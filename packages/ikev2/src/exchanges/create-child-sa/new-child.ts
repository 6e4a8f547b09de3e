/**
 * One more Child SA that we ask for, also the first one of a childless IKE SA (RFC 7296 1.3.1; RFC 6023).
 *
 * ```
 *   HDR, SK {[N(USE_TRANSPORT_MODE)], SA, Ni, [KEi], TSi, TSr}  -->
 *                                                              <--  HDR, SK {[N(USE_TRANSPORT_MODE)], SA, Nr, [KEr], TSi, TSr}
 * ```
 *
 * The peer may decline transport mode. A refusal leaves the IKE SA alone; TEMPORARY_FAILURE is tried again, a bounded number of
 * times.
 */
import { type Context, emit, type Received } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { type ChildInput, wipeSecrets } from '../../sa/agreement.ts'
import { addTask, type Attachment, MAX_NEW_CHILD_SAS, widenSelectors } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { findNotify, firstError, type Notify } from '../../sa/payload-shape.ts'
import type { Attempt, Task, Work } from '../../sa/request.ts'
import { covers } from '../../traffic-selector/narrow.ts'
import { childSummary, installChild } from '../child-keys.ts'
import { notify } from '../notify.ts'
import { sendFollowUp } from '../ike-followup-ke/initiate.ts'
import { type Agreement, readAgreement, withAdditional } from './complete-child.ts'
import { handleRefusal } from './refusal.ts'
import { childProposalsOf, keyPayload, offerNewChild } from './offer.ts'

type CreateChild = Extract<Work, { kind: 'createChild' }>
type CreateChildAttempt = Extract<Attempt, { kind: 'createChild' }>

/** @returns `skipped` when there is no room for another, `exhausted` when the IKE SA cannot send. */
export function requestNewChild(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
  { work, refusals }: Task & { readonly work: CreateChild },
): 'sent' | 'skipped' | 'exhausted' {
  const { tsLocal, tsRemote } = work
  const hasRoom = attachment.children.length < MAX_NEW_CHILD_SAS
  const offer = hasRoom ? offerNewChild(context, attachment, ike.channel, work.group) : null
  const spiIn = offer === null ? null : context.env.allocateChildSpi()
  if (offer === null || spiIn === null) {
    emit(context, { kind: 'childRefused', key: attachment.key, notify: NOTIFY.NO_ADDITIONAL_SAS, offered: null })
    return 'skipped'
  }
  const mode = attachment.transportMode ? 'transport' : 'tunnel'
  const payloads: Payload[] = [
    ...(mode === 'transport' ? [notify(NOTIFY.USE_TRANSPORT_MODE)] : []),
    { kind: 'sa', proposals: childProposalsOf(offer, spiIn) },
    { kind: 'nonce', data: offer.nonce },
    ...keyPayload(offer),
    { kind: 'tsI', selectors: tsLocal },
    { kind: 'tsR', selectors: tsRemote },
  ]
  const attempt: Attempt = { kind: 'createChild', spiIn, offer, mode, tsLocal, tsRemote, refusals, followUp: null }
  const exchange = { ...ike, exchangeType: EXCHANGE.CREATE_CHILD_SA }
  if (sendRequest(context, exchange, payloads, attempt)) return 'sent'
  context.effects.push({ kind: 'releaseSpi', spiIn })
  return 'exhausted'
}

/** The response: a Child SA, or why not. */
export function completeNewChild(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: CreateChildAttempt,
): void {
  const error = firstError(received.payloads)
  const isTransport = findNotify(received.payloads, NOTIFY.USE_TRANSPORT_MODE) !== null
  const mode = isTransport ? 'transport' : 'tunnel'
  const isAskedFor = !isTransport || attempt.mode === 'transport'
  const agreed =
    error === null && isAskedFor ? readAgreement(context, attachment, received, { ...attempt, mode }) : null
  if (agreed !== null && staysWithin(attempt, agreed) && goOn(context, attachment, received, attempt, agreed)) return
  context.effects.push({ kind: 'releaseSpi', spiIn: attempt.spiIn })
  if (error !== null) refusedNewChild(context, attachment, attempt, error)
  else addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
}

function staysWithin(attempt: CreateChildAttempt, { tsLocal, tsRemote }: Agreement): boolean {
  return covers(attempt.tsLocal, tsLocal) && covers(attempt.tsRemote, tsRemote)
}

/** @returns false when additional key exchanges have to follow and cannot (RFC 9370 2.2.4). */
function goOn(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: CreateChildAttempt,
  { additionalKe, ...agreed }: Agreement,
): boolean {
  const input = { ...agreed, outbound: true, replaces: null }
  if (additionalKe.length > 0) {
    return sendFollowUp(context, received, attempt, { input, methods: additionalKe, secrets: [] })
  }
  install(context, attachment, input)
  return true
}

/** All additional key exchanges are through. @param secrets theirs. */
export function finishNewChild(
  context: Context,
  attachment: Attachment,
  { followUp }: CreateChildAttempt,
  secrets: readonly Uint8Array[],
): void {
  if (followUp !== null) install(context, attachment, withAdditional(followUp.input, secrets))
}

function install(context: Context, attachment: Attachment, input: ChildInput): void {
  const child = installChild(context, attachment, input)
  wipeSecrets([input.secrets?.sharedSecret, ...(input.secrets?.additional ?? [])])
  widenSelectors(attachment, child)
  emit(context, { kind: 'childEstablished', key: attachment.key, child: childSummary(child) })
}

/** The peer refused; our inbound SPI is given back already. */
export function refusedNewChild(
  context: Context,
  attachment: Attachment,
  attempt: CreateChildAttempt,
  error: Notify,
): void {
  const { tsLocal, tsRemote, refusals, offer } = attempt
  const work = { kind: 'createChild', tsLocal, tsRemote, group: offer.group } as const
  const policy = offer.suites
  const outcome = handleRefusal(context, attachment, error, { work, group: offer.group, refusals, policy })
  if (outcome === 'done') return
  emit(context, { kind: 'childRefused', key: attachment.key, notify: error.type, offered: null })
}
