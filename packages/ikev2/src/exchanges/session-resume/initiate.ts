/**
 * IKE_SESSION_RESUME as initiator (RFC 5723 4.3): comes back with a ticket, and when that is refused or nobody answers, begins anew
 * with IKE_SA_INIT.
 *
 * ```
 *   HDR, [N(COOKIE)], Ni, N(TICKET_OPAQUE), N(NAT_DETECTION_*_IP), N(IKEV2_FRAGMENTATION_SUPPORTED)  -->
 *                                                                  <--  HDR, Nr, N(..)
 * ```
 *
 * A refusal is not protected; believing it costs a key exchange and nothing else.
 */
import type { InitiatorConfig, ResumptionTicket } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { sendAll } from '../../endpoint/outbound.ts'
import { initiatorPolicy } from '../../endpoint/policies.ts'
import { newAttachmentKey, shareTransforms } from '../../endpoint/tables.ts'
import { encodeMessage } from '../../message/encode.ts'
import { type IkeSpi, type MessageId, type Payload, ZERO_SPI } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { EMPTY } from '../../message/octets.ts'
import { createAttachment } from '../../sa/attachment.ts'
import { createIkeSa, type IkeSa, type ResumeSent } from '../../sa/ike-sa.ts'
import { findNotify, findPayload, firstError } from '../../sa/payload-shape.ts'
import { retransmit, startRetransmission } from '../../sa/retransmission.ts'
import { exposeKeys } from '../expose-keys.ts'
import { NONCE_BYTES } from '../ike-sa-init/first-request.ts'
import { initiate } from '../ike-sa-init/initiate.ts'
import { natDetectionNotifies } from '../ike-sa-init/nat-detection.ts'
import { float, type InitResponse } from '../ike-sa-init/receive-response.ts'
import { proceed } from '../ike-intermediate/initiate.ts'
import { notify } from '../notify.ts'
import { beginAnew } from './begin-anew.ts'
import { resumeChannel } from './keys.ts'
import { decodeState } from './ticket.ts'

/** Transmissions after the first, before we begin anew. */
const MAX_REPEATS = 2
const MAX_COOKIES = 4
const MAX_COOKIE_BYTES = 64

/** Starts an attempt: with the ticket when there is one, else or when it cannot be used with IKE_SA_INIT. */
export function begin(context: Context, peer: InitiatorConfig): void {
  const { resume } = peer
  const isUsable = resume !== undefined && context.config.features?.resumption === true
  if (isUsable && decodeState(resume.state) !== null) comeBack(context, peer, resume)
  else initiate(context, peer)
}

function comeBack(context: Context, peer: InitiatorConfig, resume: ResumptionTicket): void {
  const { env, tables } = context
  const { path, label: subject } = peer
  const nat = { peerBehindNat: false, localBehindNat: false }
  const route = { path, ...nat, movedAtMs: env.nowMs, trial: null, sentAtMs: env.nowMs }
  const key = newAttachmentKey(tables)
  const policy = initiatorPolicy(context, peer.protocol)
  const attachment = createAttachment({ key, subject, role: 'initiator', route, policy }, env.nowMs)
  const spiI = env.allocateIkeSpi()
  const common = { attachment, peer, resume, nonceI: env.rng(NONCE_BYTES) }
  const state = requestState(context, spiI, { ...common, cookies: 0 }, null)
  const sa = createIkeSa({ spiI, spiR: ZERO_SPI, originalInitiator: true, route, state })
  tables.bySpi.set(sa.localSpi, sa)
  send(context, sa, state)
}

type Constant = Pick<ResumeSent, 'attachment' | 'peer' | 'resume' | 'nonceI' | 'cookies'>

