import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import {
  canonicalCidr,
  DeviceInput,
  errorCodes,
  errorRegistry,
  hostCidr,
  registerFormats,
  TunnelInput,
} from './index.ts'

describe('canonicalCidr', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::/48', '2001:db8::/48'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::/0', '::/0'],
    ['::1', '::1/128'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['::FFFF:cb00:7107/128', '203.0.113.7/32'],
    ['0:0:0:0:0:ffff:203.0.113.0/120', '203.0.113.0/24'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::ffff:203.0.113.7/120', null],
    ['::ffff:0:0/95', null],
    ['::/95', '::/95'],
    ['::203.0.113.7', '::cb00:7107/128'],
    ['203.0.113.7/24', null],
    ['2001:db8::1/64', null],
    ['203.0.113.0/33', null],
    ['203.0.113.0/-1', null],
    ['203.0.113.0/024', null],
    ['203.0.113.0/24/24', null],
    ['203.0.113', null],
    ['fe80::1%eth0', null],
    ['', null],
    ['/', null],
    ['example.com', null],
  ])('reads %s as %s', (text, canonical) => {
    expect(canonicalCidr(text)).toBe(canonical)
  })

  it('makes a prefix of a caller, IPv4 inside IPv6 included', () => {
    expect(hostCidr('::ffff:203.0.113.7')).toBe('203.0.113.7/32')
    expect(hostCidr('fe80::1%eth0')).toBe('fe80::1/128')
    expect(hostCidr('203.0.113.0/24')).toBeNull()
    expect(hostCidr('unknown')).toBeNull()
  })
})

describe('schemas', () => {
  registerFormats()
  const device = Compile(DeviceInput)
  const tunnel = Compile(TunnelInput)
  const iccid = '89014103211118510720'
  const deviceId = `dev_${'a'.repeat(20)}`

  it('accept what is right', () => {
    expect(device.Check({ iccid, imsi: null, tags: ['env=test'], name: 'Pumpe 7, Öland' })).toBe(true)
    expect(tunnel.Check({ deviceId, port: 22, allowFrom: ['203.0.113.7', '2001:db8::/48'] })).toBe(true)
  })

  it.each([
    { iccid: `${iccid.slice(0, -1)}1` },
    { iccid, unknown: 1 },
    { iccid, name: 'two\nlines' },
    { iccid, name: 'nul\u0000' },
    { iccid, tags: ['a', 'a'] },
    { iccid, imsi: 262011234567890 },
    {},
    [],
    null,
  ])('refuse the device %j', (value) => {
    expect(device.Check(value)).toBe(false)
  })

  it.each([
    { port: 0 },
    { port: 65_536 },
    { port: '22' },
    { port: 22.5 },
    { ttlSec: 86_401 },
    { allowFrom: [] },
    { allowFrom: ['10.0.0.1/8'] },
    { deviceId: 'dev_1' },
    { deviceId: `${deviceId}\n` },
  ])('refuse the tunnel %j', (change) => {
    expect(tunnel.Check({ deviceId, port: 22, ...change })).toBe(false)
  })
})

describe('the error registry', () => {
  it('has a client or server status, a title and advice for every code', () => {
    for (const code of errorCodes) {
      expect(errorRegistry[code].status).toBeGreaterThanOrEqual(400)
      expect(errorRegistry[code].status).toBeLessThan(600)
      expect(errorRegistry[code].title.length * errorRegistry[code].advice.length).toBeGreaterThan(0)
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
    }
  })
})
