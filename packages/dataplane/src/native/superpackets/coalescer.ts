/**
 * Joins decrypted packets of one flow into superpackets (TCP, and UDP where the kernel takes them) before they are written to
 * a TUN with offload: the opposite of `segmenter.ts`.
 *
 * Packets arrive in place: the caller decrypts to `place`, then calls `add`; only payload that joins is moved, by the length
 * of one header. Rules (those of the kernel's own GRO): IPv4 without options and fragments, IPv6 without extension headers;
 * equal addresses, ports, TTL, TOS with ECN, DF or flow label; TCP with nothing but ACK and PSH, the expected sequence number,
 * equal acknowledgement, window and options; every payload as long as the first, a shorter one or a PSH ends it. The inner
 * checksum is verified before, because joining would replace a wrong one by a right one. What does not join passes unchanged
 * and in order.
 */
import { swap16, type Checksum } from './checksum.ts'
import type { PacketMemory } from '../../foreign/index.ts'
import {
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  VNET_DATA_VALID,
  VNET_HEADER_BYTES,
  VNET_NEEDS_CSUM,
} from './segmenter.ts'

export interface FrameSink {
  /** Takes a virtio_net_hdr with the packet behind it; the block may be overwritten afterwards. */
  write(frame: number, length: number): void
}

export interface CoalescerOptions {
  /** False: one frame per packet. */
  readonly tcp: boolean
  readonly udp: boolean
}

const PROTOCOL_TCP = 6
const PROTOCOL_UDP = 17
/** Where the transport header lies. */
const IP4_BYTES = 20
const IP6_BYTES = 40
const TCP_ACK = 0x10
const TCP_PSH = 0x08
const MOST_PAYLOAD_END = 65_500
const MOST_SEGMENTS = 64
const GAP_BYTES = 32
/** Room for a pending superpacket that starts before the limit and for one more packet behind it. */
const LIMIT_BYTES = 65_536
const REGION_BYTES = LIMIT_BYTES + 2 * 66_048

export class Coalescer {
  readonly #memory: PacketMemory
  readonly #checksum: Checksum
  readonly #sink: FrameSink
  readonly #options: CoalescerOptions
  readonly #region: number

  /** Start and end of the pending packet; `#segments` is 0 when there is none. */
  #start: number
  #end: number
  #segments = 0
  /** Takes no more: it may not be joined at all, or a short payload or PSH ended it. */
  #closed = true
  #verified = false
  #networkBytes = IP4_BYTES
  #protocol = 0
  #headerBytes = 0
  #segmentBytes = 0
  #nextSequence = 0

  constructor(memory: PacketMemory, checksum: Checksum, sink: FrameSink, options: CoalescerOptions) {
    this.#memory = memory
    this.#checksum = checksum
    this.#sink = sink
    this.#options = options
    this.#region = memory.allocate(REGION_BYTES)
    this.#start = this.#region + GAP_BYTES
    this.#end = this.#start
  }

  /** Where the next packet is to be put; at least 65 535 bytes are free there until `add` or `flush`. */
  get place(): number {
    return this.#segments === 0 ? this.#start : (this.#end + GAP_BYTES + 15) & ~15
  }

  /** Takes the packet at `place`, whose length is that of its IP header. */
  add(length: number): void {
    const { bytes } = this.#memory
    const packet = this.place
    const networkBytes = bytes[packet]! >>> 4 === 6 ? IP6_BYTES : IP4_BYTES
    const protocol = this.#protocolOf(packet, length, networkBytes)
    const headerBytes = protocol === 0 ? 0 : this.#joinableHeader(packet, length, networkBytes, protocol)
    if (
      headerBytes > 0 &&
      this.#segments > 0 &&
      !this.#closed &&
      networkBytes === this.#networkBytes &&
      this.#belongs(packet, length, protocol, headerBytes)
    ) {
      this.#join(packet, length, headerBytes)
      return
    }
    this.flush()
    this.#networkBytes = networkBytes
    this.#become(packet, length, protocol, headerBytes)
  }

