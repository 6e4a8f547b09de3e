/**
 * Three data threads on each side: many flows at once in both directions while SAs are replaced under them, and a thread that dies.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type * as WorkerThreads from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { NodeCounters, SaCounters } from '../contract.ts'
import { AES_CBC, AES_GCM, DEVICE_ADDRESS, DIAL_ADDRESS, ForwardingLab } from '../../test/forwarding-lab.ts'

const workers = vi.hoisted((): WorkerThreads.Worker[] => [])
vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof WorkerThreads>()
  class NotedWorker extends original.Worker {
    constructor(...args: ConstructorParameters<typeof WorkerThreads.Worker>) {
      super(...args)
      workers.push(this)
    }
  }
  return { ...original, Worker: NotedWorker }
})

const FLOWS = 6
const FLOW_BYTES = 1_000_000
const REKEYS = 3
const THREADS = 3
const SPREAD_FLOWS = 48
const SPREAD_DATAGRAMS = 100

describe('three data threads', () => {
  let lab: ForwardingLab
  let spis: Awaited<ReturnType<ForwardingLab['installSa']>>
  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 60_000, interval: 20 })

  beforeAll(async () => {
    lab = await ForwardingLab.create(`cvth-${process.pid}`, {
      concentrator: 'native',
      device: 'native',
      dataThreads: THREADS,
    })
    spis = await lab.installSa(0, AES_GCM, { outbound: true })
  })
  afterAll(() => lab.close())

  it('say that they are three and how packets find theirs', () => {
    expect(lab.concentrator.plane.description).toMatch(/3 data threads, (steered|hand-off) by SPI/)
    expect(workers).toHaveLength(2 * THREADS)
  })

  it('carry many flows both ways, octet for octet, while their SAs are replaced', async () => {
    const ports = Array.from({ length: FLOWS }, (_, flow) => String(5100 + flow))
    const servers = ports.map((port) =>
      lab.run(lab.device, 'tcp-peer', 'serve', DEVICE_ADDRESS, port, String(FLOW_BYTES)),
    )
    for (const server of servers) await until(() => expect(server.heard('listening')).toBeDefined())
    const clients = ports.map((port) =>
      lab.run(lab.concentrator, 'tcp-peer', 'connect', DEVICE_ADDRESS, port, String(FLOW_BYTES)),
    )
    const used = [spis]
    for (let generation = 1; generation <= REKEYS; generation++) {
      const before = (await lab.concentrator.plane.readCounters()).packetsIn
      const next = await lab.installSa(generation, generation % 2 === 0 ? AES_GCM : AES_CBC, { outbound: false })
      lab.concentrator.plane.activateOutbound(next.concentrator)
      lab.device.plane.activateOutbound(next.device)
      used.push(next)
      const isDone = (): boolean => clients.every((client) => client.heard('received') !== undefined)
      await until(async () => {
        const { packetsIn } = await lab.concentrator.plane.readCounters()
        expect(isDone() || packetsIn > before + 200).toBe(true)
      })
    }
    for (const [flow, client] of clients.entries()) {
      await until(() => {
        expect(client.heard('received')).toBe(servers[flow]!.heard('sent') ?? 'nothing')
        expect(servers[flow]!.heard('received')).toBe(client.heard('sent') ?? 'nothing')
      })
    }
    const read = async (): Promise<readonly [readonly SaCounters[], NodeCounters]> => {
      const ofSas = await lab.concentrator.plane.readSaCounters(used.map(({ concentrator }) => concentrator))
      return [ofSas, await lab.concentrator.plane.readCounters()]
    }
    // The last acknowledgements may still be under way, between one reading and the other.
    const [counted, node] = await until(async () => {
      const [ofSas, ofNode] = await read()
      const sum = (of: (counters: SaCounters) => number): number =>
        ofSas.reduce((total, counters) => total + of(counters), 0)
      expect([sum(({ packetsIn }) => packetsIn), sum(({ packetsOut }) => packetsOut)]).toEqual([
        ofNode.packetsIn,
        ofNode.packetsOut,
      ])
      return [ofSas, ofNode] as const
    })
    expect(counted).toHaveLength(REKEYS + 1)
    for (const { drops } of [...counted, node]) {
      for (const cause of ['badIcv', 'replayed', 'selectorMismatch'])
        expect([cause, drops[cause] ?? 0]).toEqual([cause, 0])
    }
    spis = used.at(-1)!
  })

  it('count a drop for the SA whose packet it was', async () => {
    lab.middle.sendToConcentrator(lab.middle.toConcentrator.at(-1)!)
    await until(async () => {
      const [counters] = await lab.concentrator.plane.readSaCounters([spis.concentrator])
      expect(counters?.drops).toEqual({ replayed: 1 })
    })
  })

  it('C66 seal on one SA at the same time and never take an IV or a sequence number twice', async () => {
    spis = await lab.installSa(REKEYS + 1, AES_GCM, { outbound: true })
    const numbers = new Set<number>()
    const ivs = new Set<bigint>()
    const sealers = new Set<number>()
    let heard = 0
    lab.middle.onToConcentrator = (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      if (bytes.length < 16 || view.getUint32(0) !== spis.concentrator) return
      heard++
      numbers.add(view.getUint32(4))
      ivs.add(view.getBigUint64(8))
      sealers.add(bytes[11]! >>> 4)
    }
    // Nobody answers, so the kernel spreads the flows over the queues of all threads.
    const send = `
      const payload = Buffer.alloc(64)
      for (let flow = 0; flow < ${SPREAD_FLOWS}; flow++) {
        const socket = require('node:dgram').createSocket('udp4')
        let left = ${SPREAD_DATAGRAMS}
        const next = () => left-- > 0 ? socket.send(payload, 9, '${DIAL_ADDRESS}', next) : socket.close()
        next()
      }`
    await promisify(execFile)('ip', ['netns', 'exec', lab.device.namespace, process.execPath, '-e', send])
    await until(() => expect(heard).toBeGreaterThan((SPREAD_FLOWS * SPREAD_DATAGRAMS) / 2))
    lab.middle.onToConcentrator = () => {}
    expect([numbers.size, ivs.size]).toEqual([heard, heard])
    expect(sealers).toEqual(new Set([0, 1, 2]))
  })

  it('fail together and once when one of them dies, and the next plane takes over port and TUN', async () => {
    const { plane, notices } = lab.concentrator
    await workers[1]!.terminate()
    await until(() => expect(notices.failures.map(({ message }) => message)).toEqual(['data worker 1 ended']))
    await plane.close()
    expect(notices.failures).toHaveLength(1)
    await lab.restartConcentrator()
    expect(lab.concentrator.plane.description).toContain('3 data threads')
  })
})
