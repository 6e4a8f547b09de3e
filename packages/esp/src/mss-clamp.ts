/**
 * Lowers the maximum segment size in TCP SYN and SYN-ACK to what fits the tunnel (RFC 9293 3.7.1), so that streams need no path
 * MTU discovery through it. The checksum is updated incrementally (RFC 1624).
 */
import { type InnerPacket, Protocol } from './inner-packet.ts'
import { readUint16, writeUint16 } from './octets.ts'

const SYN = 0x02
const OPTION_END = 0
const OPTION_NOP = 1
const OPTION_MSS = 2

/**
 * @param bytes the packet `inner` was parsed from; changed in place
 * @param mtuBytes of the tunnel interface
 * @param checksum `partial` leaves the checksum alone: the kernel has yet to compute it (TUN offload)
 * @returns whether the option was changed
 */
export function clampMss(
  bytes: Uint8Array,
  inner: InnerPacket,
  mtuBytes: number,
  checksum: 'complete' | 'partial' = 'complete',
): boolean {
  if (inner.protocol !== Protocol.tcp || (inner.tcpFlags & SYN) === 0) return false
  const tcp = inner.transportOffset
  const packetEnd = Math.min(inner.packetOffset + inner.totalBytes, bytes.length)
  const optionsEnd = Math.min(tcp + (bytes[tcp + 12]! >>> 4) * 4, packetEnd)
  const limit = mtuBytes - (inner.version === 4 ? 40 : 60)
  for (let at = tcp + 20; at < optionsEnd;) {
    const kind = bytes[at]!
    if (kind === OPTION_END) return false
    if (kind === OPTION_NOP) {
      at++
      continue
    }
    const optionBytes = at + 1 < optionsEnd ? bytes[at + 1]! : 0
    if (optionBytes < 2 || at + optionBytes > optionsEnd) return false
    if (kind === OPTION_MSS && optionBytes === 4) return lower(bytes, tcp, at + 2, limit, checksum)
    at += optionBytes
  }
  return false
}

function lower(bytes: Uint8Array, tcp: number, at: number, limit: number, checksum: 'complete' | 'partial'): boolean {
  const old = readUint16(bytes, at)
  if (old <= limit) return false
  writeUint16(bytes, at, limit)
  if (checksum === 'complete') {
    // An option at an odd offset straddles two checksum words: its octets count swapped.
    const isOdd = ((at - tcp) & 1) === 1
    const sum = readUint16(bytes, tcp + 16)
    writeUint16(bytes, tcp + 16, updatedChecksum(sum, isOdd ? swapped(old) : old, isOdd ? swapped(limit) : limit))
  }
  return true
}

/** RFC 1624: HC' = ~(~HC + ~m + m'). */
export function updatedChecksum(checksum: number, before: number, after: number): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after
  sum = (sum & 0xffff) + (sum >>> 16)
  sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}
