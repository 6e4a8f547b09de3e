import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildPacket, fromFrame, toFrame } from '../../../test/inner-packets.ts'
import { createChecksum } from './checksum.ts'
import { PacketMemory } from '../../foreign/index.ts'
import { Segmenter } from './segmenter.ts'

const memory = new PacketMemory(1 << 20)
const segmenter = new Segmenter(memory, createChecksum(memory))
const place = memory.allocate(70_000)

/** Runs a frame through; each packet is taken away and its trailer's room overwritten before the next is asked for. */
function segment(frame: Uint8Array, most = 65_535): Uint8Array[] | 'refused' {
  memory.bytes.set(frame, place)
  if (!segmenter.begin(place, frame.length, most)) return 'refused'
  const packets: Uint8Array[] = []
  const { count } = segmenter
  while (segmenter.next()) {
    packets.push(memory.copyOut(segmenter.offset, segmenter.length))
    memory.bytes.fill(0xee, segmenter.offset, segmenter.offset + segmenter.length)
    expect(segmenter.more).toBe(segmenter.offset + segmenter.length < place + frame.length)
  }
  expect(count).toBe(packets.length)
  return packets
}

const payload = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >>> 8)) & 0xff)

describe('segmenter', () => {
  it('cuts superpackets like the kernel would, whatever the sizes and flags', () => {
    const anyFrame = fc.record({
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      version: fc.constantFrom(4 as const, 6 as const),
      segmentBytes: fc.integer({ min: 1, max: 1500 }),
      segments: fc.integer({ min: 1, max: 45 }),
      lastBytes: fc.double({ min: 0, max: 1, noNaN: true }),
      flags: fc.integer({ min: 0, max: 255 }),
      sequence: fc.integer({ min: 0, max: 0xffffffff }),
      identification: fc.integer({ min: 0, max: 0xffff }),
      optionWords: fc.integer({ min: 0, max: 10 }),
    })
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const last = Math.max(1, Math.floor(frame.lastBytes * frame.segmentBytes))
        const transport = {
          ...frame,
          options: payload(frame.optionWords * 4),
          payload: payload(frame.segmentBytes * (frame.segments - 1) + last),
        }
        const packet = buildPacket(transport, frame)
        const superframe = toFrame(packet, frame.segmentBytes)
        expect(segment(superframe)).toEqual(fromFrame(superframe))
      }),
      { numRuns: 150 },
    )
  })

  it('cuts TCP finer than asked where the path is narrower, as if the kernel had been asked so', () => {
    const packet = buildPacket({ protocol: 'tcp', payload: payload(20_000), flags: 0x99 })
    const finer = toFrame(packet, 1178)
    expect(segment(toFrame(packet, 1360), 1218)).toEqual(fromFrame(finer))
  })

  it('leaves UDP datagrams whole and says how long they are', () => {
    const frame = toFrame(buildPacket({ protocol: 'udp', payload: payload(5000) }), 1200)
    expect(segment(frame, 600)).toEqual(fromFrame(frame))
    memory.bytes.set(frame, place)
    expect(segmenter.longestOf(place, frame.length)).toBe(1228)
  })

  it('completes the checksum of a single packet', () => {
    for (const protocol of ['tcp', 'udp'] as const) {
      for (const length of [0, 1, 2, 1333, 1360]) {
        const packet = buildPacket({ protocol, payload: payload(length) })
        expect(segment(toFrame(packet, 0))).toEqual([packet])
      }
    }
  })

  it('leaves a packet with a complete checksum alone', () => {
    const packet = buildPacket({ protocol: 'udp', payload: payload(100) })
    const frame = toFrame(packet, 0)
    frame.set(packet, 10)
    frame[0] = 0
    expect(segment(frame)).toEqual([packet])
  })

  it('sends a UDP checksum of zero as all ones', () => {
    // The payload is chosen so that everything else sums up to 0xffff.
    const packet = buildPacket({ protocol: 'udp', payload: new Uint8Array(2) })
    const view = new DataView(packet.buffer)
    view.setUint16(28, view.getUint16(26))
    const [sent] = segment(toFrame(packet, 0)) as Uint8Array[]
    expect(new DataView(sent!.buffer).getUint16(26)).toBe(0xffff)
  })

  it('refuses frames that make no sense', () => {
    const good = toFrame(buildPacket({ protocol: 'tcp', payload: payload(3000) }), 1000)
    const changed = (change: (frame: Uint8Array) => void): Uint8Array => {
      const frame = good.slice()
      change(frame)
      return frame
    }
    expect(segment(good)).toHaveLength(3)
    expect(segment(good.subarray(0, 25))).toBe('refused')
    expect(segment(changed((frame) => (frame[1] = 3)))).toBe('refused') // UFO is never asked for
    expect(segment(changed((frame) => frame.fill(0, 4, 6)))).toBe('refused')
    expect(segment(changed((frame) => frame.fill(0xff, 6, 8)))).toBe('refused')
    expect(segment(changed((frame) => frame.fill(0, 6, 8)))).toBe('refused')
    expect(segment(changed((frame) => frame.fill(0, 1, 2).fill(0xff, 8, 10)))).toBe('refused')
  })
})
