/**
 * The system calls of the native data plane, through koffi on the libc that Node itself is linked with (glibc or musl).
 *
 * One of the places where foreign functions are called (the others are `evp.ts` and `evp-primitives.ts`). Only synchronous calls, no callbacks.
 * Pointers are declared as `int64_t` and passed as Numbers (user addresses are below 2^53), the fastest way there is.
 * Every block that the kernel reads or writes is checked against the packet memory: directly by the calls below, and when
 * it is written into a message header (`PacketMemory.writePointer`) for the calls that take one.
 *
 * Failing calls return the negative error number, as the kernel does.
 */
import koffi from 'koffi'
import type { PacketMemory } from './packet-memory.ts'

/** @returns address of the first byte of a buffer; the caller keeps the buffer alive and unmoved */
export function addressOf(buffer: ArrayBufferLike): number {
  return Number(koffi.address(buffer))
}

const POINTER = 'int64_t'
const SIZE = 'int64_t'
const libc = koffi.load(null)

const callSocket = libc.func('socket', 'int', ['int', 'int', 'int'])
const callBind = libc.func('bind', 'int', ['int', POINTER, 'uint32_t'])
const callConnect = libc.func('connect', 'int', ['int', POINTER, 'uint32_t'])
const callGetsockopt = libc.func('getsockopt', 'int', ['int', 'int', 'int', POINTER, POINTER])
const callGetsockname = libc.func('getsockname', 'int', ['int', POINTER, POINTER])
const callSetsockopt = libc.func('setsockopt', 'int', ['int', 'int', 'int', POINTER, 'uint32_t'])
const callRecvmmsg = libc.func('recvmmsg', 'int', ['int', POINTER, 'uint32_t', 'int', POINTER])
const callSendmsg = libc.func('sendmsg', SIZE, ['int', POINTER, 'int'])
const callSendmmsg = libc.func('sendmmsg', 'int', ['int', POINTER, 'uint32_t', 'int'])
const callSendto = libc.func('sendto', SIZE, ['int', POINTER, SIZE, 'int', POINTER, 'uint32_t'])
const callRead = libc.func('read', SIZE, ['int', POINTER, SIZE])
const callWrite = libc.func('write', SIZE, ['int', POINTER, SIZE])
const callPoll = libc.func('poll', 'int', [POINTER, 'unsigned long', 'int'])
const callEpollCreate = libc.func('epoll_create1', 'int', ['int'])
const callEpollCtl = libc.func('epoll_ctl', 'int', ['int', 'int', 'int', POINTER])
const callEpollWait = libc.func('epoll_wait', 'int', ['int', POINTER, 'int', 'int'])
const callEventfd = libc.func('eventfd', 'int', ['uint32_t', 'int'])
const callClose = libc.func('close', 'int', ['int'])
const callIoctl = libc.func('ioctl', 'int', ['int', 'unsigned long', POINTER])
const callSyscall = libc.func('syscall', SIZE, [SIZE, SIZE, POINTER, SIZE])

export const EAGAIN = 11
export const EINTR = 4
export const EINVAL = 22
export const EMSGSIZE = 90
export const ENOBUFS = 105

export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0x800
export const SOCK_CLOEXEC = 0x80000
const MSG_DONTWAIT = 0x40
export const POLLIN = 1
export const POLLOUT = 4
/** POLLERR, POLLHUP, POLLNVAL. */
export const POLL_FAILED: number = 0x08 | 0x10 | 0x20

const EFD_NONBLOCK_CLOEXEC = 0x80800
const EPOLL_CLOEXEC = 0x80000
const EPOLL_CTL_ADD = 1
/** Packed on x64 only. */
export const EPOLL_EVENT_BYTES: number = process.arch === 'x64' ? 12 : 16
/** libc has no function for bpf(2). */
const SYS_BPF = process.arch === 'arm64' ? 280 : 321
const BPF_PROG_LOAD = 5

function checked(result: number): number {
  return result < 0 ? -koffi.errno() : result
}

/** @param protocol of IP; 0 for what goes with the type */
export function socket(family: number, type: number, protocol = 0): number {
  return checked(callSocket(family, type, protocol) as number)
}

export function closeFile(fd: number): void {
  callClose(fd)
}

/** Non-blocking, counting from zero. */
export function eventfd(): number {
  return checked(callEventfd(0, EFD_NONBLOCK_CLOEXEC) as number)
}

/** To be filled by the worker that waits with it. */
export function epoll(): number {
  return checked(callEpollCreate(EPOLL_CLOEXEC) as number)
}

/** An `ioctl` whose argument is a plain number. */
export function ioctlValue(fd: number, request: number, value: number): number {
  return checked(callIoctl(fd, request, value) as number)
}

/** System calls on blocks of one packet memory; all positions are offsets in it. */
export class Syscalls {
  readonly #memory: PacketMemory
  readonly #scratch: number

