/**
 * Asks the kernel for the MTU of the route to an address: that of the interface, or less where the kernel itself knows of a
 * narrower place. Two sockets that send nothing, one a family, are connected anew for each question: making one would cost more
 * than all the rest of it, for every device that comes.
 */
import {
  AF_INET,
  closeFile,
  type PacketMemory,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  socket,
  type Syscalls,
} from '../../foreign/index.ts'
import { SOCKADDR_BYTES, sockaddrLength } from '../sockets/socket-address.ts'
import { SOL_IP, SOL_IPV6 } from '../sockets/udp-socket.ts'

const IP_MTU = 14
const IPV6_MTU = 24
const LARGEST_PACKET = 65_535
const AF_UNSPEC = 0

export class RouteMtus {
  readonly #memory: PacketMemory
  readonly #syscalls: Syscalls
  /** By address family, each made for its first question. */
  readonly #sockets = new Map<number, number>()
  /** An address of no family: connecting to it forgets the destination and the source that was chosen for it. */
  readonly #nowhere: number

  constructor(memory: PacketMemory, syscalls: Syscalls) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#nowhere = memory.allocate(SOCKADDR_BYTES)
    memory.bytes.fill(AF_UNSPEC, this.#nowhere, this.#nowhere + SOCKADDR_BYTES)
  }

  /** @param destination offset of a socket address. @returns octets, or 0 when there is no route */
  ask(destination: number): number {
    const family = this.#memory.bytes[destination]!
    const fd = this.#sockets.get(family) ?? this.#open(family)
    if (fd < 0) return 0
    const length = sockaddrLength(this.#memory, destination)
    this.#syscalls.connect(fd, this.#nowhere, length)
    if (this.#syscalls.connect(fd, destination, length) < 0) return 0
    const [level, option] = family === AF_INET ? [SOL_IP, IP_MTU] : [SOL_IPV6, IPV6_MTU]
    return Math.min(Math.max(this.#syscalls.getIntOption(fd, level, option), 0), LARGEST_PACKET)
  }

  close(): void {
    for (const fd of this.#sockets.values()) closeFile(fd)
    this.#sockets.clear()
  }

  #open(family: number): number {
    const fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC)
    if (fd >= 0) this.#sockets.set(family, fd)
    return fd
  }
}
