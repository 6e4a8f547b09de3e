/**
 * Cuts what the kernel hands over through a TUN with offload (virtio_net_hdr, then a packet or a superpacket of up to 64 KiB)
 * into packets with complete checksums.
 *
 * In place, without copying payload: the header of segment k + 1 is written over the end of the payload of segment k, so
 * segment k must have been consumed when `next` is called again. Segments of one superpacket differ as TCP segmentation
 * demands: lengths, IPv4 identification, sequence number; FIN and PSH only in the last, CWR only in the first.
 *
 *   virtio_net_hdr (10 bytes, little-endian): flags, gso_type, hdr_len:16, gso_size:16, csum_start:16, csum_offset:16
 */
import { swap16, type Checksum } from './checksum.ts'
import type { PacketMemory } from '../../foreign/index.ts'

export const VNET_HEADER_BYTES = 10
export const VNET_NEEDS_CSUM = 1
export const VNET_DATA_VALID = 2
export const GSO_NONE = 0
export const GSO_TCPV4 = 1
export const GSO_TCPV6 = 4
export const GSO_UDP_L4 = 5
/** Flag beside the type: the flow uses ECN. */
const GSO_ECN = 0x80

const PROTOCOL_TCP = 6
const PROTOCOL_UDP = 17
const TCP_FIN_PSH = 0x09
const TCP_CWR = 0x80
const LARGEST_HEADER = 256

export class Segmenter {
  /** The current packet, after `next` returned true. */
  offset = 0
  length = 0
  /** Whether more packets of the same frame follow the current one. */
  more = false

  readonly #memory: PacketMemory
  readonly #checksum: Checksum
  readonly #template: number

  #packet = 0
  #total = 0
  #type = GSO_NONE
  #segmentBytes = 0
  #isIpv4 = false
  #transport = 0
  #headerBytes = 0
  #pseudoSum = 0
  #identification = 0
  #sequence = 0
  #tcpFlags = 0
  #index = 0
  #done = 0

  constructor(memory: PacketMemory, checksum: Checksum) {
    this.#memory = memory
    this.#checksum = checksum
    this.#template = memory.allocate(LARGEST_HEADER)
  }

  /** @returns octets of the longest packet that `begin` would cut off whatever `most` is; TCP gives as short ones as wanted */
  longestOf(frame: number, length: number): number {
    const { bytes, view } = this.#memory
    const total = length - VNET_HEADER_BYTES
    const type = bytes[frame + 1]! & ~GSO_ECN
    if (type === GSO_TCPV4 || type === GSO_TCPV6) return 0
    if (type === GSO_NONE) return total
    return Math.min(total, view.getUint16(frame + 6, true) + 8 + view.getUint16(frame + 4, true))
  }

  /**
   * @param frame offset of the virtio_net_hdr
   * @param length of header and packet
   * @param most octets a packet should have: TCP superpackets are cut finer for it
   * @returns false when it makes no sense
   */
  begin(frame: number, length: number, most: number): boolean {
    const { bytes, view } = this.#memory
    const packet = frame + VNET_HEADER_BYTES
    const total = length - VNET_HEADER_BYTES
    this.more = false
    if (total < 20) return false
    this.#packet = packet
    this.#total = total
    this.#index = 0
    this.#done = 0
    this.#isIpv4 = bytes[packet]! >>> 4 === 4
    this.#type = bytes[frame + 1]! & ~GSO_ECN
    const checksumStart = view.getUint16(frame + 6, true)
    const checksumOffset = view.getUint16(frame + 8, true)
    if (this.#type === GSO_NONE) {
      return (bytes[frame]! & VNET_NEEDS_CSUM) === 0 || this.#completeChecksum(checksumStart, checksumOffset)
    }
    this.#segmentBytes = view.getUint16(frame + 4, true)
    this.#transport = checksumStart
    return this.#beginSegments(most)
  }

  /** How many packets the frame makes. */
  get count(): number {
    return this.#type === GSO_NONE ? 1 : Math.ceil((this.#total - this.#headerBytes) / this.#segmentBytes)
  }

