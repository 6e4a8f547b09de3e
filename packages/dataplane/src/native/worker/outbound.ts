/**
 * TUN to UDP: reads packets and superpackets, finds their SA, cuts them into packets and seals those into runs of datagrams.
 *
 * Lookup, selectors and policy are asked once per frame: all segments of a superpacket belong to one flow. The ESP trailer is
 * written behind the packet in place, where the next segment's payload may lie; what stood there is put back.
 */
import {
  clampMss,
  createInnerPacket,
  Direction,
  DropCode,
  ESP_HEADER_BYTES,
  isSynthetic,
  isUnfragmentable,
  mayLeave,
  nextHeaderOf,
  type InnerPacket,
  paddedBytes,
  parseInnerPacket,
  spendPathCredit,
  takeSequenceNumber,
  TOO_BIG_BYTES,
  TRAILER_ROOM_BYTES,
  translateOutbound,
  writeTooBig,
  writeTrailer,
} from '@culvert/esp'
import { AhSealer } from './ah-sealer.ts'
import { innerTos } from './congestion.ts'
import type { ForwardingSite } from './forwarding-site.ts'
import type { PacketSealer } from './hairpin.ts'
import type { NativeSa } from '../sa/native-sa.ts'
import type { OuterSocket } from '../sockets/outer-socket.ts'
import type { Portion } from '../lanes/portion.ts'
import { Segmenter, VNET_HEADER_BYTES, VNET_NEEDS_CSUM } from '../superpackets/segmenter.ts'
import { NodeField, SaField } from '../shared-memory/shared-state.ts'
import type { Syscalls } from '../../foreign/index.ts'
import { LARGEST_DATAGRAM, MAY_FRAGMENT } from '../sockets/udp-sender.ts'

const FRAME_BYTES = VNET_HEADER_BYTES + 65_536
const TCP_SYN = 0x02
/** A sender that goes on with packets that are too big is told again, per SA. */
const TOO_BIG_INTERVAL_MS = 20

export class Outbound implements PacketSealer {
  readonly #site: ForwardingSite
  readonly #syscalls: Syscalls
  /** Where answers to packets that do not fit are written. */
  readonly #tunFd: number
  readonly #sockets: readonly OuterSocket[]
  readonly #segmenter: Segmenter
  readonly #ah: AhSealer
  readonly #frame: number
  /** Frame of an answer to a packet that does not fit; its virtio_net_hdr stays zero. */
  readonly #tooBig: number
  readonly #inner = createInnerPacket()
  /** The SA of the current frame, once it is found. */
  #record: NativeSa | null = null
  readonly #overwritten = new Uint8Array(TRAILER_ROOM_BYTES)

  constructor(site: ForwardingSite, syscalls: Syscalls, tunFd: number, sockets: readonly OuterSocket[]) {
    this.#site = site
    this.#syscalls = syscalls
    this.#tunFd = tunFd
    this.#sockets = sockets
    this.#tooBig = site.memory.allocate(VNET_HEADER_BYTES + TOO_BIG_BYTES)
    this.#segmenter = new Segmenter(site.memory, site.checksum)
    this.#ah = new AhSealer(site)
    this.#frame = site.memory.allocate(64 + FRAME_BYTES + TRAILER_ROOM_BYTES) + 64 - VNET_HEADER_BYTES
  }

  /** Reads one queue until nothing waits or its portion is done. What it seals waits for `flush`. @returns frames read */
  drain(tunFd: number, { frames: mostFrames, bytes: mostBytes }: Portion): number {
    let frames = 0
    let total = 0
    while (frames < mostFrames && total < mostBytes) {
      const length = this.#syscalls.read(tunFd, this.#frame, FRAME_BYTES)
      if (length <= 0) break
      frames++
      total += length
      this.#record = null
      const code = this.#forwardSafely(length)
      if (code !== DropCode.none) this.#drop(code)
    }
    return frames
  }

  /** Sends what was sealed since the last time, by whomever. */
  flush(): void {
    for (let index = 0; index < this.#sockets.length; index++) this.#sockets[index]!.sender.flush()
  }

  #forwardSafely(length: number): DropCode {
    try {
      return this.#forward(length)
    } catch (error) {
      return this.#site.faults.note(error)
    }
  }

  #drop(code: DropCode): void {
    const { node, sas } = this.#site.shared
    node[NodeField.drops + code]!++
    if (this.#record !== null) sas[this.#record.line + SaField.drops + code]!++
  }

