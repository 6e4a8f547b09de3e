/**
 * What every rung must do with real kernels: TUNs in two namespaces, real TCP and ICMP through ESP in UDP. Both rungs, and a
 * mixture of them, run the same rules.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Spi } from '@culvert/ikev2'
import type { SaCounters } from '../src/index.ts'
import {
  AES_CBC,
  AES_GCM,
  DEVICE_ADDRESS,
  DEVICE_ADDRESS6,
  DIAL_ADDRESS,
  DIAL_ADDRESS6,
  ForwardingLab,
  type LabRungs,
  type Side,
} from './forwarding-lab.ts'

const TRANSFER_BYTES = 3_000_000
const FAMILIES = [
  { name: 'IPv4', dial: DIAL_ADDRESS, device: DEVICE_ADDRESS, port: '5001', stranger: '10.127.0.99' },
  { name: 'IPv6', dial: DIAL_ADDRESS6, device: DEVICE_ADDRESS6, port: '5011', stranger: 'fd7f::99' },
] as const

/** Called inside a `describe`. @param mark short, makes the names of namespaces unique */
export function forwardingRules(mark: string, rungs: LabRungs): void {
  let lab: ForwardingLab
  let spis: Awaited<ReturnType<ForwardingLab['installSa']>>

  beforeAll(async () => {
    lab = await ForwardingLab.create(`${mark}-${process.pid}`, rungs)
    spis = await lab.installSa(0, AES_GCM, { outbound: true })
  })
  afterAll(() => lab.close())

  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })
  const drops = async (): Promise<Readonly<Record<string, number>>> =>
    (await lab.concentrator.plane.readCounters()).drops

  /** @param to where the concentrator finds the device's address. */
  async function expectTransfer(port: string, address: string = DEVICE_ADDRESS, to: string = address): Promise<void> {
    const server = lab.run(lab.device, 'tcp-peer', 'serve', address, port, String(TRANSFER_BYTES))
    await until(() => expect(server.heard('listening')).toBeDefined())
    const client = lab.run(lab.concentrator, 'tcp-peer', 'connect', to, port, String(TRANSFER_BYTES))
    await until(() => {
      expect(client.heard('received')).toBe(server.heard('sent') ?? 'nothing')
      expect(server.heard('received')).toBe(client.heard('sent') ?? 'nothing')
    })
  }

  it('names its rung and what it uses', () => {
    expect(lab.concentrator.plane.rung).toBe(rungs.concentrator)
    expect(lab.concentrator.plane.description).toMatch(new RegExp(`^${rungs.concentrator}: .`))
    expect(lab.device.plane.rung).toBe(rungs.device)
  })

  it.each(FAMILIES)('carries an echo request to the device and its reply back over $name', async ({ device }) => {
    const ping = lab.run(lab.concentrator, 'ping', device, '1000', '10')
    await until(() => expect(ping.lines).toEqual(['reply']))
    await until(() => expect(lab.concentrator.notices.traffic).toContain(spis.concentrator))
  })

  it.each(FAMILIES)('carries a TCP stream both ways, octet for octet, over $name', async ({ device, port }) => {
    const [before] = await lab.concentrator.plane.readSaCounters([spis.concentrator])
    await expectTransfer(port, device)
    const [after] = await lab.concentrator.plane.readSaCounters([spis.concentrator])
    expect(after!.bytesIn - before!.bytesIn).toBeGreaterThan(TRANSFER_BYTES)
    expect(after!.bytesOut - before!.bytesOut).toBeGreaterThan(TRANSFER_BYTES)
  })

  it('carries IPv6 datagrams of every size up to the MTU, in both directions', async () => {
    const server = lab.run(lab.device, 'udp-peer', 'serve', DEVICE_ADDRESS6, '5012')
    await until(() => expect(server.heard('listening')).toBeDefined())
    const sizes = [2, 3, 1000, 1000, 1000, 1000, 17, 1351, 1352].join(',')
    const client = lab.run(lab.concentrator, 'udp-peer', 'send', DEVICE_ADDRESS6, '5012', sizes)
    await until(() => expect(client.lines).toEqual(['intact 9']))
  })

  it('drops a replayed packet', async () => {
    const before = await drops()
    lab.middle.sendToConcentrator(lab.middle.toConcentrator.at(-1)!)
    await until(async () => expect((await drops())['replayed']).toBe(before['replayed']! + 1))
    // Packets of the streams before may still be under way: nothing came in that the device did not send.
    const { packetsIn } = await lab.concentrator.plane.readCounters()
    expect(packetsIn).toBeLessThanOrEqual((await lab.device.plane.readCounters()).packetsOut)
  })

  it('drops a damaged packet and one for an unknown SPI', async () => {
    const before = await drops()
    const damaged = Uint8Array.from(lab.middle.toConcentrator.at(-1)!)
    damaged[4] = 0x7f // far ahead, so that the replay check lets it through to the ICV
    lab.middle.sendToConcentrator(damaged)
    lab.middle.sendToConcentrator(Uint8Array.from(damaged, (octet, i) => (i === 3 ? octet ^ 1 : octet)))
    await until(async () => {
      expect((await drops())['badIcv']).toBe(before['badIcv']! + 1)
      expect((await drops())['unknownSpi']).toBe(before['unknownSpi']! + 1)
    })
  })

  it.each(FAMILIES)('lets a device answer but never ask over $name', async ({ dial, port, stranger }) => {
    const before = await drops()
    const servingPort = String(Number(port) + 1000)
    const server = lab.run(lab.concentrator, 'tcp-peer', 'serve', dial, servingPort, '10')
    await until(() => expect(server.heard('listening')).toBeDefined())
    const ping = lab.run(lab.device, 'ping', dial, '56', '1')
    lab.run(lab.device, 'tcp-peer', 'connect', dial, servingPort, '10')
    lab.run(lab.device, 'tcp-peer', 'connect', stranger, servingPort, '10')
    await until(async () => {
      expect((await drops())['noFlow']).toBeGreaterThanOrEqual(before['noFlow']! + 2)
      expect((await drops())['notToDialAddress']).toBeGreaterThan(before['notToDialAddress']!)
      expect(ping.lines).toEqual(['silence'])
    })
    expect(server.lines).toEqual(['listening'])
  })

  it('delivers IKE messages without the marker and swallows keepalives', async () => {
    const message = new Uint8Array(40).fill(7)
    lab.device.plane.sendKeepalive(lab.device.via)
    lab.device.plane.sendIke(message, lab.device.via)
    await until(() =>
      expect(lab.concentrator.notices.ike.at(-1)?.bytes).toSatisfy(
        (bytes: Uint8Array) => Buffer.compare(bytes, message) === 0,
      ),
    )
    expect(lab.concentrator.notices.ike).toHaveLength(1)
    expect((await drops())['runt']).toBe(0)
  })

  it('moves traffic to the new SA at a rekey and keeps receiving on the old one until it is removed', async () => {
    const next = await lab.installSa(1, AES_CBC, { outbound: false })
    await expectTransfer('5003') // the new SA receives only: everything still leaves through the old one
    expect((await lab.concentrator.plane.readSaCounters([next.concentrator]))[0]?.packetsIn).toBe(0)
    lab.concentrator.plane.activateOutbound(next.concentrator)
    await expectTransfer('5004')
    lab.device.plane.activateOutbound(next.device)
    lab.concentrator.plane.remove(spis.concentrator)
    lab.device.plane.remove(spis.device)
    await expectTransfer('5005', DEVICE_ADDRESS6)
    spis = next
  })

  it('reports a peer that moved and follows it only when told', async () => {
    const remote = await lab.middle.rebind()
    const ping = lab.run(lab.device, 'ping', DIAL_ADDRESS, '56', '1') // dropped, but authentic
    await until(() => expect(lab.concentrator.notices.moved).toContainEqual({ spiIn: spis.concentrator, remote }))
    lab.concentrator.plane.move(
      spis.concentrator,
      { local: lab.concentrator.plane.local, remote },
      { peerBehindNat: true, isConfirmed: true },
    )
    await expectTransfer('5006')
    await until(() => expect(ping.lines).toHaveLength(1))
  })

  it('moves from an IPv4 socket to an IPv6 one when told, and back', async () => {
    const { concentrator, device } = lab
    const findings = { peerBehindNat: false, isConfirmed: true }
    for (const [index, family] of [1, 0].entries()) {
      const [here, there] = [concentrator.plane.locals[family]!, device.plane.locals[family]!]
      concentrator.plane.move(spis.concentrator, { local: here, remote: there }, findings)
      device.plane.move(spis.device, { local: there, remote: here }, findings)
      await expectTransfer(`512${index}`)
      device.plane.sendIke(new Uint8Array(900).fill(6), here, there)
      await until(() => expect(concentrator.notices.ike.at(-1)).toMatchObject({ remote: there }))
    }
    concentrator.plane.move(
      spis.concentrator,
      { local: concentrator.plane.local, remote: lab.middle.towardsDevice },
      findings,
    )
    device.plane.move(spis.device, { local: device.plane.local, remote: device.via }, findings)
  })

  it('takes over the TUN after a restart, with the streams that the kernel still holds', async () => {
    const streams = await Promise.all(
      FAMILIES.map(async ({ device }) => {
        const server = lab.run(lab.device, 'tcp-peer', 'serve-slow', device, '5007')
        await until(() => expect(server.heard('listening')).toBeDefined())
        const client = lab.run(lab.concentrator, 'tcp-peer', 'connect-slow', device, '5007')
        await until(() => expect([client.heard('open'), server.heard('open')]).toEqual(['', '']))
        return { server, client }
      }),
    )
    await lab.restartConcentrator()
    lab.device.plane.remove(spis.device)
    spis = await lab.installSa(2, AES_GCM, { outbound: true })
    const remote = lab.middle.towardsDevice
    lab.concentrator.plane.move(
      spis.concentrator,
      { local: lab.concentrator.plane.local, remote },
      { peerBehindNat: true, isConfirmed: true },
    )
    for (const { server, client } of streams) {
      server.say('the-device-speaks-first')
      await until(() => expect(client.heard('heard')).toBe('the-device-speaks-first'))
    }
    expect(lab.concentrator.notices.failures).toEqual([])
  })

  /** One more SA on both sides, found where the device is now. */
  async function install(...args: Parameters<ForwardingLab['installSa']>): Promise<typeof spis> {
    const installed = await lab.installSa(...args)
    const { plane } = lab.concentrator
    plane.move(
      installed.concentrator,
      { local: plane.local, remote: lab.middle.towardsDevice },
      { peerBehindNat: true, isConfirmed: true },
    )
    return installed
  }

  it.each([true, false])(
    'carries TCP in transport mode through a NAT, whose addresses it knows: %s (RFC 3948 3.1.2)',
    async (knowsOriginals) => {
      const seen = knowsOriginals ? '10.128.0.201' : '10.128.0.202'
      lab.device.plane.remove(spis.device)
      lab.concentrator.plane.remove(spis.concentrator)
      spis = await install(knowsOriginals ? 3 : 4, AES_GCM, { outbound: true, transport: { seen, knowsOriginals } })
      await expectTransfer(knowsOriginals ? '5108' : '5109', DEVICE_ADDRESS, seen)
      const [counters] = await lab.concentrator.plane.readSaCounters([spis.concentrator])
      expect(counters?.bytesIn).toBeGreaterThan(TRANSFER_BYTES)
    },
  )

  describe('at the limits of an SA', () => {
    limitRules(`${mark}l`, rungs)
  })
}