  next(): boolean {
    if (this.#type !== GSO_NONE) return this.#nextSegment()
    if (this.#index > 0) return false
    this.#index = 1
    this.offset = this.#packet
    this.length = this.#total
    return true
  }

  /** The kernel left the sum of the pseudo-header in the checksum field. */
  #completeChecksum(start: number, offset: number): boolean {
    const end = this.#total
    if (start + offset + 2 > end) return false
    const sum = this.#checksum.sum(this.#packet + start, end - start, 0)
    this.#memory.view.setUint16(this.#packet + start + offset, ~sum & 0xffff || 0xffff, true)
    return true
  }

  #beginSegments(most: number): boolean {
    const { bytes, view } = this.#memory
    const packet = this.#packet
    const transport = this.#transport
    const tcp = this.#type === GSO_TCPV4 || this.#type === GSO_TCPV6
    if (!tcp && this.#type !== GSO_UDP_L4) return false
    if (transport < (this.#isIpv4 ? 20 : 40) || transport + (tcp ? 20 : 8) > this.#total) return false
    const headerBytes = transport + (tcp ? (bytes[packet + transport + 12]! >>> 4) * 4 : 8)
    if (headerBytes > LARGEST_HEADER || headerBytes >= this.#total || this.#segmentBytes === 0) return false
    this.#headerBytes = headerBytes
    if (tcp && headerBytes + this.#segmentBytes > most && most > headerBytes) this.#segmentBytes = most - headerBytes
    const addresses = this.#isIpv4 ? 12 : 8
    const protocol = swap16(tcp ? PROTOCOL_TCP : PROTOCOL_UDP)
    this.#pseudoSum = this.#checksum.sum(packet + addresses, this.#isIpv4 ? 8 : 32, protocol)
    this.#identification = view.getUint16(packet + 4)
    this.#sequence = tcp ? view.getUint32(packet + transport + 4) : 0
    this.#tcpFlags = tcp ? bytes[packet + transport + 13]! : 0
    this.#checksum.move(this.#template, packet, headerBytes)
    return true
  }

  #nextSegment(): boolean {
    const headerBytes = this.#headerBytes
    const remaining = this.#total - headerBytes - this.#done
    if (remaining <= 0) return false
    const payloadBytes = remaining < this.#segmentBytes ? remaining : this.#segmentBytes
    const offset = this.#packet + this.#done
    const length = headerBytes + payloadBytes
    this.more = payloadBytes < remaining
    if (this.#index > 0) this.#checksum.move(offset, this.#template, headerBytes)
    this.#writeNetworkHeader(offset, length)
    this.#writeTransportHeader(offset, length)
    this.offset = offset
    this.length = length
    this.#done += payloadBytes
    this.#index++
    return true
  }

  #writeNetworkHeader(offset: number, length: number): void {
    const { view } = this.#memory
    if (!this.#isIpv4) {
      view.setUint16(offset + 4, length - 40)
      return
    }
    view.setUint16(offset + 2, length)
    view.setUint16(offset + 4, (this.#identification + this.#index) & 0xffff)
    view.setUint16(offset + 10, 0)
    const headerBytes = (this.#memory.bytes[offset]! & 15) * 4
    view.setUint16(offset + 10, ~this.#checksum.sum(offset, headerBytes, 0) & 0xffff, true)
  }

  #writeTransportHeader(offset: number, length: number): void {
    const { bytes, view } = this.#memory
    const transport = offset + this.#transport
    const transportBytes = length - this.#transport
    let field = transport + 6
    if (this.#type === GSO_UDP_L4) {
      view.setUint16(transport + 4, transportBytes)
    } else {
      field = transport + 16
      let flags = this.#tcpFlags
      if (this.more) flags &= ~TCP_FIN_PSH
      if (this.#index > 0) flags &= ~TCP_CWR
      bytes[transport + 13] = flags
      view.setUint32(transport + 4, (this.#sequence + this.#done) >>> 0)
    }
    view.setUint16(field, 0)
    const sum = this.#checksum.sum(transport, transportBytes, this.#pseudoSum + swap16(transportBytes))
    view.setUint16(field, ~sum & 0xffff || 0xffff, true)
  }
}