  /** Writes the pending packet, if there is one. */
  flush(): void {
    if (this.#segments === 0) return
    const frame = this.#start - VNET_HEADER_BYTES
    const { bytes, view } = this.#memory
    bytes[frame] = this.#verified ? VNET_DATA_VALID : 0
    bytes[frame + 1] = GSO_NONE
    view.setUint32(frame + 2, 0)
    view.setUint32(frame + 6, 0)
    if (this.#segments > 1) this.#describeSuperpacket(frame)
    this.#sink.write(frame, this.#end - frame)
    this.#segments = 0
    this.#start = this.#region + GAP_BYTES
  }

  /** Forgets the pending packet, whose state may be half changed. */
  abandon(): void {
    this.#segments = 0
    this.#start = this.#region + GAP_BYTES
  }

  /** @returns protocol of a packet whose header has the usual length and which is no fragment, else 0 */
  #protocolOf(packet: number, length: number, networkBytes: number): number {
    const { bytes, view } = this.#memory
    if (networkBytes === IP6_BYTES) return length > IP6_BYTES ? bytes[packet + 6]! : 0
    if (bytes[packet] !== 0x45 || (view.getUint16(packet + 6) & 0x3fff) !== 0) return 0
    return bytes[packet + 9]!
  }

  /** @returns bytes of IP and transport header when the packet may be joined with others and its checksum is right, else 0 */
  #joinableHeader(packet: number, length: number, networkBytes: number, protocol: number): number {
    const { bytes, view } = this.#memory
    const transport = packet + networkBytes
    const transportBytes = length - networkBytes
    let headerBytes = 0
    if (protocol === PROTOCOL_TCP && this.#options.tcp && transportBytes >= 20) {
      if ((bytes[transport + 13]! & ~TCP_PSH) !== TCP_ACK) return 0
      headerBytes = networkBytes + (bytes[transport + 12]! >>> 4) * 4
      if (headerBytes < networkBytes + 20) return 0
    } else if (protocol === PROTOCOL_UDP && this.#options.udp && transportBytes >= 8) {
      if (view.getUint16(transport + 6) === 0 || view.getUint16(transport + 4) !== transportBytes) return 0
      headerBytes = networkBytes + 8
    }
    if (headerBytes === 0 || length <= headerBytes) return 0
    const pseudo = this.#pseudoSum(packet, networkBytes, protocol, transportBytes)
    return this.#checksum.sum(transport, transportBytes, pseudo) === 0xffff ? headerBytes : 0
  }

