/**
 * Error notifies without protection, for messages that belong to no IKE SA (RFC 7296 1.5, 2.5, 2.21.4; C04, C10).
 *
 * Requests only, a notify and nothing else (at most 9 octets more than the shortest request), with the SPIs and message id copied,
 * and rate-limited in total: they are a service to honest peers and must not be an amplifier.
 */
import type { Path } from './contract.ts'
import type { Context } from './context.ts'
import { notify } from '../exchanges/notify.ts'
import { encodeMessage } from '../message/encode.ts'
import { type PeekedHeader, peekHeader } from '../message/header.ts'
import type { DecodeError, IkeHeader } from '../message/model.ts'
import { EXCHANGE, NOTIFY } from '../message/numbers.ts'
import { takeToken } from '../sa/token-bucket.ts'

/** Tells the sender of a request that we know no IKE SA of these SPIs. */
export function answerUnknownSpi(context: Context, header: IkeHeader, path: Path): void {
  if (!header.isResponse) send(context, header, path, NOTIFY.INVALID_IKE_SPI)
}

/** A datagram that could not be decoded: mostly dropped. */
export function answerUndecodable(context: Context, error: DecodeError, bytes: Uint8Array, path: Path): void {
  const header = peekHeader(bytes)
  if (!header.ok || header.value.isResponse) return
  if (error.code === 'majorVersion') send(context, withoutFlags(header.value), path, NOTIFY.INVALID_MAJOR_VERSION)
  else if (error.code === 'unknownCritical' && header.value.exchangeType === EXCHANGE.IKE_SA_INIT) {
    send(context, header.value, path, NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(error.payloadType))
  }
}

/** Flags of another version mean nothing to us. */
function withoutFlags(header: PeekedHeader): IkeHeader {
  return { ...header, fromOriginalInitiator: true }
}

function send(context: Context, header: IkeHeader, path: Path, type: number, data?: Uint8Array): void {
  if (!takeToken(context.tables.errorNotifies, context.env.nowMs)) return
  const { spiI, spiR, exchangeType, messageId } = header
  const fromOriginalInitiator = !header.fromOriginalInitiator
  const response = { spiI, spiR, exchangeType, messageId, fromOriginalInitiator, isResponse: true }
  context.effects.push({ kind: 'send', path, bytes: encodeMessage(response, [notify(type, data)]) })
}
