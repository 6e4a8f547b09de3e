/**
 * Sends datagrams in runs: equal ones to the same address leave in one call, cut apart by the kernel (UDP_SEGMENT).
 *
 * All limits of such a run are in `#fits`: one destination, one TOS, equal lengths but for a shorter last one, at most 64
 * datagrams and 65 000 bytes. Datagrams are built in place: `reserve`, write, `commit`. Where the kernel refuses a
 * run (no checksum offload, a small MTU), its datagrams are sent one by one (sendmmsg) and the refusal is counted. A full socket
 * is waited for once, then the run is lost: other devices wait behind it.
 */
import {
  AF_INET6,
  EAGAIN,
  EINTR,
  EMSGSIZE,
  ENOBUFS,
  MessageHeaders,
  type PacketMemory,
  POLLOUT,
  type Syscalls,
} from '../../foreign/index.ts'
import { SOCKADDR_BYTES, sockaddrLength } from './socket-address.ts'
import { IP_TOS, IPV6_TCLASS, setDontFragment, SOL_IP, SOL_IPV6, SOL_UDP, UDP_SEGMENT } from './udp-socket.ts'

const MOST_DATAGRAMS = 64
const MOST_BYTES = 65_000
export const LARGEST_DATAGRAM = 65_507
const SEGMENT_CMSG_BYTES = 24
const TOS_CMSG_BYTES = 24
const PATIENCE_MS = 5

export type SendingSyscalls = Pick<Syscalls, 'sendmsg' | 'sendmmsg' | 'poll' | 'setIntOption'>

/** Beside the eight bits of TOS or traffic class: this datagram may be fragmented. */
export const MAY_FRAGMENT = 0x100

export class UdpSender {
  /** Runs that the kernel refused to cut. */
  refusedRuns = 0
  /** Datagrams lost because the kernel did not take them. */
  failed = 0
  /** Last destination whose datagram the kernel found too long; 0 when there is none. The reader clears it. */
  tooLongFor = 0

  readonly #memory: PacketMemory
  readonly #syscalls: SendingSyscalls
  readonly #fd: number
  readonly #buffer: number
  readonly #name: number
  readonly #headers: MessageHeaders
  readonly #control: number
  readonly #pollVector: number
  readonly #segments: boolean

  #end: number
  #count = 0
  #segmentBytes = 0
  #closed = false
  #destination = 0
  #marks = 0

  /** @param segments whether the kernel may be asked to cut runs */
  constructor(memory: PacketMemory, syscalls: SendingSyscalls, fd: number, segments = true) {
    this.#segments = segments
    this.#memory = memory
    this.#syscalls = syscalls
    this.#fd = fd
    this.#buffer = memory.allocate(MOST_BYTES + LARGEST_DATAGRAM)
    this.#end = this.#buffer
    this.#name = memory.allocate(SOCKADDR_BYTES)
    this.#headers = new MessageHeaders(memory, MOST_DATAGRAMS)
    this.#control = memory.allocate(SEGMENT_CMSG_BYTES + TOS_CMSG_BYTES)
    this.#pollVector = memory.allocate(8)
  }

