/**
 * UDP to TUN: takes batches of datagrams apart, opens ESP in place, AH by copying, and hands inner packets to the coalescer.
 *
 * Order of the checks is that of packages/esp, whose functions do them: SPI, length and replay window before the ICV; then the
 * window moves, trailer, inner headers, selectors, the concentrator's policy, which are not asked again about one more
 * packet of the flow just let through (`last-flow.ts`).
 */
import {
  acceptPlaintext,
  clampMss,
  classifyDatagram,
  commitAuthentic,
  createDecapsulated,
  DatagramKind,
  Direction,
  DropCode,
  earnPathCredit,
  ESP_HEADER_BYTES,
  inspectEspHeader,
  NON_ESP_MARKER_BYTES,
  openAh,
  parseInnerPacket,
} from '@culvert/esp'
import type { SocketAddress, Spi } from '@culvert/ikev2'
import { octetsBeforeAh, wholeAhPacket } from '../sockets/ah-packet.ts'
import type { Coalescer } from '../superpackets/coalescer.ts'
import { applyOuterCongestion, setInnerCongestion } from './congestion.ts'
import type { ForwardingSite } from './forwarding-site.ts'
import type { Hairpin } from './hairpin.ts'
import { LastFlow } from './last-flow.ts'
import type { NativeSa } from '../sa/native-sa.ts'
import type { OuterSocket } from '../sockets/outer-socket.ts'
import type { Portion } from '../lanes/portion.ts'
import { NodeField, SaField } from '../shared-memory/shared-state.ts'
import { decodeSocketAddress, formatAddress, sameSocketAddress } from '../sockets/socket-address.ts'
import { AF_INET } from '../../foreign/index.ts'
import type { ReceivedBuffer } from '../sockets/udp-receiver.ts'

const TCP_SYN = 0x02
/** Of the SPI in the authentication header. */
const AH_SPI_AT = 4
/** In one round. */
const MOST_HANDED_OVER = 256
const FEW_BUFFERS = 4
/** In a few buffers: none of them is a long run. */
const SMALL_BYTES = 16_384

export class Inbound {
  readonly #site: ForwardingSite
  readonly #sockets: readonly OuterSocket[]
  readonly #coalescer: Coalescer
  readonly #hairpin: Hairpin
  readonly #out = createDecapsulated()
  readonly #last: LastFlow

  constructor(site: ForwardingSite, sockets: readonly OuterSocket[], coalescer: Coalescer, hairpin: Hairpin) {
    this.#site = site
    this.#sockets = sockets
    this.#coalescer = coalescer
    this.#hairpin = hairpin
    this.#last = new LastFlow(site.memory)
  }

  /**
   * Handles what waits in a lane of `socket`, up to its portion. How much the kernel joined shows only when it is there: so a few
   * buffers are asked for, and as many as are left when those were small.
   *
   * @returns buffers received; 0 when nothing waited
   */
  receive(socket: OuterSocket, fd: number, { buffers: mostBuffers, bytes: mostBytes }: Portion): number {
    const { receiver } = socket
    let buffers = 0
    let bytes = 0
    while (buffers < mostBuffers && bytes < mostBytes) {
      const left = mostBuffers - buffers
      const most = buffers > 0 && bytes < SMALL_BYTES ? left : Math.min(left, FEW_BUFFERS)
      const count = receiver.receive(fd, most)
      if (buffers === 0 && count > 0) this.#last.forget()
      for (let index = 0; index < count; index++) {
        const buffer = receiver.buffers[index]!
        bytes += buffer.length
        this.#takeApart(buffer, socket)
      }
      buffers += count
      if (count < most) break
    }
    if (buffers === 0) return 0
    this.#coalescer.flush()
    this.#site.handoff.flush()
    return buffers
  }

