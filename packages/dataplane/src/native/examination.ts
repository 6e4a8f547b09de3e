/**
 * The probes of `doctor.ts`, each of them with the code that the data plane itself uses.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { endianness, release } from 'node:os'
import type { Examination, Finding } from '../findings.ts'
import {
  AF_INET,
  AF_INET6,
  CALL_LISTS,
  closeFile,
  IFREQ_BYTES,
  PacketMemory,
  proveForeignCalls,
  SOCK_CLOEXEC,
  SOCK_RAW,
  socket,
  Syscalls,
  tunSyscalls,
} from '../foreign/index.ts'
import { openIcmpSockets } from './path-mtu/icmp-sockets.ts'
import { steerByDestination } from './lanes/lanes.ts'
import { OwnerSocket } from './owner/owner-socket.ts'
import { encodeSocketAddress, SOCKADDR_BYTES } from './sockets/socket-address.ts'
import { enableTunOffload } from './superpackets/tun-offload.ts'
import { UdpReceiver } from './sockets/udp-receiver.ts'
import { UdpSender } from './sockets/udp-sender.ts'
import { openUdpSocket, type UdpSocket } from './sockets/udp-socket.ts'

const MEMORY_BYTES = 4 << 20
const PROTOCOL_ESP = 50
const IFF_TUN_NO_PI_VNET = 0x0001 | 0x1000 | 0x4000
const SOL_SOCKET = 1
const SO_RCVBUF = 8
/** The kernel doubles what it was asked for. */
const WANTED_BUFFER_BYTES = 16 << 20
const DATAGRAMS = 8
const DATAGRAM_BYTES = 1000
const STEERED = 2

const used = (name: string, detail: string): Finding => ({ name, state: 'used', detail, remedy: null })
const missing = (name: string, detail: string, remedy: string | null): Finding => ({
  name,
  state: 'missing',
  detail,
  remedy,
})

export function examineNative(): Examination {
  const platform = examinePlatform()
  const calls = examineSyscalls()
  const openssl = examineOpenssl()
  const lists = openssl.state === 'used' ? [examineCallLists()] : []
  const site = calls.state === 'used' ? openSite() : null
  const tun = examineTun(site)
  const sockets = site === null ? [] : [...examineUdp(site), examinePath(site), examineNativeEsp()]
  const hasTun = tun.every(({ state }) => state !== 'broken')
  const isNative = [platform, calls, openssl].every(({ state }) => state === 'used')
  const rung = hasTun ? (isNative ? 'native' : 'portable') : null
  return { rung, findings: [platform, calls, openssl, ...lists, ...tun, ...sockets] }
}

/** What probes of the native rung work with. */
interface Site {
  readonly memory: PacketMemory
  readonly syscalls: Syscalls
}

function openSite(): Site {
  const memory = new PacketMemory(MEMORY_BYTES)
  return { memory, syscalls: new Syscalls(memory) }
}

function examinePlatform(): Finding {
  const here = `Kernel ${process.platform} ${release()} on ${process.arch}, Node ${process.version}`
  const isSupported = process.platform === 'linux' && endianness() === 'LE' && ['x64', 'arm64'].includes(process.arch)
  if (isSupported) return used('platform', `${here}: the native data plane is built for it.`)
  return missing('platform', `${here}: only the portable data plane runs here.`, 'Use Linux on x64 or arm64.')
}

function examineSyscalls(): Finding {
  const reason = whyNot(() => proveForeignCalls(['system calls']))
  if (reason === null) return used('system-calls', 'System calls are made through koffi and gave the known answers.')
  const remedy =
    'Install the dependencies on this machine (npm ci); Linux on x64 or arm64; allow what a seccomp filter denies.'
  return missing('system-calls', `Batches of packets cannot be had (${reason}).`, remedy)
}

function examineOpenssl(): Finding {
  const reason = whyNot(() => proveForeignCalls(['OpenSSL']))
  if (reason === null) {
    return used('openssl', `OpenSSL ${process.versions.openssl} is called directly and gave the known answers.`)
  }
  return missing('openssl', `OpenSSL cannot be called directly (${reason}).`, 'Run a Node that exports its OpenSSL.')
}

