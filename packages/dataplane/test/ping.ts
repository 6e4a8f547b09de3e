/**
 * Sends one ICMP or ICMPv6 echo request from inside a namespace and prints "reply" or "silence". For tests: needs CAP_NET_RAW.
 *
 *   ping <address> <payload bytes> <seconds to wait>
 */
import { isIPv6 } from 'node:net'
import { parseIpv6 } from '@culvert/bytes'
import koffi from 'koffi'

const [address = '', payloadBytes = '56', waitSec = '5'] = process.argv.slice(2)
const libc = koffi.load(null)
const socket = libc.func('socket', 'int', ['int', 'int', 'int'])
const sendto = libc.func('sendto', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t'])
const recv = libc.func('recv', 'int64_t', ['int', 'void *', 'size_t', 'int'])
const setsockopt = libc.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32_t'])

const AF_INET = 2
const AF_INET6 = 10
const SOCK_RAW = 3
const [family, protocol, echoRequest, echoReply] = isIPv6(address) ? [AF_INET6, 58, 128, 129] : [AF_INET, 1, 8, 0]

const request = new Uint8Array(8 + Number(payloadBytes)).fill(0x61)
const view = new DataView(request.buffer)
view.setUint32(0, (echoRequest << 24) >>> 0)
view.setUint32(4, ((process.pid & 0xffff) << 16) | 1)
view.setUint16(2, checksum(request)) // ICMPv6: the kernel's task, and overwritten by it

const fd = Number(socket(family, SOCK_RAW, protocol))
const timeout = new Uint8Array(16)
timeout[0] = Number(waitSec)
setsockopt(fd, 1, 20, timeout, timeout.length)
const target = socketAddress()
sendto(fd, request, request.length, 0, target, target.length)
process.stdout.write(awaitReply() ? 'reply\n' : 'silence\n')

function socketAddress(): Uint8Array {
  if (family === AF_INET) {
    return Uint8Array.of(AF_INET, 0, 0, 0, ...address.split('.').map(Number), 0, 0, 0, 0, 0, 0, 0, 0)
  }
  return Uint8Array.of(AF_INET6, 0, 0, 0, 0, 0, 0, 0, ...(parseIpv6(address) ?? []), 0, 0, 0, 0)
}

function awaitReply(): boolean {
  const packet = new Uint8Array(65_536)
  for (;;) {
    const length = Number(recv(fd, packet, packet.length, 0))
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
