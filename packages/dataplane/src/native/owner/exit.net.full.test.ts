/**
 * A process with a native data plane ends when it is told to, however it ends and however busy its worker is; and a data plane whose
 * interface is taken away says so.
 */
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { composeSpi } from '@culvert/esp'
import type { ChildSaDescription } from '@culvert/ikev2'
import { endOptions, ip, type PairOptions, PlanePair } from '../../../test/plane-pair.ts'
import { ensureNamespace, removeNamespace } from '../../tun/namespace.ts'
import type { DataPlane } from '../../contract.ts'
import { openNativeDataPlane } from '../index.ts'

const OPTIONS: PairOptions = {
  rungs: ['native', 'native'],
  singleDatagrams: false,
  inner: 'ipv4',
  outer: 'ipv4',
  wireMtuBytes: 1500,
  encr: { id: 20, keyBits: 128, keyBytes: 20 },
  integ: null,
  esn: false,
}
const ENDLESS_BYTES = String(300_000_000)

const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 60_000, interval: 20 })

describe('a process with a native data plane', () => {
  let pair: PlanePair

  beforeEach(async () => {
    pair = await PlanePair.create(`cvx-${process.pid}`, OPTIONS)
    return () => pair.close()
  })

  async function makeBusy(): Promise<void> {
    const server = pair.run(2, 'tcp-peer', 'serve', pair.target, '5001', ENDLESS_BYTES)
    await until(() => expect(server.heard('listening')).toBeDefined())
    pair.run(1, 'tcp-peer', 'connect', pair.target, '5001', ENDLESS_BYTES)
    await until(async () => {
      pair.ends[0].lines.length = 0
      pair.ends[0].say('counters')
      await until(() => expect(pair.ends[0].heard('counters')).toBeDefined())
      const { packetsOut } = JSON.parse(pair.ends[0].heard('counters')!) as { packetsOut: number }
      expect(packetsOut).toBeGreaterThan(10_000)
    })
  }

  it.each([
    ['exit', { code: 7, signal: null }],
    ['throw', { code: 1, signal: null }],
    ['reject', { code: 1, signal: null }],
    ['close', { code: 0, signal: null }],
    ['nothing', { code: 0, signal: null }],
  ])('ends while idle by "%s"', async (way, expected) => {
    pair.ends[0].say(`end ${way}`)
    expect(await pair.ends[0].ended()).toEqual(expected)
  })

  it.each([
    ['exit', { code: 7, signal: null }],
    ['throw', { code: 1, signal: null }],
    ['close', { code: 0, signal: null }],
  ])('ends under load by "%s"', async (way, expected) => {
    await makeBusy()
    pair.ends[0].say(`end ${way}`)
    expect(await pair.ends[0].ended()).toEqual(expected)
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)('ends by %s and frees its port and its TUN', async (signal) => {
    pair.ends[0].signal(signal)
    expect(await pair.ends[0].ended()).toEqual({ code: null, signal })
    const successor = pair.run(1, 'plane-end', endOptions(1, OPTIONS))
    await until(() => expect(successor.heard('ready')).toBeDefined())
  })

  it('ends when the thread that owns the data plane is terminated', async () => {
    await pair.ends[0].end()
    const program = pair.run(1, 'plane-end', endOptions(1, OPTIONS), 'terminate-owner')
    expect(await program.ended()).toEqual({ code: 0, signal: null })
    expect(program.lines).toEqual(['ready', 'terminated'])
  })
})

describe('a native data plane', () => {
  const namespace = `cvy-${process.pid}`
  afterAll(() => removeNamespace(namespace))

  async function open(failures: Error[] = [], port = 0): Promise<DataPlane> {
    await ensureNamespace(namespace)
    return openNativeDataPlane(
      {
        bind: [{ address: '127.0.0.1', port }],
        tun: { name: 'culvert0', namespace, mtuBytes: 1400 },
        role: { kind: 'device' },
        incarnation: 1,
        nodeSlot: 1,
        maxSas: 4,
        replayWindowPackets: 64,
      },
      {
        onIke: () => {},
        onInboundTraffic: () => {},
        onPeerMoved: () => {},
        onSoftLimit: () => {},
        onHardLimit: () => {},
        onFailure: (error) => failures.push(error),
      },
    )
  }

  const child = (slot: number): ChildSaDescription => ({
    spiIn: composeSpi(slot, 1, 1),
    spiOut: composeSpi(9, 9, 9),
    keys: {
      encr: { type: 1, id: 20, keyBits: 128 },
      integ: null,
      esn: false,
      inboundKey: new Uint8Array(20),
      outboundKey: new Uint8Array(20),
      inboundIntegKey: new Uint8Array(0),
      outboundIntegKey: new Uint8Array(0),
    },
    path: { local: { address: '127.0.0.1', port: 1 }, remote: { address: '127.0.0.1', port: 2 } },
    udpEncap: true,
    peerBehindNat: false,
    mode: 'tunnel',
    tsLocal: [],
    tsRemote: [],
    outbound: true,
    replaces: null,
  })

  it('reports the loss of its TUN once and takes no more SAs', async () => {
    const failures: Error[] = []
    const plane = await open(failures)
    ip('-n', namespace, 'link', 'delete', 'dev', 'culvert0')
    await until(() => expect(failures.map(({ message }) => message)).toEqual(['the TUN interface was removed']))
    await expect(plane.install(child(1), null)).rejects.toThrow('closed')
    await plane.close()
    expect(failures).toHaveLength(1)
  })

  it('installs once, refuses a foreign or used SPI, and after closing refuses everything without a failure', async () => {
    const failures: Error[] = []
    const plane = await open(failures)
    await plane.install(child(1), null)
    await expect(plane.install(child(1), null)).rejects.toThrow('spiInUse')
    await expect(plane.install(child(2), null)).rejects.toThrow('spiNotOurs')
    plane.remove(composeSpi(1, 1, 1))
    await plane.install(child(1), null)
    const late = plane.install(child(1), null)
    late.catch(() => {})
    await Promise.all([plane.close(), plane.close()])
    await expect(late).rejects.toThrow(/spiInUse|closed/)
    await expect(plane.install(child(1), null)).rejects.toThrow('closed')
    plane.sendIke(new Uint8Array(30), { address: '127.0.0.1', port: 9 })
    expect(failures).toEqual([])
  })

  it('sleeps when there is nothing to do, also after messages', async () => {
    const plane = await open()
    await plane.install(child(1), null)
    plane.activateOutbound(composeSpi(1, 1, 1))
    let wallMs = performance.now()
    let cpu = process.cpuUsage()
    const shareOfCpu = (): number => {
      const used = process.cpuUsage(cpu)
      const share = (used.user + used.system) / 1000 / (performance.now() - wallMs)
      wallMs = performance.now()
      cpu = process.cpuUsage()
      return share
    }
    await vi.waitFor(() => expect(shareOfCpu()).toBeLessThan(0.2), { timeout: 30_000, interval: 500 })
    await plane.close()
  })

  it('says which address it cannot bind', async () => {
    const plane = await open()
    const second = open([], plane.local.port)
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await plane.close()
  })
})
