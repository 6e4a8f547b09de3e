/**
 * Our rekey of a Child SA: the response, and the end of a collision (RFC 7296 1.3.3, 2.8, 2.8.1).
 *
 * ```
 *   no rival, or ours survives:  send on the new one at once, delete the old one, the peer deletes the rival
 *   the rival survives:          delete our new one, the peer deletes the old one
 * ```
 *
 * Until the deletes are through, all of them receive.
 */
import { dropUnfinished } from '../../endpoint/closing.ts'
import { type Context, emit, type Received } from '../../endpoint/context.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import type { Spi, Transform } from '../../message/model.ts'
import { KE, NOTIFY } from '../../message/numbers.ts'
import { readU32 } from '../../message/octets.ts'
import { checkChoice } from '../../proposal/offer.ts'
import { type ChildInput, wipeSecrets } from '../../sa/agreement.ts'
import { addTask, type Attachment, findChildIn } from '../../sa/attachment.ts'
import { type ChildSa, replaceChildSa, startDeletion } from '../../sa/child-sa.ts'
import { lowestNonce, ownExchangeSurvives } from '../../sa/collision.ts'
import { findNotify, findPayload, firstError, type Notify } from '../../sa/payload-shape.ts'
import type { Attempt } from '../../sa/request.ts'
import { retransmissionSpanMs } from '../../sa/retransmission.ts'
import { unfinishedChild } from '../../sa/unfinished.ts'
import { covers } from '../../traffic-selector/narrow.ts'
import { childSummary, installChild, resolveChildSuite } from '../child-keys.ts'
import { sendFollowUp } from '../ike-followup-ke/initiate.ts'
import { dropVanishedChild } from '../informational/delete-child.ts'
import { prfOf } from '../ike-keys.ts'
import { originalAddressesOf } from '../transport-mode.ts'
import { handleRefusal, REKEY_RETRY_MS } from './refusal.ts'
import { childProposalsOf } from './offer.ts'

type RekeyChildAttempt = Extract<Attempt, { kind: 'rekeyChild' }>

export function completeChildRekey(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: RekeyChildAttempt,
): void {
  const error = firstError(received.payloads)
  const agreed = error === null ? readAgreement(context, attachment, received, attempt) : null
  if (agreed !== null) settle(context, attachment, received, attempt, agreed)
  else {
    context.effects.push({ kind: 'releaseSpi', spiIn: attempt.spiIn })
    if (error !== null) refusedChildRekey(context, attachment, attempt, error)
    else addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
  }
}

/** The peer refused; our inbound SPI is given back already. */
export function refusedChildRekey(
  context: Context,
  attachment: Attachment,
  attempt: RekeyChildAttempt,
  error: Notify,
): void {
  const child = findChildIn(attachment, attempt.replaces)
  if (error.type !== NOTIFY.INVALID_SYNTAX && (child === null || child.state.kind !== 'installed')) return
  if (child !== null && error.type === NOTIFY.CHILD_SA_NOT_FOUND) {
    dropVanishedChild(context, attachment, child)
    return
  }
  const { refusals, offer } = attempt
  const work = { kind: 'rekeyChild', spiIn: attempt.replaces, group: offer.group } as const
  if (error.type === NOTIFY.NO_PROPOSAL_CHOSEN && offer.group === KE.NONE && refusals === 0) {
    const group = offer.suites[0]?.ke[0]?.id ?? KE.NONE
    addTask(attachment, { work: { ...work, group }, notBeforeMs: context.env.nowMs, refusals: 1 })
    if (attempt.isWider) attachment.offersMore = true
    return
  }
  const policy = offer.suites
  const outcome = handleRefusal(context, attachment, error, { work, group: offer.group, refusals, policy })
  if (outcome === 'done' && attempt.isWider) attachment.offersMore = true
  if (outcome === 'later' && child !== null) child.rekeyAtMs = context.env.nowMs + REKEY_RETRY_MS
}

export interface Agreement extends Omit<ChildInput, 'outbound' | 'replaces'> {
  readonly additionalKe: readonly Transform[]
}

