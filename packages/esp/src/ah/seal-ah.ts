/**
 * Outbound AH (RFC 4302 3.3): whole IP packets for a raw socket of protocol 51 that takes their header as it is.
 *
 * ```
 *   transport   | IP header, options | AH | upper layer |           tunnel   | IP header of the path | AH | inner packet |
 *               | IPv6 header, hop-by-hop, routing | AH | rest |
 * ```
 *
 * Fields that the kernel or the way may change are not covered. The identification is, and a kernel fills in one that is zero: so
 * there is always one. Outer traffic class and congestion bits are those of the inner packet (RFC 4301 5.1.2, RFC 6040), as far as
 * they may show. Nobody is between here and the raw socket who could fragment.
 */
import { parseIp } from '@culvert/bytes'
import type { ChildSa } from '../child-sa.ts'
import { DropCode } from '../drop-code.ts'
import { type Encapsulated, type PacketSlice, takeSequenceNumber } from '../encapsulate.ts'
import type { InnerPacket } from '../inner-packet.ts'
import { readUint16, writeUint16 } from '../octets.ts'
import { headerChecksum } from '../transport-mode.ts'
import { ahBytes, createAhPlace, PROTOCOL_AH, writeAh } from './ah-header.ts'

const HOP_LIMIT = 64
const DONT_FRAGMENT = 0x40

/** What the outer header of tunnel mode says. */
export interface AhOuterHeader {
  /** Which bits of the inner TOS or traffic class it shows. */
  readonly tosMask: number
  readonly dontFragment: boolean
}

const AS_INSIDE: AhOuterHeader = { tosMask: 0xff, dontFragment: false }

/** Octets of the whole IP packet that `sealAhInto` makes of this one. */
export function ahPacketBytes(sa: ChildSa, inner: InnerPacket): number {
  const length = sa.ah === null ? 0 : ahBytes(sa.ah.sealer.icvBytes, outerVersion(sa, inner))
  const outerBytes = outerVersion(sa, inner) === 4 ? 20 : 40
  return inner.totalBytes + length + (sa.transport === null ? outerBytes : 0)
}

function outerVersion({ transport, path }: ChildSa, inner: InnerPacket): 4 | 6 {
  if (transport !== null) return inner.version
  return path.remote.address.includes(':') ? 6 : 4
}

/**
 * Authenticates the packet that `findOutbound` read with `out.sa`.
 *
 * @param packet borrowed, only read
 * @param out `buffer` takes the whole IP packet from `offset` on; must not overlap `packet`
 * @param header of tunnel mode; in transport mode the packet keeps its own
 * @returns `none` with `out.length` set, `noOutboundSa`, `lifetimeOver`, `notForTransportMode`, `tooBig` or `sequenceExhausted`
 */
export function sealAhInto(packet: PacketSlice, out: Encapsulated, header: AhOuterHeader = AS_INSIDE): DropCode {
  const { sa, inner, buffer, offset: at } = out
  if (sa?.ah == null) return DropCode.noOutboundSa
  if (sa.isSpent) return DropCode.lifetimeOver
  if (sa.transport !== null && inner.isFragment) return DropCode.notForTransportMode
  const front = sa.transport === null ? outerHeader(sa, packet, inner, header) : ownHeader(sa, packet, inner)
  if (front === null) return DropCode.notForTransportMode
  const rest = sa.transport === null ? 0 : front.bytes.length
  const length = ahBytes(sa.ah.sealer.icvBytes, front.version)
  const totalBytes = front.bytes.length + length + inner.totalBytes - rest
  if (totalBytes > 0xffff || at + totalBytes > buffer.length) return DropCode.tooBig
  if (!takeSequenceNumber(sa)) return DropCode.sequenceExhausted
  const whole = buffer.subarray(at, at + totalBytes)
  whole.set(front.bytes)
  writeLengths(whole, front.version, sa.sequenceLow)
  const nextHeader = whole[front.namedAt]!
  whole[front.namedAt] = PROTOCOL_AH
  writeAh(whole, front.bytes.length, length, { nextHeader, spi: sa.spiOut, sequenceLow: sa.sequenceLow })
  const payload = packet.bytes.subarray(packet.offset + rest, packet.offset + inner.totalBytes)
  whole.set(payload, front.bytes.length + length)
  const place = { ...createAhPlace(), version: front.version, offset: front.bytes.length, length, totalBytes }
  if (!sa.ah.sealer.sign(whole, place, sa.sequenceHigh)) return DropCode.notForTransportMode
  if (front.version === 4) headerChecksum(whole, 0)
  out.length = totalBytes
  sa.packetsOut++
  sa.bytesOut += inner.totalBytes
  return DropCode.none
}

