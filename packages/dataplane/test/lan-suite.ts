/**
 * Two routers with the same LAN behind them, with real kernels: what the concentrator's namespace reaches under two synthetic
 * addresses are two hosts that believe to have the same one.
 *
 *   10.127.0.1 ── TUN ── plane ══ UDP ══ plane ── TUN ── 10.128.0.5, 192.168.1.1 ── veth ── 192.168.1.20
 *                          ╚═════ UDP ══ plane ── TUN ── 10.128.0.6, 192.168.1.1 ── veth ── 192.168.1.20
 */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { composeSpi } from '@culvert/esp'
import type { ChildSaDescription, Spi } from '@culvert/ikev2'
import { ensureNamespace, removeNamespace } from '../src/index.ts'
import {
  AES_GCM,
  configure,
  DIAL_ADDRESS,
  type LabRungs,
  openSide,
  Program,
  selector,
  type Side,
} from './forwarding-lab.ts'

const HOST = '192.168.1.20'
const LAN = selector('192.168.1.0', '192.168.1.255')
const SERVICE = selector('10.127.0.0', '10.127.0.255')
const SYNTHETIC = ['198.18.0.1', '198.18.0.2'] as const
const TRANSFER_BYTES = 2_000_000

interface Router {
  readonly side: Side
  /** Namespace of the host on its LAN. */
  readonly host: string
  readonly spis: { readonly concentrator: Spi; readonly device: Spi }
}

