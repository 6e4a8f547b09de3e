/**
 * CREATE_CHILD_SA as responder, to rekey the IKE SA (RFC 7296 1.3.2, 2.8.2, 2.18, 2.25.2).
 *
 * ```
 *   HDR, SK {SA, Ni, KEi}  -->
 *                         <--  HDR, SK {SA, Nr, KEr}       the new IKE SA stands, the peer will delete the old one
 * ```
 *
 * When our own rekey is under way, the new IKE SA waits as its rival until our response tells which one survives.
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { shareTransforms } from '../../endpoint/tables.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { ikeSpiBytes, readIkeSpi } from '../../message/octets.ts'
import type { SelectedSuite } from '../../proposal/select.ts'
import { addOther, type Attachment, MAX_OTHERS } from '../../sa/attachment.ts'
import { lowestNonce } from '../../sa/collision.ts'
import { createIkeSa, type IkeSa, isCurrent } from '../../sa/ike-sa.ts'
import { findPayload, type PayloadOf } from '../../sa/payload-shape.ts'
import { answerToIkeRekey } from '../../sa/simultaneous.ts'
import { exchangeKeys } from '../child-answer.ts'
import { exposeKeys } from '../expose-keys.ts'
import { adoptIkeSa, establishedState } from '../ike-establish.ts'
import { standingRival } from './rival.ts'
import { chooseIkeSuite, deriveChannel, prfOf, type ResolvedIkeSuite } from '../ike-keys.ts'
import { NONCE_BYTES } from '../ike-sa-init/first-request.ts'
import { invalidKePayload, notify } from '../notify.ts'

const NO_SPI = '0'.repeat(16)

export function answerIkeRekey(context: Context, attachment: Attachment, received: Received): readonly Payload[] {
  const { payloads, sa, channel } = received
  const attempt = channel.pending?.attempt ?? null
  const hasRival = attempt?.kind === 'rekeyIke' && standingRival(context, attempt) !== null
  const isAccepted = answerToIkeRekey(isCurrent(sa), attempt) === 'accept' && !hasRival
  if (!isAccepted || attachment.others.length >= MAX_OTHERS) return [notify(NOTIFY.TEMPORARY_FAILURE)]
  const ke = findPayload(payloads, 'ke')
  const offered = findPayload(payloads, 'sa')?.proposals ?? []
  const chosen = chooseIkeSuite(context.env.crypto, offered, attachment.policy.tiers, {
    protocolId: PROTOCOL.IKE,
    keGroupOffered: ke?.group ?? null,
    kePolicy: 'required',
    additionalKe: false,
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
  const { env, tables } = context
  const { channel, payloads } = received
  const nonceI = findPayload(payloads, 'nonce')?.data
  const spiI = readIkeSpi(selected.proposal.spi, 0)
  const exchanged = exchangeKeys(context, ke.group, ke)
  const isSound = nonceI !== undefined && isNonceLongEnough(resolved.suite.prf, nonceI) && spiI !== NO_SPI
  if (exchanged === undefined || !isSound) return [notify(NOTIFY.INVALID_SYNTAX)]
  const nonceR = env.rng(NONCE_BYTES)
  const spis = { spiI, spiR: env.allocateIkeSpi() }
  const { channel: successor } = deriveChannel({
    resolved: { ...resolved, transforms: shareTransforms(tables, resolved.transforms) },
    originalInitiator: false,
    fragmentation: channel.fragmentation,
    nonceI,
    nonceR,
    ...spis,
    sharedSecret: exchanged.sharedSecret,
    oldSkD: channel.skD,
    oldPrf: prfOf(env.crypto, channel),
  })
  exchanged.sharedSecret.fill(0)
  const state = establishedState(context, attachment, successor)
  const next = createIkeSa({ ...spis, originalInitiator: false, route: attachment.route, state })
  tables.bySpi.set(next.localSpi, next)
  exposeKeys(context, next, successor)
  context.touched.add(next)
  takeOver(context, attachment, received, next, lowestNonce(nonceI, nonceR).slice())
  return [
    { kind: 'sa', proposals: [{ ...selected.proposal, spi: ikeSpiBytes(spis.spiR) }] },
    { kind: 'nonce', data: nonceR },
    { kind: 'ke', group: ke.group, data: exchanged.publicValue },
  ]
}

function takeOver(
  context: Context,
  attachment: Attachment,
  { channel }: Received,
  next: IkeSa,
  lowest: Uint8Array,
): void {
  const attempt = channel.pending?.attempt
  addOther(attachment, next)
  if (attempt?.kind === 'rekeyIke') attempt.rival = { localSpi: next.localSpi, lowestNonce: lowest }
  else adoptIkeSa(context, attachment, next)
}
