/**
 * CREATE_CHILD_SA as responder, to rekey the IKE SA (RFC 7296 1.3.2, 2.8.2, 2.18, 2.25.2).
 *
 * ```
 *   HDR, SK {SA, Ni, KEi}  -->
 *                         <--  HDR, SK {SA, Nr, KEr}       the new IKE SA stands, the peer will delete the old one
 * ```
 *
 * With additional key exchanges it is made only when they are through (RFC 9370 2.2.4). When our own rekey is under way, the new IKE SA waits as its rival until our response tells which one survives.
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { ikeSpiBytes, readIkeSpi } from '../../message/octets.ts'
import type { SelectedSuite } from '../../proposal/select.ts'
import type { IkeInput, ResolvedIkeSuite } from '../../sa/agreement.ts'
import { type Attachment, MAX_OTHERS } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import { lowestNonce } from '../../sa/collision.ts'
import { isCurrent } from '../../sa/ike-sa.ts'
import { findPayload, type PayloadOf } from '../../sa/payload-shape.ts'
import { answerToIkeRekey } from '../../sa/simultaneous.ts'
import { exchangeKeys } from '../child-answer.ts'
import { adoptIkeSa } from '../ike-establish.ts'
import { drawLink, linkPayload, promise, promiseEndsAtMs } from '../ike-followup-ke/promise.ts'
import { chooseIkeSuite } from '../ike-keys.ts'
import { NONCE_BYTES } from '../ike-sa-init/first-request.ts'
import { invalidKePayload, notify } from '../notify.ts'
import { rivalRemains } from './rival.ts'
import { makeSuccessor } from './successor.ts'

const NO_SPI = '0'.repeat(16)

export function answerIkeRekey(context: Context, attachment: Attachment, received: Received): readonly Payload[] {
  const { payloads, sa, channel } = received
  const attempt = channel.pending?.attempt ?? null
  const hasRival = attempt?.kind === 'rekeyIke' && attempt.rival !== null && rivalRemains(context, attachment, attempt)
  const isAccepted = answerToIkeRekey(isCurrent(sa), attempt) === 'accept' && !hasRival
  if (!isAccepted || attachment.others.length >= MAX_OTHERS) return [notify(NOTIFY.TEMPORARY_FAILURE)]
  const ke = findPayload(payloads, 'ke')
  const offered = findPayload(payloads, 'sa')?.proposals ?? []
  const chosen = chooseIkeSuite(context.env.crypto, offered, attachment.policy.tiers, {
    protocolId: PROTOCOL.IKE,
    keGroupOffered: ke?.group ?? null,
    kePolicy: 'required',
    spiBytes: 8,
  })
  if (chosen === null) return [notify(NOTIFY.NO_PROPOSAL_CHOSEN)]
  const { selected, resolved } = chosen
  const group = resolved.transforms.ke.id
  if (ke === null || ke.group !== group) return [invalidKePayload(group)]
  return accept(context, attachment, received, { ke, selected, resolved })
}

interface Acceptable {
  readonly ke: PayloadOf<'ke'>
  readonly selected: SelectedSuite
  readonly resolved: ResolvedIkeSuite
}

function accept(
  context: Context,
  attachment: Attachment,
  received: Received,
  { ke, selected, resolved }: Acceptable,
): readonly Payload[] {
  const { env } = context
  const { channel, payloads } = received
  const nonceI = findPayload(payloads, 'nonce')?.data
  const spiI = readIkeSpi(selected.proposal.spi, 0)
  const exchanged = exchangeKeys(context, ke.group, ke)
  const isSound = nonceI !== undefined && isNonceLongEnough(resolved.suite.prf, nonceI) && spiI !== NO_SPI
  if (exchanged === undefined || !isSound) return [notify(NOTIFY.INVALID_SYNTAX)]
  const nonceR = env.rng(NONCE_BYTES)
  const { sharedSecret } = exchanged
  const input = { resolved, spiI, spiR: env.allocateIkeSpi(), nonceI: nonceI.slice(), nonceR, sharedSecret }
  const answer: readonly Payload[] = [
    { kind: 'sa', proposals: [{ ...selected.proposal, spi: ikeSpiBytes(input.spiR) }] },
    { kind: 'nonce', data: nonceR },
    { kind: 'ke', group: ke.group, data: exchanged.publicValue },
  ]
  noteRival(channel, input)
  const methods = resolved.transforms.additionalKe
  if (methods.length === 0) {
    finishIkeRekey(context, attachment, received, input, [])
    return answer
  }
  const link = drawLink(context)
  const expiresAtMs = promiseEndsAtMs(context)
  promise(context, attachment, { kind: 'ike', channel, methods, expiresAtMs, link, secrets: [], input })
  return [...answer, linkPayload(link)]
}

/** The peer's exchange and ours rekey the IKE SA: which one stands is decided by our response (2.8.2). */
function noteRival({ pending }: Channel, { spiR, nonceI, nonceR }: IkeInput): void {
  if (pending?.attempt.kind !== 'rekeyIke') return
  pending.attempt.rival = { localSpi: spiR, lowestNonce: lowestNonce(nonceI, nonceR).slice() }
}

/** All key exchanges are through: makes the new IKE SA. @param additional secrets of the additional ones; zeroed. */
export function finishIkeRekey(
  context: Context,
  attachment: Attachment,
  { channel }: Received,
  input: IkeInput,
  additional: readonly Uint8Array[],
): void {
  const next = makeSuccessor(context, attachment, channel, { originalInitiator: false, input, additional })
  if (channel.pending?.attempt.kind !== 'rekeyIke') adoptIkeSa(context, attachment, next)
}
