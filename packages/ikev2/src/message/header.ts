/**
 * The IKE header (RFC 7296 3.1), 28 octets, all fields big-endian:
 *
 *   SPIi(8) | SPIr(8) | next payload | major(4) minor(4) | exchange | flags: X X R V I X X X | message id(4) | length(4)
 *
 * Reserved flags and V are sent as zero and ignored on receipt (C05). The minor version is ignored (C04).
 */
import type { IkeHeader, MessageId, Result } from './model.ts'
import { IKE_SPI_BYTES, readIkeSpi, readU32, readU8, writeIkeSpi, writeU32 } from './octets.ts'
import { failure, success } from './result.ts'

export const HEADER_BYTES = 28
export const MAJOR_VERSION = 2

const VERSION_OCTET = 0x20
const FLAG_INITIATOR = 0x08
const FLAG_RESPONSE = 0x20

export interface PeekedHeader extends IkeHeader {
  /** The Length field; the whole message with this header. */
  readonly length: number
  readonly majorVersion: number
  readonly firstType: number
}

/** Reads the header alone, whatever its version or length say. @returns `truncated` when it is not there in full. */
export function peekHeader(datagram: Uint8Array): Result<PeekedHeader> {
  if (datagram.length < HEADER_BYTES) return failure('truncated', 0, datagram.length)
  const flags = readU8(datagram, 19)
  return success({
    spiI: readIkeSpi(datagram, 0),
    spiR: readIkeSpi(datagram, 8),
    exchangeType: readU8(datagram, 18),
    messageId: readU32(datagram, 20) as MessageId,
    fromOriginalInitiator: (flags & FLAG_INITIATOR) !== 0,
    isResponse: (flags & FLAG_RESPONSE) !== 0,
    length: readU32(datagram, 24),
    majorVersion: readU8(datagram, 17) >>> 4,
    firstType: readU8(datagram, 16),
  })
}

/** @param length of the whole message. @returns 28 fresh octets. */
export function encodeHeader(header: IkeHeader, firstType: number, length: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  writeHeader(bytes, header, firstType, length)
  return bytes
}

/** Into the first 28 octets of `bytes`. @param length of the whole message. */
export function writeHeader(bytes: Uint8Array, header: IkeHeader, firstType: number, length: number): void {
  writeIkeSpi(bytes, 0, header.spiI)
  writeIkeSpi(bytes, IKE_SPI_BYTES, header.spiR)
  bytes[16] = firstType
  bytes[17] = VERSION_OCTET
  bytes[18] = header.exchangeType
  bytes[19] = (header.fromOriginalInitiator ? FLAG_INITIATOR : 0) | (header.isResponse ? FLAG_RESPONSE : 0)
  writeU32(bytes, 20, header.messageId)
  writeU32(bytes, 24, length)
}
