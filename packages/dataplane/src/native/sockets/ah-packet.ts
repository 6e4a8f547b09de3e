/**
 * What a raw socket of protocol 51 gives, as the IP packet that its ICV covers (RFC 4302 3.3.3).
 *
 * IPv4 comes whole, put together by the kernel. IPv6 comes from the authentication header on: the header in front is made anew from
 * the addresses, for the rest of it may change on the way. Extension headers before AH are lost, and such a packet fails its check.
 */
import { parseIp } from '@culvert/bytes'
import { PROTOCOL_AH } from '@culvert/esp'
import type { SocketAddress } from '@culvert/ikev2'
import { AF_INET, type PacketMemory } from '../../foreign/index.ts'
import type { ReceivedBuffer } from './udp-receiver.ts'

const IPV6_HEADER_BYTES = 40
const IPV6_ADDRESS_BYTES = 16
/** Of the address in `sockaddr_in6`. */
const SOURCE_AT = 8

/** Octets of what stands in front of the authentication header in the buffer. */
export function octetsBeforeAh({ bytes }: PacketMemory, { source, data }: ReceivedBuffer): number {
  return bytes[source] === AF_INET ? (bytes[data]! & 0x0f) * 4 : 0
}

/** @param local where the socket is bound @returns of IPv4 a view, of IPv6 a copy */
export function wholeAhPacket(
  { bytes }: PacketMemory,
  { data, length, source, local: ownAt }: ReceivedBuffer,
  local: SocketAddress,
): Uint8Array {
  const received = bytes.subarray(data, data + length)
  if (bytes[source] === AF_INET) return received
  const packet = new Uint8Array(IPV6_HEADER_BYTES + length)
  packet[0] = 0x60
  packet[4] = length >>> 8
  packet[5] = length
  packet[6] = PROTOCOL_AH
  packet.set(bytes.subarray(source + SOURCE_AT, source + SOURCE_AT + IPV6_ADDRESS_BYTES), 8)
  packet.set(ownAt === 0 ? parseIp(local.address)! : bytes.subarray(ownAt, ownAt + IPV6_ADDRESS_BYTES), 24)
  packet.set(received, IPV6_HEADER_BYTES)
  return packet
}
