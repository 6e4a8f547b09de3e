import { describe, expect, it } from 'vitest'
import { echo, icmp, ip4, ip6, parsed, range4, tcp, udp } from '../test/packets.ts'
import { SelectorSet } from './selector-set.ts'

const ENDS = { source: '10.0.0.1', destination: '10.0.0.2' }
const udpPacket = parsed(ip4(ENDS, udp(1000, 53)))
const laterFragment = parsed(ip4({ ...ENDS, fragment: 0x0003 }, udp(1000, 53)))
const firstFragment = parsed(ip4({ ...ENDS, fragment: 0x2000 }, udp(1000, 53)))
const gre = parsed(ip4({ ...ENDS, protocol: 47 }, new Uint8Array(8)))

describe('selectors', () => {
  it('match both ends of their address range and nothing outside', () => {
    const matches = (start: string, end: string): boolean =>
      new SelectorSet([range4(start, end)]).matchesSource(udpPacket)
    expect([matches('10.0.0.1', '10.0.0.1'), matches('10.0.0.1', '10.0.0.9'), matches('10.0.0.0', '10.0.0.1')]).toEqual(
      [true, true, true],
    )
    expect([matches('10.0.0.2', '10.0.0.9'), matches('9.0.0.0', '10.0.0.0')]).toEqual([false, false])
  })

  it('compare addresses above 128.0.0.0 as unsigned', () => {
    const packet = parsed(ip4({ source: '223.255.255.254', destination: '10.0.0.2' }, udp(1, 2)))
    expect(new SelectorSet([range4('127.0.0.1', '240.0.0.0')]).matchesSource(packet)).toBe(true)
    expect(new SelectorSet([range4('0.0.0.0', '127.255.255.255')]).matchesSource(packet)).toBe(false)
  })

  it('take protocol 0 as any, and otherwise only that protocol', () => {
    const set = (protocol: number): SelectorSet => new SelectorSet([range4('10.0.0.1', '10.0.0.1', { protocol })])
    expect([0, 17, 6].map((protocol) => set(protocol).matchesSource(udpPacket))).toEqual([true, true, false])
  })

  it('match ports on their own side', () => {
    const set = (startPort: number, endPort: number): SelectorSet =>
      new SelectorSet([range4('0.0.0.0', '255.255.255.255', { protocol: 17, startPort, endPort })])
    expect([set(1000, 1000).matchesSource(udpPacket), set(1000, 1000).matchesDestination(udpPacket)]).toEqual([
      true,
      false,
    ])
    expect([set(50, 60).matchesSource(udpPacket), set(50, 60).matchesDestination(udpPacket)]).toEqual([false, true])
  })

  it('C64 hold later fragments, which have no ports, only when any port or OPAQUE is meant', () => {
    const set = (startPort: number, endPort: number): SelectorSet =>
      new SelectorSet([range4('0.0.0.0', '255.255.255.255', { startPort, endPort })])
    for (const packet of [laterFragment, gre]) {
      expect([set(0, 0xffff), set(0xffff, 0), set(0, 60_000)].map((s) => s.matchesSource(packet))).toEqual([
        true,
        true,
        false,
      ])
    }
    expect(set(0xffff, 0).matchesSource(udpPacket)).toBe(false)
    expect(set(900, 1100).matchesSource(firstFragment)).toBe(true)
  })

  it('pack ICMP type and code into the port (RFC 7296 3.13.1)', () => {
    const set = new SelectorSet([
      range4('0.0.0.0', '255.255.255.255', { protocol: 1, startPort: 0x0800, endPort: 0x08ff }),
    ])
    expect(set.matchesSource(parsed(ip4({ ...ENDS, protocol: 1 }, echo(8, 1))))).toBe(true)
    expect(set.matchesSource(parsed(ip4({ ...ENDS, protocol: 1 }, icmp(3, 1, new Uint8Array(4)))))).toBe(false)
  })

  it('match when one of several does, and never with addresses of another family or length', () => {
    const several = new SelectorSet([range4('10.9.0.0', '10.9.0.1'), range4('10.0.0.0', '10.0.0.255')])
    expect(several.matchesSource(udpPacket)).toBe(true)
    expect(several.holdsAddress4(0x0a090001)).toBe(true)
    expect(several.holdsAddress4(0x0a090002)).toBe(false)
    const wrong = new SelectorSet([{ ...range4('0.0.0.0', '255.255.255.255'), type: 8 }])
    expect(wrong.matchesSource(udpPacket)).toBe(false)
    expect(new SelectorSet([range4('10.0.0.2', '10.0.0.1')]).matchesSource(udpPacket)).toBe(false)
    expect(new SelectorSet([]).matchesSource(udpPacket)).toBe(false)
  })

  it('compare IPv6 addresses word by word', () => {
    const address = (last: number): Uint8Array => Uint8Array.from([0xfd, ...new Uint8Array(14), last])
    const set = new SelectorSet([
      { type: 8, protocol: 6, startPort: 0, endPort: 0xffff, startAddress: address(4), endAddress: address(6) },
    ])
    const from = (last: number): boolean => {
      const source = [0xfd00, 0, 0, 0, 0, 0, 0, last]
      return set.matchesSource(parsed(ip6({ source, destination: source, nextHeader: 6 }, tcp(1, 2, 0))))
    }
    expect([3, 4, 6, 7].map(from)).toEqual([false, true, true, false])
  })
})
