/**
 * The raw sockets for ESP and AH directly in IP (protocols 50 and 51, RFC 4303, RFC 4302), without UDP: need CAP_NET_RAW.
 *
 * IPv4 packets come with their IP header, IPv6 ones without. ESP leaves without, and the kernel writes it; AH leaves with the header
 * that its ICV covers, and what is too long for the interface is refused. Ports are 0 everywhere. Whatever SA an ESP packet belongs to,
 * it may come either way (RFC 7296 2.23); only one in UDP can tell that a peer moved.
 */
import type { SocketAddress } from '@culvert/ikev2'
import type { Carrier } from './outer-socket.ts'
import {
  AF_INET,
  closeFile,
  type PacketMemory,
  SOCK_CLOEXEC,
  SOCK_RAW,
  socket,
  type Syscalls,
} from '../../foreign/index.ts'
import { encodeSocketAddress, familyOf, SOCKADDR_BYTES, sockaddrLength } from './socket-address.ts'
import { configureOuterSocket, SOL_IP, SOL_IPV6 } from './udp-socket.ts'

export type RawCarrier = Exclude<Carrier, 'udp'>

const PROTOCOLS: Readonly<Record<RawCarrier, number>> = { esp: 50, ah: 51 }
const IP_HDRINCL = 3
const IPV6_HDRINCL = 36

export interface RawSocket {
  readonly fd: number
  readonly carrier: RawCarrier
  /** With port 0. */
  readonly local: SocketAddress
}

export interface RawSocketOptions {
  readonly carrier: RawCarrier
  readonly bind: SocketAddress
  readonly dontFragment: boolean
}

/** @returns null when it cannot be had */
export function openRawSocket(
  memory: PacketMemory,
  syscalls: Syscalls,
  { carrier, bind, dontFragment }: RawSocketOptions,
): RawSocket | null {
  const local = { address: bind.address, port: 0 }
  const family = familyOf(bind.address)
  const fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, PROTOCOLS[carrier])
  if (fd < 0) return null
  configureOuterSocket(syscalls, fd, { bind, dontFragment })
  const name = memory.allocate(SOCKADDR_BYTES)
  encodeSocketAddress(local, memory.bytes, name)
  const isReady = carrier === 'esp' || takesHeader(syscalls, fd, family)
  if (isReady && syscalls.bind(fd, name, sockaddrLength(memory, name)) === 0) return { fd, carrier, local }
  closeFile(fd)
  return null
}

function takesHeader(syscalls: Syscalls, fd: number, family: number): boolean {
  const [level, option] = family === AF_INET ? [SOL_IP, IP_HDRINCL] : [SOL_IPV6, IPV6_HDRINCL]
  return syscalls.setIntOption(fd, level, option, 1) === 0
}
