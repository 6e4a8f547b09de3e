/**
 * Type-Data of EAP-TLS (RFC 5216 3): one octet of flags, perhaps the length of the whole TLS message, and a piece of it.
 *
 * ```
 *  0 1 2 3 4 5 6 7
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |L M S R R R R R|  TLS Message Length (4 octets, with L only)
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     TLS Data ...
 * ```
 *
 * Nothing but a zero flags octet is an acknowledgement. Reserved bits are sent as zero and ignored.
 */
import { ByteReader, ByteWriter } from '@culvert/bytes'
import { type Decoded, decoded, refused } from '../decoded.ts'

const FLAG = { LENGTH: 0x80, MORE: 0x40, START: 0x20 } as const

export interface TlsFragment {
  /** Octets of the whole message; null without L. */
  readonly messageBytes: number | null
  readonly hasMore: boolean
  readonly isStart: boolean
  readonly data: Uint8Array
}

export const TLS_START: Uint8Array = Uint8Array.of(FLAG.START)
export const TLS_ACKNOWLEDGEMENT: Uint8Array = Uint8Array.of(0)

/** @param data Type-Data; the result aliases it. Errors: `truncated`; `badLength` for a message shorter than this piece of it. */
export function decodeTlsFragment(data: Uint8Array): Decoded<TlsFragment> {
  const reader = new ByteReader(data)
  const flags = reader.u8()
  if (flags === undefined) return refused('truncated', 0)
  const hasLength = (flags & FLAG.LENGTH) !== 0
  const messageBytes = hasLength ? reader.u32() : null
  if (messageBytes === undefined) return refused('truncated', data.length)
  if (messageBytes !== null && messageBytes < reader.remaining) return refused('badLength', 1)
  const hasMore = (flags & FLAG.MORE) !== 0
  return decoded({ messageBytes, hasMore, isStart: (flags & FLAG.START) !== 0, data: reader.rest() })
}

export function encodeTlsFragment(fragment: TlsFragment): Uint8Array {
  const { messageBytes, hasMore, isStart, data } = fragment
  const flags = (messageBytes === null ? 0 : FLAG.LENGTH) | (hasMore ? FLAG.MORE : 0) | (isStart ? FLAG.START : 0)
  const writer = new ByteWriter().u8(flags)
  if (messageBytes !== null) writer.u32(messageBytes)
  return writer.bytes(data).finish()
}

export function isTlsAcknowledgement(fragment: TlsFragment): boolean {
  return fragment.data.length === 0 && !fragment.hasMore && !fragment.isStart && fragment.messageBytes === null
}
