/**
 * Receives batches of datagrams (recvmmsg), each buffer holding one datagram or a run of equal ones that the kernel joined.
 *
 *   cmsghdr (16): len:8 level:4 type:4, data, padded to 8
 */
import { MessageHeaders, type PacketMemory, type Syscalls } from '../../foreign/index.ts'
import { SOCKADDR_BYTES } from './socket-address.ts'
import { IP_PKTINFO, IP_TOS, IPV6_PKTINFO, IPV6_TCLASS, SOL_IP, SOL_IPV6, SOL_UDP, UDP_GRO } from './udp-socket.ts'

const BUFFERS = 16
const BUFFER_BYTES = 65_536
const CONTROL_BYTES = 128
const CMSG_HEADER_BYTES = 16

/** What came in one buffer. */
export interface ReceivedBuffer {
  readonly data: number
  length: number
  /** Length of every datagram in it but the last; `length` when there is only one. */
  segmentBytes: number
  /** Offset of the sender's socket address. */
  readonly source: number
  /** Congestion bits of the outer headers. */
  ecn: number
  /** Offset of the local address by IP_PKTINFO or IPV6_PKTINFO, 0 when not asked for. */
  local: number
}

/** The buffers serve all sockets of one address, one batch at a time. */
export class UdpReceiver {
  readonly buffers: readonly ReceivedBuffer[]
  readonly #memory: PacketMemory
  readonly #syscalls: Syscalls
  readonly #headers: MessageHeaders
  readonly #controls: number

  constructor(memory: PacketMemory, syscalls: Syscalls) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#headers = new MessageHeaders(memory, BUFFERS)
    this.#controls = memory.allocate(CONTROL_BYTES * BUFFERS)
    const names = memory.allocate(SOCKADDR_BYTES * BUFFERS)
    const data = memory.allocate(BUFFER_BYTES * BUFFERS)
    this.buffers = Array.from({ length: BUFFERS }, (_, index) => {
      const buffer = {
        data: data + BUFFER_BYTES * index,
        length: 0,
        segmentBytes: 0,
        source: names + SOCKADDR_BYTES * index,
        ecn: 0,
        local: 0,
      }
      this.#headers.setData(index, buffer.data, BUFFER_BYTES)
      this.#headers.setName(index, buffer.source, SOCKADDR_BYTES)
      this.#headers.setControl(index, this.#controls + CONTROL_BYTES * index, CONTROL_BYTES)
      return buffer
    })
  }

  /** @param most buffers to fill @returns how many were filled; 0 when nothing waits */
  receive(fd: number, most: number = BUFFERS): number {
    const count = this.#syscalls.recvmmsg(fd, this.#headers, Math.min(most, BUFFERS))
    for (let index = 0; index < count; index++) this.#describe(index)
    return count > 0 ? count : 0
  }

  #describe(index: number): void {
    const buffer = this.buffers[index]!
    buffer.length = this.#headers.lengthOf(index)
    buffer.segmentBytes = buffer.length
    buffer.ecn = 0
    buffer.local = 0
    const control = this.#controls + CONTROL_BYTES * index
    readControl(this.#memory, control, this.#headers.controlLengthOf(index), buffer)
  }
}

/** Reads the control messages in a block of `length` bytes. */
export function readControl(memory: PacketMemory, control: number, length: number, into: ReceivedBuffer): void {
  const { bytes, view } = memory
  let at = control
  const end = control + Math.min(length, CONTROL_BYTES)
  while (at + CMSG_HEADER_BYTES <= end) {
    const messageBytes = view.getUint32(at, true)
    if (messageBytes <= CMSG_HEADER_BYTES || at + messageBytes > end) return
    const level = view.getInt32(at + 8, true)
    const type = view.getInt32(at + 12, true)
    const data = at + CMSG_HEADER_BYTES
    if (level === SOL_UDP && type === UDP_GRO) {
      const segmentBytes = view.getUint16(data, true)
      if (segmentBytes > 0) into.segmentBytes = segmentBytes
    } else if ((level === SOL_IP && type === IP_TOS) || (level === SOL_IPV6 && type === IPV6_TCLASS)) {
      into.ecn = bytes[data]! & 3
    } else if (level === SOL_IP && type === IP_PKTINFO) {
      into.local = data + 8 // in_pktinfo: interface index, address of the interface, destination address
    } else if (level === SOL_IPV6 && type === IPV6_PKTINFO) {
      into.local = data
    }
    at += (messageBytes + 7) & ~7
  }
}
