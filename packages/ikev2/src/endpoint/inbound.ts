/**
 * The way of a datagram: cookie, when they are demanded → header → IKE SA → window → authentication → payloads → row of the transition table → handler.
 *
 * Nothing behind a step is looked at before the step is passed: no parsing inside SK before its ICV was checked (C08), no
 * handler before the window let the message through (C47), no exchange its phase does not hear (C37).
 */
import type { Path } from './contract.ts'
import { askAgain, type Context, type Received } from './context.ts'
import { releaseAttempt } from './closing.ts'
import { turnAway } from './cookie-gate.ts'
import { answerFatally, isHeardUnproven, rejectAttempt } from './fatal.ts'
import { hear } from './handlers.ts'
import { confirmPath, followPeer } from './moving.ts'
import { respond, sendAll } from './outbound.ts'
import { answerUndecodable, answerUnknownSpi, hearHint } from './unprotected.ts'
import { notify } from '../exchanges/notify.ts'
import { receiveInitResponse } from '../exchanges/ike-sa-init/receive-response.ts'
import { answerInitRequest } from '../exchanges/ike-sa-init/respond.ts'
import { receiveResumeResponse } from '../exchanges/session-resume/initiate.ts'
import { answerResumeRequest } from '../exchanges/session-resume/respond.ts'
import { HEAD_BYTES, type MessageOctets } from '../keys/int-auth.ts'
import { decodeMessage, decodePayloads } from '../message/decode.ts'
import { peekHeader } from '../message/header.ts'
import { MAX_INIT_BYTES, MAX_REASSEMBLED_BYTES, MAX_UNPROVEN_MESSAGE_BYTES } from '../message/limits.ts'
import { type DecodeError, type IkeHeader, type Message, type Payload, ZERO_SPI } from '../message/model.ts'
import { EXCHANGE, NOTIFY } from '../message/numbers.ts'
import { EMPTY } from '../message/octets.ts'
import { addFragment } from '../message/reassembly.ts'
import { openMessage } from '../message/seal.ts'
import { addTask } from '../sa/attachment.ts'
import { type Channel, REASSEMBLY_MS } from '../sa/channel.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { classifyRequest, mayRepeat } from '../sa/message-window.ts'
import { fitsRow } from '../sa/payload-shape.ts'
import { hasCookie2 } from '../sa/request.ts'
import { findRow } from '../sa/transition-table.ts'

/** @param bytes without the non-ESP marker; not kept. */
export function receiveDatagram(context: Context, bytes: Uint8Array, path: Path): void {
  if (isOversizedInit(bytes) || turnAway(context, bytes, path)) return
  const decoded = decodeMessage(bytes)
  if (!decoded.ok) {
    answerUndecodable(context, decoded.error, bytes, path)
    return
  }
  const message = decoded.value
  const { header } = message
  if (isFirst(header)) {
    receiveFirstRequest(context, message, bytes, path)
    return
  }
  const sa = context.tables.bySpi.get(header.fromOriginalInitiator ? header.spiR : header.spiI)
  if (sa === undefined || sa.originalInitiator === header.fromOriginalInitiator) {
    answerUnknownSpi(context, header, path)
  } else if (sa.state.phase === 'initSent' || sa.state.phase === 'resumeSent') {
    receiveClear(context, sa, message, bytes, path)
  } else if (sa.spiI === header.spiI && sa.spiR === header.spiR) {
    receiveProtected(context, { sa, channel: sa.state.channel, message, bytes, path })
  } else answerUnknownSpi(context, header, path)
}

/** Not even decoded: anybody can send it, and nobody honest does. */
function isOversizedInit(bytes: Uint8Array): boolean {
  if (bytes.length <= MAX_INIT_BYTES) return false
  const header = peekHeader(bytes)
  return header.ok && isFirst(header.value)
}

/** A request that begins an IKE SA. */
function isFirst({ exchangeType, spiR, isResponse }: IkeHeader): boolean {
  const begins = exchangeType === EXCHANGE.IKE_SA_INIT || exchangeType === EXCHANGE.IKE_SESSION_RESUME
  return begins && spiR === ZERO_SPI && !isResponse
}

function receiveFirstRequest(context: Context, message: Message, bytes: Uint8Array, path: Path): void {
  const { header, payloads } = message
  const row = findRow('listening', header.exchangeType, 'request')
  const isSound = header.messageId === 0 && header.fromOriginalInitiator && header.spiI !== ZERO_SPI
  if (row === null || !isSound || message.sealed !== null || !fitsRow(row, payloads)) return
  const request = { header, payloads, bytes, path }
  if (row.handler === 'initRequest') answerInitRequest(context, request)
  else if (context.config.features?.resumption === true) answerResumeRequest(context, request)
}

function receiveClear(context: Context, sa: IkeSa, message: Message, bytes: Uint8Array, path: Path): void {
  const { header, payloads } = message
  const { state } = sa
  const row = findRow(state.phase, header.exchangeType, header.isResponse ? 'response' : 'request')
  const isAnswer = header.messageId === 0 && header.spiI === sa.spiI && message.sealed === null
  if (row === null || !isAnswer || !fitsRow(row, payloads)) return
  const response = { header, payloads, bytes, path }
  if (state.phase === 'initSent') receiveInitResponse(context, sa, state, response)
  else if (state.phase === 'resumeSent') receiveResumeResponse(context, sa, state, response)
  const isKnown = context.tables.bySpi.get(sa.localSpi) === sa
  context.observe?.(row, isKnown ? sa.state.phase : 'gone')
}

