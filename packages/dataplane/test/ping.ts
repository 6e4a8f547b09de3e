/**
 * Sends one ICMP or ICMPv6 echo request from inside a namespace and prints "reply" or "silence". For tests: needs CAP_NET_RAW.
 *
 *   ping <address> <payload bytes> <seconds to wait>
 */
import { isIPv6 } from 'node:net'
import { AF_INET, AF_INET6, PacketMemory, SOCK_RAW, socket, Syscalls } from '../src/foreign/index.ts'
import { encodeSocketAddress, SOCKADDR_BYTES, sockaddrLength } from '../src/native/sockets/socket-address.ts'

const SOL_SOCKET = 1
const SO_RCVTIMEO = 20
const TIMEVAL_BYTES = 16
const LARGEST_PACKET = 65_536

const [address = '', payloadBytes = '56', waitSec = '5'] = process.argv.slice(2)
const [family, protocol, echoRequest, echoReply] = isIPv6(address) ? [AF_INET6, 58, 128, 129] : [AF_INET, 1, 8, 0]

const memory = new PacketMemory(4 * LARGEST_PACKET)
const syscalls = new Syscalls(memory)
const requestBytes = 8 + Number(payloadBytes)
const at = memory.allocate(requestBytes)
const request = memory.bytes.subarray(at, at + requestBytes).fill(0x61)
memory.view.setUint32(at, (echoRequest << 24) >>> 0)
memory.view.setUint32(at + 4, ((process.pid & 0xffff) << 16) | 1)
memory.view.setUint16(at + 2, checksum(request)) // ICMPv6: the kernel's task, and overwritten by it

const fd = socket(family, SOCK_RAW, protocol)
const timeout = memory.allocate(TIMEVAL_BYTES)
memory.bytes[timeout] = Number(waitSec)
syscalls.setOption(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, TIMEVAL_BYTES)
const target = memory.allocate(SOCKADDR_BYTES)
encodeSocketAddress({ address, port: 0 }, memory.bytes, target)
syscalls.sendto(fd, at, requestBytes, target, sockaddrLength(memory, target))
process.stdout.write(awaitReply() ? 'reply\n' : 'silence\n')

function awaitReply(): boolean {
  const got = memory.allocate(LARGEST_PACKET)
  const packet = memory.bytes.subarray(got, got + LARGEST_PACKET)
  for (;;) {
    const length = syscalls.read(fd, got, LARGEST_PACKET)
    if (length <= 0) return false
    const icmp = family === AF_INET ? ((packet[0] ?? 0) & 0x0f) * 4 : 0 // IPv6 sockets leave the header out
    const isOurs = packet[icmp + 4] === request[4] && packet[icmp + 5] === request[5]
    if (packet[icmp] === echoReply && isOurs && length - icmp === request.length) return true
  }
}

function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
