/**
 * Datagrams as a capture file that dissectors read: IPv4 and UDP headers around IKE and ESP, classic pcap, link type RAW.
 */
import { parseIp } from '@culvert/bytes'
import type { SocketAddress } from '@culvert/ikev2'

const LINK_TYPE_RAW = 101
const NAT_TRAVERSAL_PORT = 4500
const SNAP_LENGTH = 65_535
const UDP_PROTOCOL = 17

export interface CapturedDatagram {
  readonly from: SocketAddress
  readonly to: SocketAddress
  /** IKE message without a non-ESP marker. */
  readonly bytes: Uint8Array
}

/** @returns the file; frames are a millisecond apart, IPv4 only. */
export function pcapOf(datagrams: readonly CapturedDatagram[]): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2_c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(SNAP_LENGTH, 16)
  header.writeUInt32LE(LINK_TYPE_RAW, 20)
  return Buffer.concat([header, ...datagrams.map(record)])
}

function record(datagram: CapturedDatagram, index: number): Buffer {
  const packet = ipv4Packet(datagram)
  const header = Buffer.alloc(16)
  header.writeUInt32LE(Math.floor(index / 1000), 0)
  header.writeUInt32LE((index % 1000) * 1000, 4)
  header.writeUInt32LE(packet.length, 8)
  header.writeUInt32LE(packet.length, 12)
  return Buffer.concat([header, packet])
}

/** Without checksums: zero means "not computed" for UDP over IPv4. */
function ipv4Packet({ from, to, bytes }: CapturedDatagram): Buffer {
  const marker = Buffer.alloc(to.port === NAT_TRAVERSAL_PORT || from.port === NAT_TRAVERSAL_PORT ? 4 : 0)
  const head = Buffer.alloc(28)
  const length = head.length + marker.length + bytes.length
  head[0] = 0x45
  head.writeUInt16BE(length, 2)
  head[8] = 64
  head[9] = UDP_PROTOCOL
  head.set(parseIp(from.address) ?? [], 12)
  head.set(parseIp(to.address) ?? [], 16)
  head.writeUInt16BE(from.port, 20)
  head.writeUInt16BE(to.port, 22)
  head.writeUInt16BE(length - 20, 24)
  return Buffer.concat([head, marker, bytes])
}
