/**
 * Replaces an IPv4 address in a packet, and everywhere a checksum counts it (RFC 1624, RFC 3022 4.1 to 4.3).
 *
 *   IP header checksum · TCP and UDP checksum (pseudo-header) · in ICMP errors the quoted packet's address, its header checksum,
 *   its TCP or UDP checksum as far as it is quoted, and the ICMP checksum over all of these
 *
 * Incremental: what was wrong before stays wrong, so a damaged packet is never made whole. A UDP checksum of 0 means none and
 * stays (RFC 768). Fragments after the first have no transport header, the first one has the checksum of the whole packet.
 */
import { type InnerPacket, Protocol } from './inner-packet.ts'
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts'

/** Offset of the address in an IPv4 header. */
export const AddressField = { source: 12, destination: 16 } as const
export type AddressField = (typeof AddressField)[keyof typeof AddressField]

/** `partial`: the checksum field holds the folded sum of the pseudo-header, and the kernel's or our segmentation completes it. */
export type TransportChecksum = 'complete' | 'partial'

const IP_CHECKSUM = 10
const TCP_CHECKSUM = 16
const UDP_CHECKSUM = 6
const ICMP_CHECKSUM = 2
const ICMP_HEADER_BYTES = 8

/**
 * @param bytes the packet `inner` was parsed from (IPv4); changed in place
 * @param inner its address is changed too
 * @param address unsigned
 */
export function rewriteAddress(
  bytes: Uint8Array,
  inner: InnerPacket,
  field: AddressField,
  address: number,
  checksum: TransportChecksum = 'complete',
): void {
  const isFirst = (readUint16(bytes, inner.packetOffset + 6) & 0x1fff) === 0
  const protocol = isFirst ? inner.protocol : 0
  rewriteHeader(bytes, inner.packetOffset, inner.transportOffset, field, address, protocol, checksum)
  if (field === AddressField.source) inner.source4 = address
  else inner.destination4 = address
}

/**
 * The same for a packet whose headers are known already.
 *
 * @param packet offset of its IPv4 header
 * @param transport offset of the TCP or UDP header, which is there in full
 * @param protocol 0 when no transport checksum shall change
 */
export function rewriteHeader(
  bytes: Uint8Array,
  packet: number,
  transport: number,
  field: AddressField,
  address: number,
  protocol: number,
  checksum: TransportChecksum,
): void {
  const before = readUint32(bytes, packet + field)
  writeUint32(bytes, packet + field, address)
  const header = packet + IP_CHECKSUM
  writeUint16(bytes, header, updatedBy(readUint16(bytes, header), before, address))
  if (protocol !== Protocol.tcp && protocol !== Protocol.udp) return
  const at = transport + (protocol === Protocol.tcp ? TCP_CHECKSUM : UDP_CHECKSUM)
  const sum = readUint16(bytes, at)
  if (checksum === 'partial') writeUint16(bytes, at, ~updatedBy(~sum & 0xffff, before, address))
  else if (protocol === Protocol.tcp) writeUint16(bytes, at, updatedBy(sum, before, address))
  else if (sum !== 0) writeUint16(bytes, at, updatedBy(sum, before, address) || 0xffff)
}

/**
 * Whether the packet is an ICMP error that quotes enough of an IPv4 packet to say whose it was (RFC 792: header and 8 octets).
 *
 * @param bytes the packet `inner` was parsed from
 * @returns offset of the quoted header, or -1
 */
export function quotedPacket(bytes: Uint8Array, inner: InnerPacket): number {
  if (inner.version !== 4 || inner.protocol !== Protocol.icmp || !inner.hasPorts || inner.isFragment) return -1
  const type = inner.sourcePort >>> 8
  if (type !== 3 && type !== 11 && type !== 12) return -1
  const quoted = inner.transportOffset + ICMP_HEADER_BYTES
  const available = inner.packetOffset + inner.totalBytes - quoted
  if (available < 28 || bytes[quoted]! >>> 4 !== 4) return -1
  const headerBytes = (bytes[quoted]! & 0x0f) * 4
  return headerBytes >= 20 && available >= headerBytes + 8 ? quoted : -1
}

/**
 * Replaces an address of the packet that an ICMP error quotes.
 *
 * @param quoted what `quotedPacket` returned for this packet, not -1
 * @param address unsigned
 */
export function rewriteQuotedAddress(
  bytes: Uint8Array,
  inner: InnerPacket,
  quoted: number,
  field: AddressField,
  address: number,
): void {
  const before = readUint32(bytes, quoted + field)
  const header = readUint16(bytes, quoted + IP_CHECKSUM)
  const transport = quoted + (bytes[quoted]! & 0x0f) * 4
  const sumAt = quotedChecksum(bytes, inner, quoted, transport)
  const sum = sumAt === -1 ? 0 : readUint16(bytes, sumAt)
  const protocol = sumAt === -1 ? 0 : bytes[quoted + 9]!
  rewriteHeader(bytes, quoted, transport, field, address, protocol, 'complete')
  const icmp = inner.transportOffset + ICMP_CHECKSUM
  let checksum = updatedBy(readUint16(bytes, icmp), before, address)
  checksum = updatedBy(checksum, header, readUint16(bytes, quoted + IP_CHECKSUM))
  if (sumAt !== -1) checksum = updatedBy(checksum, sum, readUint16(bytes, sumAt))
  writeUint16(bytes, icmp, checksum)
}

/** @returns offset of the TCP or UDP checksum in a quoted packet; -1 when it has none or the quote ends before it */
function quotedChecksum(bytes: Uint8Array, inner: InnerPacket, quoted: number, transport: number): number {
  if ((readUint16(bytes, quoted + 6) & 0x1fff) !== 0) return -1
  const protocol = bytes[quoted + 9]!
  if (protocol !== Protocol.tcp && protocol !== Protocol.udp) return -1
  const at = transport + (protocol === Protocol.tcp ? TCP_CHECKSUM : UDP_CHECKSUM)
  return at + 2 <= inner.packetOffset + inner.totalBytes ? at : -1
}

/** RFC 1624 equation 3 for a 32-bit field at an even offset (or a 16-bit one): HC' = ~(~HC + ~m + m'). */
function updatedBy(checksum: number, before: number, after: number): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + (~(before >>> 16) & 0xffff) + (after & 0xffff) + (after >>> 16)
  sum = (sum & 0xffff) + (sum >>> 16)
  sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
