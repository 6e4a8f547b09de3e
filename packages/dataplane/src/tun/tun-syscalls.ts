/**
 * The system calls that opening and watching a TUN needs and Node does not have: ioctl, setns, eventfd, poll, read and write
 * without exceptions for EAGAIN. Through koffi, synchronous only.
 *
 * Buffers are passed as typed arrays with their own length, never as addresses. Linux on x86-64 and arm64 (same numbers).
 */
import koffi from 'koffi'
import { TunError } from './tun-error.ts'

export const EPERM = 1
export const EINTR = 4
export const EAGAIN = 11
export const EBUSY = 16
export const EADDRINUSE = 98
export const EINVAL = 22
export const POLLIN = 1
export const POLL_FAILED: number = 0x08 | 0x10 | 0x20

export interface TunSyscalls {
  /** @returns 0, or -errno */
  ioctlBytes(fd: number, request: number, argument: Uint8Array): number
  ioctlNumber(fd: number, request: number, argument: number): number
  enterNetworkNamespace(fd: number): number
  /** Binds a fresh UNIX socket to a name of the abstract namespace, which every network namespace has its own of. @returns it, or -errno */
  bindAbstract(name: string): number
  /** @returns a non-blocking event counter, or -errno */
  eventfd(): number
  /** @param entries `pollEntries` @returns number of ready entries, or -errno */
  poll(entries: Uint8Array, count: number, timeoutMs: number): number
  /** @returns octets read, or -errno */
  read(fd: number, buffer: Uint8Array): number
  write(fd: number, buffer: Uint8Array): number
}

const CLONE_NEWNET = 0x4000_0000
const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0x80000
const EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000

let loaded: TunSyscalls | undefined

/** @throws TunError `no_native_calls` */
export function tunSyscalls(): TunSyscalls {
  loaded ??= load()
  return loaded
}

function load(): TunSyscalls {
  try {
    const libc = koffi.load(null)
    const ioctlPointer = libc.func('ioctl', 'int', ['int', 'unsigned long', 'void *'])
    const ioctlValue = libc.func('ioctl', 'int', ['int', 'unsigned long', 'unsigned long'])
    const setns = libc.func('setns', 'int', ['int', 'int'])
    const socket = libc.func('socket', 'int', ['int', 'int', 'int'])
    const bind = libc.func('bind', 'int', ['int', 'void *', 'uint32_t'])
    const close = libc.func('close', 'int', ['int'])
    const eventfd = libc.func('eventfd', 'int', ['uint32_t', 'int'])
    const poll = libc.func('poll', 'int', ['void *', 'unsigned long', 'int'])
    const read = libc.func('read', 'int64_t', ['int', 'void *', 'size_t'])
    const write = libc.func('write', 'int64_t', ['int', 'void *', 'size_t'])
    const checked = (result: number): number => (result < 0 ? -koffi.errno() : result)
    return {
      ioctlBytes: (fd, request, argument) => checked(ioctlPointer(fd, request, argument)),
      ioctlNumber: (fd, request, argument) => checked(ioctlValue(fd, request, argument)),
      enterNetworkNamespace: (fd) => checked(setns(fd, CLONE_NEWNET)),
      bindAbstract: (name) => {
        const fd = checked(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
        if (fd < 0) return fd
        const address = abstractAddress(name)
        const bound = checked(bind(fd, address, address.length))
        if (bound < 0) close(fd)
        return bound < 0 ? bound : fd
      },
      eventfd: () => checked(eventfd(0, EFD_NONBLOCK_CLOEXEC)),
      poll: (entries, count, timeoutMs) => {
        if (entries.length < count * POLL_ENTRY_BYTES) throw new RangeError('too few poll entries')
        return checked(poll(entries, count, timeoutMs))
      },
      read: (fd, buffer) => checked(read(fd, buffer, buffer.length)),
      write: (fd, buffer) => checked(write(fd, buffer, buffer.length)),
    }
  } catch (cause) {
    const detail = 'The koffi module does not load here, so no TUN interface can be opened.'
    throw new TunError('no_native_calls', detail, { cause })
  }
}

const POLL_ENTRY_BYTES = 8

/** struct sockaddr_un: family, a zero octet, the name. */
function abstractAddress(name: string): Uint8Array {
  return Uint8Array.from([AF_UNIX, 0, 0, ...new TextEncoder().encode(name)])
}

/** struct pollfd for each descriptor: int fd, short events (readable), short revents. */
export function pollEntries(fds: readonly number[]): Uint8Array {
  const entries = new Uint8Array(fds.length * POLL_ENTRY_BYTES)
  const view = new DataView(entries.buffer)
  for (const [i, fd] of fds.entries()) {
    view.setInt32(i * POLL_ENTRY_BYTES, fd, true)
    view.setInt16(i * POLL_ENTRY_BYTES + 4, POLLIN, true)
  }
  return entries
}

/** What poll reported for entry `i`. */
export function pollResult(entries: Uint8Array, i: number): number {
  return entries[i * POLL_ENTRY_BYTES + 6]! | (entries[i * POLL_ENTRY_BYTES + 7]! << 8)
}
