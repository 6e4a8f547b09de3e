/**
 * The door to foreign calls: what the rest of the data plane may use of them. Nothing behind it takes or gives an address, and nothing
 * foreign is loaded before it is asked for. README.md is the audit.
 */
export { AeadContext, type AeadKey, CbcContext, type Direction, HmacContext, Openssl } from './evp.ts'
export { createEvpPrimitives, PRIMITIVES_BYTES } from './evp-primitives.ts'
export {
  AF_INET,
  AF_INET6,
  EADDRINUSE,
  EAGAIN,
  EBUSY,
  EINTR,
  EINVAL,
  EMSGSIZE,
  ENOBUFS,
  EPERM,
  EPOLL_EVENT_BYTES,
  IFREQ_BYTES,
  POLLIN,
  POLLOUT,
  POLL_FAILED,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SO_ATTACH_FILTER,
  SO_ATTACH_REUSEPORT_CBPF,
} from './linux.ts'
export { type Block, MessageHeaders } from './message-headers.ts'
export { OutsideMemoryError } from './outside-memory-error.ts'
export { PacketMemory } from './packet-memory.ts'
export { CALL_LISTS, FOREIGN_FAMILIES, type ForeignFamily, proveForeignCalls } from './self-test.ts'
export { closeFile, epoll, eventfd, setTunOffload, socket, Syscalls } from './syscalls.ts'
export { POLL_ENTRY_BYTES, pollEntries, pollResult, type TunSyscalls } from './tun-calls.ts'
export { tunSyscalls } from './tun-syscalls.ts'
export { NativeUnavailableError } from './unavailable.ts'
