/**
 * Framing of EAP-AKA and EAP-AKA' (RFC 4187 8.1, RFC 9048): the Type-Data of types 23 and 50. Framing only: what an attribute
 * holds, and whether AT_MAC is right, is not looked at.
 *
 * ```
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |    Subtype    |           Reserved            |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |   Attribute   |    Length     |  Value ...   (Length counts words of 4 octets, these two octets included)
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
 * ```
 *
 * A length of zero would make no progress, one beyond the packet would read outside: both are refused.
 */
import { ByteReader, ByteWriter } from '@culvert/bytes'
import { type Decoded, decoded, refused } from '../decoded.ts'

/** No message of RFC 4187 or RFC 9048 has half as many. */
const MOST_ATTRIBUTES = 32
const WORD_BYTES = 4
const MESSAGE_HEADER_BYTES = 3
const ATTRIBUTE_HEADER_BYTES = 2

export interface AkaMessage {
  readonly subtype: number
  /** In the order they came. */
  readonly attributes: readonly AkaAttribute[]
}

export interface AkaAttribute {
  readonly type: number
  /** Without type and length, always two octets short of a whole number of words. */
  readonly value: Uint8Array
}

/** @param data Type-Data; values are views of it. Errors: `truncated`, `badLength`. */
export function decodeAkaMessage(data: Uint8Array): Decoded<AkaMessage> {
  const reader = new ByteReader(data)
  const subtype = reader.u8()
  if (subtype === undefined || !reader.skip(2)) return refused('truncated', data.length)
  const attributes: AkaAttribute[] = []
  while (reader.remaining > 0) {
    const at = reader.offset
    const type = reader.u8()
    const words = reader.u8()
    if (type === undefined || words === undefined) return refused('truncated', data.length)
    if (words === 0 || attributes.length === MOST_ATTRIBUTES) return refused('badLength', at + 1)
    const value = reader.take(words * WORD_BYTES - ATTRIBUTE_HEADER_BYTES)
    if (value === undefined) return refused('badLength', at + 1)
    attributes.push({ type, value })
  }
  return decoded({ subtype, attributes })
}

/** @returns Type-Data with reserved octets of zero. @throws InvariantError for a value that does not fill whole words. */
export function encodeAkaMessage(message: AkaMessage): Uint8Array {
  const writer = new ByteWriter().u8(message.subtype).zeros(MESSAGE_HEADER_BYTES - 1)
  for (const { type, value } of message.attributes) {
    writer
      .u8(type)
      .u8((value.length + ATTRIBUTE_HEADER_BYTES) / WORD_BYTES)
      .bytes(value)
  }
  return writer.finish()
}
