import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ACK, internetChecksum, ip4, ip6, parsed, SYN, tcp } from '../test/packets.ts'
import { clampMss, updatedChecksum } from './mss-clamp.ts'

const ENDS = { source: '10.127.0.1', destination: '10.128.0.5', protocol: 6 }
const MSS_1460 = [2, 4, 0x05, 0xb4]

describe('MSS clamping', () => {
  it.each([
    ['SYN', SYN, MSS_1460, 0],
    ['SYN-ACK', SYN | ACK, MSS_1460, 0],
    ['an option behind padding', SYN, [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, ...MSS_1460], 12],
    ['an option at an odd offset', SYN, [1, ...MSS_1460, 1, 1, 0], 1],
  ])('lowers the option of %s and keeps the checksum right', (_what, flags, options, at) => {
    const packet = checksummed(ip4(ENDS, tcp(1000, 80, flags, options)))
    expect(clampMss(packet, parsed(packet), 1400)).toBe(true)
    expect(new DataView(packet.buffer).getUint16(20 + 20 + at + 2)).toBe(1360)
    expect(tcpSum(packet)).toBe(0)
  })

  it.each([
    ['a smaller MSS', SYN, [2, 4, 0x02, 0x18]],
    ['no option', SYN, []],
    ['a packet without SYN', ACK, MSS_1460],
    ['an option list that ended', SYN, [0, ...MSS_1460, 0, 0, 0]],
    ['an option of length 0', SYN, [8, 0, ...MSS_1460, 0, 0]],
    ['an option beyond the header', SYN, [8, 9, 0, 0]],
    ['an MSS of a wrong length', SYN, [2, 3, 0xff, 0]],
  ])('leaves %s alone', (_what, flags, options) => {
    const packet = checksummed(ip4(ENDS, tcp(1000, 80, flags, options)))
    const before = packet.slice()
    expect(clampMss(packet, parsed(packet), 1400)).toBe(false)
    expect(packet).toEqual(before)
  })

  it('does not read past a header length that lies', () => {
    const packet = Uint8Array.from([...ip4(ENDS, tcp(1000, 80, SYN)), ...MSS_1460])
    packet[20 + 12] = 0xf0
    const before = packet.slice()
    expect(clampMss(packet, parsed(packet), 1400)).toBe(false)
    expect(packet).toEqual(before)
  })

  it('leaves 60 octets for the headers of IPv6', () => {
    const host = [0xfd00, 0, 0, 0, 0, 0, 0, 1]
    const packet = ip6({ source: host, destination: host, nextHeader: 6 }, tcp(1, 2, SYN, MSS_1460))
    expect(clampMss(packet, parsed(packet), 1400)).toBe(true)
    expect(new DataView(packet.buffer).getUint16(62)).toBe(1340)
  })

  it('leaves a checksum alone that the kernel has yet to complete', () => {
    const packet = checksummed(ip4(ENDS, tcp(1000, 80, SYN, MSS_1460)))
    const before = new DataView(packet.buffer).getUint16(36)
    clampMss(packet, parsed(packet), 1400, 'partial')
    expect(new DataView(packet.buffer).getUint16(36)).toBe(before)
  })

  it('updates checksums as if computed anew (RFC 1624)', () => {
    const word = fc.integer({ min: 0, max: 0xffff })
    fc.assert(
      fc.property(fc.array(word, { minLength: 3, maxLength: 20 }), word, (words, after) => {
        fc.pre(words.slice(1).some((value) => value !== 0))
        const sum = (values: readonly number[]): number =>
          internetChecksum(Uint8Array.from(values.flatMap((value) => [value >>> 8, value & 0xff])))
        const updated = updatedChecksum(sum(words), words[0]!, after)
        expect(updated).toBe(sum([after, ...words.slice(1)]))
      }),
    )
  })
})

function checksummed(packet: Uint8Array): Uint8Array {
  new DataView(packet.buffer).setUint16(36, 0)
  new DataView(packet.buffer).setUint16(36, tcpSum(packet))
  return packet
}

/** Checksum over pseudo header and segment; 0 when the one inside is right. */
function tcpSum(packet: Uint8Array): number {
  const segment = packet.subarray(20)
  return internetChecksum(Uint8Array.from([...packet.subarray(12, 20), 0, 6, 0, segment.length, ...segment]))
}