/** In namespaces of their own: whatever the kernels there still want to send again would take a sequence number. */
function limitRules(mark: string, rungs: LabRungs): void {
  let lab: ForwardingLab

  beforeAll(async () => {
    lab = await ForwardingLab.create(`${mark}-${process.pid}`, {
      ...rungs,
      lifetime: { softPackets: 2, hardPackets: 4 },
    })
  })
  afterAll(() => lab.close())

  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })
  const counters = async (spiIn: Spi): Promise<SaCounters> => (await lab.concentrator.plane.readSaCounters([spiIn]))[0]!
  const limitsOf = (spiIn: Spi): readonly string[] =>
    lab.concentrator.notices.limits.filter((limit) => limit.spiIn === spiIn).map(({ kind }) => kind)
  const ping = async (from: Side, to: string): Promise<string | undefined> => {
    const program = lab.run(from, 'ping', to, '100', '1')
    await until(() => expect(program.lines).toHaveLength(1))
    return program.lines[0]
  }

  it('C66 tells its owner of each limit once, and sends and accepts nothing behind the hard one', async () => {
    const { concentrator: spiIn, device: spiOut } = await lab.installSa(0, AES_GCM, { outbound: true })
    await until(async () => {
      await ping(lab.concentrator, DEVICE_ADDRESS)
      expect(limitsOf(spiIn)).toContain('hard')
    })
    expect(await ping(lab.concentrator, DEVICE_ADDRESS)).toBe('silence')
    expect(limitsOf(spiIn)).toEqual(['soft', 'hard'])
    const { packetsIn, packetsOut, drops } = await counters(spiIn)
    expect(packetsOut).toBe(4)
    expect(packetsIn).toBeLessThan(4)
    expect(drops['lifetimeOver']).toBeGreaterThan(0)
    lab.device.plane.remove(spiOut)
    lab.concentrator.plane.remove(spiIn)
  })

  it('C66 counts the numbers of packets that go no further, too', async () => {
    const { packetsIn: before } = await lab.concentrator.plane.readCounters()
    const { concentrator: spiIn } = await lab.installSa(1, AES_GCM, { outbound: true })
    await Promise.all([1, 2, 3, 4].map(() => ping(lab.device, DIAL_ADDRESS)))
    await until(() => expect(limitsOf(spiIn)).toContain('hard'))
    expect(limitsOf(spiIn)).toEqual(['soft', 'hard'])
    expect((await counters(spiIn)).drops['noFlow']).toBe(4)
    expect((await lab.concentrator.plane.readCounters()).packetsIn).toBe(before)
  })
}
