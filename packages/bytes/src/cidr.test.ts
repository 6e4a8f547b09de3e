import fc from 'fast-check'
import { BlockList } from 'node:net'
import { describe, expect, it } from 'vitest'
import { cidrAround, cidrContains, cidrContainsCidr, cidrSize, cidrsOverlap, cidrToRange } from './cidr.ts'
import { formatCidr, parseCidr } from './cidr.ts'
import type { Cidr } from './cidr.ts'
import { formatIp, parseIp } from './ip-address.ts'
import { compareBytes } from './octets.ts'

const address = (length: 4 | 16) => fc.uint8Array({ minLength: length, maxLength: length })
const prefix = (length: 4 | 16) =>
  fc.tuple(address(length), fc.nat({ max: length * 8 })).map(([bytes, bits]) => cidrAround(bytes, bits)!)
/** A prefix, and an address that shares a random number of leading bits with it: inside about as often as outside. */
const prefixAndNeighbour = fc.constantFrom(4 as const, 16 as const).chain((length) =>
  fc.tuple(prefix(length), address(length), fc.nat({ max: length * 8 })).map(([cidr, noise, shared]) => {
    const mask = cidrToRange(cidrAround(new Uint8Array(length), shared)!).end // host bits set
    return { cidr, neighbour: cidr.network.map((octet, i) => (octet & ~mask[i]!) | (noise[i]! & mask[i]!)) }
  }),
)
const cidr = (text: string): Cidr => parseCidr(text)!

describe('parseCidr', () => {
  it.each(['0.0.0.0/0', '10.128.0.0/9', '192.0.2.1/32', '::/0', '2001:db8::/32', '::1/128'])('keeps %s', (text) => {
    expect(formatCidr(cidr(text))).toBe(text)
  })

  it.each([
    '10.0.0.0',
    '10.0.0.1/8',
    '::1/64',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '/8',
  ])('refuses %s', (text) => {
    expect(parseCidr(text)).toBeUndefined()
  })

  it.each(['10.0.0.0/8/8', '10.0.0.0/255.0.0.0', '10.0.0.0/1e1', '10.0.0.0/8 ', '10.0.0.0/1000'])(
    'refuses %j',
    (text) => {
      expect(parseCidr(text)).toBeUndefined()
    },
  )

  it('round-trips every prefix', () => {
    fc.assert(
      fc.property(fc.oneof(prefix(4), prefix(16)), (any) => {
        expect(parseCidr(formatCidr(any))).toEqual(any)
      }),
    )
  })
})

describe('cidrAround', () => {
  it('clears host bits and leaves its input alone', () => {
    const input = parseIp('192.0.2.255')!
    expect(formatCidr(cidrAround(input, 25)!)).toBe('192.0.2.128/25')
    expect(formatIp(input)).toBe('192.0.2.255')
  })

  it.each([
    [4, 33],
    [16, 129],
    [4, -1],
    [4, 1.5],
    [5, 1],
  ])('refuses %d octets with length %d', (length, bits) => {
    expect(cidrAround(new Uint8Array(length), bits)).toBeUndefined()
  })
})

describe('cidrContains', () => {
  it('agrees with the block list of node:net', () => {
    fc.assert(
      fc.property(prefixAndNeighbour, ({ cidr: any, neighbour }) => {
        const family = any.family === 4 ? 'ipv4' : 'ipv6'
        const list = new BlockList()
        list.addSubnet(formatIp(any.network)!, any.prefixLength, family)
        expect(cidrContains(any, neighbour)).toBe(list.check(formatIp(neighbour)!, family))
      }),
      { numRuns: 500 },
    )
  })

  it('never mixes the families', () => {
    expect(cidrContains(cidr('0.0.0.0/0'), parseIp('::')!)).toBe(false)
    expect(cidrContains(cidr('::/0'), parseIp('0.0.0.0')!)).toBe(false)
    expect(cidrContainsCidr(cidr('::/0'), cidr('0.0.0.0/0'))).toBe(false)
  })

  it('holds exactly the addresses of its range', () => {
    fc.assert(
      fc.property(prefixAndNeighbour, ({ cidr: any, neighbour }) => {
        const { start, end } = cidrToRange(any)
        const inRange = compareBytes(start, neighbour) <= 0 && compareBytes(neighbour, end) <= 0
        expect(cidrContains(any, neighbour)).toBe(inRange)
      }),
    )
  })
})

describe('cidrsOverlap', () => {
  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/9', '10.128.0.0/9', false],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['::/0', '10.0.0.0/8', false],
  ])('%s and %s: %s', (a, b, overlap) => {
    expect(cidrsOverlap(cidr(a), cidr(b))).toBe(overlap)
  })

  it('is true exactly when the ranges meet', () => {
    const near = fc.tuple(fc.uint8Array({ minLength: 4, maxLength: 4, max: 3 }), fc.nat({ max: 32 }))
    fc.assert(
      fc.property(near, near, ([a, aBits], [b, bBits]) => {
        const left = cidrToRange(cidrAround(a, aBits)!)
        const right = cidrToRange(cidrAround(b, bBits)!)
        const meet = compareBytes(left.start, right.end) <= 0 && compareBytes(right.start, left.end) <= 0
        expect(cidrsOverlap(cidrAround(a, aBits)!, cidrAround(b, bBits)!)).toBe(meet)
      }),
    )
  })
})

describe('cidrToRange and cidrSize', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0', '192.0.2.255', 256n],
    ['192.0.2.9/32', '192.0.2.9', '192.0.2.9', 1n],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255', 2n ** 32n],
    ['2001:db8::/33', '2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff', 2n ** 95n],
  ])('%s runs from %s to %s', (text, start, end, size) => {
    const range = cidrToRange(cidr(text))
    expect([formatIp(range.start), formatIp(range.end)]).toEqual([start, end])
    expect(cidrSize(cidr(text))).toBe(size)
  })
})