interface Front {
  readonly version: 4 | 6
  /** What stands before the authentication header. */
  readonly bytes: Uint8Array
  /** Of the field that will name AH and now names what follows it. */
  readonly namedAt: number
}

/**
 * Transport mode: the IP header of the packet, of IPv6 with the headers that routers look at.
 * @returns null when it is not from our end of the path to the other one: the raw socket would send it as it is
 */
function ownHeader({ path }: ChildSa, { bytes, offset }: PacketSlice, inner: InnerPacket): Front | null {
  const { version, totalBytes } = inner
  const [from, addressBytes] = version === 4 ? [offset + 12, 4] : [offset + 8, 16]
  const ends = bytes.subarray(from, from + 2 * addressBytes)
  if (!isEnd(ends.subarray(0, addressBytes), path.local.address)) return null
  if (!isEnd(ends.subarray(addressBytes), path.remote.address)) return null
  if (version === 4) {
    const headerBytes = (bytes[offset]! & 0x0f) * 4
    return { version, bytes: bytes.slice(offset, offset + headerBytes), namedAt: 9 }
  }
  let namedAt = 6
  let end = 40
  while ((bytes[offset + namedAt] === 0 || bytes[offset + namedAt] === 43) && end + 8 <= totalBytes) {
    namedAt = end
    end += (bytes[offset + end + 1]! + 1) * 8
  }
  return { version, bytes: bytes.slice(offset, offset + end), namedAt }
}

function isEnd(octets: Uint8Array, address: string): boolean {
  const own = parseIp(address)
  return own?.length === octets.length && own.every((octet, index) => octet === octets[index])
}

/** Tunnel mode. @returns null when the path has no addresses of one IP version, as a wildcard has not */
function outerHeader(
  { path }: ChildSa,
  packet: PacketSlice,
  inner: InnerPacket,
  { tosMask, dontFragment }: AhOuterHeader,
): Front | null {
  const source = parseIp(path.local.address)
  const destination = parseIp(path.remote.address)
  if (source === undefined || destination === undefined || source.length !== destination.length) return null
  if (source.every((octet) => octet === 0)) return null
  const first = readUint16(packet.bytes, packet.offset)
  const trafficClass = (inner.version === 4 ? first : first >>> 4) & tosMask & 0xff
  const protocol = inner.version === 4 ? 4 : 41
  if (source.length === 16) {
    const bytes = new Uint8Array(40)
    bytes[0] = 0x60 | (trafficClass >>> 4)
    bytes[1] = (trafficClass << 4) & 0xff
    bytes[6] = protocol
    bytes[7] = HOP_LIMIT
    bytes.set(source, 8)
    bytes.set(destination, 24)
    return { version: 6, bytes, namedAt: 6 }
  }
  const bytes = new Uint8Array(20)
  bytes[0] = 0x45
  bytes[1] = trafficClass
  bytes[6] = dontFragment ? DONT_FRAGMENT : 0
  bytes[8] = HOP_LIMIT
  bytes[9] = protocol
  bytes.set(source, 12)
  bytes.set(destination, 16)
  return { version: 4, bytes, namedAt: 9 }
}

function writeLengths(packet: Uint8Array, version: 4 | 6, sequenceLow: number): void {
  if (version === 6) {
    writeUint16(packet, 4, packet.length - 40)
    return
  }
  writeUint16(packet, 2, packet.length)
  if (readUint16(packet, 4) === 0) writeUint16(packet, 4, sequenceLow & 0xffff || 1)
}