interface Protected {
  readonly sa: IkeSa
  readonly channel: Channel
  readonly message: Message
  readonly bytes: Uint8Array
  readonly path: Path
}

function receiveProtected(context: Context, incoming: Protected): void {
  const { channel, message, bytes, path, sa } = incoming
  const { header, sealed } = message
  if (sealed === null) {
    if (header.isResponse) hearHint(context, sa, message.payloads)
    return
  }
  if (sealed.totalFragments > 0 && !channel.fragmentation) return
  if (bytes.length > messageLimit(sa)) return
  if (header.isResponse) {
    const { pending } = channel
    if (pending?.messageId !== header.messageId || pending.exchangeType !== header.exchangeType) return
    const plaintext = openMessage(bytes, message, channel.receiving)
    if (plaintext.ok) assemble(context, incoming, plaintext.value)
    return
  }
  const verdict = classifyRequest(channel.received, header.messageId)
  if (verdict === 'outside') return
  const opened = openMessage(bytes, message, channel.receiving)
  const former = verdict === 'repeated' && !opened.ok ? channel.formerReceiving : null
  const plaintext = former === null ? opened : openMessage(bytes, message, former)
  if (!plaintext.ok) return
  if (verdict === 'fresh') assemble(context, incoming, plaintext.value)
  else if (sealed.totalFragments === 0 || sealed.fragmentNumber === 1) repeat(context, sa, path)
}

/** The peer repeats a request: it gets the response once more, or we ask once more for what the response needs. */
function repeat(context: Context, sa: IkeSa, path: Path): void {
  const { state } = sa
  if ('ask' in state) askAgain(context, state.ask)
  else if ('channel' in state && mayRepeat(state.channel.received, context.env.nowMs)) {
    sendAll(context, sa, state.channel.received.response ?? [], path)
  }
}

/** Puts fragments together; a whole message goes on at once. */
function assemble(context: Context, incoming: Protected, plaintext: Uint8Array): void {
  const { channel, message } = incoming
  const { header, sealed } = message
  if (sealed === null) return
  if (sealed.totalFragments === 0) {
    const head = incoming.bytes.subarray(0, HEAD_BYTES)
    process(context, incoming, { head, innerType: sealed.innerType, content: plaintext })
    return
  }
  const place = header.isResponse ? 'responseFragments' : 'requestFragments'
  const collected = channel[place]?.messageId === header.messageId ? channel[place] : null
  const { set, complete } = addFragment(collected?.set ?? null, sealed, plaintext, messageLimit(incoming.sa))
  const expiresAtMs = context.env.nowMs + REASSEMBLY_MS
  const head = sealed.fragmentNumber === 1 ? incoming.bytes.slice(0, HEAD_BYTES) : (collected?.head ?? EMPTY)
  channel[place] = set === null ? null : { messageId: header.messageId, set, head, expiresAtMs }
  context.touched.add(incoming.sa)
  if (complete !== null) {
    process(context, incoming, { head, innerType: complete.innerType, content: complete.bytes })
  }
}

/** Largest message we put together or keep: before authentication, memory is for everybody. */
function messageLimit({ state }: IkeSa): number {
  return 'digest' in state ? MAX_UNPROVEN_MESSAGE_BYTES : MAX_REASSEMBLED_BYTES
}

/** A whole, authentic message of the expected id. What its phase does not hear leaves no trace: it may come again from anywhere. */
function process(context: Context, incoming: Protected, octets: MessageOctets): void {
  const { sa, channel, message, path } = incoming
  const { header } = message
  context.touched.add(sa)
  const row = findRow(sa.state.phase, header.exchangeType, header.isResponse ? 'response' : 'request')
  if (row === null) return
  heard(context, incoming)
  const decoded = decodePayloads(octets.innerType, octets.content)
  const payloads = decoded.ok ? decoded.value : []
  const received: Received = { sa, channel, header, messageId: header.messageId, payloads, octets, path }
  if (!decoded.ok) rejectPayloads(context, received, decoded.error)
  else if (!fitsRow(row, payloads)) rejectPayloads(context, received, null)
  else hear(context, row, received)
}

/** The peer lives, and a fresh request of a peer behind NAT tells where it is (C60). */
function heard(context: Context, { sa, channel, message, path }: Protected): void {
  const { state } = sa
  if (state.phase !== 'established') return
  state.attachment.heardAtMs = context.env.nowMs
  if (!message.header.isResponse) followPeer(context, state.attachment, path)
  else if (channel.pending !== null && !hasCookie2(channel.pending.attempt)) {
    confirmPath(context, state.attachment, channel.pending.path, path)
  }
}

/** @param error null when every payload is sound but they do not make a message (C07, C49). */
function rejectPayloads(context: Context, received: Received, error: DecodeError | null): void {
  const { sa, channel, header, messageId, path } = received
  if (header.isResponse) giveUp(context, received)
  else if (error?.code === 'unknownCritical') {
    const exchange = { sa, channel, exchangeType: header.exchangeType }
    respond(context, exchange, messageId, [unsupported(error.payloadType)], path)
    if (isHeardUnproven(sa.state)) rejectAttempt(context, received, sa.state)
  } else answerFatally(context, received)
}

function unsupported(payloadType: number): Payload {
  return notify(NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(payloadType))
}

/** A response that cannot be understood: no notify for it, the IKE SA ends in an exchange of its own (C49). */
function giveUp(context: Context, { sa, channel }: Received): void {
  const { state } = sa
  if (!('attachment' in state)) return
  if (state.phase === 'established') {
    releaseAttempt(context, channel)
    channel.pending = null
    addTask(state.attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
  }
}
