/**
 * Our rekey of the IKE SA: the response, and the end of a collision (RFC 7296 1.3.2, 2.8, 2.8.2).
 *
 * ```
 *   no rival, or ours survives:  the new IKE SA inherits, we delete the old one, the peer deletes the rival
 *   the rival survives:          the rival inherits, we delete our new one, the peer deletes the old one
 * ```
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { shareTransforms } from '../../endpoint/tables.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import { NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { ikeSpiBytes, readIkeSpi } from '../../message/octets.ts'
import { ZERO_SPI } from '../../message/model.ts'
import { checkChoice } from '../../proposal/offer.ts'
import { addOther, addTask, type Attachment } from '../../sa/attachment.ts'
import { lowestNonce, ownExchangeSurvives } from '../../sa/collision.ts'
import { createIkeSa, type IkeSa } from '../../sa/ike-sa.ts'
import { findPayload, firstError, type Notify } from '../../sa/payload-shape.ts'
import type { Attempt } from '../../sa/request.ts'
import { exposeKeys } from '../expose-keys.ts'
import { adoptIkeSa, establishedState, retire } from '../ike-establish.ts'
import { deriveChannel, prfOf, resolveIkeSuite } from '../ike-keys.ts'
import { startIkeDelete } from '../informational/delete-ike.ts'
import { handleRefusal, REKEY_RETRY_MS } from './refusal.ts'
import { ikeProposalsOf } from './offer.ts'
import { standingRival } from './rival.ts'

type RekeyIkeAttempt = Extract<Attempt, { kind: 'rekeyIke' }>

export function completeIkeRekey(
  context: Context,
  attachment: Attachment,
  received: Received,
  attempt: RekeyIkeAttempt,
): void {
  const error = firstError(received.payloads)
  const rival = standingRival(context, attempt)
  const made = error === null ? makeIkeSa(context, attachment, received, attempt) : null
  if (made !== null) decide(context, attachment, { old: received.sa, rival, attempt, ...made })
  else if (rival !== null && error?.type !== NOTIFY.INVALID_SYNTAX) adoptIkeSa(context, attachment, rival)
  else if (error !== null) refused(context, attachment, received, attempt, error)
  else addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
}

function refused(
  context: Context,
  attachment: Attachment,
  { sa }: Received,
  { offer, refusals }: RekeyIkeAttempt,
  error: Notify,
): void {
  const work = { kind: 'rekeyIke', group: offer.group } as const
  const policy = offer.suites
  const outcome = handleRefusal(context, attachment, error, { work, group: offer.group, refusals, policy })
  if (outcome === 'later' && sa.state.phase === 'established') sa.state.rekeyAtMs = context.env.nowMs + REKEY_RETRY_MS
}

interface Made {
  readonly own: IkeSa
  readonly lowest: Uint8Array
}

/** @returns null when the response is not an answer to our offer. */
function makeIkeSa(
  context: Context,
  attachment: Attachment,
  { channel, payloads }: Received,
  attempt: RekeyIkeAttempt,
): Made | null {
  const { env, tables } = context
  const { offer, localSpi } = attempt
  const nonce = findPayload(payloads, 'nonce')
  const ke = findPayload(payloads, 'ke')
  const offered = ikeProposalsOf(offer, ikeSpiBytes(localSpi))
  const options = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: offer.group } as const
  const selected = checkChoice(offer.suites, offered, findPayload(payloads, 'sa')?.proposals ?? [], options)
  const resolved = selected === null ? null : resolveIkeSuite(env.crypto, selected, channel.transforms.tier)
  if (selected === null || resolved === null || nonce === null || ke === null) return null
  if (!isNonceLongEnough(resolved.suite.prf, nonce.data)) return null
  if (selected.proposal.spi.length !== 8 || ke.group !== offer.group || resolved.transforms.ke.id !== ke.group)
    return null
  const sharedSecret = offer.keyExchange?.sharedSecret(ke.data) ?? null
  const spis = { spiI: localSpi, spiR: readIkeSpi(selected.proposal.spi, 0) }
  if (sharedSecret === null || spis.spiR === ZERO_SPI) return null
  const { channel: successor } = deriveChannel({
    resolved: { ...resolved, transforms: shareTransforms(tables, resolved.transforms) },
    originalInitiator: true,
    fragmentation: channel.fragmentation,
    nonceI: offer.nonce,
    nonceR: nonce.data,
    ...spis,
    sharedSecret,
    oldSkD: channel.skD,
    oldPrf: prfOf(env.crypto, channel),
  })
  sharedSecret.fill(0)
  const state = establishedState(context, attachment, successor)
  const own = createIkeSa({ ...spis, originalInitiator: true, route: attachment.route, state })
  tables.bySpi.set(own.localSpi, own)
  exposeKeys(context, own, successor)
  addOther(attachment, own)
  return { own, lowest: lowestNonce(offer.nonce, nonce.data) }
}

interface Decision extends Made {
  readonly old: IkeSa
  readonly rival: IkeSa | null
  readonly attempt: RekeyIkeAttempt
}

function decide(context: Context, attachment: Attachment, { old, own, rival, lowest, attempt }: Decision): void {
  const survives = rival === null || attempt.rival === null || ownExchangeSurvives(lowest, attempt.rival.lowestNonce)
  if (survives) {
    adoptIkeSa(context, attachment, own)
    if (rival !== null) retire(context, attachment, rival)
    startIkeDelete(context, attachment, old)
  } else {
    adoptIkeSa(context, attachment, rival)
    startIkeDelete(context, attachment, own)
  }
}