  /**
   * @param destination offset of a socket address; equal offsets mean the same run
   * @param marks TOS or traffic class of the outer header, and `MAY_FRAGMENT`
   * @returns offset of a block of `length` bytes (at most 65 507) to write the datagram to; valid until `commit`
   */
  reserve(destination: number, length: number, marks: number): number {
    if (this.#count > 0 && !this.#fits(destination, length, marks)) this.flush()
    if (this.#count === 0) {
      this.#destination = destination
      this.#marks = marks
      this.#segmentBytes = length
    }
    return this.#end
  }

  /** The reserved datagram is complete. */
  commit(length: number): void {
    this.#end += length
    this.#count++
    this.#closed = length < this.#segmentBytes
  }

  /** Sends what is there. */
  flush(): void {
    if (this.#count === 0) return
    const mayFragment = (this.#marks & MAY_FRAGMENT) !== 0
    if (mayFragment) this.#setDontFragment(false)
    this.#sendRun()
    if (mayFragment) this.#setDontFragment(true)
    this.#end = this.#buffer
    this.#count = 0
    this.#closed = false
  }

  #sendRun(): void {
    const total = this.#end - this.#buffer
    this.#copyDestination()
    if (!this.#segments && this.#count > 1) return this.#sendSingly(total)
    this.#prepare(0, this.#buffer, total, this.#writeControl())
    const result = this.#send()
    if (result >= 0) return
    if (this.#count > 1 && !isTransient(result)) {
      this.refusedRuns++
      this.#sendSingly(total)
    } else this.#lose(result, this.#count)
  }

  #lose(result: number, count: number): void {
    this.failed += count
    if (result === -EMSGSIZE) this.tooLongFor = this.#destination
  }

  #setDontFragment(isSet: boolean): void {
    setDontFragment(this.#syscalls, this.#fd, this.#memory.bytes[this.#destination]!, isSet)
  }

  /** For destinations whose address is about to change or to be reused. */
  flushFor(destination: number): void {
    if (this.#destination === destination) this.flush()
  }

  #fits(destination: number, length: number, marks: number): boolean {
    return (
      !this.#closed &&
      destination === this.#destination &&
      marks === this.#marks &&
      length <= this.#segmentBytes &&
      this.#count < MOST_DATAGRAMS &&
      this.#end - this.#buffer + length <= MOST_BYTES
    )
  }

  #prepare(index: number, data: number, length: number, controlBytes: number): void {
    const headers = this.#headers
    headers.setData(index, data, length)
    headers.setName(index, this.#name, sockaddrLength(this.#memory, this.#destination))
    headers.setControl(index, this.#control, controlBytes)
  }

  /** @returns bytes of control messages: TOS first when it is not zero, then the segment size when there is a run */
  #writeControl(): number {
    let at = this.#control
    const tos = this.#marks & 0xff
    if (tos !== 0) {
      const ipv6 = this.#memory.bytes[this.#destination] === AF_INET6
      this.#writeCmsg(at, 20, ipv6 ? SOL_IPV6 : SOL_IP, ipv6 ? IPV6_TCLASS : IP_TOS)
      this.#memory.view.setUint32(at + 16, tos, true)
      at += TOS_CMSG_BYTES
    }
    if (this.#count > 1) {
      this.#writeCmsg(at, 18, SOL_UDP, UDP_SEGMENT)
      this.#memory.view.setUint16(at + 16, this.#segmentBytes, true)
      at += SEGMENT_CMSG_BYTES
    }
    return at - this.#control
  }

  #writeCmsg(at: number, length: number, level: number, type: number): void {
    this.#memory.writeNumber(at, length)
    this.#memory.view.setInt32(at + 8, level, true)
    this.#memory.view.setInt32(at + 12, type, true)
  }

  /** Waits for room once. @returns as the system call */
  #send(): number {
    const sent = this.#syscalls.sendmsg(this.#fd, this.#headers, 0)
    return isTransient(sent) && this.#awaitRoom() ? this.#syscalls.sendmsg(this.#fd, this.#headers, 0) : sent
  }

  /** The kernel gets a copy: the table of addresses may change while a call is repeated. */
  #copyDestination(): void {
    const from = this.#destination
    this.#memory.bytes.copyWithin(this.#name, from, from + SOCKADDR_BYTES)
  }

  #sendSingly(total: number): void {
    const [count, segmentBytes] = [this.#count, this.#segmentBytes]
    this.#count = 1 // one datagram each: no segment size in the control messages
    const controlBytes = this.#writeControl()
    for (let index = 0; index < count; index++) {
      const start = segmentBytes * index
      this.#prepare(index, this.#buffer + start, Math.min(segmentBytes, total - start), controlBytes)
    }
    let index = 0
    let hasWaited = false
    while (index < count) {
      const sent = this.#syscalls.sendmmsg(this.#fd, this.#headers, index, count - index)
      if (sent > 0) {
        index += sent
        hasWaited = false
      } else if (!isTransient(sent)) {
        this.#lose(sent, 1)
        index++
      } else if (hasWaited || !this.#awaitRoom()) {
        this.failed += count - index // a full socket is not worth a pause for each of them
        return
      } else hasWaited = true
    }
  }

  #awaitRoom(): boolean {
    const { view } = this.#memory
    view.setInt32(this.#pollVector, this.#fd, true)
    view.setInt16(this.#pollVector + 4, POLLOUT, true)
    return this.#syscalls.poll(this.#pollVector, 1, PATIENCE_MS) > 0
  }
}

function isTransient(result: number): boolean {
  return result === -EAGAIN || result === -EINTR || result === -ENOBUFS
}
