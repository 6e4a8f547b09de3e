import { describe, expect, test } from 'vitest'
import { AllowList, plainAddress } from './allow-list.ts'

describe('who is allowed', () => {
  test.each([
    [['203.0.113.0/24'], '203.0.113.7', true],
    [['203.0.113.0/24'], '203.0.114.7', false],
    [['203.0.113.7/32'], '203.0.113.7', true],
    [['203.0.113.7'], '203.0.113.8', false],
    [['0.0.0.0/0'], '8.8.8.8', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['::/0'], '8.8.8.8', false],
    [['2001:db8::/32'], '2001:db8:ffff::9', true],
    [['2001:db8::/32'], '2001:db9::9', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    // A dual-stack listener sees IPv4 clients as mapped ones.
    [['203.0.113.0/24'], '::ffff:203.0.113.7', true],
    [['203.0.113.0/24'], '::FFFF:198.51.100.7', false],
    [['::/0'], '::ffff:198.51.100.7', false],
    [['::ffff:203.0.113.0/120'], '203.0.113.9', true],
    [['::ffff:203.0.113.0/120'], '203.0.112.9', false],
    // The same prefix in hexadecimal groups.
    [['::ffff:cb00:7100/120'], '203.0.113.9', true],
    [['::ffff:cb00:7100/120'], '::ffff:cb00:7109', true],
    [['203.0.113.0/24'], '::ffff:cb00:7109', true],
    [['::/0'], '::ffff:cb00:7109', false],
    [['10.0.0.0/8', '192.0.2.0/24'], '192.0.2.1', true],
    [[], '127.0.0.1', false],
  ])('%j, %s: %s', (cidrs, address, allowed) => {
    expect(new AllowList(cidrs).allows(address)).toBe(allowed)
  })

  test.each([
    '',
    'nonsense',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8.5',
    '::/129',
    '::ffff:10.0.0.0/8',
    '10.0.0/8',
  ])('an entry that is no network allows nobody: %j', (cidr) => {
    const list = new AllowList([cidr])
    for (const address of ['10.0.0.1', '0.0.0.0', '::1', '::ffff:10.0.0.1', 'x', ''])
      expect(list.allows(address)).toBe(false)
  })

  test('addresses lose their zone and their mapping', () => {
    expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(plainAddress('::ffff:c000:201')).toBe('192.0.2.1')
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1')
    expect(plainAddress('2001:db8::1')).toBe('2001:db8::1')
  })
})
