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
import { type Context, emit, type Received } from '../../endpoint/context.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import type { Spi } from '../../message/model.ts'
import { KE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { readU32 } from '../../message/octets.ts'
import { checkChoice } from '../../proposal/offer.ts'
import { addTask, type Attachment, findChildIn } from '../../sa/attachment.ts'
import { type ChildSa, replaceChildSa, startDeletion } from '../../sa/child-sa.ts'
import { lowestNonce, ownExchangeSurvives } from '../../sa/collision.ts'
import { findNotify, findPayload, firstError, type Notify } from '../../sa/payload-shape.ts'
import type { Attempt } from '../../sa/request.ts'
import { retransmissionSpanMs } from '../../sa/retransmission.ts'
import { covers } from '../../traffic-selector/narrow.ts'
import {
  type ChildSecrets,
  childSummary,
  installChild,
  type ResolvedChildSuite,
  resolveChildSuite,
} from '../child-keys.ts'
import { dropVanishedChild } from '../informational/delete-child.ts'
import { prfOf } from '../ike-keys.ts'
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
  if (agreed !== null) install(context, attachment, received, attempt, agreed)
  else {
    context.effects.push({ kind: 'releaseSpi', spiIn: attempt.spiIn })
    if (error !== null) refused(context, attachment, attempt, error)
    else addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
  }
}

function refused(context: Context, attachment: Attachment, attempt: RekeyChildAttempt, error: Notify): void {
  const child = findChildIn(attachment, attempt.replaces)
  if (error.type !== NOTIFY.INVALID_SYNTAX && (child === null || child.state.kind !== 'installed')) return
  if (child !== null && error.type === NOTIFY.CHILD_SA_NOT_FOUND) {
    dropVanishedChild(context, attachment, child)
    return
  }
  const { refusals, offer } = attempt
  const work = { kind: 'rekeyChild', spiIn: attempt.replaces, group: offer.group } as const
  if (error.type === NOTIFY.NO_PROPOSAL_CHOSEN && offer.group === KE.NONE && refusals === 0) {
    const group = attachment.policy.esp[0]?.ke[0]?.id ?? KE.NONE
    addTask(attachment, { work: { ...work, group }, notBeforeMs: context.env.nowMs, refusals: 1 })
    return
  }
  const policy = offer.suites
  const outcome = handleRefusal(context, attachment, error, { work, group: offer.group, refusals, policy })
  if (outcome === 'later' && child !== null) child.rekeyAtMs = context.env.nowMs + REKEY_RETRY_MS
}

export interface Agreement {
  readonly suite: ResolvedChildSuite
  readonly spiOut: Spi
  readonly nonceR: Uint8Array
  readonly secrets: ChildSecrets | null
  readonly tsLocal: ChildSa['tsLocal']
  readonly tsRemote: ChildSa['tsRemote']
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
  if (!isNonceLongEnough(prfOf(context.env.crypto, channel), nonce.data)) return null
  const kePolicy = offer.keyExchange === null ? 'absent' : 'optional'
  const options = { protocolId: PROTOCOL.ESP, kePolicy, keGroupOffered: offer.keyExchange && offer.group } as const
  const offered = childProposalsOf(offer, spiIn)
  const selected = checkChoice(offer.suites, offered, answered.proposals, options)
  const suite = selected === null ? null : resolveChildSuite(context.env, selected)
  if (selected === null || suite === null || selected.proposal.spi.length !== 4) return null
  const group = selected.ke?.id ?? KE.NONE
  const ke = findPayload(payloads, 'ke')
  if (group !== KE.NONE && (group !== offer.group || ke?.group !== group)) return null
  const sharedSecret = group === KE.NONE ? null : (offer.keyExchange?.sharedSecret(ke?.data ?? nonce.data) ?? null)
  if (group !== KE.NONE && sharedSecret === null) return null
  const spiOut = readU32(selected.proposal.spi, 0) as Spi
  const secrets = sharedSecret && { group, sharedSecret, additional: [] }
  return { suite, spiOut, nonceR: nonce.data, secrets, tsLocal: tsI.selectors, tsRemote: tsR.selectors }
}

function install(
  context: Context,
  attachment: Attachment,
  { channel }: Received,
  attempt: RekeyChildAttempt,
  agreed: Agreement,
): void {
  const { offer, spiIn, replaces } = attempt
  const old = findChildIn(attachment, replaces)
  if (!(covers(attempt.tsLocal, agreed.tsLocal) && covers(attempt.tsRemote, agreed.tsRemote))) {
    context.effects.push({ kind: 'releaseSpi', spiIn })
    addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
    return
  }
  const rival = attempt.rival === null ? null : findChildIn(attachment, attempt.rival.spiIn)
  const ownLowest = lowestNonce(offer.nonce, agreed.nonceR)
  // A rival that won and is gone by now was deleted by the peer, who does not want ours either.
  const survives = attempt.rival === null || ownExchangeSurvives(ownLowest, attempt.rival.lowestNonce)
  const child = installChild(context, attachment, {
    ...agreed,
    prf: prfOf(context.env.crypto, channel),
    skD: channel.skD,
    nonceI: offer.nonce,
    exchangeInitiator: true,
    spiIn,
    mode: attempt.mode,
    outbound: survives,
    replaces: survives ? replaces : null,
  })
  if (!survives) {
    scheduleDeletion(attachment, child)
    return
  }
  if (rival !== null) replaceChildSa(rival, spiIn, context.env.nowMs + retransmissionSpanMs(context.config.timing))
  if (old !== null) scheduleDeletion(attachment, old)
  emit(context, { kind: 'childRekeyed', key: attachment.key, child: childSummary(child) })
}

/** From now on it counts as being closed (2.25.1); the Delete goes out as soon as the window allows. */
export function scheduleDeletion(attachment: Attachment, child: ChildSa): void {
  startDeletion(child)
  addTask(attachment, { work: { kind: 'deleteChild', spiIn: child.spiIn }, notBeforeMs: 0, refusals: 0 })
}
