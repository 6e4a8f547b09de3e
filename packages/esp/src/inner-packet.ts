/**
 * Reads as much of an inner IP packet as selectors, the flow table and MSS clamping need (RFC 791, 8200, CONFORMANCE N17).
 *
 * Total on hostile input. Octets after the IP total length are traffic flow confidentiality padding (RFC 4303 2.7) and are cut off.
 * Source routing (IPv4 options 131 and 137, an IPv6 routing header with segments left) is refused: the address in the header
 * would not be the one the packet goes to. An IPv6 fragment header that cuts nothing off makes no fragment (RFC 8200 4.5).
 */
import { DropCode } from './drop-code.ts'
import { readUint16, readUint32 } from './octets.ts'

export const Protocol = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const

/** Reused record; valid until the next `parseInnerPacket` into it. */
export interface InnerPacket {
  version: 4 | 6
  /** Upper-layer protocol, behind IPv6 extension headers. */
  protocol: number
  /** Offset of the IP header in the buffer that was parsed. */
  packetOffset: number
  /** Length by the IP header. */
  totalBytes: number
  /** Offset of the upper-layer header in the buffer that was parsed. */
  transportOffset: number
  /** IPv4 addresses, unsigned; 0 in IPv6 packets. */
  source4: number
  destination4: number
  /** IPv6 addresses as four words; stale in IPv4 packets. */
  readonly source6: Uint32Array
  readonly destination6: Uint32Array
  /** False in fragments after the first and in protocols without ports. */
  hasPorts: boolean
  /** For ICMP both ports are type << 8 | code (RFC 7296 3.13.1). */
  sourcePort: number
  destinationPort: number
  isFragment: boolean
  /** A fragment behind the first: the upper layer cannot be seen. */
  isLaterFragment: boolean
  /** TCP flags; 0 for everything else. */
  tcpFlags: number
}

export function createInnerPacket(): InnerPacket {
  return {
    version: 4,
    protocol: 0,
    packetOffset: 0,
    totalBytes: 0,
    transportOffset: 0,
    source4: 0,
    destination4: 0,
    source6: new Uint32Array(4),
    destination6: new Uint32Array(4),
    hasPorts: false,
    sourcePort: 0,
    destinationPort: 0,
    isFragment: false,
    isLaterFragment: false,
    tcpFlags: 0,
  }
}

/**
 * @param bytes borrowed; the packet lies at `offset`, `length` octets long
 * @param out overwritten
 * @returns `none` or `innerMalformed`
 */
export function parseInnerPacket(bytes: Uint8Array, offset: number, length: number, out: InnerPacket): DropCode {
  out.packetOffset = offset
  out.hasPorts = false
  out.isFragment = false
  out.isLaterFragment = false
  out.sourcePort = 0
  out.destinationPort = 0
  out.tcpFlags = 0
  if (length < 20) return DropCode.innerMalformed
  const version = bytes[offset]! >>> 4
  if (version === 4) return parse4(bytes, offset, length, out)
  if (version === 6 && length >= 40) return parse6(bytes, offset, length, out)
  return DropCode.innerMalformed
}

/**
 * Reads the packet that an ICMP error quotes (RFC 792, RFC 4443 3): cut anywhere behind 8 octets of its upper layer.
 *
 * @param length octets of the quotation at `offset`
 * @param out overwritten: addresses, `protocol` and `transportOffset`, with 8 octets there; the rest means nothing
 * @returns false when that much is not there, or it is a fragment behind the first
 */
export function parseQuotedPacket(bytes: Uint8Array, offset: number, length: number, out: InnerPacket): boolean {
  if (length < 28) return false
  out.isFragment = false
  out.isLaterFragment = false
  if (bytes[offset]! >>> 4 === 4) {
    const headerBytes = (bytes[offset]! & 0x0f) * 4
    if (headerBytes < 20 || (readUint16(bytes, offset + 6) & 0x1fff) !== 0) return false
    out.version = 4
    out.protocol = bytes[offset + 9]!
    out.source4 = readUint32(bytes, offset + 12)
    out.destination4 = readUint32(bytes, offset + 16)
    out.transportOffset = offset + headerBytes
  } else {
    if (bytes[offset]! >>> 4 !== 6 || length < 48) return false
    readAddresses6(bytes, offset, out)
    if (walkExtensions6(bytes, offset, offset + length, out) !== DropCode.none || out.isLaterFragment) return false
  }
  return out.transportOffset + 8 <= offset + length
}

