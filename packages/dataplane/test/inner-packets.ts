/**
 * Inner packets and virtio-net frames in plain arrays, written for clarity: the model that the fast code is compared with.
 */

export interface TransportOptions {
  readonly protocol: 'tcp' | 'udp'
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly sequence?: number
  readonly acknowledgement?: number
  readonly flags?: number
  readonly window?: number
  /** TCP options, a multiple of 4 bytes. */
  readonly options?: Uint8Array
  readonly payload: Uint8Array
}

export interface NetworkOptions {
  readonly version?: 4 | 6
  readonly source?: number
  readonly destination?: number
  readonly identification?: number
  /** Type of service or traffic class. */
  readonly tos?: number
  /** 20 bits, IPv6 only. IPv6 addresses are fd00:: with `source` and `destination` as the last 32 bits. */
  readonly flowLabel?: number
  readonly ttl?: number
  /** Flags and offset of IPv4 fragmentation; 0x4000 is DF. */
  readonly fragment?: number
}

/** Sum of big-endian 16-bit words, folded (RFC 1071). */
export function onesSum(...chunks: Uint8Array[]): number {
  let sum = 0
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i += 2) sum += (chunk[i]! << 8) | (chunk[i + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return sum
}

export function buildPacket(transport: TransportOptions, network: NetworkOptions = {}): Uint8Array {
  const segment = transport.protocol === 'tcp' ? buildTcp(transport) : buildUdp(transport)
  const packet = network.version === 6 ? buildIpv6(segment, transport, network) : buildIpv4(segment, transport, network)
  return withChecksums(packet)
}

function buildTcp(transport: TransportOptions): Uint8Array {
  const options = transport.options ?? new Uint8Array(0)
  const segment = new Uint8Array(20 + options.length + transport.payload.length)
  const view = new DataView(segment.buffer)
  writePorts(view, transport)
  view.setUint32(4, transport.sequence ?? 1000)
  view.setUint32(8, transport.acknowledgement ?? 2000)
  segment[12] = ((20 + options.length) / 4) << 4
  segment[13] = transport.flags ?? 0x10
  view.setUint16(14, transport.window ?? 500)
  segment.set(options, 20)
  segment.set(transport.payload, 20 + options.length)
  return segment
}

function buildUdp(transport: TransportOptions): Uint8Array {
  const segment = new Uint8Array(8 + transport.payload.length)
  const view = new DataView(segment.buffer)
  writePorts(view, transport)
  view.setUint16(4, segment.length)
  segment.set(transport.payload, 8)
  return segment
}

function writePorts(view: DataView, { sourcePort, destinationPort }: TransportOptions): void {
  view.setUint16(0, sourcePort ?? 40_000)
  view.setUint16(2, destinationPort ?? 5001)
}

function buildIpv4(segment: Uint8Array, { protocol }: TransportOptions, network: NetworkOptions): Uint8Array {
  const packet = new Uint8Array(20 + segment.length)
  const view = new DataView(packet.buffer)
  packet[0] = 0x45
  packet[1] = network.tos ?? 0
  view.setUint16(2, packet.length)
  view.setUint16(4, network.identification ?? 1)
  view.setUint16(6, network.fragment ?? 0x4000)
  packet[8] = network.ttl ?? 64
  packet[9] = protocol === 'tcp' ? 6 : 17
  view.setUint32(12, network.source ?? 0x0a7f0001)
  view.setUint32(16, network.destination ?? 0x0a800005)
  packet.set(segment, 20)
  return packet
}

function buildIpv6(segment: Uint8Array, { protocol }: TransportOptions, network: NetworkOptions): Uint8Array {
  const packet = new Uint8Array(40 + segment.length)
  const view = new DataView(packet.buffer)
  view.setUint32(0, (0x60000000 | ((network.tos ?? 0) << 20) | (network.flowLabel ?? 0)) >>> 0)
  view.setUint16(4, segment.length)
  packet[6] = protocol === 'tcp' ? 6 : 17
  packet[7] = network.ttl ?? 64
  view.setUint32(8, 0xfd000000)
  view.setUint32(20, network.source ?? 0x0a7f0001)
  view.setUint32(24, 0xfd000000)
  view.setUint32(36, network.destination ?? 0x0a800005)
  packet.set(segment, 40)
  return packet
}

const isIpv4 = (packet: Uint8Array): boolean => packet[0]! >>> 4 === 4
const transportAt = (packet: Uint8Array): number => (isIpv4(packet) ? 20 : 40)
const protocolOf = (packet: Uint8Array): number => packet[isIpv4(packet) ? 9 : 6]!
const checksumAt = (packet: Uint8Array): number => transportAt(packet) + (protocolOf(packet) === 6 ? 16 : 6)

function pseudoHeader(packet: Uint8Array): Uint8Array {
  const addresses = isIpv4(packet) ? packet.subarray(12, 20) : packet.subarray(8, 40)
  const length = packet.length - transportAt(packet)
  return Uint8Array.from([...addresses, 0, protocolOf(packet), length >>> 8, length & 0xff])
}

/** Fills in the IPv4 header checksum and that of TCP or UDP. */
export function withChecksums(packet: Uint8Array): Uint8Array {
  const view = new DataView(packet.buffer, packet.byteOffset)
  if (isIpv4(packet)) {
    view.setUint16(10, 0)
    view.setUint16(10, ~onesSum(packet.subarray(0, 20)) & 0xffff)
  }
  view.setUint16(checksumAt(packet), 0)
  const sum = ~onesSum(pseudoHeader(packet), packet.subarray(transportAt(packet))) & 0xffff
  view.setUint16(checksumAt(packet), sum === 0 ? 0xffff : sum)
  return packet
}

/** What the kernel hands over: a virtio_net_hdr, and the packet with only the pseudo-header summed. @param segmentBytes 0 for no segmentation */
export function toFrame(packet: Uint8Array, segmentBytes: number): Uint8Array {
  const frame = new Uint8Array(10 + packet.length)
  const view = new DataView(frame.buffer)
  const isTcp = protocolOf(packet) === 6
  const transport = transportAt(packet)
  const headerBytes = transport + (isTcp ? (packet[transport + 12]! >>> 4) * 4 : 8)
  frame[0] = 1
  if (segmentBytes > 0) frame[1] = isTcp ? (isIpv4(packet) ? 1 : 4) : 5
  view.setUint16(2, headerBytes, true)
  view.setUint16(4, segmentBytes, true)
  view.setUint16(6, transport, true)
  view.setUint16(8, isTcp ? 16 : 6, true)
  frame.set(packet, 10)
  view.setUint16(10 + checksumAt(packet), onesSum(pseudoHeader(packet)))
  return frame
}

/** What a kernel makes of a frame written to a TUN: the packets, with complete checksums. */
export function fromFrame(frame: Uint8Array): Uint8Array[] {
  const view = new DataView(frame.buffer, frame.byteOffset)
  const packet = frame.slice(10)
  const segmentBytes = view.getUint16(4, true)
  if (frame[1] === 0) {
    if (frame[0] === 1) throw new Error('a single packet needs no checksum here')
    return [packet]
  }
  const headerBytes = view.getUint16(2, true)
  const partial = new DataView(packet.buffer).getUint16(checksumAt(packet))
  if (partial !== onesSum(pseudoHeader(packet))) throw new Error('wrong sum of the pseudo-header')
  const segments: Uint8Array[] = []
  for (let at = headerBytes; at < packet.length; at += segmentBytes) {
    segments.push(cutSegment(packet, headerBytes, at, segmentBytes))
  }
  return segments
}

function cutSegment(packet: Uint8Array, headerBytes: number, at: number, segmentBytes: number): Uint8Array {
  const payload = packet.subarray(at, at + segmentBytes)
  const isFirst = at === headerBytes
  const isLast = at + segmentBytes >= packet.length
  const segment = new Uint8Array(headerBytes + payload.length)
  segment.set(packet.subarray(0, headerBytes))
  segment.set(payload, headerBytes)
  const view = new DataView(segment.buffer)
  const transport = transportAt(packet)
  if (isIpv4(packet)) {
    view.setUint16(2, segment.length)
    view.setUint16(4, (view.getUint16(4) + (at - headerBytes) / segmentBytes) & 0xffff)
  } else {
    view.setUint16(4, segment.length - 40)
  }
  if (protocolOf(packet) === 17) {
    view.setUint16(transport + 4, segment.length - transport)
  } else {
    view.setUint32(transport + 4, (view.getUint32(transport + 4) + at - headerBytes) >>> 0)
    if (!isLast) segment[transport + 13]! &= ~0x09
    if (!isFirst) segment[transport + 13]! &= ~0x80
  }
  return withChecksums(segment)
}
