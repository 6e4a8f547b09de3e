/**
 * Reads what a router says about a packet of ours that was too big: ICMP "fragmentation needed" (RFC 792, RFC 1191 4) and ICMPv6
 * "packet too big" (RFC 4443 3.2).
 *
 *   IPv4: IP header (with what a raw socket delivers) | 3 | 4 | checksum:16 | 0:16 | MTU:16 | quoted packet ...
 *   IPv6: (no IP header)                              | 2 | 0 | checksum:16 | MTU:32        | quoted packet ...
 *   quoted packet: IP header | UDP header, SPI, sequence number  or  ESP: SPI, sequence number  or  AH: 4 octets, SPI, sequence number
 *
 * Anybody can send such a message: this only takes it apart. Nothing is read behind its end; IPv6 checksums were verified by the
 * kernel, IPv4 ones are verified here.
 */
import { formatAddress } from '../sockets/socket-address.ts'
import { AF_INET, AF_INET6 } from '../../foreign/index.ts'

export const PROTOCOL_UDP = 17
export const PROTOCOL_ESP = 50
export const PROTOCOL_AH = 51

export interface PathError {
  /** Of the quoted packet, which was ours. */
  readonly protocol: typeof PROTOCOL_UDP | typeof PROTOCOL_ESP | typeof PROTOCOL_AH
  /** Where it came from and went to; ports are 0 without UDP. */
  readonly local: { readonly address: string; readonly port: number }
  readonly remote: { readonly address: string; readonly port: number }
  /** As the router gives it; 0 by routers older than RFC 1191. */
  readonly mtuBytes: number
  /** The header of ESP or AH, if its sequence number was quoted. */
  readonly esp: { readonly spi: number; readonly sequenceLow: number } | null
}

const UNREACHABLE = 3
const FRAGMENTATION_NEEDED = 4
const PACKET_TOO_BIG = 2
const UDP_HEADER_BYTES = 8
const ESP_HEADER_BYTES = 8
const AH_SPI_AT = 4

/** @param message as read from a raw socket of ICMP or ICMPv6. @returns null for everything that is not such an error */
export function readPathError(message: Uint8Array, family: number): PathError | null {
  return family === AF_INET ? read4(message) : read6(message)
}

function read4(message: Uint8Array): PathError | null {
  const view = viewOf(message)
  if (message.length < 20 || message[0]! >>> 4 !== 4) return null
  const icmp = (message[0]! & 15) * 4
  if (icmp < 20 || message.length < icmp + 8 + 20) return null
  if (message[icmp] !== UNREACHABLE || message[icmp + 1] !== FRAGMENTATION_NEEDED) return null
  if (onesSum(message, icmp) !== 0xffff) return null
  const quoted = icmp + 8
  const headerBytes = (message[quoted]! & 15) * 4
  if (message[quoted]! >>> 4 !== 4 || headerBytes < 20) return null
  if ((view.getUint16(quoted + 6) & 0x1fff) !== 0) return null // a later fragment: no ports
  const mtuBytes = view.getUint16(icmp + 6)
  const addresses = [quoted + 12, quoted + 16] as const
  return readQuoted(message, quoted + headerBytes, {
    protocol: message[quoted + 9]!,
    family: AF_INET,
    addresses,
    mtuBytes,
  })
}

function read6(message: Uint8Array): PathError | null {
  if (message.length < 8 + 40 || message[0] !== PACKET_TOO_BIG || message[1] !== 0) return null
  if (message[8]! >>> 4 !== 6) return null
  const mtuBytes = viewOf(message).getUint32(4)
  return readQuoted(message, 48, { protocol: message[14]!, family: AF_INET6, addresses: [16, 32], mtuBytes })
}

interface Quoted {
  readonly protocol: number
  readonly family: number
  readonly addresses: readonly [number, number]
  readonly mtuBytes: number
}

/** @param at behind the quoted IP header */
function readQuoted(
  message: Uint8Array,
  at: number,
  { protocol, family, addresses, mtuBytes }: Quoted,
): PathError | null {
  const [local, remote] = addresses.map((offset) => formatAddress(message, offset, family)) as [string, string]
  const view = viewOf(message)
  if (protocol === PROTOCOL_ESP || protocol === PROTOCOL_AH) {
    const ends = { local: { address: local, port: 0 }, remote: { address: remote, port: 0 } }
    return { protocol, ...ends, mtuBytes, esp: readEsp(view, protocol === PROTOCOL_AH ? at + AH_SPI_AT : at) }
  }
  if (protocol !== PROTOCOL_UDP || at + UDP_HEADER_BYTES > message.length) return null
  const ends = {
    local: { address: local, port: view.getUint16(at) },
    remote: { address: remote, port: view.getUint16(at + 2) },
  }
  return { protocol, ...ends, mtuBytes, esp: readEsp(view, at + UDP_HEADER_BYTES) }
}

function readEsp(view: DataView, at: number): PathError['esp'] {
  if (at + ESP_HEADER_BYTES > view.byteLength) return null
  return { spi: view.getUint32(at), sequenceLow: view.getUint32(at + 4) }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Folded sum of big-endian 16-bit words from `from` to the end (RFC 1071). */
function onesSum(bytes: Uint8Array, from: number): number {
  let sum = 0
  for (let i = from; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}
