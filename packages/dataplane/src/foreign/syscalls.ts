/**
 * The system calls of the native data plane, on the libc that Node itself is linked with (glibc or musl).
 *
 * Every block that the kernel reads or writes is checked against the packet memory before the call: by the calls below, or when it is
 * put into a message header (`message-headers.ts`). What holds addresses itself is built here, out of checked blocks.
 *
 * Failing calls return the negative error number, as the kernel does.
 */
import { checked, type SystemFunctions, systemFunctions } from './library.ts'
import {
  BPF_PROG_LOAD,
  EFD_NONBLOCK_CLOEXEC,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_EVENT_BYTES,
  MSG_DONTWAIT,
  SO_ATTACH_FILTER,
  SO_ATTACH_REUSEPORT_CBPF,
  SOL_SOCKET,
  SYS_BPF,
  TUNSETOFFLOAD,
  TUNSETSTEERINGEBPF,
} from './linux.ts'
import type { MessageHeaders } from './message-headers.ts'
import { addressIn, type PacketMemory } from './packet-memory.ts'
import { Structure } from './structure.ts'

/** Of a classic BPF or an eBPF instruction. */
const INSTRUCTION_BYTES = 8
const POLLFD_BYTES = 8
/** struct sockaddr_in6, the longest that is asked for. */
const SOCKET_NAME_BYTES = 28
const PROGRAM_TYPE_SOCKET_FILTER = 1

/** Parts of the scratch structure: 8 octets for a value, 4 for a length, then programs. */
const VALUE_AT = 0
const LENGTH_AT = 8
const PROGRAM_AT = 16
const PROGRAM_HEAD_BYTES = 16
const PROGRAM_ATTRIBUTES_BYTES = 48
/** An empty text: the license of a program. */
const LICENSE_AT = 64
const SCRATCH_BYTES = 72

/** @param protocol of IP; 0 for what goes with the type */
export function socket(family: number, type: number, protocol = 0): number {
  return checked(systemFunctions().socket(family, type, protocol))
}

export function closeFile(fd: number): void {
  systemFunctions().close(fd)
}

/** Non-blocking, counting from zero. */
export function eventfd(): number {
  return checked(systemFunctions().eventfd(0, EFD_NONBLOCK_CLOEXEC))
}

/** To be filled by the worker that waits with it. */
export function epoll(): number {
  return checked(systemFunctions().epollCreate(EPOLL_CLOEXEC))
}

/** What offload a TUN takes; the flags go in the place of a pointer. @returns 0, or the negative error number */
export function setTunOffload(fd: number, flags: number): number {
  return checked(systemFunctions().ioctl(fd, TUNSETOFFLOAD, flags))
}

/** System calls on blocks of one packet memory; all positions are offsets in it. */
export class Syscalls {
  readonly #calls: SystemFunctions
  readonly #memory: PacketMemory
  readonly #scratch: Structure

  /** Throws `NativeUnavailableError`. */
  constructor(memory: PacketMemory) {
    this.#calls = systemFunctions()
    this.#memory = memory
    this.#scratch = new Structure(memory, SCRATCH_BYTES)
  }

