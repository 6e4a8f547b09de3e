/**
 * Our rekey of the IKE SA: the response, and the end of a collision (RFC 7296 1.3.2, 2.8, 2.8.2).
 *
 * ```
 *   no rival, or ours survives:  the new IKE SA inherits, we delete the old one, the peer deletes the rival
 *   the rival survives:          the rival inherits, we delete our new one, the peer deletes the old one
 * ```
 *
 * Where additional key exchanges would follow, a lost collision is just the end of it (RFC 9370 2.2.4).
 */
import { dropUnfinished } from '../../endpoint/closing.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import { ZERO_SPI } from '../../message/model.ts'
import { NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { ikeSpiBytes, readIkeSpi } from '../../message/octets.ts'
import { checkChoice } from '../../proposal/offer.ts'
import type { IkeInput } from '../../sa/agreement.ts'
import { addTask, type Attachment } from '../../sa/attachment.ts'
import { lowestNonce, ownExchangeSurvives } from '../../sa/collision.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { findPayload, firstError, type Notify } from '../../sa/payload-shape.ts'
import type { Attempt } from '../../sa/request.ts'
import { adoptIkeSa, retire } from '../ike-establish.ts'
import { sendFollowUp } from '../ike-followup-ke/initiate.ts'
import { resolveIkeSuite } from '../ike-keys.ts'
import { startIkeDelete } from '../informational/delete-ike.ts'
import { ikeProposalsOf } from './offer.ts'
import { handleRefusal, REKEY_RETRY_MS } from './refusal.ts'
import { rivalRemains, standingRival, unfinishedRival } from './rival.ts'
import { makeSuccessor } from './successor.ts'

type RekeyIkeAttempt = Extract<Attempt, { kind: 'rekeyIke' }>

export function completeIkeRekey(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: RekeyIkeAttempt,
): void {
  const error = firstError(received.payloads)
  const agreed = error === null ? readAgreement(context, received, attempt) : null
  const rival = standingRival(context, attempt)
  if (agreed !== null) settle(context, attachment, received, attempt, agreed)
  else if (error?.type === NOTIFY.INVALID_SYNTAX) refusedIkeRekey(context, attachment, received, attempt, error)
  else if (rival !== null) adoptIkeSa(context, attachment, rival)
  else if (unfinishedRival(attachment, attempt) !== null) rekeyLater(context, received)
  else if (error !== null) refusedIkeRekey(context, attachment, received, attempt, error)
  else giveUp(attachment)
}

function giveUp(attachment: Attachment): void {
  addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
}

/** Should the peer's exchange come to nothing, ours is repeated. */
function rekeyLater({ env }: Context, { sa }: Received): void {
  if (sa.state.phase === 'established') sa.state.rekeyAtMs = env.nowMs + REKEY_RETRY_MS
}

export function refusedIkeRekey(
  context: Context,
  attachment: Attachment,
  received: Received,
  { offer, refusals }: RekeyIkeAttempt,
  error: Notify,
): void {
  const work = { kind: 'rekeyIke', group: offer.group } as const
  const policy = offer.suites
  const outcome = handleRefusal(context, attachment, error, { work, group: offer.group, refusals, policy })
  if (outcome === 'later') rekeyLater(context, received)
}

/** @returns null when the response is not an answer to our offer. */
function readAgreement(
  context: Context,
  { channel, payloads }: Received,
  { offer, localSpi }: RekeyIkeAttempt,
): IkeInput | null {
  const nonce = findPayload(payloads, 'nonce')
  const ke = findPayload(payloads, 'ke')
  const offered = ikeProposalsOf(offer, ikeSpiBytes(localSpi))
  const options = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: offer.group } as const
  const selected = checkChoice(offer.suites, offered, findPayload(payloads, 'sa')?.proposals ?? [], options)
  const { crypto } = context.env
  const resolved = selected === null ? null : resolveIkeSuite(crypto, selected, channel.transforms.tier)
  if (selected === null || resolved === null || nonce === null || ke === null) return null
  if (!isNonceLongEnough(resolved.suite.prf, nonce.data)) return null
  if (selected.proposal.spi.length !== 8 || ke.group !== offer.group || resolved.transforms.ke.id !== ke.group)
    return null
  const sharedSecret = offer.keyExchange?.sharedSecret(ke.data) ?? null
  const spiR = readIkeSpi(selected.proposal.spi, 0)
  if (sharedSecret === null || spiR === ZERO_SPI) return null
  return { resolved, spiI: localSpi, spiR, nonceI: offer.nonce, nonceR: nonce.data, sharedSecret }
}

/** Decides a collision; then the IKE SA is made, or its additional key exchanges follow (RFC 9370 2.2.4). */
function settle(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: RekeyIkeAttempt,
  input: IkeInput,
): void {
  const methods = input.resolved.transforms.additionalKe
  const isCrossed = attempt.rival !== null && rivalRemains(context, attachment, attempt)
  const survives =
    !isCrossed ||
    attempt.rival === null ||
    ownExchangeSurvives(lowestNonce(input.nonceI, input.nonceR), attempt.rival.lowestNonce)
  if (!survives) lose(context, attachment, received, attempt, input)
  else {
    endRival(context, attachment, attempt)
    if (methods.length === 0) takeOver(context, attachment, received, input, [])
    else if (!sendFollowUp(context, received, { ...attempt, rival: null }, { input, methods, secrets: [] })) {
      giveUp(attachment)
    }
  }
}

/** Ours has the lowest nonce: what it made is deleted, what it did not make yet is not gone on with. */
function lose(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: RekeyIkeAttempt,
  input: IkeInput,
): void {
  const rival = standingRival(context, attempt)
  const isMade = input.resolved.transforms.additionalKe.length === 0
  const own = isMade ? makeOwn(context, attachment, received, input, []) : null
  if (rival !== null) adoptIkeSa(context, attachment, rival)
  else rekeyLater(context, received)
  if (own !== null) startIkeDelete(context, attachment, own)
}

/** The peer's crossing exchange lost: it gives it up, or deletes what it made. */
function endRival(context: Context, attachment: Attachment, attempt: RekeyIkeAttempt): void {
  const unfinished = unfinishedRival(attachment, attempt)
  if (unfinished !== null) dropUnfinished(context, attachment, unfinished)
  const rival = standingRival(context, attempt)
  if (rival !== null) retire(context, attachment, rival)
}

/** All additional key exchanges are through. @param secrets theirs. */
export function finishOwnIkeRekey(
  context: Context,
  attachment: Attachment,
  received: Received,
  { followUp }: RekeyIkeAttempt,
  secrets: readonly Uint8Array[],
): void {
  if (followUp !== null) takeOver(context, attachment, received, followUp.input, secrets)
}

function takeOver(
  context: Context,
  attachment: Attachment,
  received: Received,
  input: IkeInput,
  additional: readonly Uint8Array[],
): void {
  adoptIkeSa(context, attachment, makeOwn(context, attachment, received, input, additional))
  startIkeDelete(context, attachment, received.sa)
}

function makeOwn(
  context: Context,
  attachment: Attachment,
  { channel }: Received,
  input: IkeInput,
  additional: readonly Uint8Array[],
): IkeSa {
  return makeSuccessor(context, attachment, channel, { originalInitiator: true, input, additional })
}
