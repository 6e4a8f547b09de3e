import { describe, expect, it } from 'vitest'
import { ACK, fragment6, ip4, ip6, octets4, parsed, tcp, udp } from '../test/packets.ts'
import { DropCode } from './drop-code.ts'
import { createInnerPacket, parseInnerPacket } from './inner-packet.ts'

const ENDS = { source: '192.0.2.200', destination: '10.127.0.1' }
const HOST6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x1234]

describe('inner packets', () => {
  it('are read at an offset, with addresses as unsigned numbers', () => {
    const packet = ip4({ ...ENDS, options: [7, 3, 4, 1], protocol: 6 }, tcp(65_535, 80, ACK))
    const bytes = Uint8Array.from([9, 9, 9, ...packet, 9])
    const inner = createInnerPacket()
    expect(parseInnerPacket(bytes, 3, packet.length + 1, inner)).toBe(DropCode.none)
    expect(inner).toMatchObject({
      version: 4,
      protocol: 6,
      packetOffset: 3,
      totalBytes: packet.length,
      transportOffset: 27,
      source4: new DataView(octets4(ENDS.source).buffer).getUint32(0),
      sourcePort: 65_535,
      destinationPort: 80,
      hasPorts: true,
      isFragment: false,
      tcpFlags: ACK,
    })
  })

  it('leave nothing of the packet before in a reused record', () => {
    const inner = createInnerPacket()
    const parse = (packet: Uint8Array): void => {
      expect(parseInnerPacket(packet, 0, packet.length, inner)).toBe(DropCode.none)
    }
    parse(ip4({ ...ENDS, protocol: 6, fragment: 0x2000 }, tcp(5, 6, ACK)))
    expect([inner.isFragment, inner.tcpFlags, inner.sourcePort]).toEqual([true, ACK, 5])
    parse(ip4({ ...ENDS, protocol: 47 }, new Uint8Array(4)))
    expect([inner.isFragment, inner.tcpFlags, inner.hasPorts, inner.sourcePort]).toEqual([false, 0, false, 0])
    parse(ip4({ ...ENDS, fragment: 0x0001 }, udp(5, 6)))
    parse(ip6({ source: HOST6, destination: HOST6, nextHeader: 17 }, udp(1, 2)))
    expect(inner.isFragment).toBe(false)
    expect([inner.version, inner.source4, inner.destination4]).toEqual([6, 0, 0])
    expect([...inner.source6]).toEqual([0x20010db8, 0, 0, 0x1234])
  })

  it.each([131, 137])('are refused with source route option %i, wherever it stands', (type) => {
    for (const options of [
      [type, 3, 4, 0],
      [1, 1, 1, type],
      [7, 3, 4, type],
    ]) {
      expect(codeOf(ip4({ ...ENDS, options }, udp(1, 2)))).toBe(DropCode.innerMalformed)
    }
    expect(codeOf(ip4({ ...ENDS, options: [0, type, 3, 4] }, udp(1, 2)))).toBe(DropCode.none)
  })

  it('have ports only in the first fragment', () => {
    const first = parsed(ip4({ ...ENDS, fragment: 0x2000 }, udp(5, 6)))
    const later = parsed(ip4({ ...ENDS, fragment: 0x0001 }, udp(5, 6)))
    expect([first.isFragment, first.hasPorts, later.isFragment, later.hasPorts]).toEqual([true, true, true, false])
    const in6 = (word: number) =>
      parsed(ip6({ source: HOST6, destination: HOST6, nextHeader: 44 }, fragment6(17, word, udp(5, 6))))
    expect([in6(1), in6(8), in6(9)].map(({ isFragment, hasPorts }) => [isFragment, hasPorts])).toEqual([
      [true, true],
      [true, false],
      [true, false],
    ])
  })

  it('are whole behind a fragment header that cuts nothing off (RFC 8200 4.5)', () => {
    const whole = parsed(ip6({ source: HOST6, destination: HOST6, nextHeader: 44 }, fragment6(17, 0, udp(5, 6))))
    expect([whole.isFragment, whole.hasPorts, whole.sourcePort]).toEqual([false, true, 5])
    const twice = fragment6(44, 0, fragment6(17, 1, udp(5, 6)))
    expect(parsed(ip6({ source: HOST6, destination: HOST6, nextHeader: 44 }, twice)).isFragment).toBe(true)
  })

  it('are refused with a routing header that has segments left, and with more than eight extension headers', () => {
    const options = (next: number): number[] => [next, 0, 1, 4, 0, 0, 0, 0]
    const chain = (count: number): Uint8Array =>
      Uint8Array.from([...Array.from({ length: count - 1 }, () => options(60)).flat(), ...options(17), ...udp(5, 6)])
    const behind = (nextHeader: number, payload: Uint8Array): DropCode =>
      codeOf(ip6({ source: HOST6, destination: HOST6, nextHeader }, payload))
    expect([behind(60, chain(8)), behind(60, chain(9))]).toEqual([DropCode.none, DropCode.innerMalformed])
    const routing = (left: number): Uint8Array => Uint8Array.from([17, 0, 4, left, 0, 0, 0, 0, ...udp(5, 6)])
    expect([behind(43, routing(0)), behind(43, routing(1))]).toEqual([DropCode.none, DropCode.innerMalformed])
    expect(behind(60, Uint8Array.from([17, 255, 1, 4, 0, 0, 0, 0, ...udp(5, 6)]))).toBe(DropCode.innerMalformed)
  })

  it('are refused when they are cut anywhere', () => {
    const packets = [
      ip4({ ...ENDS, protocol: 6 }, tcp(1, 2, ACK)),
      ip6(
        { source: HOST6, destination: HOST6, nextHeader: 0 },
        Uint8Array.from([17, 0, 1, 4, 0, 0, 0, 0, ...udp(1, 2)]),
      ),
    ]
    for (const packet of packets) {
      expect(codeOf(packet)).toBe(DropCode.none)
      for (let length = 0; length < packet.length; length++) {
        expect(codeOf(packet.subarray(0, length))).toBe(DropCode.innerMalformed)
      }
    }
  })

  it.each([0, 1, 2, 3, 5, 15])('are refused with IP version %i', (version) => {
    const packet = ip4(ENDS, udp(1, 2))
    packet[0] = (version << 4) | 5
    expect(codeOf(packet)).toBe(DropCode.innerMalformed)
  })
})

function codeOf(packet: Uint8Array): DropCode {
  return parseInnerPacket(packet, 0, packet.length, createInnerPacket())
}
