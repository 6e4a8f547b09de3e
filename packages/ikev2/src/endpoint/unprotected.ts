/**
 * Error notifies without protection, for messages that belong to no IKE SA (RFC 7296 1.5, 2.5, 2.21.4; C04, C10).
 *
 * Requests only, a notify and nothing else (at most 9 octets more than the shortest request), with the SPIs and message id copied,
 * and rate-limited for each source and in total: they are a service to honest peers and must not be an amplifier.
 */
import type { Path } from './contract.ts'
import type { Context } from './context.ts'
import { sourceName } from './source.ts'
import { queueWork } from './work.ts'
import { notify } from '../exchanges/notify.ts'
import { encodeMessage } from '../message/encode.ts'
import { type PeekedHeader, peekHeader } from '../message/header.ts'
import type { DecodeError, IkeHeader, Payload } from '../message/model.ts'
import { EXCHANGE, NOTIFY } from '../message/numbers.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { findNotify } from '../sa/payload-shape.ts'
import { takeToken } from '../sa/token-bucket.ts'

/** A peer heard within this time is not asked again because of a hint. */
const HINT_INTERVAL_MS = 10_000

/** Tells the sender of a request that we know no IKE SA of these SPIs. */
export function answerUnknownSpi(context: Context, header: IkeHeader, path: Path): void {
  if (!header.isResponse) send(context, header, path, NOTIFY.INVALID_IKE_SPI)
}

/**
 * Somebody claims that the peer does not know this IKE SA any more. Anybody could; so it is asked early whether it lives, unless it
 * was heard of late or is being asked already, and only its silence ends the IKE SA (2.4, C46).
 */
export function hearHint(context: Context, { state }: IkeSa, payloads: readonly Payload[]): void {
  if (state.phase !== 'established' || findNotify(payloads, NOTIFY.INVALID_IKE_SPI) === null) return
  const { attachment, channel } = state
  const isFresh = context.env.nowMs < attachment.heardAtMs + HINT_INTERVAL_MS
  if (!isFresh && channel.pending === null) queueWork(context, attachment, { kind: 'liveness' })
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
  const { tables, env } = context
  if (!tables.errorSources.take(sourceName(path.remote.address), env.nowMs)) return
  if (!takeToken(tables.errorNotifies, env.nowMs)) return
  const { spiI, spiR, exchangeType, messageId } = header
  const fromOriginalInitiator = !header.fromOriginalInitiator
  const response = { spiI, spiR, exchangeType, messageId, fromOriginalInitiator, isResponse: true }
  context.effects.push({ kind: 'send', path, bytes: encodeMessage(response, [notify(type, data)]) })
}