/** Called inside a `describe`. @param mark short, makes the names of namespaces unique */
export function lanRules(mark: string, rungs: LabRungs): void {
  let concentrator: Side
  let routers: readonly Router[]
  const programs: Program[] = []

  beforeAll(async () => {
    const nowhere = { address: '127.0.0.1', port: 9 }
    concentrator = await openSide(`${mark}-c`, nowhere, {
      rung: rungs.concentrator,
      nodeSlot: 7,
      role: { kind: 'concentrator', dialAddresses: [DIAL_ADDRESS] },
    })
    await configure(concentrator, [`${DIAL_ADDRESS}/32`], ['10.128.0.0/9', '198.18.0.0/15'])
    routers = [await openRouter(0), await openRouter(1)]
    for (const [index, synthetic] of SYNTHETIC.entries()) {
      concentrator.plane.mapHost({ synthetic, subject: index + 1, host: HOST })
    }
  })
  afterAll(async () => {
    for (const program of programs) await program.end()
    await Promise.all([concentrator, ...routers.map(({ side }) => side)].map(({ plane }) => plane.close()))
    const namespaces = [concentrator.namespace, ...routers.flatMap(({ side, host }) => [side.namespace, host])]
    await Promise.all(namespaces.map(removeNamespace))
  })

  async function openRouter(index: number): Promise<Router> {
    const address = `10.128.0.${5 + index}`
    const side = await openSide(`${mark}-r${index}`, concentrator.plane.local, {
      rung: rungs.device,
      nodeSlot: 9,
      role: { kind: 'device' },
    })
    await configure(side, [`${address}/32`], ['10.127.0.0/24'])
    const host = `${mark}-h${index}`
    await ensureNamespace(host)
    layLan(side.namespace, host)
    const spis = { concentrator: composeSpi(7, 3 + index, 0), device: composeSpi(9, 4 + index, 0) }
    const key = (owner: number): Uint8Array => new Uint8Array(AES_GCM.keyBytes).fill(16 * index + owner)
    const describe = (isDevice: boolean): ChildSaDescription => {
      const mine = [selector(address, address), LAN]
      return {
        spiIn: isDevice ? spis.device : spis.concentrator,
        spiOut: isDevice ? spis.concentrator : spis.device,
        keys: {
          encr: AES_GCM.encr,
          integ: null,
          esn: false,
          inboundKey: key(isDevice ? 1 : 2),
          outboundKey: key(isDevice ? 2 : 1),
          inboundIntegKey: new Uint8Array(0),
          outboundIntegKey: new Uint8Array(0),
        },
        path: isDevice
          ? { local: side.plane.local, remote: concentrator.plane.local }
          : { local: concentrator.plane.local, remote: side.plane.local },
        udpEncap: true,
        peerBehindNat: false,
        mode: 'tunnel',
        tsLocal: isDevice ? mine : [SERVICE],
        tsRemote: isDevice ? [SERVICE] : mine,
        outbound: true,
        replaces: null,
      }
    }
    await concentrator.plane.install(describe(false), { subject: index + 1, addresses: [address] })
    await side.plane.install(describe(true), null)
    return { side, host, spis }
  }

  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })
  const drops = async (): Promise<Readonly<Record<string, number>>> => (await concentrator.plane.readCounters()).drops
  const run = (namespace: string, script: string, ...args: readonly string[]): Program => {
    const program = new Program(namespace, script, args)
    programs.push(program)
    return program
  }
  const fromHere = (script: string, ...args: readonly string[]): Program => run(concentrator.namespace, script, ...args)

  it('carries a stream to each of two hosts that have the same address, octet for octet, past a smaller MTU on the way', async () => {
    const args = ['5001', String(TRANSFER_BYTES)]
    const servers = routers.map(({ host }) => run(host, 'tcp-peer', 'serve', HOST, ...args))
    await Promise.all(servers.map((server) => server.hears('listening')))
    const clients = SYNTHETIC.map((address) => fromHere('tcp-peer', 'connect', address, ...args))
    for (const [index, server] of servers.entries()) {
      expect(await clients[index]!.hears('received')).toBe(await server.hears('sent'))
      expect(await server.hears('received')).toBe(await clients[index]!.hears('sent'))
    }
    // The kernel here learned the MTU from a router's error about a packet to an address that the router has never seen.
    const route = execFileSync('ip', ['-n', concentrator.namespace, 'route', 'get', SYNTHETIC[0]], { encoding: 'utf8' })
    expect(route).toContain('mtu 1000')
  })

  it('reaches the host of the device that was meant, and no other', async () => {
    const server = run(routers[1]!.host, 'tcp-peer', 'serve', HOST, '5002', '10')
    await server.hears('listening')
    expect(await fromHere('tcp-peer', 'connect', SYNTHETIC[0], '5002', '10').hears('failed')).toBe('ECONNREFUSED')
    expect(server.lines).toEqual(['listening'])
  })

  it('carries UDP and echo both ways', async () => {
    for (const { host } of routers) await run(host, 'udp-peer', 'serve', HOST, '5003').hears('listening')
    for (const address of SYNTHETIC) {
      expect(await fromHere('udp-peer', 'send', address, '5003', '4,64,500,501,900').hears('intact')).toBe('5')
      expect(await fromHere('ping', address, '100', '10').hears('reply')).toBe('')
    }
  })

  it('brings home what a host says about our datagrams (port unreachable)', async () => {
    for (const address of SYNTHETIC) {
      expect(await fromHere('udp-peer', 'probe', address, '5999').hears('refused')).toBe('')
    }
  })

  it('brings home what a router says about a host that is not there', async () => {
    concentrator.plane.mapHost({ synthetic: '198.18.0.3', subject: 1, host: '192.168.1.99' })
    expect(await fromHere('tcp-peer', 'connect', '198.18.0.3', '80', '1').hears('failed')).toBe('EHOSTUNREACH')
  })

  it('C63 lets a host answer but never ask, and one that nobody asked for not even be seen', async () => {
    const before = await drops()
    run(routers[0]!.host, 'tcp-peer', 'connect', DIAL_ADDRESS, '5004', '1')
    await until(async () => expect((await drops())['noFlow']).toBeGreaterThan(before['noFlow']!))
    concentrator.plane.unmapHost(SYNTHETIC[0])
    run(routers[0]!.host, 'tcp-peer', 'connect', DIAL_ADDRESS, '5004', '1')
    await until(async () => expect((await drops())['noHostMapping']).toBeGreaterThan(before['noHostMapping']!))
    expect(await fromHere('ping', SYNTHETIC[0], '100', '1').hears('silence')).toBe('')
    expect(await fromHere('ping', SYNTHETIC[1], '100', '10').hears('reply')).toBe('')
  })
}

/** The router forwards into a LAN of a smaller MTU; the host there knows nothing of it. */
function layLan(router: string, host: string): void {
  const ip = (...words: readonly string[]): void => void execFileSync('ip', words)
  ip('link', 'add', 'lan0', 'netns', router, 'type', 'veth', 'peer', 'name', 'lan0', 'netns', host)
  ip('-n', router, 'address', 'add', '192.168.1.1/24', 'dev', 'lan0')
  ip('-n', host, 'address', 'add', `${HOST}/24`, 'dev', 'lan0')
  for (const namespace of [router, host]) ip('-n', namespace, 'link', 'set', 'lan0', 'up')
  ip('-n', host, 'route', 'add', 'default', 'via', '192.168.1.1')
  ip('-n', router, 'route', 'add', `${HOST}/32`, 'dev', 'lan0', 'mtu', 'lock', '1000')
  ip('netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
}
