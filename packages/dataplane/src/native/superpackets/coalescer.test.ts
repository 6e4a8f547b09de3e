import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  buildPacket,
  fromFrame,
  type NetworkOptions,
  type TransportOptions,
  withChecksums,
} from '../../../test/inner-packets.ts'
import { createChecksum } from './checksum.ts'
import { Coalescer } from './coalescer.ts'
import { PacketMemory } from '../../foreign/index.ts'

const memory = new PacketMemory(1 << 20)
const checksum = createChecksum(memory)
let frames: Uint8Array[] = []
const sink = {
  write: (frame: number, length: number): void => {
    frames.push(memory.copyOut(frame, length))
    memory.bytes.fill(0xee, frame, frame + length)
  },
}
const full = new Coalescer(memory, checksum, sink, { tcp: true, udp: true })
const tcpOnly = new Coalescer(memory, checksum, sink, { tcp: true, udp: false })
const none = new Coalescer(memory, checksum, sink, { tcp: false, udp: false })

/** Hands packets over as decryption does: at `place`, with a trailer behind. An empty batch end is a flush. */
function run(coalescer: Coalescer, items: readonly (Uint8Array | 'flush')[]): Uint8Array[] {
  frames = []
  for (const item of items) {
    if (item === 'flush') coalescer.flush()
    else {
      const { place } = coalescer
      memory.bytes.set(item, place)
      memory.bytes.fill(0xdd, place + item.length, place + item.length + 18)
      coalescer.add(item.length)
    }
  }
  coalescer.flush()
  return frames
}

const payload = (length: number, seed = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff)

/** Joining gives up the IPv4 identification (RFC 6864: it means nothing with DF), and with it the header checksum. */
function withoutIdentification(packet: Uint8Array): Uint8Array {
  if (packet[0]! >>> 4 === 6) return packet
  return packet.slice().fill(0, 4, 6).fill(0, 10, 12)
}

const stream = (count: number, each: Partial<TransportOptions> = {}, network: NetworkOptions = {}): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    buildPacket(
      { protocol: 'tcp', sequence: (0xfffffff0 + i * 1000) >>> 0, payload: payload(1000, i), ...each },
      { identification: i, ...network },
    ),
  )

