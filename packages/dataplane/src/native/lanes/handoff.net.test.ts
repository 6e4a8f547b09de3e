/**
 * Three data threads whose sockets the kernel was not taught to tell apart: all datagrams of a peer come to one of them, which
 * hands over what is another's.
 */
import type * as SpiSteering from './spi-steering.ts'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { AES_GCM, DEVICE_ADDRESS, ForwardingLab } from '../../../test/forwarding-lab.ts'

vi.mock('./spi-steering.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof SpiSteering>()),
  steerBySpi: () => false,
}))

const THREADS = 3
const TRANSFER_BYTES = 200_000

describe('three data threads without reuseport BPF', () => {
  let lab: ForwardingLab
  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 60_000, interval: 20 })

  beforeAll(async () => {
    const rungs = { concentrator: 'native', device: 'native', dataThreads: THREADS } as const
    lab = await ForwardingLab.create(`cvho-${process.pid}`, rungs)
  })
  afterAll(() => lab.close())

  it('say so, and carry what belongs to each of them', async () => {
    expect(lab.concentrator.plane.description).toContain('hand-off by SPI (no reuseport BPF)')
    // SPIs of neighbouring indexes: one for each thread.
    for (let generation = 0; generation < THREADS; generation++) {
      const spis = await lab.installSa(generation, AES_GCM, { outbound: generation === 0 })
      lab.concentrator.plane.activateOutbound(spis.concentrator)
      lab.device.plane.activateOutbound(spis.device)
      const port = String(5100 + generation)
      const server = lab.run(lab.device, 'tcp-peer', 'serve', DEVICE_ADDRESS, port, String(TRANSFER_BYTES))
      await until(() => expect(server.heard('listening')).toBeDefined())
      const client = lab.run(lab.concentrator, 'tcp-peer', 'connect', DEVICE_ADDRESS, port, String(TRANSFER_BYTES))
      await until(() => {
        expect(client.heard('received')).toBe(server.heard('sent') ?? 'nothing')
        expect(server.heard('received')).toBe(client.heard('sent') ?? 'nothing')
      })
      const [counters] = await lab.concentrator.plane.readSaCounters([spis.concentrator])
      expect(counters!.bytesIn).toBeGreaterThan(TRANSFER_BYTES)
    }
  })
})
