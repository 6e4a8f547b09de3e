import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrafficSelector } from '../message/model.ts'
import { contains, fromCidr, intersect, prefixLength, sameSelector, sameSelectors, toText } from './selector.ts'

describe('selector from a prefix', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.128/25', '192.0.2.128/25'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::/0', '::/0'],
  ])('%s covers %s, any protocol and port', (cidr, text) => {
    expect(toText(of(cidr))).toBe(text)
    expect(of(cidr)).toMatchObject({ protocol: 0, startPort: 0, endPort: 65_535 })
  })

  it.each(['', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/08', '10.0.0.0/8/8', '10.0.0.256', '::1/129', 'x', '1.2.3.4/-1'])(
    'is null for %j',
    (cidr) => {
      expect(fromCidr(cidr)).toBeNull()
    },
  )
})

describe('text of a selector', () => {
  it('shows ranges, protocols and ports', () => {
    const range = {
      ...of('10.0.0.0/30'),
      startAddress: Uint8Array.of(10, 0, 0, 1),
      endAddress: Uint8Array.of(10, 0, 0, 9),
    }
    expect(toText(range)).toBe('10.0.0.1-10.0.0.9')
    expect(toText(withPorts('10.0.0.1', 6, 80, 80))).toBe('10.0.0.1/32[6/80]')
    expect(toText(withPorts('10.0.0.1', 17, 1, 9))).toBe('10.0.0.1/32[17/1-9]')
    expect(toText(withPorts('10.0.0.1', 17, 0, 65_535))).toBe('10.0.0.1/32[17/any]')
    expect(toText(withPorts('10.0.0.1', 6, 65_535, 0))).toBe('10.0.0.1/32[6/opaque]')
  })
})

describe('intersection and containment', () => {
  it('never mixes address families', () => {
    expect(intersect(of('0.0.0.0/0'), of('::/0'))).toBeNull()
    expect(contains(of('::/0'), of('10.0.0.0/8'))).toBe(false)
  })

  it('treats protocol 0 as every protocol (C39)', () => {
    const any = of('10.0.0.0/8')
    const tcp = withPorts('10.0.0.0/8', 6, 80, 80)
    expect(contains(any, tcp)).toBe(true)
    expect(contains(tcp, any)).toBe(false)
    expect(intersect(tcp, withPorts('10.0.0.0/8', 17, 80, 80))).toBeNull()
  })

  it('lets ANY cover OPAQUE, and OPAQUE nothing but itself (C39)', () => {
    const opaque = withPorts('10.0.0.0/8', 6, 65_535, 0)
    expect(contains(withPorts('10.0.0.0/8', 6, 0, 65_535), opaque)).toBe(true)
    expect(contains(opaque, opaque)).toBe(true)
    expect(contains(opaque, withPorts('10.0.0.0/8', 6, 0, 65_535))).toBe(false)
    expect(intersect(opaque, withPorts('10.0.0.0/8', 6, 80, 90))).toBeNull()
  })

  it('cuts ICMP by type and code packed into the port (C39)', () => {
    const echo = withPorts('10.0.0.0/8', 1, 0x0800, 0x08ff)
    expect(intersect(withPorts('10.0.0.0/8', 1, 0, 65_535), echo)).toEqual(echo)
    expect(intersect(withPorts('10.0.0.0/8', 1, 0, 0x00ff), echo)).toBeNull()
  })

  it('is what packets say: an address and port is in the intersection exactly when it is in both', () => {
    const small = fc
      .tuple(fc.nat(15), fc.nat(15), fc.nat(15), fc.nat(15), fc.constantFrom(0, 6))
      .map(([a, b, p, q, protocol]) => ({
        ...withPorts(
          '10.0.0.0/28',
          protocol,
          protocol === 0 ? 0 : Math.min(p, q),
          protocol === 0 ? 65_535 : Math.max(p, q),
        ),
        startAddress: Uint8Array.of(10, 0, 0, Math.min(a, b)),
        endAddress: Uint8Array.of(10, 0, 0, Math.max(a, b)),
      }))
    const packet = fc.tuple(fc.nat(16), fc.nat(16), fc.constantFrom(6, 17))
    fc.assert(
      fc.property(small, small, packet, (a, b, [host, port, protocol]) => {
        const point = withPorts(`10.0.0.${host}`, protocol, port, port)
        const shared = intersect(a, b)
        expect(shared !== null && contains(shared, point)).toBe(contains(a, point) && contains(b, point))
        expect(shared).toEqual(intersect(b, a))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('equality', () => {
  it('looks at every field', () => {
    const one = withPorts('10.0.0.0/24', 6, 80, 81)
    expect(sameSelector(one, withPorts('10.0.0.0/24', 6, 80, 81))).toBe(true)
    const others = [
      withPorts('10.0.0.0/25', 6, 80, 81),
      withPorts('10.0.0.128/25', 6, 80, 81),
      withPorts('10.0.0.0/24', 17, 80, 81),
      withPorts('10.0.0.0/24', 6, 79, 81),
      withPorts('10.0.0.0/24', 6, 80, 82),
      withPorts('fd00::/24', 6, 80, 81),
    ]
    for (const other of others) expect(sameSelector(one, other)).toBe(false)
  })

  it('of lists looks at order and length', () => {
    const [a, b] = [of('10.0.0.0/8'), of('10.1.0.0/16')]
    expect(sameSelectors([a, b], [of('10.0.0.0/8'), of('10.1.0.0/16')])).toBe(true)
    expect(sameSelectors([a, b], [b, a])).toBe(false)
    expect(sameSelectors([a], [a, b])).toBe(false)
    expect(sameSelectors([a, b], [a])).toBe(false)
  })
})

function of(cidr: string): TrafficSelector {
  const selector = fromCidr(cidr)
  if (selector === null) throw new Error(`no prefix: ${cidr}`)
  return selector
}

function withPorts(cidr: string, protocol: number, startPort: number, endPort: number): TrafficSelector {
  return { ...of(cidr), protocol, startPort, endPort }
}

describe('the prefix of a range', () => {
  const octets = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

  it('is found for every length, and for no range that is one address longer or shorter', () => {
    for (let bits = 0; bits <= 32; bits++) {
      const free = bits === 32 ? 0 : 0xffff_ffff >>> bits
      const start = bits === 0 ? 0 : (0xc0a8_55aa & ~free) >>> 0
      const end = (start | free) >>> 0
      expect(prefixLength({ startAddress: octets(start), endAddress: octets(end) })).toBe(bits)
      for (const other of [end - 1, end + 1]) {
        if (other < start || other > 0xffff_ffff) continue
        const isPair = bits === 32 && start % 2 === 0
        const expected = isPair ? 31 : bits === 31 && other === start ? 32 : null
        expect(prefixLength({ startAddress: octets(start), endAddress: octets(other) })).toBe(expected)
      }
    }
  })

  it('has up to 128 bits', () => {
    for (let bits = 0; bits <= 128; bits++) {
      const [start, end] = [new Uint8Array(16), new Uint8Array(16).fill(255)]
      for (let bit = 0; bit < bits; bit++) end[bit >>> 3]! &= ~(0x80 >>> (bit & 7))
      expect(prefixLength({ startAddress: start, endAddress: end })).toBe(bits)
    }
  })
})