  #forward(length: number): DropCode {
    const { memory, sads, isolation, tunMtuBytes, paths, tosMask } = this.#site
    const { bytes } = memory
    const inner = this.#inner
    const packet = this.#frame + VNET_HEADER_BYTES
    let code: DropCode = parseInnerPacket(bytes, packet, length - VNET_HEADER_BYTES, inner)
    if (code !== DropCode.none) return code
    const record = sads.outbound(inner)
    if (typeof record === 'number') return record
    this.#record = record
    if (isolation !== null) {
      code = isolation.admitOutbound(bytes, inner)
      if (code !== DropCode.none) return code
    }
    const most = paths.largestInner(record)
    let marks = innerTos(bytes, packet) & tosMask
    if (length - VNET_HEADER_BYTES > most) {
      const longest = this.#segmenter.longestOf(this.#frame, length)
      if (longest > most && isUnfragmentable(bytes, inner, longest)) return this.#answerTooBig(record, most)
      if (longest > most) marks |= MAY_FRAGMENT
    }
    const checksum = (bytes[this.#frame]! & VNET_NEEDS_CSUM) === 0 ? 'complete' : 'partial'
    const { hosts } = sads.sad
    if (hosts !== null && isSynthetic(inner.destination4)) {
      translateOutbound(bytes, inner, hosts.hostOf(inner.destination4), checksum)
    }
    if ((inner.tcpFlags & TCP_SYN) !== 0) clampMss(bytes, inner, Math.min(tunMtuBytes, most), checksum)
    if (!this.#segmenter.begin(this.#frame, length, most)) return DropCode.innerMalformed
    this.#sealSegments(record, marks)
    this.#publish(record)
    return DropCode.none
  }

  /** A packet from device to device that does not fit is fragmented outside: nobody behind the TUN could be told. */
  sealPacket(record: NativeSa, inner: InnerPacket, tos: number): DropCode {
    const { paths, tosMask } = this.#site
    const marks = (tos & tosMask) | (inner.totalBytes > paths.largestInner(record) ? MAY_FRAGMENT : 0)
    this.#hearOthers(record)
    record.sa.sequence.reserve(1) // none that a dropped segment left behind
    const code = this.#seal(record, inner, inner.packetOffset, inner.totalBytes, false, marks)
    this.#publish(record)
    return code
  }

  #answerTooBig(record: NativeSa, most: number): DropCode {
    const { memory, notices } = this.#site
    if (notices.nowMs - record.tooBigNoticeMs < TOO_BIG_INTERVAL_MS) return DropCode.tooBig
    record.tooBigNoticeMs = notices.nowMs
    const message = this.#tooBig + VNET_HEADER_BYTES
    const length = writeTooBig(memory.bytes, this.#inner, most, memory.bytes, message)
    if (length > 0) this.#syscalls.write(this.#tunFd, this.#tooBig, VNET_HEADER_BYTES + length)
    return DropCode.tooBig
  }

  /** Each segment counts for itself, passed or dropped. */
  #sealSegments(record: NativeSa, marks: number): void {
    const segmenter = this.#segmenter
    this.#hearOthers(record)
    record.sa.sequence.reserve(segmenter.count) // too few left: `take` hands them out one by one
    while (segmenter.next()) {
      const { offset, length, more } = segmenter
      const code = this.#seal(record, this.#inner, offset, length, more, marks)
      if (code !== DropCode.none) this.#drop(code)
    }
  }

  #publish(record: NativeSa): void {
    const { sas } = this.#site.shared
    sas[record.line + SaField.packetsOut] = record.sa.packetsOut
    sas[record.line + SaField.bytesOut] = record.sa.bytesOut
  }

  /** For the limits of the SA, which count what all workers send: before each frame. */
  #hearOthers(record: NativeSa): void {
    const { others, notices } = this.#site
    if (others.length === 0) return
    const { sa, line } = record
    let packets = 0
    let bytes = 0
    for (let i = 0; i < others.length; i++) {
      const other = others[i]!
      if (other[line + SaField.spi] !== sa.spiIn) continue
      packets += other[line + SaField.packetsOut]!
      bytes += other[line + SaField.bytesOut]!
    }
    sa.packetsOutElsewhere = packets
    sa.bytesOutElsewhere = bytes
    notices.noteLimits(record)
  }

  /**
   * @param offset, length of the packet, whose headers are `inner`
   * @param more what lies behind it is needed: the trailer is written there for a moment only
   */
  #seal(record: NativeSa, inner: InnerPacket, offset: number, length: number, more: boolean, marks: number): DropCode {
    const { sa, sealer, destination } = record
    const { sender } = record.socket
    const { memory, policies } = this.#site
    const { bytes, view } = memory
    if (sa.ah !== null) return this.#sealAh(record, offset, length, marks)
    const refused = mayLeave(sa, inner)
    if (refused !== DropCode.none) return refused
    const headerBytes = sa.transport?.headerBytes ?? 0
    const text = offset + headerBytes
    const textBytes = paddedBytes(length - headerBytes, sealer)
    const espBytes = ESP_HEADER_BYTES + sealer.ivBytes + textBytes + sealer.icvBytes
    if (espBytes > LARGEST_DATAGRAM) return DropCode.tooBig
    if (!spendPathCredit(sa, espBytes)) return DropCode.pathUnconfirmed
    if (policies !== null) {
      const code = policies.admit(sa.subject, Direction.out, length)
      if (code !== DropCode.none) return code
    }
    if (!takeSequenceNumber(sa)) return DropCode.sequenceExhausted
    const at = sender.reserve(destination, espBytes, marks)
    view.setUint32(at, sa.spiOut)
    view.setUint32(at + 4, sa.sequenceLow)
    const end = offset + length
    const trailerBytes = text + textBytes - end
    if (more) this.#save(end, trailerBytes)
    writeTrailer(bytes, end, end + trailerBytes, nextHeaderOf(sa, inner))
    const isSealed = sealer.sealAt(at, text, textBytes, sa.sequenceHigh)
    if (more) this.#restore(end, trailerBytes)
    if (!isSealed) return DropCode.sequenceExhausted
    sender.commit(espBytes)
    sa.packetsOut++
    sa.bytesOut += length
    this.#count(record, length)
    return DropCode.none
  }

  #sealAh(record: NativeSa, offset: number, length: number, marks: number): DropCode {
    const code = this.#ah.seal(record, offset, length, marks)
    if (code === DropCode.none) this.#count(record, length)
    return code
  }

  #count(record: NativeSa, length: number): void {
    const { node } = this.#site.shared
    node[NodeField.packetsOut]!++
    node[NodeField.bytesOut]! += length
    this.#site.notices.noteLimits(record)
  }

  #save(from: number, count: number): void {
    const { bytes } = this.#site.memory
    for (let i = 0; i < count; i++) this.#overwritten[i] = bytes[from + i]!
  }

  #restore(to: number, count: number): void {
    const { bytes } = this.#site.memory
    for (let i = 0; i < count; i++) bytes[to + i] = this.#overwritten[i]!
  }
}