function requestState(context: Context, spiI: IkeSpi, constant: Constant, cookie: Uint8Array | null): ResumeSent {
  const { config, env } = context
  const spis = { spiI, spiR: ZERO_SPI }
  const header = { ...spis, exchangeType: EXCHANGE.IKE_SESSION_RESUME, messageId: 0 as MessageId }
  const payloads: Payload[] = [
    ...(cookie === null ? [] : [notify(NOTIFY.COOKIE, cookie)]),
    { kind: 'nonce', data: constant.nonceI },
    notify(NOTIFY.TICKET_OPAQUE, constant.resume.ticket),
    ...natDetectionNotifies(context, spis, constant.peer.path, config.forceUdpEncap ?? true),
    notify(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED),
  ]
  const request = encodeMessage({ ...header, fromOriginalInitiator: true, isResponse: false }, payloads)
  const { attachment, peer, resume, nonceI, cookies } = constant
  const retransmission = startRetransmission([request], env.nowMs, config.timing)
  return { phase: 'resumeSent', attachment, peer, resume, nonceI, cookies, request, retransmission }
}

function send(context: Context, sa: IkeSa, { request, peer }: ResumeSent): void {
  context.effects.push({ kind: 'send', path: peer.path, bytes: request })
  context.touched.add(sa)
}

/** Time to send the request once more, or to begin anew. */
export function serveResumeSent(context: Context, sa: IkeSa, state: ResumeSent): void {
  const { retransmission, peer } = state
  const { env, config } = context
  if (env.nowMs < retransmission.dueMs) return
  const mayRepeat = retransmission.repeats < MAX_REPEATS
  if (mayRepeat && retransmit(retransmission, env.nowMs, config.timing) === 'repeat') {
    sendAll(context, sa, retransmission.datagrams, peer.path)
  } else beginAnew(context, sa, state)
}

export function receiveResumeResponse(context: Context, sa: IkeSa, state: ResumeSent, response: InitResponse): void {
  const { payloads } = response
  const cookie = findNotify(payloads, NOTIFY.COOKIE)
  const nonce = findPayload(payloads, 'nonce')
  if (cookie !== null) followCookie(context, sa, state, cookie.data)
  else if (findNotify(payloads, NOTIFY.TICKET_NACK) !== null || firstError(payloads) !== null) {
    beginAnew(context, sa, state)
  } else if (nonce !== null && response.header.spiR !== ZERO_SPI)
    accept(context, sa, state, response, nonce.data.slice())
}

function followCookie(context: Context, sa: IkeSa, state: ResumeSent, cookie: Uint8Array): void {
  const isWellFormed = cookie.length >= 1 && cookie.length <= MAX_COOKIE_BYTES
  if (!isWellFormed || state.cookies >= MAX_COOKIES) return
  const next = requestState(context, sa.spiI, { ...state, cookies: state.cookies + 1 }, cookie.slice())
  sa.state = next
  send(context, sa, next)
}

function accept(context: Context, sa: IkeSa, state: ResumeSent, response: InitResponse, nonceR: Uint8Array): void {
  const { env, tables } = context
  const { attachment, peer, nonceI, request } = state
  const { spiR } = response.header
  const fragmentation = findNotify(response.payloads, NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED) !== null
  const exchange = { originalInitiator: true, fragmentation, nonceI, nonceR, spiI: sa.spiI, spiR }
  const kept = decodeState(state.resume.state)
  const share = (transforms: Parameters<typeof shareTransforms>[1]) => shareTransforms(tables, transforms)
  const resumed = kept === null ? null : resumeChannel(env.crypto, kept, share, exchange)
  if (resumed === null) {
    beginAnew(context, sa, state)
    return
  }
  const { channel, keys } = resumed
  sa.spiR = spiR
  float(context, sa, response)
  exposeKeys(context, sa, channel)
  const isChildless =
    peer.childless === true && findNotify(response.payloads, NOTIFY.CHILDLESS_IKEV2_SUPPORTED) !== null
  const init = {
    request,
    response: response.bytes.slice(),
    nonceI,
    nonceR,
    skPi: keys.skPi,
    skPr: keys.skPr,
    intAuth: EMPTY,
    hashes: null,
    usesPpk: false,
    isResumed: true,
  }
  proceed(context, sa, { attachment, peer, isChildless, channel, init })
}
