/**
 * Transport mode (RFC 4303 3.1.1, RFC 3948 3.1.2, RFC 7296 2.23.1): between IP header and upper layer of a packet.
 *
 * ```
 *   on the TUN        | IP header, of the two hosts of the SA | upper layer |
 *   in ESP                                                    | upper layer | padding | pad length | next header = protocol |
 * ```
 *
 * The socket makes the outer IP header, so that of the packet is not carried: it is taken off before sealing and made anew behind
 * the ICV, from the two hosts that the selectors of such an SA are about. Behind a NAT the peer computed TCP and UDP checksums
 * with addresses that we never see in a packet; those of the negotiation take part in an incremental update, and where they are
 * not known the checksum is computed again, which loses nothing because the ICV was right.
 *
 * Only whole datagrams without options and extension headers are sent: the outer header could not hold them, and fragments are not
 * for transport mode (RFC 4301 7). What comes in is the same, but for destination options, which belong inside.
 */
import type { ChildSaDescription } from '@culvert/ikev2'
import { type InnerPacket, Protocol } from './inner-packet.ts'
import { updatedChecksum } from './mss-clamp.ts'
import { copyOctets, readUint16, writeUint16 } from './octets.ts'

const HEADER_BYTES_4 = 20
const HEADER_BYTES_6 = 40
const HOP_LIMIT = 64

/** How the checksums of the peer are put right. */
type ChecksumUpdate = 'none' | 'recompute' | { readonly before: readonly number[]; readonly after: readonly number[] }

export class TransportMode {
  /** Of the IP header in front: 20 or 40. */
  readonly headerBytes: number
  readonly #template: Uint8Array
  readonly #update: ChecksumUpdate

  private constructor(template: Uint8Array, update: ChecksumUpdate) {
    this.headerBytes = template.length
    this.#template = template
    this.#update = update
  }

  /** @returns null when the selectors are not about one host on each side, both of one IP version */
  static of({ tsLocal, tsRemote, originalAddresses }: ChildSaDescription): TransportMode | null {
    const local = onlyHost(tsLocal)
    const remote = onlyHost(tsRemote)
    if (local === null || remote === null || local.length !== remote.length) return null
    if (originalAddresses === undefined) return new TransportMode(header(remote, local), 'none')
    if (originalAddresses === 'unknown') return new TransportMode(header(remote, local), 'recompute')
    const before = [...wordsOf(originalAddresses.remote), ...wordsOf(originalAddresses.local)]
    const after = [...wordsOf(remote), ...wordsOf(local)]
    return new TransportMode(header(remote, local), before.length === after.length ? { before, after } : 'recompute')
  }

  /** Writes the IP header of a received packet in front of its payload: to [at, at + headerBytes). */
  writeHeader(bytes: Uint8Array, at: number, payloadBytes: number, protocol: number): void {
    copyOctets(this.#template, 0, bytes, at, this.headerBytes)
    if (this.headerBytes === HEADER_BYTES_6) {
      writeUint16(bytes, at + 4, payloadBytes)
      bytes[at + 6] = protocol
      return
    }
    writeUint16(bytes, at + 2, HEADER_BYTES_4 + payloadBytes)
    bytes[at + 9] = protocol
    headerChecksum(bytes, at)
  }

  /** Puts the TCP, UDP or ICMPv6 checksum of a received packet right; `inner` was read from `bytes` behind `writeHeader`. */
  fixChecksum(bytes: Uint8Array, inner: InnerPacket): void {
    const update = this.#update
    if (update === 'none') return
    const field = checksumField(inner)
    if (field === 0) return
    const old = readUint16(bytes, field)
    if (inner.protocol === Protocol.udp && old === 0) return
    const fresh = update === 'recompute' ? recomputed(bytes, inner, field) : updated(old, update)
    writeUint16(bytes, field, inner.protocol === Protocol.udp && fresh === 0 ? 0xffff : fresh)
  }

  /** Whether the other host is this one. */
  isWith(remote: Uint8Array): boolean {
    const at = this.headerBytes === HEADER_BYTES_4 ? 12 : 8
    const own = this.#template.subarray(at, at + remote.length)
    return (remote.length === 4) === (at === 12) && own.every((octet, i) => octet === remote[i])
  }

  /** Whether a packet from the TUN can be sent: whole, with nothing but the plain IP header in front of its upper layer. */
  carries(inner: InnerPacket): boolean {
    return !inner.isFragment && inner.transportOffset - inner.packetOffset === this.headerBytes
  }
}

function header(source: Uint8Array, destination: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(source.length === 4 ? HEADER_BYTES_4 : HEADER_BYTES_6)
  if (source.length === 4) {
    bytes[0] = 0x45
    bytes[6] = 0x40 // don't fragment: an atomic datagram needs no identification (RFC 6864 4.1)
    bytes[8] = HOP_LIMIT
    bytes.set(source, 12)
    bytes.set(destination, 16)
    return bytes
  }
  bytes[0] = 0x60
  bytes[7] = HOP_LIMIT
  bytes.set(source, 8)
  bytes.set(destination, 24)
  return bytes
}

/** The one host that all selectors are about; null when there is none. */
function onlyHost(selectors: ChildSaDescription['tsLocal']): Uint8Array | null {
  const first = selectors[0]?.startAddress
  if (first === undefined || (first.length !== 4 && first.length !== 16)) return null
  const isOne = selectors.every(({ startAddress, endAddress }) =>
    [startAddress, endAddress].every(
      (end) => end.length === first.length && end.every((octet, i) => octet === first[i]),
    ),
  )
  return isOne ? first : null
}

function wordsOf(address: Uint8Array): number[] {
  return Array.from({ length: address.length / 2 }, (_, i) => readUint16(address, 2 * i))
}

/** Where the checksum over the pseudo-header lies; 0 when the protocol has none. */
function checksumField({ protocol, transportOffset }: InnerPacket): number {
  if (protocol === Protocol.tcp) return transportOffset + 16
  if (protocol === Protocol.udp) return transportOffset + 6
  return protocol === Protocol.icmp6 ? transportOffset + 2 : 0
}

function updated(checksum: number, { before, after }: Exclude<ChecksumUpdate, string>): number {
  let value = checksum
  for (let i = 0; i < before.length; i++) value = updatedChecksum(value, before[i]!, after[i]!)
  return value
}

function recomputed(bytes: Uint8Array, inner: InnerPacket, field: number): number {
  const { packetOffset, transportOffset, totalBytes, protocol } = inner
  const length = packetOffset + totalBytes - transportOffset
  const addresses = inner.version === 4 ? 12 : 8
  const pseudo = sumOf(bytes, packetOffset + addresses, inner.version === 4 ? 8 : 32, protocol + length)
  writeUint16(bytes, field, 0)
  return ~sumOf(bytes, transportOffset, length, pseudo) & 0xffff
}

/** Computes the checksum of the IPv4 header at `at`, with its options. */
export function headerChecksum(bytes: Uint8Array, at: number): void {
  writeUint16(bytes, at + 10, 0)
  writeUint16(bytes, at + 10, ~sumOf(bytes, at, (bytes[at]! & 0x0f) * 4, 0) & 0xffff)
}

/** One's complement sum (RFC 1071) of `length` octets, folded. */
function sumOf(bytes: Uint8Array, at: number, length: number, start: number): number {
  let sum = start
  for (let i = 0; i + 1 < length; i += 2) sum += readUint16(bytes, at + i)
  if ((length & 1) === 1) sum += bytes[at + length - 1]! << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return sum
}
