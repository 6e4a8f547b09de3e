/**
 * Sends one ICMP echo request from inside a namespace and prints "reply" or "silence". For tests: needs CAP_NET_RAW.
 *
 *   ping <address> <payload bytes> <seconds to wait>
 */
import koffi from 'koffi'

const [address = '', payloadBytes = '56', waitSec = '5'] = process.argv.slice(2)
const libc = koffi.load(null)
const socket = libc.func('socket', 'int', ['int', 'int', 'int'])
const sendto = libc.func('sendto', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t'])
const recv = libc.func('recv', 'int64_t', ['int', 'void *', 'size_t', 'int'])
const setsockopt = libc.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32_t'])

const request = new Uint8Array(8 + Number(payloadBytes)).fill(0x61)
const view = new DataView(request.buffer)
view.setUint32(0, 0x08000000)
view.setUint32(4, ((process.pid & 0xffff) << 16) | 1)
view.setUint16(2, checksum(request))

const fd = Number(socket(2, 3, 1))
const timeout = new Uint8Array(16)
timeout[0] = Number(waitSec)
setsockopt(fd, 1, 20, timeout, timeout.length)
const target = Uint8Array.of(2, 0, 0, 0, ...address.split('.').map(Number), 0, 0, 0, 0, 0, 0, 0, 0)
sendto(fd, request, request.length, 0, target, target.length)
process.stdout.write(awaitReply() ? 'reply\n' : 'silence\n')

function awaitReply(): boolean {
  const packet = new Uint8Array(65_536)
  for (;;) {
    const length = Number(recv(fd, packet, packet.length, 0))
    if (length <= 0) return false
    const icmp = ((packet[0] ?? 0) & 0x0f) * 4
    const isOurs = packet[icmp + 4] === request[4] && packet[icmp + 5] === request[5]
    if (packet[icmp] === 0 && isOurs && length - icmp === request.length) return true
  }
}

function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