  bind(fd: number, sockaddr: number, length: number): number {
    return checked(this.#calls.bind(fd, addressIn(this.#memory, sockaddr, length), length))
  }

  /** Fills the 28-byte block at `sockaddr`. */
  getsockname(fd: number, sockaddr: number): number {
    const name = addressIn(this.#memory, sockaddr, SOCKET_NAME_BYTES)
    this.#scratch.view.setUint32(LENGTH_AT, SOCKET_NAME_BYTES, true)
    return checked(this.#calls.getsockname(fd, name, this.#scratch.address(LENGTH_AT, 4)))
  }

  /** Of a datagram socket: only chooses the route. */
  connect(fd: number, sockaddr: number, length: number): number {
    return checked(this.#calls.connect(fd, addressIn(this.#memory, sockaddr, length), length))
  }

  /** @returns the value of an option that is a non-negative `int`, or the negative error number */
  getIntOption(fd: number, level: number, option: number): number {
    const { view } = this.#scratch
    view.setUint32(LENGTH_AT, 4, true)
    const value = this.#scratch.address(VALUE_AT, 4)
    const result = checked(this.#calls.getsockopt(fd, level, option, value, this.#scratch.address(LENGTH_AT, 4)))
    return result < 0 ? result : view.getInt32(VALUE_AT, true)
  }

  /**
   * @param offset of a block of `length` bytes, which holds no address: programs go by `attachFilter`
   * @throws RangeError
   */
  setOption(fd: number, level: number, option: number, offset: number, length: number): number {
    if (level === SOL_SOCKET && isProgramOption(option)) throw new RangeError(`option ${option} takes a program`)
    return checked(this.#calls.setsockopt(fd, level, option, addressIn(this.#memory, offset, length), length))
  }

  setIntOption(fd: number, level: number, option: number, value: number): number {
    this.#scratch.view.setInt32(VALUE_AT, value, true)
    return checked(this.#calls.setsockopt(fd, level, option, this.#scratch.address(VALUE_AT, 4), 4))
  }

  /**
   * Gives a socket a classic BPF program of `count` instructions.
   *
   *   struct sock_fprog (16): len:2 pad:6 filter:8
   *
   * @param option SO_ATTACH_FILTER or SO_ATTACH_REUSEPORT_CBPF @throws RangeError
   */
  attachFilter(fd: number, option: number, instructions: number, count: number): number {
    if (!isProgramOption(option)) throw new RangeError(`option ${option} takes no program`)
    const length = this.#memory.checkVector(instructions, count, INSTRUCTION_BYTES)
    if (count > 0xffff) throw new RangeError(`a program of ${count} instructions`)
    this.#scratch.writeNumber(PROGRAM_AT, count)
    this.#scratch.pointOut(PROGRAM_AT + 8, instructions, length)
    const program = this.#scratch.address(PROGRAM_AT, PROGRAM_HEAD_BYTES)
    return checked(this.#calls.setsockopt(fd, SOL_SOCKET, option, program, PROGRAM_HEAD_BYTES))
  }

  /** At most `count` messages into the first headers, with all the room they have. @returns messages received */
  recvmmsg(fd: number, headers: MessageHeaders, count: number): number {
    const address = headers.address(0, count)
    headers.rearm()
    const received = checked(this.#calls.recvmmsg(fd, address, count, MSG_DONTWAIT, 0))
    headers.noteFilled(received)
    return received
  }

  /** @param index of the header @returns bytes sent */
  sendmsg(fd: number, headers: MessageHeaders, index: number): number {
    return checked(this.#calls.sendmsg(fd, headers.address(index, 1), MSG_DONTWAIT))
  }

  /** `count` messages from the header `from` on. @returns messages sent; the first that fails ends the call */
  sendmmsg(fd: number, headers: MessageHeaders, from: number, count: number): number {
    return checked(this.#calls.sendmmsg(fd, headers.address(from, count), count, MSG_DONTWAIT))
  }

  sendto(fd: number, offset: number, length: number, sockaddr: number, sockaddrLength: number): number {
    const to = addressIn(this.#memory, sockaddr, sockaddrLength)
    const from = addressIn(this.#memory, offset, length)
    return checked(this.#calls.sendto(fd, from, length, MSG_DONTWAIT, to, sockaddrLength))
  }

  read(fd: number, offset: number, length: number): number {
    return checked(this.#calls.read(fd, addressIn(this.#memory, offset, length), length))
  }

  write(fd: number, offset: number, length: number): number {
    return checked(this.#calls.write(fd, addressIn(this.#memory, offset, length), length))
  }

  /** Takes the count out of a non-blocking event counter. */
  drainEventfd(fd: number): void {
    this.#calls.read(fd, this.#scratch.address(VALUE_AT, 8), 8)
  }

  /** Wakes whoever polls an event counter. */
  signalEventfd(fd: number): void {
    this.#scratch.writeNumber(VALUE_AT, 1)
    this.#calls.write(fd, this.#scratch.address(VALUE_AT, 8), 8)
  }

  /**
   * Loads an eBPF program of `count` instructions.
   *
   *   bpf_attr (48): type:4 count:4 instructions:8 license:8 log, version, flags: 0
   *
   * @returns its descriptor
   */
  loadProgram(instructions: number, count: number): number {
    const length = this.#memory.checkVector(instructions, count, INSTRUCTION_BYTES)
    const scratch = this.#scratch
    scratch.bytes.fill(0, PROGRAM_AT)
    scratch.view.setUint32(PROGRAM_AT, PROGRAM_TYPE_SOCKET_FILTER, true)
    scratch.view.setUint32(PROGRAM_AT + 4, count, true)
    scratch.pointOut(PROGRAM_AT + 8, instructions, length)
    scratch.pointIn(PROGRAM_AT + 16, LICENSE_AT, 1)
    const attributes = scratch.address(PROGRAM_AT, PROGRAM_ATTRIBUTES_BYTES)
    return checked(this.#calls.syscall(SYS_BPF, BPF_PROG_LOAD, attributes, PROGRAM_ATTRIBUTES_BYTES))
  }

  /** Lets the program with this descriptor choose the queues of a TUN. */
  steerTun(fd: number, program: number): number {
    this.#scratch.view.setInt32(VALUE_AT, program, true)
    return checked(this.#calls.ioctl(fd, TUNSETSTEERINGEBPF, this.#scratch.address(VALUE_AT, 4)))
  }

  /** `event` is an epoll_event. */
  epollAdd(epollFd: number, fd: number, event: number): number {
    const address = addressIn(this.#memory, event, EPOLL_EVENT_BYTES)
    return checked(this.#calls.epollCtl(epollFd, EPOLL_CTL_ADD, fd, address))
  }

  /** `vector` is an array of `count` epoll_event. @returns how many were filled */
  epollWait(epollFd: number, vector: number, count: number, timeoutMs: number): number {
    const length = this.#memory.checkVector(vector, count, EPOLL_EVENT_BYTES)
    return checked(this.#calls.epollWait(epollFd, addressIn(this.#memory, vector, length), count, timeoutMs))
  }

  /** `vector` is an array of `count` pollfd of 8 bytes. */
  poll(vector: number, count: number, timeoutMs: number): number {
    const length = this.#memory.checkVector(vector, count, POLLFD_BYTES)
    return checked(this.#calls.poll(addressIn(this.#memory, vector, length), count, timeoutMs))
  }
}

function isProgramOption(option: number): boolean {
  return option === SO_ATTACH_FILTER || option === SO_ATTACH_REUSEPORT_CBPF
}