  /** Addresses, protocol and length (RFC 9293 3.1, RFC 8200 8.1). */
  #pseudoSum(packet: number, networkBytes: number, protocol: number, transportBytes: number): number {
    const initial = swap16(protocol) + swap16(transportBytes)
    return networkBytes === IP4_BYTES
      ? this.#checksum.sum(packet + 12, 8, initial)
      : this.#checksum.sum(packet + 8, 32, initial)
  }

  #belongs(packet: number, length: number, protocol: number, headerBytes: number): boolean {
    const { view } = this.#memory
    const networkBytes = this.#networkBytes
    const payloadBytes = length - headerBytes
    return (
      protocol === this.#protocol &&
      headerBytes === this.#headerBytes &&
      payloadBytes <= this.#segmentBytes &&
      this.#segments < MOST_SEGMENTS &&
      this.#end - this.#start + payloadBytes <= MOST_PAYLOAD_END &&
      view.getInt32(packet + networkBytes) === view.getInt32(this.#start + networkBytes) &&
      (networkBytes === IP4_BYTES ? this.#hasSameNetwork4(packet) : this.#hasSameNetwork6(packet)) &&
      (protocol === PROTOCOL_UDP || this.#continues(packet, headerBytes))
    )
  }

  #hasSameNetwork4(packet: number): boolean {
    const { view } = this.#memory
    const first = this.#start
    return (
      view.getInt32(packet + 12) === view.getInt32(first + 12) &&
      view.getInt32(packet + 16) === view.getInt32(first + 16) &&
      view.getUint16(packet) === view.getUint16(first) &&
      view.getUint16(packet + 6) === view.getUint16(first + 6) &&
      view.getUint16(packet + 8) === view.getUint16(first + 8)
    )
  }

  /** Traffic class, flow label, hop limit and addresses: everything but the length. */
  #hasSameNetwork6(packet: number): boolean {
    const { view } = this.#memory
    const first = this.#start
    if (view.getInt32(packet) !== view.getInt32(first)) return false
    if (view.getUint16(packet + 6) !== view.getUint16(first + 6)) return false
    for (let at = 8; at < IP6_BYTES; at += 4) {
      if (view.getInt32(packet + at) !== view.getInt32(first + at)) return false
    }
    return true
  }

  #continues(packet: number, headerBytes: number): boolean {
    const { view } = this.#memory
    const next = packet + this.#networkBytes
    const first = this.#start + this.#networkBytes
    if (view.getUint32(next + 4) !== this.#nextSequence) return false
    if (view.getInt32(next + 8) !== view.getInt32(first + 8)) return false
    if (view.getUint16(next + 14) !== view.getUint16(first + 14)) return false
    for (let at = 20; at < headerBytes - this.#networkBytes; at += 4) {
      if (view.getInt32(next + at) !== view.getInt32(first + at)) return false
    }
    return true
  }

  /** The moved payload may reach into the packet's own header, which is read before. */
  #join(packet: number, length: number, headerBytes: number): void {
    const { bytes } = this.#memory
    const payloadBytes = length - headerBytes
    const isPushed = this.#protocol === PROTOCOL_TCP && (bytes[packet + this.#networkBytes + 13]! & TCP_PSH) !== 0
    this.#checksum.move(this.#end, packet + headerBytes, payloadBytes)
    this.#end += payloadBytes
    this.#segments++
    this.#nextSequence = (this.#nextSequence + payloadBytes) >>> 0
    this.#closed = isPushed || payloadBytes < this.#segmentBytes
    if (isPushed) bytes[this.#start + this.#networkBytes + 13]! |= TCP_PSH
  }

  /** The packet becomes the pending one; back at the start of the region when it lies too far up. */
  #become(packet: number, length: number, protocol: number, headerBytes: number): void {
    const { bytes, view } = this.#memory
    let start = packet
    if (packet > this.#region + LIMIT_BYTES) {
      start = this.#region + GAP_BYTES
      this.#checksum.move(start, packet, length)
    }
    this.#start = start
    this.#end = start + length
    this.#segments = 1
    this.#verified = headerBytes > 0
    this.#protocol = protocol
    this.#headerBytes = headerBytes
    this.#segmentBytes = length - headerBytes
    this.#closed = headerBytes === 0
    if (headerBytes > 0 && protocol === PROTOCOL_TCP) {
      const transport = start + this.#networkBytes
      this.#nextSequence = (view.getUint32(transport + 4) + this.#segmentBytes) >>> 0
      this.#closed = (bytes[transport + 13]! & TCP_PSH) !== 0
    }
  }

  /** Lengths and header checksum of the whole; the transport checksum is left to the kernel, over the pseudo-header's sum. */
  #describeSuperpacket(frame: number): void {
    const { bytes, view } = this.#memory
    const start = this.#start
    const networkBytes = this.#networkBytes
    const transportBytes = this.#end - start - networkBytes
    const isTcp = this.#protocol === PROTOCOL_TCP
    const isIp4 = networkBytes === IP4_BYTES
    const field = isTcp ? 16 : 6
    bytes[frame] = VNET_NEEDS_CSUM
    bytes[frame + 1] = isTcp ? (isIp4 ? GSO_TCPV4 : GSO_TCPV6) : GSO_UDP_L4
    view.setUint16(frame + 2, this.#headerBytes, true)
    view.setUint16(frame + 4, this.#segmentBytes, true)
    view.setUint16(frame + 6, networkBytes, true)
    view.setUint16(frame + 8, field, true)
    if (isIp4) {
      view.setUint16(start + 2, networkBytes + transportBytes)
      view.setUint16(start + 10, 0)
      view.setUint16(start + 10, ~this.#checksum.sum(start, IP4_BYTES, 0) & 0xffff, true)
    } else {
      view.setUint16(start + 4, transportBytes)
    }
    if (!isTcp) view.setUint16(start + networkBytes + 4, transportBytes)
    const pseudo = this.#pseudoSum(start, networkBytes, this.#protocol, transportBytes)
    view.setUint16(start + networkBytes + field, pseudo, true)
  }
}
