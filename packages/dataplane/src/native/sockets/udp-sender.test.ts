import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EAGAIN, EINVAL, EMSGSIZE, type MessageHeaders, PacketMemory } from '../../foreign/index.ts'
import { encodeSocketAddress, SOCKADDR_BYTES } from './socket-address.ts'
import { LARGEST_DATAGRAM, MAY_FRAGMENT, type SendingSyscalls, UdpSender } from './udp-sender.ts'

const FD = 3

interface Datagram {
  readonly port: number
  readonly ecn: number
  readonly bytes: Buffer
}

/** A kernel that reads message headers as Linux does and notes what leaves on the wire. */
class FakeKernel implements SendingSyscalls {
  readonly memory = new PacketMemory(1 << 19)
  readonly wire: Datagram[] = []
  refusesRuns = false
  /** Longer datagrams are refused while DF is set. */
  mtu = Infinity
  readonly discoveries: number[] = []
  /** Calls that find the socket full. */
  busy = 0
  /** Calls after which it is full. */
  busyAfter = Infinity
  calls = 0
  hasRoom = true

  sendmsg(fd: number, headers: MessageHeaders, index: number): number {
    this.calls++
    if (fd !== FD || !this.#isWellFormed(headers, index)) return -EINVAL
    if ((this.busy > 0 && this.busy--) || this.calls > this.busyAfter) return -EAGAIN
    const { port, data, ecn, segmentBytes } = this.#read(headers, index)
    if (segmentBytes > 0) {
      if (this.refusesRuns || data.length > LARGEST_DATAGRAM || data.length > 64 * segmentBytes) return -EINVAL
    }
    const isDontFragment = this.discoveries.at(-1) !== 5
    if (isDontFragment && (segmentBytes || data.length) > this.mtu) return segmentBytes > 0 ? -EINVAL : -EMSGSIZE
    const step = segmentBytes || Math.max(1, data.length)
    for (let at = 0; at < data.length; at += step) {
      this.wire.push({ port, ecn, bytes: Buffer.from(data.subarray(at, at + step)) })
    }
    return data.length
  }

  sendmmsg(fd: number, headers: MessageHeaders, from: number, count: number): number {
    for (let index = 0; index < Math.min(count, 3); index++) {
      const sent = this.sendmsg(fd, headers, from + index)
      if (sent < 0) return index > 0 ? index : sent
    }
    return Math.min(count, 3)
  }

  setIntOption(_fd: number, _level: number, _option: number, value: number): number {
    this.discoveries.push(value)
    return 0
  }

  poll(): number {
    return this.hasRoom ? 1 : 0
  }

  /** An IPv4 name of 16 bytes. */
  #isWellFormed(headers: MessageHeaders, index: number): boolean {
    const { name } = headers.read(index)
    return name.length === 16 && this.memory.bytes[name.offset] === 2
  }

  #read(headers: MessageHeaders, index: number): { port: number; data: Buffer; ecn: number; segmentBytes: number } {
    const { view } = this.memory
    const blocks = headers.read(index)
    const data = Buffer.from(this.memory.copyOut(blocks.data.offset, blocks.data.length))
    const result = { port: view.getUint16(blocks.name.offset + 2), data, ecn: 0, segmentBytes: 0 }
    const { offset: control, length: controlBytes } = blocks.control
    for (let at = control; at < control + controlBytes;) {
      const [length, level, type] = [0, 8, 12].map((offset) => view.getUint32(at + offset, true)) as [
        number,
        number,
        number,
      ]
      if (level === 17 && type === 103) result.segmentBytes = view.getUint16(at + 16, true)
      if (level === 0 && type === 1) result.ecn = view.getInt32(at + 16, true)
      at += Math.ceil(length / 8) * 8
    }
    return result
  }
}

function createSender(kernel: FakeKernel, segments = true): { sender: UdpSender; send: (datagram: Datagram) => void } {
  const sender = new UdpSender(kernel.memory, kernel, FD, segments)
  const destinations = new Map<number, number>()
  const send = ({ port, ecn, bytes }: Datagram): void => {
    let destination = destinations.get(port)
    if (destination === undefined) {
      destination = kernel.memory.allocate(SOCKADDR_BYTES)
      encodeSocketAddress({ address: '192.0.2.1', port }, kernel.memory.bytes, destination)
      destinations.set(port, destination)
    }
    kernel.memory.bytes.set(bytes, sender.reserve(destination, bytes.length, ecn))
    sender.commit(bytes.length)
  }
  return { sender, send }
}

const anyDatagrams = fc.array(
  fc.record({
    port: fc.constantFrom(1, 1, 1, 2),
    ecn: fc.constantFrom(0, 0, 0, 3),
    size: fc.constantFrom(1, 100, 1400, 1400, 1400, 1400, 1399, 9000, LARGEST_DATAGRAM),
  }),
  { maxLength: 150 },
)