/** @returns null when the response is not an answer to our offer. */
export function readAgreement(
  context: Context,
  attachment: Attachment,
  { payloads, channel }: Received,
  { spiIn, offer, mode }: Pick<RekeyChildAttempt, 'spiIn' | 'offer' | 'mode'>,
): Agreement | null {
  const answered = findPayload(payloads, 'sa')
  const nonce = findPayload(payloads, 'nonce')
  const tsI = findPayload(payloads, 'tsI')
  const tsR = findPayload(payloads, 'tsR')
  const isTransport = findNotify(payloads, NOTIFY.USE_TRANSPORT_MODE) !== null
  if (answered === null || nonce === null || tsI === null || tsR === null) return null
  if (isTransport !== (mode === 'transport')) return null
  const prf = prfOf(context.env.crypto, channel)
  if (!isNonceLongEnough(prf, nonce.data)) return null
  const kePolicy = offer.keyExchange === null ? 'absent' : 'optional'
  const { protocolId } = offer
  const options = { protocolId, kePolicy, keGroupOffered: offer.keyExchange && offer.group } as const
  const offered = childProposalsOf(offer, spiIn)
  const selected = checkChoice(offer.suites, offered, answered.proposals, options)
  const suite = selected === null ? null : resolveChildSuite(context.env, selected)
  if (selected === null || suite === null || selected.proposal.spi.length !== 4) return null
  const group = selected.ke?.id ?? KE.NONE
  const ke = findPayload(payloads, 'ke')
  if (group !== KE.NONE && (group !== offer.group || ke?.group !== group)) return null
  const sharedSecret = group === KE.NONE ? null : (offer.keyExchange?.sharedSecret(ke?.data ?? nonce.data) ?? null)
  if (group !== KE.NONE && sharedSecret === null) return null
  return {
    prf,
    skD: channel.skD,
    suite,
    nonceI: offer.nonce,
    nonceR: nonce.data,
    secrets: sharedSecret && { group, sharedSecret, additional: [] },
    exchangeInitiator: true,
    spiIn,
    spiOut: readU32(selected.proposal.spi, 0) as Spi,
    mode,
    tsLocal: tsI.selectors,
    tsRemote: tsR.selectors,
    originalAddresses: originalAddressesOf(mode, attachment.route),
    additionalKe: selected.additionalKe,
  }
}

/** Decides a collision; then the Child SA is made, or its additional key exchanges follow (RFC 9370 2.2.4). */
function settle(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: RekeyChildAttempt,
  { additionalKe, ...agreed }: Agreement,
): void {
  const { spiIn, replaces, rival } = attempt
  const isWithin = covers(attempt.tsLocal, agreed.tsLocal) && covers(attempt.tsRemote, agreed.tsRemote)
  // A rival that won and is gone by now was deleted by the peer, who does not want ours either.
  const survives = rival === null || ownExchangeSurvives(lowestNonce(agreed.nonceI, agreed.nonceR), rival.lowestNonce)
  const input = { ...agreed, outbound: survives, replaces: survives ? replaces : null }
  if (survives) endRival(context, attachment, attempt)
  else rekeyLater(context, attachment, attempt)
  if (isWithin && additionalKe.length === 0) {
    install(context, attachment, input, survives ? replaces : null)
    return
  }
  const outstanding = { input, methods: additionalKe, secrets: [] }
  if (isWithin && survives && sendFollowUp(context, received, { ...attempt, rival: null }, outstanding)) return
  context.effects.push({ kind: 'releaseSpi', spiIn })
  if (isWithin && !survives) return
  addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
}

/** The peer's crossing exchange lost: it gives it up, or deletes what it made. */
function endRival(context: Context, attachment: Attachment, { rival, spiIn }: RekeyChildAttempt): void {
  if (rival === null) return
  const unfinished = unfinishedChild(attachment, 'spiIn', rival.spiIn)
  if (unfinished !== null) dropUnfinished(context, attachment, unfinished)
  const made = findChildIn(attachment, rival.spiIn)
  if (made !== null) replaceChildSa(made, spiIn, context.env.nowMs + retransmissionSpanMs(context.config.timing))
}

/** Should the peer's exchange come to nothing, ours is repeated; what it did not offer either is offered on the Child SA it made. */
function rekeyLater(context: Context, attachment: Attachment, { replaces, isWider }: RekeyChildAttempt): void {
  const old = findChildIn(attachment, replaces)
  if (isWider) attachment.offersMore = true
  if (old?.state.kind === 'installed') old.rekeyAtMs = context.env.nowMs + REKEY_RETRY_MS
}

/** All additional key exchanges are through. @param secrets theirs. */
export function finishOwnChildRekey(
  context: Context,
  attachment: Attachment,
  { followUp, replaces }: RekeyChildAttempt,
  secrets: readonly Uint8Array[],
): void {
  if (followUp !== null) install(context, attachment, withAdditional(followUp.input, secrets), replaces)
}

export function withAdditional(input: ChildInput, additional: readonly Uint8Array[]): ChildInput {
  return { ...input, secrets: input.secrets && { ...input.secrets, additional } }
}

/** @param replaces the old Child SA; null when the new one lost a collision and is deleted at once. */
function install(context: Context, attachment: Attachment, input: ChildInput, replaces: Spi | null): void {
  const old = replaces === null ? null : findChildIn(attachment, replaces)
  const child = installChild(context, attachment, input)
  wipeSecrets([input.secrets?.sharedSecret, ...(input.secrets?.additional ?? [])])
  if (replaces === null) {
    scheduleDeletion(attachment, child)
    return
  }
  if (old !== null) scheduleDeletion(attachment, old)
  emit(context, { kind: 'childRekeyed', key: attachment.key, child: childSummary(child) })
}

/** From now on it counts as being closed (2.25.1); the Delete goes out as soon as the window allows. */
export function scheduleDeletion(attachment: Attachment, child: ChildSa): void {
  startDeletion(child)
  addTask(attachment, { work: { kind: 'deleteChild', spiIn: child.spiIn }, notBeforeMs: 0, refusals: 0 })
}
