/**
 * CREATE_CHILD_SA as responder, for Child SAs (RFC 7296 1.3.1, 1.3.3, 2.8.1, 2.25.1).
 *
 * ```
 *   HDR, SK {[N(REKEY_SA)], SA, Ni, [KEi], TSi, TSr}  -->
 *                                                    <--  HDR, SK {SA, Nr, [KEr], TSi, TSr}
 *                                                    <--  HDR, SK {N(why not)}
 * ```
 *
 * After a rekey both Child SAs receive; we send on the old one until the peer deletes it. When our own rekey of the same Child
 * SA is under way, the new one is remembered as its rival.
 */
import { type Context, emit, type Received } from '../../endpoint/context.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import type { Payload, Spi } from '../../message/model.ts'
import { NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { readU32 } from '../../message/octets.ts'
import { type Attachment, findChildOut } from '../../sa/attachment.ts'
import { type ChildSa, replaceChildSa } from '../../sa/child-sa.ts'
import { lowestNonce } from '../../sa/collision.ts'
import { isCurrent } from '../../sa/ike-sa.ts'
import { findNotify, findPayload, type Notify } from '../../sa/payload-shape.ts'
import { retransmissionSpanMs } from '../../sa/retransmission.ts'
import { answerToChildCreation, answerToChildRekey } from '../../sa/simultaneous.ts'
import { answerChildRequest } from '../child-answer.ts'
import { childSummary } from '../child-keys.ts'
import { prfOf } from '../ike-keys.ts'
import { notify } from '../notify.ts'
import { NONCE_BYTES } from '../ike-sa-init/first-request.ts'

/** The peer asks for one more Child SA. */
export function answerNewChild(context: Context, attachment: Attachment, received: Received): readonly Payload[] {
  if (mayNotCreate(received)) return [notify(NOTIFY.TEMPORARY_FAILURE)]
  const answer = agree(context, attachment, received, null)
  if ('refusal' in answer) return answer.refusal
  emit(context, { kind: 'childEstablished', key: attachment.key, child: childSummary(answer.child) })
  return answer.payloads
}

/** The peer asks to rekey the Child SA named by `rekey`: the SPI on which the peer receives (C53). */
export function answerChildRekey(
  context: Context,
  attachment: Attachment,
  received: Received,
  rekey: Notify,
): readonly Payload[] {
  if (mayNotCreate(received)) return [notify(NOTIFY.TEMPORARY_FAILURE)]
  const isEsp = rekey.protocolId === PROTOCOL.ESP && rekey.spi.length === 4
  const old = isEsp ? findChildOut(attachment, readU32(rekey.spi, 0) as Spi) : null
  const verdict = answerToChildRekey(old)
  if (verdict === 'TEMPORARY_FAILURE') return [notify(NOTIFY.TEMPORARY_FAILURE)]
  if (verdict === 'CHILD_SA_NOT_FOUND' || old === null) return [childNotFound(rekey)]
  const answer = agree(context, attachment, received, old)
  if ('refusal' in answer) return answer.refusal
  const { child, nonceR } = answer
  const expiresAtMs = context.env.nowMs + retransmissionSpanMs(context.config.timing)
  replaceChildSa(old, child.spiIn, expiresAtMs)
  noteRival(received, old, child, nonceR)
  emit(context, { kind: 'childRekeyed', key: attachment.key, child: childSummary(child) })
  return answer.payloads
}

function mayNotCreate({ sa, channel }: Received): boolean {
  return answerToChildCreation(isCurrent(sa), channel.pending?.attempt ?? null) !== 'accept'
}

function childNotFound({ protocolId, spi }: Notify): Payload {
  return { ...notify(NOTIFY.CHILD_SA_NOT_FOUND), protocolId, spi: spi.slice() } as Payload
}

type Agreement =
  | { readonly child: ChildSa; readonly payloads: readonly Payload[]; readonly nonceR: Uint8Array }
  | { readonly refusal: readonly Payload[] }

function agree(context: Context, attachment: Attachment, received: Received, replaces: ChildSa | null): Agreement {
  const { payloads, channel } = received
  const sa = findPayload(payloads, 'sa')
  const nonce = findPayload(payloads, 'nonce')
  const tsI = findPayload(payloads, 'tsI')
  const tsR = findPayload(payloads, 'tsR')
  if (sa === null || nonce === null || tsI === null || tsR === null) {
    return { refusal: [notify(NOTIFY.INVALID_SYNTAX)] }
  }
  const prf = prfOf(context.env.crypto, channel)
  if (!isNonceLongEnough(prf, nonce.data)) return { refusal: [notify(NOTIFY.INVALID_SYNTAX)] }
  const nonceR = context.env.rng(NONCE_BYTES)
  const answer = answerChildRequest(context, attachment, {
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
  if (!answer.ok) return { refusal: [answer.refusal] }
  const untilMs = context.env.nowMs + retransmissionSpanMs(context.config.timing)
  answer.child.unconfirmed = { channel, messageId: received.messageId, untilMs }
  const response: Payload[] = [answer.sa, { kind: 'nonce', data: nonceR }, ...answer.ke, ...answer.selectors]
  return { child: answer.child, payloads: response, nonceR }
}

/** The peer's exchange and ours rekey the same Child SA: which one stands is decided by our response (2.8.1). */
function noteRival({ channel, payloads }: Received, old: ChildSa, child: ChildSa, nonceR: Uint8Array): void {
  const attempt = channel.pending?.attempt
  if (attempt?.kind !== 'rekeyChild' || attempt.replaces !== old.spiIn) return
  const nonceI = findPayload(payloads, 'nonce')?.data ?? nonceR
  attempt.rival = { spiIn: child.spiIn, lowestNonce: lowestNonce(nonceI, nonceR).slice() }
}