function datagramsOf(recipe: readonly { port: number; ecn: number; size: number }[]): Datagram[] {
  return recipe.map(({ port, ecn, size }, index) => ({ port, ecn, bytes: Buffer.alloc(size, index) }))
}

describe('UDP sender', () => {
  it.each([false, true])('sends every datagram once, whole and in order (kernel refuses runs: %s)', (refusesRuns) => {
    fc.assert(
      fc.property(anyDatagrams, (recipe) => {
        const kernel = new FakeKernel()
        kernel.refusesRuns = refusesRuns
        const { sender, send } = createSender(kernel)
        const datagrams = datagramsOf(recipe)
        datagrams.forEach(send)
        sender.flush()
        expect(kernel.wire).toEqual(datagrams)
        expect(sender.failed).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  it('sends equal datagrams in one call and lets a shorter one end the run', () => {
    const kernel = new FakeKernel()
    const { sender, send } = createSender(kernel)
    datagramsOf([1400, 1400, 1400, 20, 1400].map((size) => ({ port: 1, ecn: 0, size }))).forEach(send)
    sender.flush()
    expect(kernel.calls).toBe(2)
    expect(sender.refusedRuns).toBe(0)
  })

  it('counts refused runs and what is lost', () => {
    const kernel = new FakeKernel()
    const { sender, send } = createSender(kernel)
    kernel.refusesRuns = true
    datagramsOf([700, 700, 700].map((size) => ({ port: 1, ecn: 0, size }))).forEach(send)
    sender.flush()
    expect([sender.refusedRuns, sender.failed, kernel.wire.length]).toEqual([1, 0, 3])
  })

  it('says for whom a datagram was too long, alone or in a run', () => {
    for (const sizes of [[1400], [1400, 1400]]) {
      const kernel = new FakeKernel()
      kernel.mtu = 1300
      const { sender, send } = createSender(kernel)
      datagramsOf(sizes.map((size) => ({ port: 1, ecn: 0, size }))).forEach(send)
      sender.flush()
      expect([kernel.wire.length, sender.failed]).toEqual([0, sizes.length])
      expect(kernel.memory.view.getUint16(sender.tooLongFor + 2)).toBe(1)
    }
  })

  it('lifts DF for datagrams that may be fragmented, and only for them', () => {
    const kernel = new FakeKernel()
    kernel.mtu = 1300
    const { sender, send } = createSender(kernel)
    const sent = datagramsOf([100, 1400, 1400, 100].map((size) => ({ port: 1, ecn: 2, size })))
    const marked = sent.map((datagram) =>
      datagram.bytes.length < 1400 ? datagram : { ...datagram, ecn: 2 | MAY_FRAGMENT },
    )
    marked.forEach(send)
    sender.flush()
    expect(kernel.wire).toEqual(sent)
    expect(kernel.discoveries).toEqual([5, 3])
    expect(sender.tooLongFor).toBe(0)
  })

  it('waits for room once, then gives the datagram up', () => {
    const kernel = new FakeKernel()
    const { sender, send } = createSender(kernel)
    const [datagram] = datagramsOf([{ port: 1, ecn: 0, size: 50 }]) as [Datagram]
    kernel.busy = 1
    send(datagram)
    sender.flush()
    expect([kernel.wire.length, sender.failed]).toEqual([1, 0])
    kernel.busy = 1
    kernel.hasRoom = false
    send(datagram)
    sender.flush()
    expect([kernel.wire.length, sender.failed]).toEqual([1, 1])
  })

  it('gives a datagram up that the kernel never takes although it says there is room', () => {
    const kernel = new FakeKernel()
    const { sender, send } = createSender(kernel)
    const run = datagramsOf([700, 700, 700].map((size) => ({ port: 1, ecn: 0, size })))
    kernel.busy = 1000
    run.forEach(send)
    sender.flush()
    expect([kernel.calls, kernel.wire.length, sender.failed]).toEqual([2, 0, 3])
    // And one that takes no runs, and then nothing.
    kernel.busy = 0
    kernel.refusesRuns = true
    kernel.busyAfter = kernel.calls + 2
    run.forEach(send)
    sender.flush()
    expect([kernel.calls, kernel.wire.length, sender.failed]).toEqual([7, 1, 5])
  })

  it('sends several at once to their destination and not to the last one, where the kernel is not asked to cut runs', () => {
    const kernel = new FakeKernel()
    const { sender, send } = createSender(kernel, false)
    const ports = [1, 1, 2, 3, 3, 3, 1, 1]
    for (const port of ports) send({ port, ecn: 0, bytes: Buffer.alloc(100, port) })
    sender.flush()
    expect(kernel.wire.map(({ port, bytes }) => [port, bytes[0]])).toEqual(ports.map((port) => [port, port]))
  })
})
