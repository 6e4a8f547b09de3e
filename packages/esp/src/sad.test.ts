import type { ChildSaDescription, Spi, TrafficSelector } from '@culvert/ikev2'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  describeSa,
  installIn,
  ip4,
  ip6,
  keysOf,
  number4,
  parsed,
  placementOf,
  range4,
  SAD_OPTIONS,
  SUITES,
  transformContext,
  udp,
} from '../test/packets.ts'
import { DropCode } from './drop-code.ts'
import { HostMappings, SYNTHETIC_BLOCK } from './host-mappings.ts'
import type { InnerPacket } from './inner-packet.ts'
import { Sad } from './sad.ts'
import { composeSpi } from './spi.ts'
import { createTransformPair } from './transform-pair.ts'

const A = composeSpi(1, 1, 0)
const B = composeSpi(1, 2, 0)
const C = composeSpi(1, 3, 0)
const toDevice = parsed(ip4({ source: '10.127.0.1', destination: '10.128.0.5' }, udp(1, 2)))

describe('SAD', () => {
  let sad: Sad
  beforeEach(() => {
    sad = new Sad(SAD_OPTIONS)
  })
  const spiFor = (packet = toDevice): number => {
    const found = sad.outbound(packet)
    return typeof found === 'number' ? found : found.spiIn
  }

  it('keeps sending with the old SA until the new one is activated, and receives on both (rekey)', () => {
    installIn(sad, describeSa(A))
    installIn(sad, describeSa(B, { outbound: false, replaces: A }))
    expect(spiFor()).toBe(A)
    sad.activateOutbound(B)
    expect(spiFor()).toBe(B)
    expect([sad.inbound(A)?.spiIn, sad.inbound(B)?.spiIn]).toEqual([A, B])
    sad.remove(A)
    expect([sad.inbound(A), spiFor()]).toEqual([undefined, B])
  })

  it('falls back to the older SA when the newer one goes away', () => {
    installIn(sad, describeSa(A))
    installIn(sad, describeSa(B))
    sad.remove(B)
    expect(spiFor()).toBe(A)
    sad.remove(A)
    expect(spiFor()).toBe(DropCode.noOutboundSa)
    expect(sad.size).toBe(0)
  })

  it('forgets an SA that was activated twice', () => {
    installIn(sad, describeSa(A))
    sad.activateOutbound(A)
    sad.remove(A)
    expect(spiFor()).toBe(DropCode.noOutboundSa)
    sad.activateOutbound(A)
    expect(spiFor()).toBe(DropCode.noOutboundSa)
  })

  it('sends nothing with an SA that was never activated', () => {
    installIn(sad, describeSa(A, { outbound: false }))
    expect(spiFor()).toBe(DropCode.noOutboundSa)
  })

  it('prefers the longer prefix over the newer SA', () => {
    sad = new Sad({ ...SAD_OPTIONS, outboundBy: 'source' })
    const from = (source: string): InnerPacket => parsed(ip4({ source, destination: '10.128.0.5' }, udp(1, 2)))
    const install = (spiIn: Spi, tsLocal: TrafficSelector[]): unknown =>
      installIn(sad, describeSa(spiIn, { tsLocal }), null)
    install(A, [range4('10.127.0.1', '10.127.0.1')])
    install(B, [range4('10.127.0.0', '10.127.255.255')])
    install(C, [range4('0.0.0.0', '255.255.255.255')])
    expect(spiFor(from('10.127.0.1'))).toBe(A)
    expect(spiFor(from('10.127.9.9'))).toBe(B)
    expect(spiFor(from('192.0.2.1'))).toBe(C)
  })

  it('C63 leads to a leased address only, whatever prefix the peer may speak for', () => {
    const lan = range4('192.168.1.0', '192.168.1.255')
    const router = (address: string): Partial<ChildSaDescription> => ({ tsRemote: [range4(address, address), lan] })
    installIn(sad, describeSa(A, router('10.128.0.5')), { subject: 1, addresses: ['10.128.0.5'] })
    installIn(sad, describeSa(B, router('10.128.0.6')), { subject: 2, addresses: ['10.128.0.6'] })
    const to = (destination: string): InnerPacket => parsed(ip4({ source: '10.127.0.1', destination }, udp(1, 2)))
    expect(spiFor(to('10.128.0.5'))).toBe(A)
    expect(spiFor(to('10.128.0.6'))).toBe(B)
    expect(spiFor(to('192.168.1.7'))).toBe(DropCode.noOutboundSa)
  })

  it('C63 leads a synthetic address to the device whose host it is, through its newest SA that carries the LAN', () => {
    const hosts = new HostMappings(1)
    for (const subject of [1, 2, 3]) hosts.set(SYNTHETIC_BLOCK + subject, subject, number4('192.168.1.7'))
    sad = new Sad({ ...SAD_OPTIONS, hosts })
    const lan = range4('192.168.1.0', '192.168.1.255')
    const router = (address: string): Partial<ChildSaDescription> => ({ tsRemote: [range4(address, address), lan] })
    installIn(sad, describeSa(A, router('10.128.0.5')), { subject: 1, addresses: ['10.128.0.5'] })
    installIn(sad, describeSa(B, router('10.128.0.6')), { subject: 2, addresses: ['10.128.0.6'] })
    const to = (last: number): InnerPacket =>
      parsed(ip4({ source: '10.127.0.1', destination: `198.18.0.${last}` }, udp(1, 2)))
    expect([spiFor(to(1)), spiFor(to(2)), spiFor(to(3)), spiFor(to(4))]).toEqual([
      A,
      B,
      DropCode.noOutboundSa,
      DropCode.noOutboundSa,
    ])
    const packet = to(1)
    sad.outbound(packet)
    expect(packet.destination4).toBe(SYNTHETIC_BLOCK + 1)
    installIn(sad, describeSa(C, router('10.128.0.5')), { subject: 1, addresses: ['10.128.0.5'] })
    expect(spiFor(to(1))).toBe(C)
    sad.remove(C)
    expect(spiFor(to(1))).toBe(A)
    sad.remove(A)
    expect(spiFor(to(1))).toBe(DropCode.noOutboundSa)
    hosts.set(SYNTHETIC_BLOCK + 2, 2, number4('192.168.2.7')) // outside the selectors
    expect(spiFor(to(2))).toBe(DropCode.outboundSelectorMismatch)
  })

  it('goes on to the next SA when selectors of the first do not match', () => {
    installIn(sad, describeSa(A))
    const onlyTcp = [range4('10.128.0.5', '10.128.0.5', { protocol: 6 })]
    installIn(sad, describeSa(B, { tsRemote: onlyTcp }))
    expect(spiFor()).toBe(A)
    sad.remove(A)
    expect(spiFor()).toBe(DropCode.outboundSelectorMismatch)
  })

  it('finds simulated devices by their source when they all talk to one place', () => {
    sad = new Sad({ ...SAD_OPTIONS, outboundBy: 'source' })
    for (const [spiIn, address] of [
      [A, '10.128.0.1'],
      [B, '10.128.0.2'],
    ] as const) {
      const tsRemote = [range4('10.127.0.0', '10.127.0.255')]
      installIn(sad, describeSa(spiIn, { tsLocal: [range4(address, address)], tsRemote }), null)
    }
    expect(spiFor(parsed(ip4({ source: '10.128.0.2', destination: '10.127.0.1' }, udp(1, 2))))).toBe(B)
    expect(spiFor(parsed(ip4({ source: '10.128.0.3', destination: '10.127.0.1' }, udp(1, 2))))).toBe(
      DropCode.noOutboundSa,
    )
  })

  it('routes IPv6 by longest prefix as well', () => {
    const all = { type: 8 as const, protocol: 0, startPort: 0, endPort: 0xffff }
    const range = (start: number[], end: number[]) => ({ ...all, startAddress: groups(start), endAddress: groups(end) })
    const remote = range([0xfd01, 0, 0, 0, 0, 0, 0, 0], [0xfd01, 0, 0, 0, 0, 0, 0, 0xffff])
    const host = [0xfd00, 0, 0, 0, 0, 0, 0, 5]
    const wide = range([0xfd00, 0, 0, 0, 0, 0, 0, 0], [0xfd00, 0, 0, 0, 0xffff, 0xffff, 0xffff, 0xffff])
    sad = new Sad({ ...SAD_OPTIONS, outboundBy: 'source' })
    installIn(sad, describeSa(A, { tsLocal: [wide], tsRemote: [remote] }), null)
    installIn(sad, describeSa(B, { tsLocal: [range(host, host)], tsRemote: [remote] }), null)
    const from = (source: number[]) =>
      parsed(ip6({ source, destination: [0xfd01, 0, 0, 0, 0, 0, 0, 1], nextHeader: 17 }, udp(1, 2)))
    expect(spiFor(from(host))).toBe(B)
    expect(spiFor(from([0xfd00, 0, 0, 0, 1, 2, 3, 4]))).toBe(A)
    expect(spiFor(from([0xfd00, 0, 0, 1, 0, 0, 0, 5]))).toBe(DropCode.noOutboundSa)
    sad.remove(B)
    expect(spiFor(from(host))).toBe(A)
  })

  it('refuses SPIs of another slot or outside the table, SPIs in use, SPI 0 for sending, endless selectors, and whom it is not told', () => {
    const install = (...words: Parameters<typeof describeSa>): unknown => {
      const description = describeSa(...words)
      const pair = createTransformPair(description.keys, transformContext())
      return pair.ok ? sad.install(description, pair.value, placementOf(description)) : pair.error
    }
    expect(install(composeSpi(2, 1, 0))).toBe('spiNotOurs')
    expect(install(composeSpi(1, 16, 0))).toBe('spiNotOurs')
    installIn(sad, describeSa(A))
    expect(install(A)).toBe('spiInUse')
    expect(install(composeSpi(1, 1, 1))).toBe('spiInUse')
    expect(install(B, { spiOut: 0 as Spi })).toBe('spiOutZero')
    const many = Array.from({ length: 65 }, () => range4('10.0.0.1', '10.0.0.1'))
    expect(install(B, { tsRemote: many })).toBe('tooManySelectors')
    expect(sad.size).toBe(1)
    expect(() => installIn(sad, describeSa(B), null)).toThrow('noPlacement')
    expect(() => installIn(sad, describeSa(B), { subject: 0, addresses: [] })).toThrow('noPlacement')
    const atDevice = new Sad({ ...SAD_OPTIONS, outboundBy: 'source' })
    expect(() => installIn(atDevice, describeSa(B), { subject: 1, addresses: [] })).toThrow('noPlacement')
  })

  it('C60 knows after a move whether the peer is behind NAT there', () => {
    const sa = installIn(sad, describeSa(A, { peerBehindNat: false }))
    const remote = { address: '198.51.100.9', port: 40_000 }
    sad.move(A, { local: sa.path.local, remote }, { peerBehindNat: true, isConfirmed: true })
    expect([sa.path.remote, sa.peerBehindNat]).toEqual([remote, true])
    sad.move(B, sa.path, { peerBehindNat: false, isConfirmed: true }) // no such SA
    expect(sa.peerBehindNat).toBe(true)
  })

  it('RFC 7296 2.23 goes into UDP and out of it by a move that says so', () => {
    const sa = installIn(sad, describeSa(A))
    const findings = { peerBehindNat: false, isConfirmed: true }
    sad.move(A, sa.path, { ...findings, udpEncap: false })
    expect(sa.udpEncap).toBe(false)
    sad.move(A, sa.path, findings)
    expect(sa.udpEncap).toBe(false)
    sad.move(A, sa.path, { ...findings, udpEncap: true })
    expect(sa.udpEncap).toBe(true)
  })

  it('lets a removed SA seal and open nothing more: its keys are zero', () => {
    for (const suite of [SUITES[0]!, SUITES.at(-1)!]) {
      const sa = installIn(sad, describeSa(A, { keys: keysOf(suite, 1, 1, false) }))
      const packet = new Uint8Array(8 + sa.sealer.ivBytes + 32 + sa.sealer.icvBytes)
      expect(sa.sealer.seal(new Uint8Array(32), packet, 0, 0)).toBe(true)
      expect(sa.opener.open(packet, 0)).not.toBeNull()
      sad.clear()
      expect(sad.size).toBe(0)
      const after = new Uint8Array(packet.length)
      expect(sa.sealer.seal(new Uint8Array(32), after, 0, 0)).toBe(false)
      expect(after).toEqual(new Uint8Array(packet.length))
      expect(sa.opener.open(packet, 0)).toBeNull()
    }
  })

  it('splits any range of addresses into routes that hold exactly it', () => {
    sad = new Sad({ ...SAD_OPTIONS, outboundBy: 'source' })
    installIn(sad, describeSa(A, { tsLocal: [range4('10.128.0.3', '10.128.1.17')] }), null)
    for (const [address, isInside] of [
      ['10.128.0.2', false],
      ['10.128.0.3', true],
      ['10.128.0.255', true],
      ['10.128.1.17', true],
      ['10.128.1.18', false],
    ] as const) {
      const packet = parsed(ip4({ source: address, destination: '10.128.0.5' }, udp(1, 2)))
      expect([address, spiFor(packet)]).toEqual([address, isInside ? A : DropCode.noOutboundSa])
    }
  })
})

function groups(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((group) => [group >>> 8, group & 0xff]))
}
