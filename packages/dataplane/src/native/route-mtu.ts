/**
 * Asks the kernel for the MTU of the route to an address: that of the interface, or less where the kernel itself knows of a
 * narrower place. Four system calls on a socket that sends nothing.
 */
import type { PacketMemory } from './packet-memory.ts'
import { sockaddrLength } from './socket-address.ts'
import { AF_INET, closeFile, socket, SOCK_CLOEXEC, SOCK_DGRAM, type Syscalls } from './syscalls.ts'
import { SOL_IP, SOL_IPV6 } from './udp-socket.ts'

const IP_MTU = 14
const IPV6_MTU = 24
const LARGEST_PACKET = 65_535

/** @param destination offset of a socket address. @returns octets, or 0 when there is no route */
export function routeMtu(memory: PacketMemory, syscalls: Syscalls, destination: number): number {
  const family = memory.bytes[destination]!
  const fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC)
  if (fd < 0) return 0
  try {
    if (syscalls.connect(fd, destination, sockaddrLength(memory, destination)) < 0) return 0
    const [level, option] = family === AF_INET ? [SOL_IP, IP_MTU] : [SOL_IPV6, IPV6_MTU]
    return Math.min(Math.max(syscalls.getIntOption(fd, level, option), 0), LARGEST_PACKET)
  } finally {
    closeFile(fd)
  }
}
