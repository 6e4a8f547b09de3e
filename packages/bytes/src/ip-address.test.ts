import fc from 'fast-check'
import { isIPv4, isIPv6 } from 'node:net'
import { describe, expect, it } from 'vitest'
import { canonicalIp, formatIp, ipFamily, parseIp, parseIpv4, parseIpv6 } from './ip-address.ts'

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const ipv4 = octets(4)
/** Many zero groups, so that runs of them matter. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff])))
const addressLike = fc.string({
  unit: fc.constantFrom('0', '1', '9', '25', '255', '256', '.', ':', '::', 'f', 'ffff', 'g', '%'),
  maxLength: 12,
})

describe('parseIp', () => {
  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.-4',
    '0x1.2.3.4',
    '1.2.3.4\n',
    '٣.2.3.4',
  ])('refuses %j as IPv4', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  it.each([
    ':',
    ':::',
    '1::2::3',
    '::%eth0',
    'fe80::1%1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    '::g',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::01.2.3.4',
    '[::1]',
    ':1::',
    '::1:',
  ])('refuses %j as IPv6', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  it('accepts exactly what node:net accepts, zones aside', () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        expect(parseIpv4(text) !== undefined).toBe(isIPv4(text))
        expect(parseIpv6(text) !== undefined).toBe(isIPv6(text) && !text.includes('%'))
      }),
      { numRuns: 2000 },
    )
  })

  it('does not look at overlong text', () => {
    expect(parseIp(`${'0'.repeat(1_000_000)}.1.1.1`)).toBeUndefined()
    expect(parseIp(`${'0:'.repeat(1_000_000)}`)).toBeUndefined()
  })
})

describe('formatIp', () => {
  it.each([
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::ffff:192.0.2.33', '::ffff:192.0.2.33'],
    ['::FFFF:C000:0221', '::ffff:192.0.2.33'],
    ['::192.0.2.33', '::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['10.0.0.1', '10.0.0.1'],
  ])('prints %s as %s (RFC 5952)', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical)
  })

  it('round-trips IPv4 and IPv6', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (bytes) => {
        expect(parseIp(formatIp(bytes)!)).toEqual(bytes)
      }),
    )
  })

  it('prints IPv6 as the URL standard does, IPv4-mapped addresses aside', () => {
    fc.assert(
      fc.property(ipv6, (bytes) => {
        const text = formatIp(bytes)!
        fc.pre(!text.includes('.'))
        expect(`[${text}]`).toBe(new URL(`http://[${text}]/`).hostname)
      }),
    )
  })

  it.each([0, 3, 5, 15, 17])('has no text for %d octets', (length) => {
    expect(formatIp(new Uint8Array(length))).toBeUndefined()
    expect(ipFamily(new Uint8Array(length))).toBeUndefined()
  })

  it('gives undefined for text that is no address', () => {
    expect(canonicalIp('example.com')).toBeUndefined()
  })
})