function examineCallLists(): Finding {
  const reason = whyNot(() => proveForeignCalls([CALL_LISTS]))
  if (reason === null) return used('call-lists', 'OpenSSL is called once for a packet of AES-GCM, by a list of calls.')
  const remedy =
    'Use x64 and let this process make memory executable (SELinux: execmem), or leave it: nothing else is lost.'
  return missing(
    'call-lists',
    `OpenSSL is called several times for a packet, for a tenth more CPU (${reason}).`,
    remedy,
  )
}

/** @returns null when nothing was thrown */
function whyNot(prove: () => unknown): string | null {
  try {
    prove()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown error'
  }
}

/** @param site null: without what only the native rung has */
function examineTun(site: Site | null): readonly Finding[] {
  const broken = (detail: string, remedy: string): readonly Finding[] => [
    { name: 'tun', state: 'broken', detail, remedy },
  ]
  const reason = whyNot(() => tunSyscalls())
  if (reason !== null) {
    return broken(`The system calls for a TUN cannot be made (${reason}).`, 'Install the dependencies here (npm ci).')
  }
  let fd: number
  try {
    fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  } catch {
    return broken(
      'There is no /dev/net/tun, or it may not be opened.',
      'Load the tun module; give a container the device.',
    )
  }
  try {
    const request = new Uint8Array(IFREQ_BYTES)
    new TextEncoder().encodeInto('culvertdr%d', request)
    new DataView(request.buffer).setUint16(16, IFF_TUN_NO_PI_VNET, true)
    const result = tunSyscalls().attachInterface(fd, request)
    if (result < 0) return broken(`A TUN cannot be created (errno ${-result}).`, 'Run as root or with CAP_NET_ADMIN.')
    const found = used('tun', 'A TUN with virtio-net headers can be created.')
    if (site === null) return [found]
    const isParted = steerByDestination(site.memory, site.syscalls, fd)
    return [found, describeOffload(enableTunOffload(fd)), describeLanes(isParted)]
  } finally {
    closeSync(fd) // and with it the interface
  }
}

function describeLanes(isParted: boolean): Finding {
  if (isParted)
    return used('tun-lanes', 'Each tunnel keeps to one queue of the TUN (eBPF): a flood into one spares the others.')
  const detail = 'Queues of the TUN are parted by flow: a flood of many flows into one tunnel reaches others.'
  return missing('tun-lanes', detail, 'Run as root or with CAP_BPF and CAP_NET_ADMIN, where bpf(2) is not filtered.')
}

function describeOffload(offload: ReturnType<typeof enableTunOffload>): Finding {
  if (offload === 'uso') return used('tun-offload', 'TCP and UDP superpackets pass the TUN (TSO and USO).')
  const remedy = 'Linux 6.2 or newer has both.'
  if (offload === 'tso') return missing('tun-offload', 'Only TCP superpackets pass the TUN; UDP goes singly.', remedy)
  return missing('tun-offload', 'Every packet passes the TUN alone: several times the CPU.', remedy)
}

function examineUdp({ memory, syscalls }: Site): readonly Finding[] {
  const found = openLoopback(memory, syscalls, '127.0.0.1')
  if (found === null) return [missing('udp', 'No UDP socket on 127.0.0.1.', null)]
  try {
    const buffers = syscalls.getIntOption(found.fd, SOL_SOCKET, SO_RCVBUF)
    return [
      ...sendToMyself(memory, syscalls, found),
      describeBuffers(buffers),
      examineSteering(memory, syscalls),
      examineIpv6(memory, syscalls),
    ]
  } finally {
    closeFile(found.fd)
  }
}