describe('coalescer', () => {
  it.each([
    ['IPv4', [4] as const],
    ['IPv6', [6] as const],
    ['both mixed', [4, 4, 4, 6, 6, 6] as const],
  ])('loses, changes and reorders nothing, whatever comes and wherever batches end: %s', (_which, versions) => {
    const anyPacket = fc.record({
      protocol: fc.constantFrom('tcp' as const, 'tcp' as const, 'udp' as const),
      sourcePort: fc.constantFrom(1, 1, 1, 2),
      sequence: fc.constantFrom('next' as const, 'next' as const, 'next' as const, 'other' as const),
      flags: fc.constantFrom(0x10, 0x10, 0x10, 0x10, 0x18, 0x11, 0x02, 0x50),
      window: fc.constantFrom(500, 500, 500, 600),
      optionWords: fc.constantFrom(0, 0, 3),
      payloadBytes: fc.constantFrom(0, 1, 99, 700, 1200, 1200, 1200, 1200),
      tos: fc.constantFrom(0, 0, 0, 2),
      ttl: fc.constantFrom(64, 64, 64, 63),
      fragment: fc.constantFrom(0x4000, 0x4000, 0x4000, 0, 0x2000, 0x4001),
      version: fc.constantFrom(...versions),
      flowLabel: fc.constantFrom(9, 9, 9, 0xfffff),
      destination: fc.constantFrom(0x0a800005, 0x0a800005, 0x0a800005, 0x0a800006),
      damaged: fc.constantFrom(false, false, false, false, true),
      flush: fc.constantFrom(false, false, false, true),
    })
    fc.assert(
      fc.property(fc.array(anyPacket, { maxLength: 120 }), (recipe) => {
        let sequence = 0xffff_f000
        const items = recipe.flatMap((each) => {
          const text = payload(each.payloadBytes, sequence)
          const at = each.sequence === 'next' ? sequence : (sequence + 17) >>> 0
          const packet = buildPacket(
            { ...each, sequence: at, options: payload(each.optionWords * 4), payload: text },
            each,
          )
          if (each.protocol === 'tcp') sequence = (at + text.length) >>> 0
          if (each.damaged) packet[packet.length - 1]! ^= 0x40
          return each.flush ? [packet, 'flush' as const] : [packet]
        })
        const sent = items.filter((item) => item !== 'flush')
        for (const coalescer of [full, tcpOnly, none]) {
          const received = run(coalescer, items).flatMap(fromFrame)
          expect(received.map(withoutIdentification)).toEqual(sent.map(withoutIdentification))
        }
      }),
      { numRuns: 150 },
    )
  })

  it.each([4, 6] as const)('joins a TCP stream into one superpacket, across a wrap (IPv%i)', (version) => {
    const packets = stream(45, {}, { version, flowLabel: 0x12345, tos: 2 })
    expect(run(full, packets)).toHaveLength(1)
    expect(run(full, packets).flatMap(fromFrame)).toEqual(packets)
  })

  it.each([4, 6] as const)('joins UDP datagrams of one size and a shorter last one (IPv%i)', (version) => {
    const packets = [900, 900, 900, 5, 900].map((length, i) =>
      buildPacket({ protocol: 'udp', payload: payload(length, i) }, { identification: i, version }),
    )
    expect(run(full, packets).map((frame) => fromFrame(frame).length)).toEqual([4, 1])
    expect(run(tcpOnly, packets)).toHaveLength(5)
  })

  it.each([4, 6] as const)('ends a superpacket at PSH and keeps the flag (IPv%i)', (version) => {
    const packets = [
      ...stream(2, {}, { version }),
      ...stream(3, { flags: 0x18 }, { version }).slice(2),
      ...stream(5, {}, { version }).slice(3),
    ]
    expect(run(full, packets).map((frame) => fromFrame(frame).length)).toEqual([3, 2])
    expect(run(full, packets).flatMap(fromFrame)).toEqual(packets)
  })

  it('never joins across FIN, ECE, different congestion marks, windows, acknowledgements or options', () => {
    const [first, second] = stream(2) as [Uint8Array, Uint8Array]
    const odd = [
      stream(2, { flags: 0x11 }),
      stream(2, { flags: 0x50 }),
      stream(2, {}, { tos: 1 }),
      stream(2, {}, { ttl: 63 }),
      stream(2, { window: 501 }),
      stream(2, { acknowledgement: 1 }),
      stream(2, { options: Uint8Array.of(1, 1, 1, 1) }),
    ]
    expect(run(full, [first, second])).toHaveLength(1)
    for (const [, other] of odd) expect(run(full, [first, other!])).toHaveLength(2)
  })

  it('never joins over IPv6 across traffic classes, flow labels, hop limits or a word of an address', () => {
    const version = 6
    const [first, second] = stream(2, {}, { version }) as [Uint8Array, Uint8Array]
    expect(run(full, [first, second])).toHaveLength(1)
    const odd: NetworkOptions[] = [{ tos: 1 }, { tos: 0x20 }, { flowLabel: 1 }, { ttl: 63 }]
    for (const network of odd) expect(run(full, [first, stream(2, {}, { version, ...network })[1]!])).toHaveLength(2)
    for (let at = 8; at < 40; at++) {
      const other = second.slice()
      other[at]! ^= 1
      expect(run(full, [first, withChecksums(other)])).toHaveLength(2)
    }
  })

  it('passes IPv6 packets with extension headers, and those without a payload, as they are', () => {
    const plain = stream(3, {}, { version: 6 })
    const options = plain.map((packet) => {
      const longer = Uint8Array.from([...packet.subarray(0, 40), 6, 0, 1, 4, 0, 0, 0, 0, ...packet.subarray(40)])
      new DataView(longer.buffer).setUint16(4, longer.length - 40)
      longer[6] = 60
      return longer
    })
    const empty = plain[0]!.slice(0, 40)
    empty.fill(0, 4, 6)
    const packets = [...options, empty, ...options]
    expect(run(full, packets).flatMap(fromFrame)).toEqual(packets)
  })

  it('does not bless a wrong checksum', () => {
    const packets = stream(3)
    packets[1]![60]! ^= 1
    const written = run(full, packets)
    expect(written).toHaveLength(3)
    expect(written.map((frame) => frame[0])).toEqual([2, 0, 2]) // the damaged one goes without "data valid"
    expect(written.flatMap(fromFrame)).toEqual(packets)
  })

  it('stays below 64 segments and 64 KiB', () => {
    for (const [length, version] of [20, 1400, 9000].flatMap((bytes) => [[bytes, 4] as const, [bytes, 6] as const])) {
      const packets = Array.from({ length: 200 }, (_, i) =>
        buildPacket(
          { protocol: 'tcp', sequence: i * length, payload: payload(length) },
          { identification: i, version },
        ),
      )
      const written = run(full, packets)
      expect(written.flatMap(fromFrame)).toHaveLength(200)
      for (const frame of written) {
        expect(frame.length).toBeLessThanOrEqual(65_545)
        expect(fromFrame(frame).length).toBeLessThanOrEqual(64)
      }
    }
  })
})
