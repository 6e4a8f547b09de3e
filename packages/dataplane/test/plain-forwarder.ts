/**
 * The data path without security: packets go from a TUN into UDP datagrams and back as they are, with the same batches, offloads
 * and packet memory as the native rung. What it costs is what ESP cannot be cheaper than here. One thread, for ever; for benches.
 *
 *   plain-forwarder <JSON of PlainForwarderOptions>
 */
import type { SocketAddress } from '@culvert/ikev2'
import { createChecksum } from '../src/native/superpackets/checksum.ts'
import { Coalescer } from '../src/native/superpackets/coalescer.ts'
import { PacketMemory, POLLIN, Syscalls } from '../src/foreign/index.ts'
import { Segmenter, VNET_HEADER_BYTES } from '../src/native/superpackets/segmenter.ts'
import { encodeSocketAddress, SOCKADDR_BYTES } from '../src/native/sockets/socket-address.ts'
import { enableTunOffload } from '../src/native/superpackets/tun-offload.ts'
import { UdpReceiver } from '../src/native/sockets/udp-receiver.ts'
import { UdpSender } from '../src/native/sockets/udp-sender.ts'
import { openUdpSocket } from '../src/native/sockets/udp-socket.ts'
import { openTun } from '../src/tun/open-tun.ts'
import { configureTun } from '../src/tun/namespace.ts'

export interface PlainForwarderOptions {
  readonly bind: SocketAddress
  readonly remote: SocketAddress
  /** Inner address of this end and of the other. */
  readonly inner: readonly [string, string]
}

const TUN = { name: 'plain0', namespace: null, mtuBytes: 1400 }
const MEMORY_BYTES = 8 << 20
const FRAME_BYTES = VNET_HEADER_BYTES + 65_536
const MOST_FRAMES = 64
const POLL_MS = 1000

const options = JSON.parse(process.argv[2] ?? '') as PlainForwarderOptions
const memory = new PacketMemory(MEMORY_BYTES)
const syscalls = new Syscalls(memory)
const checksum = createChecksum(memory)
const socket = openUdpSocket(memory, syscalls, { bind: options.bind, dontFragment: false, wantsGro: true })
const tun = openTun(TUN, { vnetHeader: true })
const offload = enableTunOffload(tun.fd)
const receiver = new UdpReceiver(memory, syscalls)
const sender = new UdpSender(memory, syscalls, socket.fd)
const toTun = { write: (frame: number, length: number): void => void syscalls.write(tun.fd, frame, length) }
const coalescer = new Coalescer(memory, checksum, toTun, { tcp: offload !== 'none', udp: offload === 'uso' })
const segmenter = new Segmenter(memory, checksum)
const frame = memory.allocate(64 + FRAME_BYTES) + 64 - VNET_HEADER_BYTES
const destination = memory.allocate(SOCKADDR_BYTES)
const pollVector = memory.allocate(16)

/** @returns whether anything came */
function receive(): boolean {
  const count = receiver.receive(socket.fd)
  for (const { data, length, segmentBytes } of receiver.buffers.slice(0, count)) {
    for (let at = data; at < data + length; at += segmentBytes) {
      const packetBytes = Math.min(segmentBytes, data + length - at)
      checksum.move(coalescer.place, at, packetBytes)
      coalescer.add(packetBytes)
    }
  }
  coalescer.flush()
  return count > 0
}

/** @returns whether anything waited */
function drain(): boolean {
  let frames = 0
  for (; frames < MOST_FRAMES; frames++) {
    const length = syscalls.read(tun.fd, frame, FRAME_BYTES)
    if (length <= 0) break
    if (!segmenter.begin(frame, length, TUN.mtuBytes)) continue
    while (segmenter.next()) {
      const at = sender.reserve(destination, segmenter.length, 0)
      checksum.move(at, segmenter.offset, segmenter.length)
      sender.commit(segmenter.length)
    }
  }
  sender.flush()
  return frames > 0
}

encodeSocketAddress(options.remote, memory.bytes, destination)
for (const [index, fd] of [socket.fd, tun.fd].entries()) {
  memory.view.setInt32(pollVector + 8 * index, fd, true)
  memory.view.setInt16(pollVector + 8 * index + 4, POLLIN, true)
}
const [own, other] = options.inner
await configureTun({ ...TUN, addresses: [`${own}/32`], routes: [`${other}/32`] })
process.stdout.write('ready\n', () => {
  for (;;) {
    const isBusy = [receive(), drain()].includes(true)
    if (!isBusy) syscalls.poll(pollVector, 2, POLL_MS)
  }
})