  constructor(memory: PacketMemory) {
    this.#memory = memory
    this.#scratch = memory.allocate(16)
  }

  bind(fd: number, sockaddr: number, length: number): number {
    return checked(callBind(fd, this.#memory.address(sockaddr, length), length) as number)
  }

  /** Fills the 28-byte block at `sockaddr`. */
  getsockname(fd: number, sockaddr: number): number {
    this.#memory.view.setUint32(this.#scratch, 28, true)
    const length = this.#memory.address(this.#scratch, 4)
    return checked(callGetsockname(fd, this.#memory.address(sockaddr, 28), length) as number)
  }

  /** Of a datagram socket: only chooses the route. */
  connect(fd: number, sockaddr: number, length: number): number {
    return checked(callConnect(fd, this.#memory.address(sockaddr, length), length) as number)
  }

  /** @returns the value of an option that is a non-negative `int`, or the negative error number */
  getIntOption(fd: number, level: number, option: number): number {
    const { view } = this.#memory
    view.setUint32(this.#scratch + 8, 4, true)
    const value = this.#memory.address(this.#scratch, 4)
    const length = this.#memory.address(this.#scratch + 8, 4)
    const result = checked(callGetsockopt(fd, level, option, value, length) as number)
    return result < 0 ? result : view.getInt32(this.#scratch, true)
  }

  /** @param offset of a block of `length` bytes */
  setOption(fd: number, level: number, option: number, offset: number, length: number): number {
    return checked(callSetsockopt(fd, level, option, this.#memory.address(offset, length), length) as number)
  }

  setIntOption(fd: number, level: number, option: number, value: number): number {
    this.#memory.view.setInt32(this.#scratch, value, true)
    return checked(callSetsockopt(fd, level, option, this.#memory.address(this.#scratch, 4), 4) as number)
  }

  /** `vector` is an array of `count` mmsghdr of 64 bytes. @returns messages received */
  recvmmsg(fd: number, vector: number, count: number): number {
    return checked(callRecvmmsg(fd, this.#memory.address(vector, count * 64), count, MSG_DONTWAIT, 0) as number)
  }

  /** `header` is a msghdr of 56 bytes. @returns bytes sent */
  sendmsg(fd: number, header: number): number {
    return checked(callSendmsg(fd, this.#memory.address(header, 56), MSG_DONTWAIT) as number)
  }

  /** @returns messages sent; the first that fails ends the call */
  sendmmsg(fd: number, vector: number, count: number): number {
    return checked(callSendmmsg(fd, this.#memory.address(vector, count * 64), count, MSG_DONTWAIT) as number)
  }

  sendto(fd: number, offset: number, length: number, sockaddr: number, sockaddrLength: number): number {
    const to = this.#memory.address(sockaddr, sockaddrLength)
    return checked(
      callSendto(fd, this.#memory.address(offset, length), length, MSG_DONTWAIT, to, sockaddrLength) as number,
    )
  }

  read(fd: number, offset: number, length: number): number {
    return checked(callRead(fd, this.#memory.address(offset, length), length) as number)
  }

  /** Takes the count out of a non-blocking event counter. */
  drainEventfd(fd: number): void {
    this.read(fd, this.#scratch, 8)
  }

  /** Wakes whoever polls an event counter. */
  signalEventfd(fd: number): void {
    this.#memory.writeNumber(this.#scratch, 1)
    this.write(fd, this.#scratch, 8)
  }

  write(fd: number, offset: number, length: number): number {
    return checked(callWrite(fd, this.#memory.address(offset, length), length) as number)
  }

  /** An `ioctl` whose argument is a block. */
  ioctl(fd: number, request: number, offset: number, length: number): number {
    return checked(callIoctl(fd, request, this.#memory.address(offset, length)) as number)
  }

  /** `attributes` is a bpf_attr for loading a program. @returns its descriptor */
  loadBpf(attributes: number, length: number): number {
    return checked(callSyscall(SYS_BPF, BPF_PROG_LOAD, this.#memory.address(attributes, length), length) as number)
  }

  /** `event` is an epoll_event. */
  epollAdd(epollFd: number, fd: number, event: number): number {
    const address = this.#memory.address(event, EPOLL_EVENT_BYTES)
    return checked(callEpollCtl(epollFd, EPOLL_CTL_ADD, fd, address) as number)
  }

  /** `vector` is an array of `count` epoll_event. @returns how many were filled */
  epollWait(epollFd: number, vector: number, count: number, timeoutMs: number): number {
    const address = this.#memory.address(vector, count * EPOLL_EVENT_BYTES)
    return checked(callEpollWait(epollFd, address, count, timeoutMs) as number)
  }

  /** `vector` is an array of `count` pollfd of 8 bytes. */
  poll(vector: number, count: number, timeoutMs: number): number {
    return checked(callPoll(this.#memory.address(vector, count * 8), count, timeoutMs) as number)
  }
}
