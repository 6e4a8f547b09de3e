/**
 * Lanes as the kernel makes them: a flood into one tunnel fills its own queue of the TUN, and a datagram comes to the socket of its SPI.
 */
import { execFileSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { composeSpi } from '@culvert/esp'
import { configureTun, ensureNamespace, removeNamespace } from '../../tun/namespace.ts'
import { closeTun, openTun, type OpenTun } from '../../tun/open-tun.ts'
import { steerByDestination } from './lanes.ts'
import { OwnerSocket } from '../owner/owner-socket.ts'
import {
  AF_INET,
  AF_INET6,
  closeFile,
  MessageHeaders,
  PacketMemory,
  SOCK_RAW,
  socket,
  Syscalls,
} from '../../foreign/index.ts'
import { encodeSocketAddress, SOCKADDR_BYTES, sockaddrLength } from '../sockets/socket-address.ts'

const PROTOCOL_ESP = 50

const memory = new PacketMemory(1 << 20)
const syscalls = new Syscalls(memory)
const frame = memory.allocate(65_536)
const headers = new MessageHeaders(memory, 1)
headers.setData(0, frame, 65_536)

const until = (probe: () => void): Promise<void> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })

/** @returns the packets or datagrams that wait at a descriptor, which does not block */
function drain(read: () => number): Uint8Array[] {
  const taken: Uint8Array[] = []
  for (let length = read(); length > 0; length = read()) taken.push(memory.copyOut(frame, length))
  return taken
}

describe('queues of the TUN', () => {
  const namespace = `cvln-${process.pid}`
  const options = { name: 'culvert0', namespace, mtuBytes: 1400 }
  const QUEUES = 8
  /** The kernel keeps 500 for each queue. */
  const FLOOD = 2000
  let tun: OpenTun

  beforeAll(async () => {
    await ensureNamespace(namespace)
    tun = openTun(options, { vnetHeader: false, queues: QUEUES })
    const addresses = ['10.127.0.1/32', 'fd7f::1/128']
    await configureTun({ ...options, addresses, routes: ['10.128.0.0/9', 'fd80::/16'] })
  })
  afterAll(async () => {
    closeTun(tun)
    await removeNamespace(namespace)
  })

  const send = (destination: string, count: number): void => {
    const program = `
      const socket = require('node:dgram').createSocket('${destination.includes(':') ? 'udp6' : 'udp4'}')
      let left = ${count}
      for (let i = 0; i < ${count}; i++) socket.send('x', 7, '${destination}', () => --left === 0 && socket.close())`
    execFileSync('ip', ['netns', 'exec', namespace, process.execPath, '-e', program])
  }
  const waiting = (): number[] =>
    tun.fds.map((fd) => {
      const packets = drain(() => syscalls.read(fd, frame, 65_536))
      return packets.filter((packet) => packet[packet[0]! >>> 4 === 6 ? 6 : 9] === 17).length // no neighbour discovery
    })

  it('part the tunnels: those of other destinations lose nothing to a flood', () => {
    expect(steerByDestination(memory, syscalls, tun.fd)).toBe(true)
    waiting()
    send('10.128.0.5', FLOOD)
    send('10.128.0.6', 3)
    send('fd80::a', 2)
    const counts = waiting()
    expect(counts[5]).toBeGreaterThan(100)
    expect(counts[5]).toBeLessThan(FLOOD)
    expect(counts.filter((_count, queue) => queue !== 5)).toEqual([0, 0, 2, 0, 0, 3, 0])
  })
})

