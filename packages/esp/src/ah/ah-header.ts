/**
 * The authentication header (RFC 4302 2): where it lies in a packet, and its fixed part.
 *
 *   | next header 1 | payload length 1 | reserved 2 | SPI 4 | sequence 4 | ICV, padding |
 *
 * The payload length counts words of 32 bits, without the first two. The header is a multiple of 4 octets in IPv4 and of 8 in
 * IPv6; receivers take 8 in IPv4 too, which some senders use. Total on hostile input.
 */
import { readUint16, readUint32, writeUint32 } from '../octets.ts'

export const PROTOCOL_AH = 51
/** Without the ICV. */
export const AH_FIXED_BYTES = 12

const MAX_EXTENSION_HEADERS = 8

/** Reused record. */
export interface AhPlace {
  version: 4 | 6
  /** Of the authentication header in the packet. */
  offset: number
  /** Of the header, with ICV and padding. */
  length: number
  /** Of the field in front that names AH: the protocol of IPv4, the next header of the header before. */
  namedAt: number
  /** Of the whole packet by its IP header. */
  totalBytes: number
  nextHeader: number
  spi: number
  sequenceLow: number
}

export function createAhPlace(): AhPlace {
  return { version: 4, offset: 0, length: 0, namedAt: 0, totalBytes: 0, nextHeader: 0, spi: 0, sequenceLow: 0 }
}

/** Octets of the header for an ICV of this length. */
export function ahBytes(icvBytes: number, version: 4 | 6): number {
  const unit = version === 4 ? 4 : 8
  return Math.ceil((AH_FIXED_BYTES + icvBytes) / unit) * unit
}

/**
 * @param packet whole IP packet, `packet.length` octets or fewer by its header; borrowed
 * @returns whether there is an authentication header that may be looked at: not in a fragment (RFC 4302 3.4.1), not behind a routing
 * header with segments left, within the packet
 */
export function findAh(packet: Uint8Array, out: AhPlace): boolean {
  if (packet.length < 20) return false
  const version = packet[0]! >>> 4
  if (version === 4) return findAh4(packet, out)
  return version === 6 && packet.length >= 40 && findAh6(packet, out)
}

function findAh4(packet: Uint8Array, out: AhPlace): boolean {
  const headerBytes = (packet[0]! & 0x0f) * 4
  const totalBytes = readUint16(packet, 2)
  if (headerBytes < 20 || totalBytes < headerBytes || totalBytes > packet.length) return false
  if ((readUint16(packet, 6) & 0x3fff) !== 0 || packet[9] !== PROTOCOL_AH) return false
  out.version = 4
  out.totalBytes = totalBytes
  out.namedAt = 9
  return readAh(packet, headerBytes, out)
}

function findAh6(packet: Uint8Array, out: AhPlace): boolean {
  const totalBytes = 40 + readUint16(packet, 4)
  if (totalBytes > packet.length) return false
  out.version = 6
  out.totalBytes = totalBytes
  out.namedAt = 6
  let at = 40
  for (let headers = 0; headers <= MAX_EXTENSION_HEADERS; headers++) {
    const type = packet[out.namedAt]!
    if (type === PROTOCOL_AH) return readAh(packet, at, out)
    if ((type !== 0 && type !== 43 && type !== 60) || at + 8 > totalBytes) return false
    if (type === 43 && packet[at + 3] !== 0) return false
    out.namedAt = at
    at += (packet[at + 1]! + 1) * 8
  }
  return false
}

function readAh(packet: Uint8Array, at: number, out: AhPlace): boolean {
  if (at + AH_FIXED_BYTES > out.totalBytes) return false
  out.offset = at
  out.nextHeader = packet[at]!
  out.length = (packet[at + 1]! + 2) * 4
  out.spi = readUint32(packet, at + 4)
  out.sequenceLow = readUint32(packet, at + 8)
  const isAligned = out.version === 4 || out.length % 8 === 0
  return isAligned && out.length >= AH_FIXED_BYTES && at + out.length <= out.totalBytes
}

/** Writes a header whose ICV and padding are zero. @param length of all of it, as `ahBytes` says */
export function writeAh(bytes: Uint8Array, at: number, length: number, fields: AhFields): void {
  bytes.fill(0, at, at + length)
  bytes[at] = fields.nextHeader
  bytes[at + 1] = length / 4 - 2
  writeUint32(bytes, at + 4, fields.spi)
  writeUint32(bytes, at + 8, fields.sequenceLow)
}

export interface AhFields {
  readonly nextHeader: number
  readonly spi: number
  readonly sequenceLow: number
}
