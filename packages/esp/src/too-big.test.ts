import { describe, expect, it } from 'vitest'
import { echo, icmpError, internetChecksum, ip4, ip6, parsed, tcp, udp } from '../test/packets.ts'
import { paddedBytes } from './encapsulate.ts'
import { largestInnerBytes } from './inner-mtu.ts'
import { isUnfragmentable, TOO_BIG_BYTES, writeTooBig } from './too-big.ts'

const DF = 0x4000
const ENDS = { source: '10.127.0.1', destination: '10.128.0.5' }
const ENDS6 = { source: [0xfd00, 0, 0, 0, 0, 0, 0, 1], destination: [0xfd00, 0, 0, 0, 0, 0, 0, 2] }

describe('RFC 1191 4 fragmentation needed', () => {
  it('comes from where the packet was going, with the MTU and the packet behind it', () => {
    const packet = ip4({ ...ENDS, protocol: 17, fragment: DF }, udp(1000, 2000, new Uint8Array(1300).fill(7)))
    const message = answer(packet, 1218)
    expect(message).toHaveLength(576)
    expect(parsed(message)).toMatchObject({ source4: 0x0a800005, destination4: 0x0a7f0001, protocol: 1 })
    expect([...message.subarray(20, 22)]).toEqual([3, 4])
    expect(new DataView(message.buffer).getUint16(26)).toBe(1218)
    expect(message.subarray(28)).toEqual(packet.subarray(0, 548))
    expect(internetChecksum(message.subarray(0, 20))).toBe(0)
    expect(internetChecksum(message.subarray(20))).toBe(0)
  })

  it('quotes a short packet as a whole, with the checksum over an odd length', () => {
    const packet = ip4({ ...ENDS, fragment: DF }, udp(1, 2, new Uint8Array(5).fill(9)))
    const message = answer(packet, 20)
    expect(message.subarray(28)).toEqual(packet)
    expect(internetChecksum(message.subarray(20))).toBe(0)
  })

  it.each([
    ['an ICMP error', ip4({ ...ENDS, protocol: 1 }, icmpError(3, ip4(ENDS, udp(1, 2))))],
    ['a later fragment', ip4({ ...ENDS, fragment: 5 }, new Uint8Array(64))],
    ['multicast', ip4({ ...ENDS, destination: '224.0.0.9' }, udp(1, 2))],
    ['broadcast', ip4({ ...ENDS, destination: '255.255.255.255' }, udp(1, 2))],
    ['nobody', ip4({ ...ENDS, source: '0.0.0.0' }, udp(1, 2))],
  ])('RFC 1122 3.2.2 never answers %s', (_what, packet) => {
    expect(answer(packet, 576)).toHaveLength(0)
  })

  it('answers an echo request', () => {
    expect(answer(ip4({ ...ENDS, protocol: 1, fragment: DF }, echo(8, 3)), 600)).not.toHaveLength(0)
  })
})

describe('RFC 4443 3.2 packet too big', () => {
  it('carries the MTU and a checksum over the pseudo-header', () => {
    const packet = ip6({ ...ENDS6, nextHeader: 17 }, udp(1, 2, new Uint8Array(1300).fill(3)))
    const message = answer(packet, 1350)
    expect(message).toHaveLength(TOO_BIG_BYTES)
    const view = new DataView(message.buffer)
    expect([...message.subarray(40, 42)]).toEqual([2, 0])
    expect(view.getUint32(44)).toBe(1350)
    expect(message.subarray(48)).toEqual(packet.subarray(0, 1232))
    const length = message.length - 40
    const pseudo = Uint8Array.from([...message.subarray(8, 40), 0, 0, length >>> 8, length & 0xff, 0, 0, 0, 58])
    expect(internetChecksum(Uint8Array.from([...pseudo, ...message.subarray(40)]))).toBe(0)
  })

  it('never asks for less than the minimum of IPv6', () => {
    const message = answer(ip6({ ...ENDS6, nextHeader: 17 }, udp(1, 2, new Uint8Array(1300))), 1218)
    expect(new DataView(message.buffer).getUint32(44)).toBe(1280)
  })

  it.each([
    ['an error', ip6({ ...ENDS6, nextHeader: 58 }, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))],
    ['multicast', ip6({ ...ENDS6, destination: [0xff02, 1], nextHeader: 17 }, udp(1, 2))],
    ['nobody', ip6({ ...ENDS6, source: [], nextHeader: 17 }, udp(1, 2))],
  ])('RFC 4443 2.4 never answers %s', (_what, packet) => {
    expect(answer(packet, 1280)).toHaveLength(0)
  })
})

describe('which packets only their sender may cut', () => {
  it.each([
    ['IPv4 with DF', ip4({ ...ENDS, fragment: DF }, udp(1, 2)), true],
    ['IPv4 without DF', ip4(ENDS, udp(1, 2)), false],
    ['IPv6 above its minimum MTU', ip6({ ...ENDS6, nextHeader: 6 }, tcp6(1300)), true],
    ['IPv6 within its minimum MTU', ip6({ ...ENDS6, nextHeader: 6 }, tcp6(1200)), false],
  ])('%s', (_what, packet, expected) => {
    expect(isUnfragmentable(packet, parsed(packet), packet.length)).toBe(expected)
  })
})

describe('RFC 4301 8.2.1 the longest inner packet', () => {
  it.each([
    ['AES-GCM', { ivBytes: 8, icvBytes: 16, alignBytes: 4 }],
    ['AES-CBC', { ivBytes: 16, icvBytes: 16, alignBytes: 16 }],
  ])('of %s fits, and one more octet does not', (_name, layout) => {
    for (let room = 500; room < 600; room++) {
      const most = largestInnerBytes(room, layout)
      const espBytes = (inner: number): number => 8 + layout.ivBytes + layout.icvBytes + paddedBytes(inner, layout)
      expect(espBytes(most)).toBeLessThanOrEqual(room)
      expect(espBytes(most + 1)).toBeGreaterThan(room)
    }
  })

  it('is none where headers alone do not fit', () => {
    expect(largestInnerBytes(20, { ivBytes: 8, icvBytes: 16, alignBytes: 4 })).toBe(0)
  })
})

function tcp6(payloadBytes: number): Uint8Array {
  return Uint8Array.from([...tcp(1, 2, 0x10), ...new Uint8Array(payloadBytes - 20)])
}

function answer(packet: Uint8Array, mtuBytes: number): Uint8Array {
  const out = new Uint8Array(3 + TOO_BIG_BYTES).fill(0xee)
  return out.slice(3, 3 + writeTooBig(packet, parsed(packet), mtuBytes, out, 3))
}
