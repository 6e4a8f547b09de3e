import { describe, expect, it } from 'vitest'
import { AddressPolicy, PrefixError } from './address-policy.ts'

const publicAddresses = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '64:ff9b::808:808', // NAT64 of 8.8.8.8
]

const refusedAddresses = [
  ['unspecified', '0.0.0.0'],
  ['this network', '0.1.2.3'],
  ['private', '10.0.0.1'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.1.1'],
  ['carrier NAT', '100.64.0.1'],
  ['carrier NAT', '100.127.255.255'],
  ['metadata inside of carrier NAT', '100.100.100.200'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['link-local', '169.254.1.1'],
  ['metadata', '169.254.169.254'],
  ['metadata', '168.63.129.16'],
  ['protocol assignments', '192.0.0.192'],
  ['documentation', '192.0.2.1'],
  ['documentation', '198.51.100.1'],
  ['documentation', '203.0.113.1'],
  ['6to4 relay', '192.88.99.1'],
  ['benchmarking', '198.18.0.1'],
  ['benchmarking', '198.19.255.255'],
  ['multicast', '224.0.0.1'],
  ['multicast', '239.255.255.255'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['IPv4-mapped', '::ffff:127.0.0.1'],
  ['IPv4-mapped, hexadecimal', '::ffff:7f00:1'],
  ['IPv4-mapped, written out', '0:0:0:0:0:ffff:a00:1'],
  ['IPv4-mapped of a public address', '::ffff:8.8.8.8'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['IPv4-compatible', '::a00:1'],
  ['IPv4-translated', '::ffff:0:10.0.0.1'],
  ['NAT64 of private', '64:ff9b::10.0.0.1'],
  ['NAT64 of loopback', '64:ff9b::7f00:1'],
  ['NAT64 of metadata', '64:ff9b::a9fe:a9fe'],
  ['NAT64 for local use', '64:ff9b:1::808:808'],
  ['6to4 of private', '2002:a00:1::1'],
  ['6to4 of public', '2002:808:808::1'],
  ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['benchmarking', '2001:2::1'],
  ['ORCHID', '2001:20::1'],
  ['documentation', '2001:db8::1'],
  ['documentation', '3fff::1'],
  ['unique local', 'fc00::1'],
  ['unique local', 'fd00:ec2::254'],
  ['link-local', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['discard-only', '100::1'],
  ['segment routing', '5f00::1'],
  ['not assigned', '4000::1'],
  ['not an address', 'localhost'],
  ['not an address', '127.1'],
  ['not an address', ''],
]

describe('AddressPolicy', () => {
  const policy = new AddressPolicy({ ownAddresses: () => ['198.20.7.7', '2a00:1450::77'] })

  it.each(publicAddresses)('allows %s', (address) => {
    expect(policy.allows(address)).toBe(true)
  })

  it.each(refusedAddresses)('A01 refuses what is not on the public Internet: %s, %s', (_kind, address) => {
    expect(policy.allows(address)).toBe(false)
  })

  it('A01 refuses the addresses that the machine has now', () => {
    const own = ['198.20.7.7']
    const machine = new AddressPolicy({ ownAddresses: () => own })
    expect(machine.allows('198.20.7.7')).toBe(false)
    expect(machine.allows('64:ff9b::198.20.7.7')).toBe(false)
    expect(policy.allows('2a00:1450::77')).toBe(false)
    own[0] = '198.20.7.8'
    expect(machine.allows('198.20.7.7')).toBe(true)
  })

  it("A01 refuses another organization's device: the prefixes of the installation, public ones too, in NAT64 too", () => {
    const guarded = new AddressPolicy({ refusedPrefixes: ['11.128.0.0/9', '2a00:beef::/32'] })
    expect(guarded.allows('11.127.255.255')).toBe(true)
    expect(guarded.allows('11.128.0.1')).toBe(false)
    expect(guarded.allows('64:ff9b::11.128.0.1')).toBe(false)
    expect(guarded.allows('2a00:beef::1')).toBe(false)
    expect(guarded.allows('2a00:bee0::1')).toBe(true)
  })

  it('opens what the operator allows, but never a prefix of the installation and never an embedded form', () => {
    const opened = new AddressPolicy({
      allowedPrefixes: ['10.0.0.0/8', '127.0.0.1', '::1'],
      refusedPrefixes: ['10.128.0.0/9'],
    })
    expect(opened.allows('10.1.2.3')).toBe(true)
    expect(opened.allows('127.0.0.1')).toBe(true)
    expect(opened.allows('::1')).toBe(true)
    expect(opened.allows('127.0.0.2')).toBe(false)
    expect(opened.allows('10.128.0.1')).toBe(false)
    expect(opened.allows('::ffff:10.1.2.3')).toBe(false)
    expect(opened.allows('64:ff9b::10.1.2.3')).toBe(false)
    expect(opened.allows('192.168.0.1')).toBe(false)
  })

  it.each(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/8/8', 'example.com', '', '10.0.0.0/', 'fe80::1%eth0/64'])(
    'refuses the prefix "%s" of a setting by name',
    (prefix) => {
      expect(() => new AddressPolicy({ refusedPrefixes: [prefix] })).toThrow(PrefixError)
      expect(() => new AddressPolicy({ allowedPrefixes: [prefix] })).toThrow(`"${prefix}"`)
    },
  )
})