/** One run of equal datagrams: does the kernel cut it, and does it come back as one? */
function sendToMyself(memory: PacketMemory, syscalls: Syscalls, { fd, local, gro }: UdpSocket): readonly Finding[] {
  const sender = new UdpSender(memory, syscalls, fd)
  const receiver = new UdpReceiver(memory, syscalls)
  const destination = memory.allocate(SOCKADDR_BYTES)
  encodeSocketAddress(local, memory.bytes, destination)
  for (let index = 0; index < DATAGRAMS; index++) {
    sender.reserve(destination, DATAGRAM_BYTES, 0)
    sender.commit(DATAGRAM_BYTES)
  }
  sender.flush()
  const buffers = receiver.receive(fd)
  const bytes = receiver.buffers.slice(0, buffers).reduce((sum, { length }) => sum + length, 0)
  const cuts = sender.refusedRuns === 0 && sender.failed === 0
  return [
    bytes === DATAGRAMS * DATAGRAM_BYTES
      ? used('udp-batches', 'Datagrams are received in batches (recvmmsg).')
      : missing('udp-batches', `Of ${DATAGRAMS} datagrams to this host not all came back.`, null),
    cuts
      ? used('udp-segment', 'The kernel cuts runs of datagrams (UDP_SEGMENT).')
      : missing('udp-segment', 'Runs of datagrams are sent one by one (sendmmsg).', 'Linux 4.18 or newer cuts them.'),
    gro
      ? used('udp-gro', `The kernel joins received datagrams (UDP_GRO); ${DATAGRAMS} came in ${buffers}.`)
      : missing('udp-gro', 'Received datagrams come one by one.', 'Linux 5.0 or newer joins them.'),
  ]
}

/** A group of sockets as several data threads have it: is each datagram where its SPI belongs? */
function examineSteering(memory: PacketMemory, syscalls: Syscalls): Finding {
  const name = 'reuseport-bpf'
  const lost = 'Datagrams reach data threads by chance and change over; a flood of ESP is in the way of IKE.'
  const owner = new OwnerSocket(memory, syscalls, {
    bind: [{ address: '127.0.0.1', port: 0 }],
    outer: { pathMtu: 'fragment' },
  })
  try {
    if (owner.spread(STEERED, 1))
      return used(name, 'The kernel gives each datagram to the data thread of its SPI (reuseport BPF).')
    return missing(name, lost, 'Linux 4.5 or newer takes the program; allow setsockopt(SO_ATTACH_REUSEPORT_CBPF).')
  } finally {
    owner.close()
  }
}

function describeBuffers(bytes: number): Finding {
  if (bytes >= WANTED_BUFFER_BYTES) return used('udp-buffers', 'Socket buffers of 8 MiB.')
  const detail = `Socket buffers of ${Math.round(bytes / 2048)} KiB: bursts are lost.`
  return missing('udp-buffers', detail, 'Run with CAP_NET_ADMIN, or raise net.core.rmem_max and wmem_max to 8388608.')
}

function examineIpv6(memory: PacketMemory, syscalls: Syscalls): Finding {
  const found = openLoopback(memory, syscalls, '::1')
  if (found === null)
    return missing('ipv6', 'This host has no IPv6.', 'Enable IPv6 (sysctl net.ipv6.conf.all.disable_ipv6=0).')
  closeFile(found.fd)
  return used('ipv6', 'IPv6 sockets can be bound.')
}

function openLoopback(memory: PacketMemory, syscalls: Syscalls, address: string): UdpSocket | null {
  try {
    return openUdpSocket(memory, syscalls, { bind: { address, port: 0 }, dontFragment: false, wantsGro: true })
  } catch {
    return null
  }
}

function examinePath({ memory, syscalls }: Site): Finding {
  const sockets = openIcmpSockets(memory, syscalls, [AF_INET, AF_INET6])
  if (sockets === null) {
    const detail = 'Routers are not heard: DF stays clear, and packets may be fragmented on their way.'
    return missing('path-mtu', detail, 'Run as root or with CAP_NET_RAW.')
  }
  for (const { fd } of sockets) closeFile(fd)
  return used('path-mtu', 'Routers are heard: DF is set, and packets are sized to the path.')
}

function examineNativeEsp(): Finding {
  const fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, PROTOCOL_ESP)
  if (fd < 0) return missing('native-esp', 'ESP always travels in UDP.', 'Run as root or with CAP_NET_RAW.')
  closeFile(fd)
  return missing(
    'native-esp',
    'ESP without UDP can be had, and goes in UDP all the same unless CONCENTRATOR_NATIVE_ESP says otherwise.',
    null,
  )
}