describe.each([
  [1, 8],
  [3, 8],
  [3, 1],
])('sockets of %i workers with %i lanes', (workers, lanes) => {
  let owner: OwnerSocket
  let isSteered: boolean
  let peer: Socket

  beforeAll(async () => {
    owner = new OwnerSocket(memory, syscalls, { bind: [{ address: '127.0.0.1', port: 0 }] })
    isSteered = owner.spread(workers, lanes)
    peer = createSocket('udp4')
    peer.bind(0, '127.0.0.1')
    await once(peer, 'listening')
  })
  afterAll(() => {
    for (const { fd } of owner.ikeSockets ?? []) closeFile(fd)
    owner.close()
    peer.close()
  })
  afterEach(() => {
    heard()
  })

  /** First words of what waits, by worker and lane. */
  const heard = (): number[][][] =>
    Array.from({ length: workers }, (_, worker) =>
      owner
        .boundOf(worker)[0]!
        .fds.map((fd) => drain(() => readDatagram(fd)).map((bytes) => new DataView(bytes.buffer).getUint32(0))),
    )
  const send = (firstWord: number): void => {
    const bytes = Buffer.alloc(64)
    bytes.writeUInt32BE(firstWord)
    peer.send(bytes, owner.locals[0]!.port, '127.0.0.1')
  }

  it('hear the SPIs of their own, each lane as many', async () => {
    expect(isSteered).toBe(true)
    const spis = Array.from({ length: 48 }, (_, index) => composeSpi(5, index, 1))
    const all: number[][][] = Array.from({ length: workers }, () => Array.from({ length: lanes + 1 }, () => []))
    for (const spi of spis) send(spi)
    await until(() => {
      for (const [worker, byLane] of heard().entries()) {
        for (const [lane, words] of byLane.entries()) all[worker]![lane]!.push(...words)
      }
      expect(all.flat(2)).toHaveLength(spis.length)
    })
    for (const [worker, byLane] of all.entries()) {
      for (const [lane, words] of byLane.slice(0, lanes).entries()) {
        const index = worker + workers * lane
        expect(words).toEqual(spis.filter((_spi, at) => at % (workers * lanes) === index))
      }
      expect(byLane[lanes]).toEqual([])
    }
  })

  it('keep IKE apart from ESP where there are lanes, for the owner', async () => {
    const ike = owner.ikeSockets ?? []
    expect(ike).toHaveLength(lanes > 1 ? 1 : 0)
    send(0)
    await until(() => {
      const byWorker = heard()
      const byOwner = ike.flatMap(({ fd }) => drain(() => readDatagram(fd)))
      expect(byOwner.length + byWorker.flat(2).length).toBe(1)
      expect(byOwner).toHaveLength(ike.length)
      expect(byWorker.map((byLane) => byLane.length)).toEqual(byWorker.map(() => lanes))
    })
  })
})

describe.each([
  ['IPv4', '127.0.0.1', 20],
  ['IPv6', '::1', 0],
] as const)('raw sockets of three workers over %s', (_family, address, headerBytes) => {
  it('RFC 4303 2.1 hear the SPIs of their own and no others', async () => {
    const owner = new OwnerSocket(memory, syscalls, { bind: [{ address, port: 0 }], nativeEsp: true })
    const family = address.includes(':') ? AF_INET6 : AF_INET
    const sender = socket(family, SOCK_RAW, PROTOCOL_ESP)
    try {
      owner.spread(3, 1)
      const name = memory.allocate(SOCKADDR_BYTES)
      encodeSocketAddress({ address, port: 0 }, memory.bytes, name)
      const spis = Array.from({ length: 9 }, (_, index) => composeSpi(5, index, 1))
      const packet = memory.allocate(64)
      for (const spi of spis) {
        memory.view.setUint32(packet, spi)
        expect(syscalls.sendto(sender, packet, 64, name, sockaddrLength(memory, name))).toBe(64)
      }
      const all: number[][] = [[], [], []]
      await until(() => {
        for (const [worker, words] of all.entries()) {
          const { fds } = owner.boundOf(worker).find(({ carrier }) => carrier === 'esp')!
          const packets = drain(() => readDatagram(fds[0]!))
          words.push(...packets.map((bytes) => new DataView(bytes.buffer).getUint32(headerBytes)))
        }
        expect(all.flat()).toHaveLength(spis.length)
      })
      expect(all).toEqual([0, 1, 2].map((worker) => spis.filter((_spi, index) => index % 3 === worker)))
    } finally {
      closeFile(sender)
      owner.close()
    }
  })
})

/** @returns its length, 0 when none waits */
function readDatagram(fd: number): number {
  return syscalls.recvmmsg(fd, headers, 1) === 1 ? headers.lengthOf(0) : 0
}
