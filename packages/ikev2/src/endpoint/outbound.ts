/**
 * Sends protected messages: one request at a time, and the response to the request now answered.
 *
 * Both are kept as sealed: repetitions are the same octets (C45, C46). When an IKE SA has no message id or IV left, nothing is
 * sent on it any more and the caller closes it; long before that a rekey was queued.
 */
import type { Path } from './contract.ts'
import type { Context } from './context.ts'
import type { IkeHeader, MessageId, Payload } from '../message/model.ts'
import { sealMessage } from '../message/seal.ts'
import { type Channel, forgetFormerKeys } from '../sa/channel.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { ivsRemain, nextAeadIv } from '../sa/iv-source.ts'
import { commitResponse, takeMessageId } from '../sa/message-window.ts'
import type { Attempt } from '../sa/request.ts'
import { startRetransmission } from '../sa/retransmission.ts'

/** More than one message can have fragments. */
const IVS_PER_MESSAGE = 256

export interface Exchange {
  readonly sa: IkeSa
  readonly channel: Channel
  readonly exchangeType: number
}

/**
 * Sends a request; the caller made sure that none is pending.
 *
 * @returns false when the IKE SA cannot send any more.
 */
export function sendRequest(
  context: Context,
  exchange: Exchange,
  payloads: readonly Payload[],
  attempt: Attempt,
): boolean {
  const { sa, channel, exchangeType } = exchange
  const { env, config } = context
  const messageId = ivsRemain(channel.iv, IVS_PER_MESSAGE) ? takeMessageId(channel.sent) : null
  if (messageId === null) return false
  const datagrams = seal(context, exchange, messageId, payloads, false)
  const retransmission = startRetransmission(datagrams, env.nowMs, config.timing)
  channel.pending = { messageId, exchangeType, attempt, retransmission, path: sa.route.path }
  sendAll(context, sa, datagrams, sa.route.path)
  context.touched.add(sa)
  return true
}

/** Answers the request `messageId`, keeps the answer, and opens the window for the next request. */
export function respond(
  context: Context,
  exchange: Exchange,
  messageId: MessageId,
  payloads: readonly Payload[],
  path: Path,
): void {
  const { sa, channel } = exchange
  const datagrams = ivsRemain(channel.iv, IVS_PER_MESSAGE) ? seal(context, exchange, messageId, payloads, true) : []
  commitResponse(channel.received, datagrams, context.env.nowMs)
  forgetFormerKeys(channel)
  channel.requestFragments = null
  sendAll(context, sa, datagrams, path)
  context.touched.add(sa)
}

export function sendAll(context: Context, sa: IkeSa, datagrams: readonly Uint8Array[], path: Path): void {
  for (const bytes of datagrams) context.effects.push({ kind: 'send', path, bytes })
  sa.route.sentAtMs = context.env.nowMs
}

/** The header of a message of ours. */
export function headerOf({ sa, exchangeType }: Exchange, messageId: MessageId, isResponse: boolean): IkeHeader {
  const { spiI, spiR, originalInitiator: fromOriginalInitiator } = sa
  return { spiI, spiR, exchangeType, messageId, fromOriginalInitiator, isResponse }
}

function seal(
  context: Context,
  exchange: Exchange,
  messageId: MessageId,
  payloads: readonly Payload[],
  isResponse: boolean,
): Uint8Array[] {
  const { env, config } = context
  const { channel } = exchange
  const header = headerOf(exchange, messageId, isResponse)
  const { cipher } = channel.sending
  const nextIv = cipher.kind === 'aead' ? () => nextAeadIv(channel.iv, env) : () => env.rng(cipher.ivBytes)
  const limits = { fragmentBytes: config.fragmentBytes, fragmentation: channel.fragmentation }
  return sealMessage(header, payloads, channel.sending, nextIv, limits)
}
