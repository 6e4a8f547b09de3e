/**
 * CREATE_CHILD_SA as responder, for Child SAs (RFC 7296 1.3.1, 1.3.3, 2.8.1, 2.25.1).
 *
 * ```
 *   HDR, SK {[N(REKEY_SA)], SA, Ni, [KEi], TSi, TSr}  -->
 *                                                    <--  HDR, SK {SA, Nr, [KEr], TSi, TSr}
 *                                                    <--  HDR, SK {N(why not)}
 * ```
 *
 * With additional key exchanges the Child SA is made only when they are through (RFC 9370 2.2.4).
 * After a rekey both Child SAs receive; we send on the old one until the peer deletes it. When our own rekey of the same Child
 * SA is under way, the new one is remembered as its rival.
 */
import { type Context, emit, type Received } from '../../endpoint/context.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import type { Payload, Spi, Transform } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { readU32 } from '../../message/octets.ts'
import { type ChildInput, wipeSecrets } from '../../sa/agreement.ts'
import { type Attachment, findChildIn, findChildOut } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import { type ChildSa, replaceChildSa } from '../../sa/child-sa.ts'
import { lowestNonce } from '../../sa/collision.ts'
import { isCurrent } from '../../sa/ike-sa.ts'
import { findNotify, findPayload, type Notify } from '../../sa/payload-shape.ts'
import { retransmissionSpanMs } from '../../sa/retransmission.ts'
import { answerToChildCreation, answerToChildRekey } from '../../sa/simultaneous.ts'
import { agreeOnChild } from '../child-answer.ts'
import { childSummary, installChild } from '../child-keys.ts'
import { drawLink, linkPayload, promise, promiseEndsAtMs } from '../ike-followup-ke/promise.ts'
import { prfOf } from '../ike-keys.ts'
import { notify, protocolIdOf } from '../notify.ts'
import { NONCE_BYTES } from '../ike-sa-init/first-request.ts'

/** The peer asks for one more Child SA. */
export function answerNewChild(context: Context, attachment: Attachment, received: Received): readonly Payload[] {
  if (mayNotCreate(received)) return [notify(NOTIFY.TEMPORARY_FAILURE)]
  return agree(context, attachment, received, null)
}

/** The peer asks to rekey the Child SA named by `rekey`: the SPI on which the peer receives (C53). */
export function answerChildRekey(
  context: Context,
  attachment: Attachment,
  received: Received,
  rekey: Notify,
): readonly Payload[] {
  if (mayNotCreate(received)) return [notify(NOTIFY.TEMPORARY_FAILURE)]
  const named = rekey.spi.length === 4 ? findChildOut(attachment, readU32(rekey.spi, 0) as Spi) : null
  const old = named !== null && rekey.protocolId === protocolIdOf(named.protocol) ? named : null
  const verdict = answerToChildRekey(old, received.channel.pending?.attempt ?? null)
  if (verdict === 'TEMPORARY_FAILURE') return [notify(NOTIFY.TEMPORARY_FAILURE)]
  if (verdict === 'CHILD_SA_NOT_FOUND' || old === null) return [childNotFound(rekey)]
  return agree(context, attachment, received, old)
}

function mayNotCreate({ sa, channel }: Received): boolean {
  return answerToChildCreation(isCurrent(sa), channel.pending?.attempt ?? null) !== 'accept'
}

function childNotFound({ protocolId, spi }: Notify): Payload {
  return { ...notify(NOTIFY.CHILD_SA_NOT_FOUND), protocolId, spi: spi.slice() } as Payload
}

function agree(
  context: Context,
  attachment: Attachment,
  received: Received,
  replaces: ChildSa | null,
): readonly Payload[] {
  const { payloads, channel } = received
  const sa = findPayload(payloads, 'sa')
  const nonce = findPayload(payloads, 'nonce')
  const tsI = findPayload(payloads, 'tsI')
  const tsR = findPayload(payloads, 'tsR')
  if (sa === null || nonce === null || tsI === null || tsR === null) return [notify(NOTIFY.INVALID_SYNTAX)]
  const prf = prfOf(context.env.crypto, channel)
  if (!isNonceLongEnough(prf, nonce.data)) return [notify(NOTIFY.INVALID_SYNTAX)]
  const nonceR = context.env.rng(NONCE_BYTES)
  const answer = agreeOnChild(context, attachment, {
    prf,
    skD: channel.skD,
    proposals: sa.proposals,
    kePolicy: 'optional',
    ke: findPayload(payloads, 'ke'),
    nonceI: nonce.data,
    nonceR,
    tsI: tsI.selectors,
    tsR: tsR.selectors,
    transportMode: findNotify(payloads, NOTIFY.USE_TRANSPORT_MODE) !== null,
    replaces,
  })
  if (!answer.ok) return [answer.refusal]
  const response: Payload[] = [answer.sa, { kind: 'nonce', data: nonceR }, ...answer.ke, ...answer.selectors]
  if (replaces !== null) noteRival(received, replaces, answer.input)
  if (answer.additionalKe.length > 0) {
    return [...response, promiseChild(context, attachment, channel, answer.input, answer.additionalKe)]
  }
  finishChild(context, attachment, received, answer.input, [])
  wipeSecrets([answer.input.secrets?.sharedSecret])
  return response
}

/** @returns what names it in IKE_FOLLOWUP_KE. */
function promiseChild(
  context: Context,
  attachment: Attachment,
  channel: Channel,
  input: ChildInput,
  methods: readonly Transform[],
): Payload {
  const link = drawLink(context)
  const expiresAtMs = promiseEndsAtMs(context)
  promise(context, attachment, { kind: 'child', channel, methods, expiresAtMs, link, secrets: [], input })
  return linkPayload(link)
}

/**
 * All key exchanges are through: installs the Child SA.
 *
 * @param additional secrets of the additional key exchanges; not kept.
 * @returns false when the Child SA to be rekeyed is gone, or replaced by another one.
 */
export function finishChild(
  context: Context,
  attachment: Attachment,
  { channel, messageId }: Received,
  input: ChildInput,
  additional: readonly Uint8Array[],
): boolean {
  const old = input.replaces === null ? null : findChildIn(attachment, input.replaces)
  if (input.replaces !== null && old?.state.kind !== 'installed') return false
  const secrets = input.secrets && { ...input.secrets, additional }
  const child = installChild(context, attachment, { ...input, secrets })
  const untilMs = context.env.nowMs + retransmissionSpanMs(context.config.timing)
  child.unconfirmed = { channel, messageId, untilMs }
  if (old !== null) replaceChildSa(old, child.spiIn, untilMs)
  const kind = old === null ? 'childEstablished' : 'childRekeyed'
  emit(context, { kind, key: attachment.key, child: childSummary(child) })
  return true
}

/** The peer's exchange and ours rekey the same Child SA: which one stands is decided by our response (2.8.1). */
function noteRival({ channel }: Received, old: ChildSa, { spiIn, nonceI, nonceR }: ChildInput): void {
  const attempt = channel.pending?.attempt
  if (attempt?.kind !== 'rekeyChild' || attempt.replaces !== old.spiIn) return
  attempt.rival = { spiIn, lowestNonce: lowestNonce(nonceI, nonceR).slice() }
}