function parse4(bytes: Uint8Array, offset: number, length: number, out: InnerPacket): DropCode {
  const headerBytes = (bytes[offset]! & 0x0f) * 4
  const totalBytes = readUint16(bytes, offset + 2)
  if (headerBytes < 20 || totalBytes < headerBytes || totalBytes > length) return DropCode.innerMalformed
  if (headerBytes > 20 && hasSourceRoute4(bytes, offset + 20, offset + headerBytes)) return DropCode.innerMalformed
  const fragment = readUint16(bytes, offset + 6) & 0x3fff // more-fragments flag and offset
  out.version = 4
  out.protocol = bytes[offset + 9]!
  out.totalBytes = totalBytes
  out.source4 = readUint32(bytes, offset + 12)
  out.destination4 = readUint32(bytes, offset + 16)
  out.isFragment = fragment !== 0
  out.transportOffset = offset + headerBytes
  out.isLaterFragment = (fragment & 0x1fff) !== 0
  if (out.isLaterFragment) return DropCode.none
  return parseTransport(bytes, offset + headerBytes, totalBytes - headerBytes, out)
}

function hasSourceRoute4(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from
  while (at < end) {
    const type = bytes[at]!
    if (type === 0) return false
    if (type === 131 || type === 137) return true
    if (type === 1) {
      at++
      continue
    }
    const optionBytes = at + 1 < end ? bytes[at + 1]! : 0
    if (optionBytes < 2) return true // malformed options are not worth a closer look
    at += optionBytes
  }
  return false
}

function parse6(bytes: Uint8Array, offset: number, length: number, out: InnerPacket): DropCode {
  const totalBytes = 40 + readUint16(bytes, offset + 4)
  if (totalBytes > length) return DropCode.innerMalformed
  out.totalBytes = totalBytes
  readAddresses6(bytes, offset, out)
  const end = offset + totalBytes
  const code = walkExtensions6(bytes, offset, end, out)
  if (code !== DropCode.none || out.isLaterFragment) return code
  return parseTransport(bytes, out.transportOffset, end - out.transportOffset, out)
}

function readAddresses6(bytes: Uint8Array, offset: number, out: InnerPacket): void {
  out.version = 6
  out.source4 = 0
  out.destination4 = 0
  for (let i = 0; i < 4; i++) {
    out.source6[i] = readUint32(bytes, offset + 8 + 4 * i)
    out.destination6[i] = readUint32(bytes, offset + 24 + 4 * i)
  }
}

const MAX_EXTENSION_HEADERS = 8
const HOP_BY_HOP6 = 0
const ROUTING6 = 43
const FRAGMENT6 = 44
const DESTINATION6 = 60

/** Follows hop-by-hop (0), routing (43), fragment (44) and destination options (60) headers to the upper layer. */
function walkExtensions6(bytes: Uint8Array, offset: number, end: number, out: InnerPacket): DropCode {
  let protocol = bytes[offset + 6]!
  let at = offset + 40
  for (let headers = 0; headers <= MAX_EXTENSION_HEADERS; headers++) {
    if (!isExtension6(protocol)) {
      out.protocol = protocol
      out.transportOffset = at
      return DropCode.none
    }
    if (at + 8 > end) return DropCode.innerMalformed
    const next = bytes[at]!
    if (protocol === FRAGMENT6) {
      const fragment = readUint16(bytes, at + 2) & 0xfff9 // offset and more-fragments flag
      if (fragment !== 0) out.isFragment = true
      if (fragment > 1) {
        out.isLaterFragment = true
        out.protocol = next
        out.transportOffset = at + 8
        return DropCode.none
      }
      at += 8
    } else {
      if (protocol === ROUTING6 && bytes[at + 3] !== 0) return DropCode.innerMalformed
      at += (bytes[at + 1]! + 1) * 8
      if (at > end) return DropCode.innerMalformed
    }
    protocol = next
  }
  return DropCode.innerMalformed
}

function isExtension6(protocol: number): boolean {
  return protocol === HOP_BY_HOP6 || protocol === ROUTING6 || protocol === FRAGMENT6 || protocol === DESTINATION6
}

function parseTransport(bytes: Uint8Array, at: number, length: number, out: InnerPacket): DropCode {
  switch (out.protocol) {
    case Protocol.tcp:
      if (length < 20) return DropCode.innerMalformed
      out.tcpFlags = bytes[at + 13]!
      break
    case Protocol.udp:
      if (length < 8) return DropCode.innerMalformed
      break
    case Protocol.icmp:
    case Protocol.icmp6:
      if (length < 4) return DropCode.innerMalformed
      out.hasPorts = true
      out.sourcePort = readUint16(bytes, at)
      out.destinationPort = out.sourcePort
      return DropCode.none
    default:
      return DropCode.none
  }
  out.hasPorts = true
  out.sourcePort = readUint16(bytes, at)
  out.destinationPort = readUint16(bytes, at + 2)
  return DropCode.none
}
