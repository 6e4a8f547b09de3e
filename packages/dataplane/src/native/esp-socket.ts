/**
 * The raw socket for ESP directly in IP (protocol 50, RFC 4303), without UDP: needs CAP_NET_RAW.
 *
 * IPv4 packets come with their IP header, IPv6 ones without; both leave without, and the kernel writes it. Ports are 0 everywhere.
 * Whatever SA a packet belongs to, it may come either way (RFC 7296 2.23); only one in UDP can tell that a peer moved.
 */
import type { SocketAddress } from '@culvert/ikev2'
import type { PacketMemory } from './packet-memory.ts'
import { encodeSocketAddress, familyOf, SOCKADDR_BYTES, sockaddrLength } from './socket-address.ts'
import { closeFile, socket, SOCK_CLOEXEC, SOCK_RAW, type Syscalls } from './syscalls.ts'
import { configureOuterSocket } from './udp-socket.ts'

const PROTOCOL_ESP = 50

export interface EspSocket {
  readonly fd: number
  /** With port 0. */
  readonly local: SocketAddress
}

/** @returns null when it cannot be had */
export function openEspSocket(
  memory: PacketMemory,
  syscalls: Syscalls,
  { bind, dontFragment }: { readonly bind: SocketAddress; readonly dontFragment: boolean },
): EspSocket | null {
  const local = { address: bind.address, port: 0 }
  const fd = socket(familyOf(bind.address), SOCK_RAW | SOCK_CLOEXEC, PROTOCOL_ESP)
  if (fd < 0) return null
  configureOuterSocket(syscalls, fd, { bind, dontFragment })
  const name = memory.allocate(SOCKADDR_BYTES)
  encodeSocketAddress(local, memory.bytes, name)
  if (syscalls.bind(fd, name, sockaddrLength(memory, name)) === 0) return { fd, local }
  closeFile(fd)
  return null
}
