/**
 * Raw sockets that hear what routers say about our packets: "too big", and nothing else (filtered by the kernel).
 *
 * Not the error queue of the UDP sockets: there every unreachable device, and everybody who forges an ICMP error, would make one
 * call for other devices fail. Needs CAP_NET_RAW; without it the path MTU cannot be learned, and DF stays clear.
 */
import {
  AF_INET,
  closeFile,
  type PacketMemory,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  socket,
  type Syscalls,
} from '../../foreign/index.ts'
import { type PathError, readPathError } from './path-error.ts'

const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58
const SOL_RAW = 255
const ICMP_FILTER = 1
const ICMPV6_FILTER = 1
const ICMPV6_FILTER_BYTES = 32
const DESTINATION_UNREACHABLE = 3
const PACKET_TOO_BIG = 2
/** Routers quote at most what makes a message of 576 or 1280 octets. */
const MESSAGE_BYTES = 2048
/** Messages of one visit; more wait, and what does not fit the socket is lost. */
const MOST_AT_ONCE = 32

export interface IcmpSocket {
  readonly fd: number
  readonly family: number
}

/** One for each family that is used. @returns null when one cannot be had; nothing stays open then */
export function openIcmpSockets(
  memory: PacketMemory,
  syscalls: Syscalls,
  families: readonly number[],
): readonly IcmpSocket[] | null {
  const opened: IcmpSocket[] = []
  for (const family of new Set(families)) {
    const fd = openIcmpSocket(memory, syscalls, family)
    if (fd < 0) {
      for (const { fd: other } of opened) closeFile(other)
      return null
    }
    opened.push({ fd, family })
  }
  return opened
}

function openIcmpSocket(memory: PacketMemory, syscalls: Syscalls, family: number): number {
  const protocol = family === AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6
  const fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)
  if (fd < 0) return fd
  // Bits that are set are types that are not delivered.
  if (family === AF_INET) {
    syscalls.setIntOption(fd, SOL_RAW, ICMP_FILTER, ~(1 << DESTINATION_UNREACHABLE))
  } else {
    const filter = memory.allocate(ICMPV6_FILTER_BYTES)
    memory.bytes.fill(0xff, filter, filter + ICMPV6_FILTER_BYTES)
    memory.view.setUint32(filter, ~(1 << PACKET_TOO_BIG), true)
    syscalls.setOption(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, filter, ICMPV6_FILTER_BYTES)
  }
  return fd
}

export class IcmpListener {
  readonly #memory: PacketMemory
  readonly #syscalls: Pick<Syscalls, 'read'>
  readonly #sockets: readonly IcmpSocket[]
  readonly #message: number

  constructor(memory: PacketMemory, syscalls: Pick<Syscalls, 'read'>, sockets: readonly IcmpSocket[]) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#sockets = sockets
    this.#message = memory.allocate(MESSAGE_BYTES)
  }

  /** Reads what waits and hands on what concerns the path of a packet. */
  drain(note: (error: PathError) => void): void {
    for (const { fd, family } of this.#sockets) {
      for (let count = 0; count < MOST_AT_ONCE; count++) {
        const length = this.#syscalls.read(fd, this.#message, MESSAGE_BYTES)
        if (length <= 0) break
        const error = readPathError(this.#memory.bytes.subarray(this.#message, this.#message + length), family)
        if (error !== null) note(error)
      }
    }
  }
}
