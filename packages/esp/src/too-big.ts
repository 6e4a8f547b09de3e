/**
 * Says to the sender of an inner packet that it does not fit: ICMP "fragmentation needed and DF set" (RFC 792, RFC 1191 4) or
 * ICMPv6 "packet too big" (RFC 4443 3.2).
 *
 *   IPv4 header (20) | type 3 | code 4 | checksum:16 | 0:16 | MTU:16 | original packet, at most 576 octets in all
 *   IPv6 header (40) | type 2 | code 0 | checksum:16 | MTU:32        | original packet, at most 1280 octets in all
 *
 * The source is the address the packet was sent to: the namespace of the TUN has a route to it, so that no reverse path filter
 * takes the message for a forgery. ICMP errors, fragments after the first, multicast and packets without a sender are never
 * answered (RFC 1122 3.2.2, RFC 4443 2.4).
 */
import { type InnerPacket, Protocol } from './inner-packet.ts'
import { copyOctets, readUint16, writeUint16, writeUint32 } from './octets.ts'

/** No message is longer. */
export const TOO_BIG_BYTES = 1280

const MOST_BYTES4 = 576
const IPV6_MINIMUM_MTU = 1280
const TTL = 64
const UNREACHABLE = 3
const FRAGMENTATION_NEEDED = 4
const PACKET_TOO_BIG = 2
const ICMP_ERRORS: readonly number[] = [3, 4, 5, 11, 12]

/**
 * Whether only its sender may cut a packet that does not fit. An IPv6 packet that every link must carry (RFC 8200 5) has to pass
 * all the same (RFC 2473 7.1).
 *
 * @param packetBytes length of the packet: that of a segment where `inner` is a superpacket
 */
export function isUnfragmentable(bytes: Uint8Array, inner: InnerPacket, packetBytes: number): boolean {
  if (inner.version === 6) return packetBytes > IPV6_MINIMUM_MTU
  return (bytes[inner.packetOffset + 6]! & 0x40) !== 0
}

/**
 * @param bytes the packet `inner` was parsed from; borrowed
 * @param mtuBytes longest inner packet that fits
 * @param out written from `at`; has room for `TOO_BIG_BYTES`; may not overlap the packet
 * @returns octets written; 0 when this packet must not be answered
 */
export function writeTooBig(
  bytes: Uint8Array,
  inner: InnerPacket,
  mtuBytes: number,
  out: Uint8Array,
  at: number,
): number {
  return inner.version === 4 ? write4(bytes, inner, mtuBytes, out, at) : write6(bytes, inner, mtuBytes, out, at)
}

function write4(bytes: Uint8Array, inner: InnerPacket, mtuBytes: number, out: Uint8Array, at: number): number {
  const { packetOffset: packet, source4, destination4 } = inner
  const isError = inner.protocol === Protocol.icmp && ICMP_ERRORS.includes(inner.sourcePort >>> 8)
  const isLaterFragment = (readUint16(bytes, packet + 6) & 0x1fff) !== 0
  if (isError || isLaterFragment || !isHost4(source4) || !isHost4(destination4)) return 0
  const quotedBytes = Math.min(inner.totalBytes, MOST_BYTES4 - 28)
  const totalBytes = 28 + quotedBytes
  out.fill(0, at, at + 28)
  out[at] = 0x45
  writeUint16(out, at + 2, totalBytes)
  out[at + 8] = TTL
  out[at + 9] = Protocol.icmp
  writeUint32(out, at + 12, destination4)
  writeUint32(out, at + 16, source4)
  writeUint16(out, at + 10, ~onesSum(out, at, 20, 0) & 0xffff)
  const icmp = at + 20
  out[icmp] = UNREACHABLE
  out[icmp + 1] = FRAGMENTATION_NEEDED
  writeUint16(out, icmp + 6, mtuBytes)
  copyOctets(bytes, packet, out, icmp + 8, quotedBytes)
  writeUint16(out, icmp + 2, ~onesSum(out, icmp, 8 + quotedBytes, 0) & 0xffff)
  return totalBytes
}

function write6(bytes: Uint8Array, inner: InnerPacket, mtuBytes: number, out: Uint8Array, at: number): number {
  const { packetOffset: packet } = inner
  const isError = inner.protocol === Protocol.icmp6 && inner.sourcePort >>> 15 === 0
  const isMulticast = bytes[packet + 24] === 0xff
  if (isError || isMulticast || bytes[packet + 8] === 0xff || isUnspecified6(inner.source6)) return 0
  const quotedBytes = Math.min(inner.totalBytes, TOO_BIG_BYTES - 48)
  out.fill(0, at, at + 48)
  out[at] = 0x60
  writeUint16(out, at + 4, 8 + quotedBytes)
  out[at + 6] = Protocol.icmp6
  out[at + 7] = TTL
  copyOctets(bytes, packet + 24, out, at + 8, 16)
  copyOctets(bytes, packet + 8, out, at + 24, 16)
  const icmp = at + 40
  out[icmp] = PACKET_TOO_BIG
  writeUint32(out, icmp + 4, Math.max(mtuBytes, IPV6_MINIMUM_MTU))
  copyOctets(bytes, packet, out, icmp + 8, quotedBytes)
  const pseudo = onesSum(out, at + 8, 32, 8 + quotedBytes + Protocol.icmp6)
  writeUint16(out, icmp + 2, ~onesSum(out, icmp, 8 + quotedBytes, pseudo) & 0xffff)
  return 48 + quotedBytes
}

/** Neither "this host" nor multicast nor broadcast. */
function isHost4(address: number): boolean {
  return address !== 0 && address < 0xe0000000
}

function isUnspecified6(words: Uint32Array): boolean {
  return (words[0]! | words[1]! | words[2]! | words[3]!) === 0
}

/** Folded sum of big-endian 16-bit words (RFC 1071); an odd last octet counts as the high one. */
function onesSum(bytes: Uint8Array, from: number, count: number, start: number): number {
  let sum = start
  for (let i = 0; i + 1 < count; i += 2) sum += readUint16(bytes, from + i)
  if ((count & 1) === 1) sum += bytes[from + count - 1]! << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}
