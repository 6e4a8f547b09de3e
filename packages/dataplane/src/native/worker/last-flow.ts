/**
 * The flow of the packet before in a batch. A packet of the same SA with the same addresses, protocol and ports gets the same answer
 * from selectors and policy, so these need not be asked again, unless it carries SYN, FIN or RST.
 *
 * What comes from a host on a LAN gets its synthetic address here too: `source` is what the device wrote.
 *
 * Only plain headers: IPv4 without options and fragments, IPv6 without extension headers.
 */
import { AddressField, type InnerPacket, Protocol, rewriteHeader } from '@culvert/esp'
import type { NativeSa } from '../sa/native-sa.ts'
import type { PacketMemory } from '../../foreign/index.ts'

const TCP_SYN_FIN_RST = 0x07
const NEXT_HEADER_IP4 = 4
const NEXT_HEADER_IP6 = 41
const TRAILER_BYTES = 2
const IP6_BYTES = 40
const LEAST_BYTES_4 = 40
const LEAST_BYTES_6 = 60

export class LastFlow {
  readonly #memory: PacketMemory
  #record: NativeSa | null = null
  #version: 4 | 6 = 4
  #source = 0
  /** What the source is on our side, unsigned; 0 when it is a leased address. */
  #synthetic = 0
  #destination = 0
  /** Words 2 to 9 of the header, signed, as they lie in the packet. */
  readonly #addresses6 = new Int32Array(8)
  #ports = 0
  #protocol = 0

  constructor(memory: PacketMemory) {
    this.#memory = memory
  }

  forget(): void {
    this.#record = null
  }

  /**
   * Remembers a packet that passed everything; one that is not plain changes nothing.
   *
   * @param source the IPv4 source the packet came with, signed
   */
  note(record: NativeSa, packet: number, inner: InnerPacket, source: number): void {
    const { bytes, view } = this.#memory
    const { version, protocol } = inner
    const isPlain = version === 4 ? bytes[packet] === 0x45 && !inner.isFragment : bytes[packet + 6] === protocol
    if (!isPlain || (protocol !== Protocol.tcp && protocol !== Protocol.udp)) return
    this.#record = record
    this.#version = version
    this.#protocol = protocol
    this.#synthetic = 0
    if (version === 4) {
      this.#source = source
      if (view.getInt32(packet + 12) !== source) this.#synthetic = inner.source4
      this.#destination = view.getInt32(packet + 16)
      this.#ports = view.getInt32(packet + 20)
      return
    }
    for (let word = 0; word < 8; word++) this.#addresses6[word] = view.getInt32(packet + 8 + 4 * word)
    this.#ports = view.getInt32(packet + IP6_BYTES)
  }

  /**
   * @param textBytes octets of plaintext at `packet`, with the ESP trailer
   * @returns length of the inner packet when it is plainly one more of this flow, else 0
   */
  matches(record: NativeSa, packet: number, textBytes: number): number {
    if (this.#record !== record) return 0
    return this.#version === 4 ? this.#matches4(packet, textBytes) : this.#matches6(packet, textBytes)
  }

  /** Gives a packet that matched the source which the one before it had when it was noted. */
  translate(packet: number): void {
    if (this.#synthetic === 0) return
    const { bytes } = this.#memory
    rewriteHeader(bytes, packet, packet + 20, AddressField.source, this.#synthetic, this.#protocol, 'complete')
  }

  #matches4(packet: number, textBytes: number): number {
    if (textBytes < LEAST_BYTES_4 + TRAILER_BYTES) return 0
    const { bytes, view } = this.#memory
    const payloadBytes = textBytes - TRAILER_BYTES - bytes[packet + textBytes - 2]!
    const totalBytes = view.getUint16(packet + 2)
    const isSame =
      bytes[packet + textBytes - 1] === NEXT_HEADER_IP4 &&
      bytes[packet] === 0x45 &&
      totalBytes <= payloadBytes &&
      totalBytes >= LEAST_BYTES_4 &&
      (view.getUint16(packet + 6) & 0x3fff) === 0 &&
      bytes[packet + 9] === this.#protocol &&
      view.getInt32(packet + 12) === this.#source &&
      view.getInt32(packet + 16) === this.#destination &&
      view.getInt32(packet + 20) === this.#ports &&
      (this.#protocol === Protocol.udp || (bytes[packet + 33]! & TCP_SYN_FIN_RST) === 0)
    return isSame ? totalBytes : 0
  }

  #matches6(packet: number, textBytes: number): number {
    if (textBytes < LEAST_BYTES_6 + TRAILER_BYTES) return 0
    const { bytes, view } = this.#memory
    const payloadBytes = textBytes - TRAILER_BYTES - bytes[packet + textBytes - 2]!
    const totalBytes = IP6_BYTES + view.getUint16(packet + 4)
    const isSame =
      bytes[packet + textBytes - 1] === NEXT_HEADER_IP6 &&
      bytes[packet]! >>> 4 === 6 &&
      totalBytes <= payloadBytes &&
      totalBytes >= LEAST_BYTES_6 &&
      bytes[packet + 6] === this.#protocol &&
      view.getInt32(packet + IP6_BYTES) === this.#ports &&
      (this.#protocol === Protocol.udp || (bytes[packet + IP6_BYTES + 13]! & TCP_SYN_FIN_RST) === 0)
    if (!isSame) return 0
    for (let word = 0; word < 8; word++) {
      if (view.getInt32(packet + 8 + 4 * word) !== this.#addresses6[word]) return 0
    }
    return totalBytes
  }
}
