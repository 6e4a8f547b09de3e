/**
 * EAP packets (RFC 3748 4), as they stand in an EAP payload of IKEv2: the whole payload is one packet, so Length must agree
 * with it exactly and there is no padding to ignore.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     Code      |  Identifier   |            Length             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     Type      |  Type-Data ...          (Request and Response only)
 * +-+-+-+-+-+-+-+-+-+-+-+-
 * ```
 *
 * Expanded types (5.7) are refused. What Type-Data means is the method's business.
 */
import { ByteReader, ByteWriter } from '@culvert/bytes'
import { type Decoded, decoded, refused } from './decoded.ts'

/** Codes (RFC 3748 4). */
const CODES = { request: 1, response: 2, success: 3, failure: 4 } as const

/** Types (RFC 3748 5 and IANA's registry) that are named somewhere in this package. */
export const EAP_TYPE = {
  IDENTITY: 1,
  NOTIFICATION: 2,
  NAK: 3,
  TLS: 13,
  AKA: 23,
  MSCHAPV2: 26,
  AKA_PRIME: 50,
  EXPANDED: 254,
} as const

const HEADER_BYTES = 4

export type EapPacket = EapMessage | EapVerdict

export interface EapMessage {
  readonly kind: 'request' | 'response'
  readonly identifier: number
  readonly type: number
  /** Type-Data, without the type octet; a view when it comes from the decoder. */
  readonly data: Uint8Array
}

export interface EapVerdict {
  readonly kind: 'success' | 'failure'
  readonly identifier: number
}

/** @param packet one whole packet; the result aliases it. Errors: every code of `EapDecodeErrorCode` but `badValue`. */
export function decodeEap(packet: Uint8Array): Decoded<EapPacket> {
  const reader = new ByteReader(packet)
  const code = reader.u8()
  const identifier = reader.u8()
  const length = reader.u16()
  if (code === undefined || identifier === undefined || length === undefined) return refused('truncated', packet.length)
  if (length !== packet.length) return refused('badLength', 2)
  switch (code) {
    case CODES.success:
    case CODES.failure:
      if (length !== HEADER_BYTES) return refused('badLength', 2)
      return decoded({ kind: code === CODES.success ? 'success' : 'failure', identifier })
    case CODES.request:
    case CODES.response: {
      const type = reader.u8()
      if (type === undefined) return refused('truncated', HEADER_BYTES)
      if (type === EAP_TYPE.EXPANDED) return refused('expandedType', HEADER_BYTES)
      const kind = code === CODES.request ? 'request' : 'response'
      return decoded({ kind, identifier, type, data: reader.rest() })
    }
    default:
      return refused('badCode', 0)
  }
}

/** @returns a fresh array. @throws InvariantError when Type-Data does not fit 65535 octets or a field its octet. */
export function encodeEap(packet: EapPacket): Uint8Array {
  const writer = new ByteWriter()
  writer.u8(CODES[packet.kind]).u8(packet.identifier).u16(0)
  if ('type' in packet) writer.u8(packet.type).bytes(packet.data)
  return writer.patchU16(2, writer.length).finish()
}
