/**
 * The system calls that opening and watching a TUN needs and Node does not have: ioctl, setns, eventfd, poll, read and write
 * without exceptions for EAGAIN. Both rungs need them.
 *
 * Buffers are arrays of the caller, each call with the array's own length; what a request reads or writes is known by its number, and
 * other requests are refused. Linux on any machine that knows its generic numbers.
 */
import { checked, tunFunctions, type TunFunctions } from './library.ts'
import {
  AF_UNIX,
  EFD_NONBLOCK_CLOEXEC,
  IFREQ_BYTES,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  TUNSETIFF,
  TUNSETOFFLOAD,
  TUNSETPERSIST,
} from './linux.ts'
import { OutsideMemoryError } from './outside-memory-error.ts'
import { POLL_ENTRY_BYTES, type TunSyscalls } from './tun-calls.ts'
import { proveTunSyscalls } from './tun-self-test.ts'

const CLONE_NEWNET = 0x4000_0000
/** struct sockaddr_un: its path. */
const LONGEST_NAME = 107

let proved: TunSyscalls | null = null

/** Throws `NativeUnavailableError` when they cannot be had, or do not do what they are known to do. */
export function tunSyscalls(): TunSyscalls {
  if (proved === null) {
    const calls = bindCalls(tunFunctions())
    proveTunSyscalls(calls)
    proved = calls
  }
  return proved
}

function bindCalls(libc: TunFunctions): TunSyscalls {
  return {
    attachInterface: (fd, request) => {
      requireLength(request, IFREQ_BYTES)
      return checked(libc.ioctlBytes(fd, TUNSETIFF, request))
    },
    setPersistent: (fd, isPersistent) => checked(libc.ioctlNumber(fd, TUNSETPERSIST, isPersistent ? 1 : 0)),
    clearOffload: (fd) => checked(libc.ioctlNumber(fd, TUNSETOFFLOAD, 0)),
    enterNetworkNamespace: (fd) => checked(libc.setns(fd, CLONE_NEWNET)),
    bindAbstract: (name) => {
      const address = abstractAddress(name)
      const fd = checked(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
      if (fd < 0) return fd
      const bound = checked(libc.bind(fd, address, address.length))
      if (bound < 0) libc.close(fd)
      return bound < 0 ? bound : fd
    },
    eventfd: () => checked(libc.eventfd(0, EFD_NONBLOCK_CLOEXEC)),
    poll: (entries, count, timeoutMs) => {
      if (count >>> 0 !== count) throw new OutsideMemoryError(`${count} poll entries`)
      requireLength(entries, count * POLL_ENTRY_BYTES)
      return checked(libc.poll(entries, count, timeoutMs))
    },
    read: (fd, buffer) => {
      requireLength(buffer, 0)
      return checked(libc.read(fd, buffer, buffer.length))
    },
    write: (fd, buffer) => {
      requireLength(buffer, 0)
      return checked(libc.write(fd, buffer, buffer.length))
    },
  }
}

/** Octets, and no other kind of array: koffi takes the address, these calls the length. */
function requireLength(bytes: Uint8Array, least: number): void {
  if (!(bytes instanceof Uint8Array)) throw new OutsideMemoryError('not an array of octets')
  if (bytes.length < least) throw new OutsideMemoryError(`${bytes.length} octets where ${least} are touched`)
}

/** struct sockaddr_un: family, a zero octet, the name. */
function abstractAddress(name: string): Uint8Array {
  const octets = new TextEncoder().encode(name)
  if (octets.length > LONGEST_NAME) throw new OutsideMemoryError(`a name of ${octets.length} octets`)
  return Uint8Array.from([AF_UNIX, 0, 0, ...octets])
}
