import { describe, expect, it } from 'vitest'
import { PacketMemory } from '../../foreign/index.ts'
import { decodeSocketAddress, encodeSocketAddress, sameSocketAddress, sockaddrLength } from './socket-address.ts'

const memory = new PacketMemory(65_536)
const a = memory.allocate(32)
const b = memory.allocate(32)

describe('socket addresses', () => {
  it.each([
    ['192.0.2.1', 4500, '02001194c0000201'],
    ['2001:db8::1', 500, '0a0001f40000000020010db8000000000000000000000001'],
    ['::', 1, '0a0000010000000000000000000000000000000000000000'],
    ['fe80::1:0:0:2', 9, '0a00000900000000fe8000000000000000010000000000' + '02'],
    ['::ffff:192.0.2.1', 9, '0a0000090000000000000000000000000000ffffc0000201'],
  ])('writes %s as the kernel reads it, and reads it back', (address, port, expected) => {
    encodeSocketAddress({ address, port }, memory.bytes, a)
    expect(Buffer.from(memory.copyOut(a, expected.length / 2)).toString('hex')).toBe(expected)
    expect(decodeSocketAddress(memory.bytes, a)).toEqual({ address, port })
    expect(sockaddrLength(memory, a)).toBe(address.includes(':') ? 28 : 16)
  })

  it('compares family, port and every word of the address', () => {
    const pairs = [
      ['192.0.2.1', 1, '192.0.2.1', 1, true],
      ['192.0.2.1', 1, '192.0.2.1', 2, false],
      ['192.0.2.1', 1, '192.0.2.2', 1, false],
      ['2001:db8::1', 1, '2001:db8::1', 1, true],
      ['2001:db8::1', 1, '2001:db8::2', 1, false],
      ['2001:db8::1', 1, '2001:db9::1', 1, false],
      ['2001:db8:1::1', 1, '2001:db8:2::1', 1, false],
      ['2001:db8::1:0:1', 1, '2001:db8::2:0:1', 1, false],
    ] as const
    for (const [addressA, portA, addressB, portB, expected] of pairs) {
      encodeSocketAddress({ address: addressA, port: portA }, memory.bytes, a)
      encodeSocketAddress({ address: addressB, port: portB }, memory.bytes, b)
      expect(sameSocketAddress(memory, a, b)).toBe(expected)
    }
  })

  it('refuses what is not an address', () => {
    expect(() => encodeSocketAddress({ address: 'example.test', port: 1 }, memory.bytes, a)).toThrow(RangeError)
  })
})
