/**
 * The UDP socket for ESP in UDP (RFC 3948) and IKE: made once by the owning thread, used by the worker through its descriptor.
 *
 * UDP_GRO lets the kernel hand over runs of equal datagrams as one; it is optional. Outer packets are sent without DF and
 * sized by the interface, or with DF and sized by `path-mtus.ts`, never by what the kernel believes of ICMP. The TOS of what arrives is asked for because of ECN
 * (RFC 6040), the local address only where the socket is bound to a wildcard.
 */
import { getSystemErrorMap } from 'node:util'
import type { SocketAddress } from '@culvert/ikev2'
import { isWildcard } from '../../local-choice.ts'
import {
  AF_INET,
  closeFile,
  type PacketMemory,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  socket,
  type Syscalls,
} from '../../foreign/index.ts'
import { decodeSocketAddress, encodeSocketAddress, familyOf, SOCKADDR_BYTES, sockaddrLength } from './socket-address.ts'

const SOL_SOCKET = 1
export const SOL_IP = 0
export const SOL_IPV6 = 41
export const SOL_UDP = 17
export const UDP_SEGMENT = 103
export const UDP_GRO = 104
export const IP_TOS = 1
export const IP_PKTINFO = 8
export const IPV6_PKTINFO = 50
export const IPV6_TCLASS = 67

const SO_SNDBUF = 7
const SO_REUSEPORT = 15
const SO_RCVBUF = 8
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const IP_MTU_DISCOVER = 10
const IP_RECVTOS = 13
const IPV6_MTU_DISCOVER = 23
const IPV6_RECVPKTINFO = 49
const IPV6_RECVTCLASS = 66
const PMTUDISC_WANT = 1
const PMTUDISC_PROBE = 3
const PMTUDISC_OMIT = 5
const BUFFER_BYTES = 8 << 20

export interface UdpSocket {
  readonly fd: number
  readonly family: number
  /** As bound: a port 0 was replaced by the one the kernel chose. */
  readonly local: SocketAddress
  readonly gro: boolean
}

/**
 * With DF a datagram longer than the interface takes is refused (EMSGSIZE). Without it, it is fragmented: over IPv4 by whoever
 * has to, over IPv6 by this host, as the kernel knows the path.
 */
export function setDontFragment(
  syscalls: Pick<Syscalls, 'setIntOption'>,
  fd: number,
  family: number,
  isSet: boolean,
): void {
  if (family === AF_INET) syscalls.setIntOption(fd, SOL_IP, IP_MTU_DISCOVER, isSet ? PMTUDISC_PROBE : PMTUDISC_OMIT)
  else syscalls.setIntOption(fd, SOL_IPV6, IPV6_MTU_DISCOVER, isSet ? PMTUDISC_PROBE : PMTUDISC_WANT)
}

export interface UdpSocketOptions {
  readonly bind: SocketAddress
  readonly dontFragment: boolean
  readonly wantsGro: boolean
  /**
   * The first socket of this address, which others may join from then on. The first one was bound alone: an address that another
   * process has is refused.
   */
  readonly beside?: UdpSocket
}

/** Opens it in the network namespace of the calling thread. Throws when the address cannot be bound. */
export function openUdpSocket(
  memory: PacketMemory,
  syscalls: Syscalls,
  { bind, dontFragment, wantsGro, beside }: UdpSocketOptions,
): UdpSocket {
  const family = familyOf(bind.address)
  const fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC)
  if (fd < 0) throw new Error(`cannot make a UDP socket (errno ${-fd})`)
  configureOuterSocket(syscalls, fd, { bind, dontFragment })
  if (beside !== undefined) {
    syscalls.setIntOption(fd, SOL_SOCKET, SO_REUSEPORT, 1)
    syscalls.setIntOption(beside.fd, SOL_SOCKET, SO_REUSEPORT, 1)
  }
  const name = memory.allocate(SOCKADDR_BYTES)
  encodeSocketAddress(bind, memory.bytes, name)
  const bound = syscalls.bind(fd, name, sockaddrLength(memory, name))
  if (bound < 0) {
    closeFile(fd)
    throw bindError(bind, bound)
  }
  syscalls.getsockname(fd, name)
  const local = decodeSocketAddress(memory.bytes, name)
  return { fd, family, local, gro: wantsGro && syscalls.setIntOption(fd, SOL_UDP, UDP_GRO, 1) === 0 }
}

/** What sockets for ESP have in common, in UDP or not: large buffers, DF, and word of TOS and local address of what comes in. */
export function configureOuterSocket(
  syscalls: Syscalls,
  fd: number,
  { bind, dontFragment }: Pick<UdpSocketOptions, 'bind' | 'dontFragment'>,
): void {
  const family = familyOf(bind.address)
  const set = (level: number, option: number, value: number): boolean =>
    syscalls.setIntOption(fd, level, option, value) === 0
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)) set(SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES)
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)) set(SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES)
  setDontFragment(syscalls, fd, family, dontFragment)
  if (family === AF_INET) {
    set(SOL_IP, IP_RECVTOS, 1)
    if (isWildcard(bind)) set(SOL_IP, IP_PKTINFO, 1)
  } else {
    set(SOL_IPV6, IPV6_RECVTCLASS, 1)
    if (isWildcard(bind)) set(SOL_IPV6, IPV6_RECVPKTINFO, 1)
  }
}

/** With the code that Node gives the same failure. */
function bindError({ address, port }: SocketAddress, result: number): Error {
  const [code] = getSystemErrorMap().get(result) ?? [`errno ${-result}`]
  return Object.assign(new Error(`cannot bind UDP ${address} port ${port}: ${code}`), { code })
}