  /** Handles what other workers handed over, a batch at most. @returns packets taken */
  receiveHandedOver(): number {
    const { handoff } = this.#site
    let count = 0
    while (count < MOST_HANDED_OVER && handoff.take()) {
      if (count++ === 0) this.#last.forget()
      const { data, length, source, ecn } = handoff.taken
      const buffer = { data, length, segmentBytes: length, source, ecn, local: 0 }
      const code = this.#openEsp(data, length, buffer)
      if (code !== DropCode.none) this.#dropEsp(code, data)
    }
    if (count > 0) this.#coalescer.flush()
    return count
  }

  #takeApart(buffer: ReceivedBuffer, socket: OuterSocket): void {
    if (socket.carrier === 'esp') return this.#takeNative(buffer)
    if (socket.carrier === 'ah') return this.#takeAh(buffer, socket)
    const { bytes } = this.#site.memory
    const end = buffer.data + buffer.length
    const step = buffer.segmentBytes
    if (step === 0 || hasNoPort(bytes, buffer.source)) return this.#drop(DropCode.runt)
    for (let at = buffer.data; at < end; at += step) {
      const length = end - at < step ? end - at : step
      const kind = classifyDatagram(bytes, at, length)
      let code: DropCode = DropCode.none
      if (kind === DatagramKind.esp) {
        code = this.#isForeign(at) ? this.#handOver(at, length, buffer, socket) : this.#openEsp(at, length, buffer)
        if (code !== DropCode.none) this.#dropEsp(code, at)
        continue
      }
      if (kind === DatagramKind.ike) code = this.#takeIke(at, length, buffer, socket)
      else if (kind === DatagramKind.runt) code = DropCode.runt
      if (code !== DropCode.none) this.#drop(code)
    }
  }

  #drop(code: DropCode): void {
    this.#site.shared.node[NodeField.drops + code]!++
  }

  /** Counted for the SA too that its SPI names; whoever sent it need not be its peer. */
  #dropEsp(code: DropCode, at: number): void {
    const { memory, sads, shared } = this.#site
    this.#drop(code)
    if (code === DropCode.runt) return
    const record = sads.find(memory.view.getUint32(at) as Spi)
    if (record !== undefined) shared.sas[record.line + SaField.drops + code]!++
  }

  /** Whether another worker keeps the window of its SA. What has no SA is nobody's. */
  #isForeign(at: number): boolean {
    const { memory, handoff, sads } = this.#site
    const spi = memory.view.getUint32(at)
    return handoff.isForeign(spi) && sads.find(spi as Spi) !== undefined
  }

  #handOver(data: number, length: number, { source, ecn }: ReceivedBuffer, socket: OuterSocket): DropCode {
    const { memory, handoff } = this.#site
    const packet = { data, length, source, ecn, socket: this.#sockets.indexOf(socket) }
    return handoff.give(memory.view.getUint32(data), packet) ? DropCode.none : DropCode.queueFull
  }

  /** IPv4 packets come with their header (RFC 791 3.1), IPv6 ones without. Each worker gets a copy and takes what is its own. */
  #takeNative(buffer: ReceivedBuffer): void {
    const { memory, handoff } = this.#site
    const { bytes, view } = memory
    const headerBytes = bytes[buffer.source] === AF_INET ? (bytes[buffer.data]! & 15) * 4 : 0
    const at = buffer.data + headerBytes
    const length = buffer.length - headerBytes
    if (length < ESP_HEADER_BYTES) return this.#drop(DropCode.runt)
    if (handoff.isForeign(view.getUint32(at))) return
    const code = this.#openEsp(at, length, buffer)
    if (code !== DropCode.none) this.#dropEsp(code, at)
  }

  /** Each worker gets a copy and takes what is its own, as with ESP. */
  #takeAh(buffer: ReceivedBuffer, socket: OuterSocket): void {
    const { memory, handoff, sads } = this.#site
    const spiAt = buffer.data + octetsBeforeAh(memory, buffer) + AH_SPI_AT
    if (spiAt + 4 > buffer.data + buffer.length) return this.#drop(DropCode.badAuthHeader)
    if (handoff.isForeign(memory.view.getUint32(spiAt))) return
    // An SPI of nobody costs no copy.
    const isKnown = sads.find(memory.view.getUint32(spiAt) as Spi)?.sa.ah != null
    const code = isKnown ? this.#openAh(wholeAhPacket(memory, buffer, socket.local), buffer) : DropCode.unknownSpi
    if (code !== DropCode.none) this.#dropEsp(code, spiAt)
  }

  #openEsp(at: number, length: number, buffer: ReceivedBuffer): DropCode {
    try {
      return this.#noteRefused(this.#openPacket(at, length, buffer))
    } catch (error) {
      return this.#noteFault(error)
    }
  }

  #openAh(packet: Uint8Array, buffer: ReceivedBuffer): DropCode {
    try {
      return this.#noteRefused(this.#openAhPacket(packet, buffer))
    } catch (error) {
      return this.#noteFault(error)
    }
  }

  /** The number of an authentic packet is used up, whatever became of it. */
  #noteRefused(code: DropCode): DropCode {
    const { sa } = this.#out
    if (code !== DropCode.none && sa !== null) this.#site.notices.noteLimits(this.#site.sads.of(sa))
    return code
  }

  #noteFault(error: unknown): DropCode {
    this.#coalescer.abandon()
    this.#last.forget()
    return this.#site.faults.note(error)
  }

  #openAhPacket(packet: Uint8Array, buffer: ReceivedBuffer): DropCode {
    const { memory, sads, policies } = this.#site
    const { bytes } = memory
    const out = this.#out
    let code: DropCode = openAh(sads.sad, packet, out)
    if (out.sa === null) return code
    const record = sads.of(out.sa)
    this.#noteAuthentic(record, buffer, packet.length)
    if (code !== DropCode.none) return code
    const { place } = this.#coalescer
    bytes.set(out.buffer.subarray(out.offset, out.offset + out.length), place)
    code = parseInnerPacket(bytes, place, out.length, out.inner)
    if (code === DropCode.none) code = this.#admit(record)
    if (code === DropCode.notToDialAddress) return this.#toOtherDevice(record, buffer.ecn)
    if (code === DropCode.none && buffer.ecn !== 0) {
      // In transport mode its header is the one that the marks came in, of IPv6 made anew without them.
      if (out.sa.transport === null) code = applyOuterCongestion(bytes, place, buffer.ecn)
      else setInnerCongestion(bytes, place, buffer.ecn)
    }
    if (code === DropCode.none && policies !== null) code = policies.admit(out.sa.subject, Direction.in, out.length)
    if (code !== DropCode.none) return code
    this.#coalescer.add(out.length)
    this.#count(record, out.length)
    return DropCode.none
  }

  #openPacket(at: number, length: number, buffer: ReceivedBuffer): DropCode {
    const { memory, sads, policies } = this.#site
    const out = this.#out
    let code: DropCode = inspectEspHeader(sads.sad, memory.bytes, at, length, out)
    if (code !== DropCode.none) return code
    const record = sads.of(out.candidate!)
    const { opener } = record
    const place = this.#coalescer.place
    const text = place + (record.sa.transport?.headerBytes ?? 0)
    if (!opener.openAt(at, length, text, out.sequenceHigh)) return DropCode.badIcv
    code = commitAuthentic(out)
    if (code !== DropCode.none) return code
    this.#noteAuthentic(record, buffer, length)
    const textBytes = length - ESP_HEADER_BYTES - opener.ivBytes - opener.icvBytes
    let innerBytes = this.#last.matches(record, place, textBytes)
    if (innerBytes === 0) {
      code = this.#acceptPacket(record, text, textBytes)
      if (code === DropCode.notToDialAddress) return this.#toOtherDevice(record, buffer.ecn)
      if (code !== DropCode.none) return code
      innerBytes = out.length
    } else {
      this.#last.translate(place)
      record.sa.packetsIn++
      record.sa.bytesIn += innerBytes
    }
    if (buffer.ecn !== 0) {
      if (record.sa.transport !== null) setInnerCongestion(memory.bytes, place, buffer.ecn)
      else code = applyOuterCongestion(memory.bytes, place, buffer.ecn)
      if (code !== DropCode.none) return code
    }
    if (policies !== null) {
      code = policies.admit(record.sa.subject, Direction.in, innerBytes)
      if (code !== DropCode.none) return code
    }
    this.#coalescer.add(innerBytes)
    this.#count(record, innerBytes)
    return DropCode.none
  }

  #toOtherDevice(record: NativeSa, ecn: number): DropCode {
    const code = this.#hairpin.forward(record, this.#out.inner, ecn)
    if (code === DropCode.none) this.#count(record, this.#out.inner.totalBytes)
    return code
  }

  #noteAuthentic(record: NativeSa, buffer: ReceivedBuffer, length: number): void {
    const { memory, notices } = this.#site
    notices.noteTraffic(record)
    const { sa, destination } = record
    if (sa.pathCredit.bytes !== Infinity && sameSocketAddress(memory, buffer.source, destination)) {
      earnPathCredit(sa, length)
    }
    if (!this.#out.hasAdvanced || !record.sa.peerBehindNat) return
    if (hasNoPort(memory.bytes, buffer.source) || sameSocketAddress(memory, buffer.source, record.destination)) return
    if (notices.mayNoteMove(record)) {
      notices.noteMove(record.sa.spiIn, decodeSocketAddress(memory.bytes, buffer.source))
    }
  }

  #acceptPacket(record: NativeSa, text: number, textBytes: number): DropCode {
    const { memory, sads } = this.#site
    const { bytes, view } = memory
    const { inner } = this.#out
    const source = view.getInt32(text + 12)
    let code: DropCode = acceptPlaintext(bytes, text, textBytes, this.#out, sads.sad.hosts)
    if (code === DropCode.none) code = this.#admit(record)
    if (code !== DropCode.none) return code
    // In transport mode the header is not in the plaintext, which a match would be looked for in.
    if (record.sa.transport === null) this.#last.note(record, text, inner, source)
    return DropCode.none
  }

  /** What the concentrator's policy says about the packet that was read last, which lies in packet memory. */
  #admit(record: NativeSa): DropCode {
    const { memory, isolation, tunMtuBytes, paths } = this.#site
    const { inner } = this.#out
    if (isolation !== null) {
      const code = isolation.admitInbound(memory.bytes, inner, record.sa)
      if (code !== DropCode.none) return code
    }
    if ((inner.tcpFlags & TCP_SYN) !== 0) {
      clampMss(memory.bytes, inner, Math.min(tunMtuBytes, paths.largestInner(record)))
    }
    return DropCode.none
  }

  #count(record: NativeSa, innerBytes: number): void {
    const { node, sas } = this.#site.shared
    node[NodeField.packetsIn]!++
    node[NodeField.bytesIn]! += innerBytes
    sas[record.line + SaField.packetsIn] = record.sa.packetsIn
    sas[record.line + SaField.bytesIn] = record.sa.bytesIn
    this.#site.notices.noteLimits(record)
  }

  #takeIke(at: number, length: number, buffer: ReceivedBuffer, socket: OuterSocket): DropCode {
    const { memory, notices } = this.#site
    if (!notices.hasRoomForIke(length)) return DropCode.queueFull
    const bytes = memory.copyOut(at + NON_ESP_MARKER_BYTES, length - NON_ESP_MARKER_BYTES)
    const remote = decodeSocketAddress(memory.bytes, buffer.source)
    notices.addIke(bytes, { local: this.#localOf(buffer, socket), remote })
    return DropCode.none
  }

  /** Where a datagram was sent to: behind a wildcard the kernel says which address it was. */
  #localOf(buffer: ReceivedBuffer, { local }: OuterSocket): SocketAddress {
    if (buffer.local === 0) return local
    const { bytes } = this.#site.memory
    return { address: formatAddress(bytes, buffer.local, bytes[buffer.source]!), port: local.port }
  }
}

/** There is no way back to a sender at port 0. */
function hasNoPort(bytes: Uint8Array, source: number): boolean {
  return (bytes[source + 2]! | bytes[source + 3]!) === 0
}
