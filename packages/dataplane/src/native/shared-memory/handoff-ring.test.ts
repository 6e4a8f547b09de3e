import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HANDOFF_RING_BYTES, type HandedPacket, HandoffRing } from './handoff-ring.ts'

const memory = new Uint8Array(1 << 17)
const view = new DataView(memory.buffer)
const place = (at: number): HandedPacket => ({ data: at + 64, length: 0, source: at, ecn: 0, socket: 0 })
const from = place(0)
const into = place(1 << 16)

function put(ring: HandoffRing, seed: number, length: number): boolean {
  for (let i = 0; i < length; i++) memory[from.data + i] = seed + i
  memory.fill(seed, from.source, from.source + 32)
  return ring.put(view, { ...from, length, ecn: seed & 3, socket: seed & 7 })
}

function expectTaken(ring: HandoffRing, seed: number, length: number): void {
  expect(ring.take(view, into)).toBe(true)
  expect([into.length, into.ecn, into.socket, memory[into.source + 31]]).toEqual([
    length,
    seed & 3,
    seed & 7,
    seed & 255,
  ])
  for (let i = 0; i < length; i += 97) expect(memory[into.data + i]).toBe((seed + i) & 255)
  if (length > 0) expect(memory[into.data + length - 1]).toBe((seed + length - 1) & 255)
}

it('hands over what was put, in order, whatever the lengths and turns, and says when it is full', () => {
  const step = fc.oneof(fc.constant(null), fc.integer({ min: 8, max: 30_000 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ring = new HandoffRing(new SharedArrayBuffer(HANDOFF_RING_BYTES))
      const waiting: { seed: number; length: number }[] = []
      for (const [seed, length] of steps.entries()) {
        if (length === null) {
          const next = waiting.shift()
          if (next === undefined) expect(ring.take(view, into)).toBe(false)
          else expectTaken(ring, next.seed, next.length)
        } else if (put(ring, seed, length)) waiting.push({ seed, length })
        else expect(waiting.reduce((sum, packet) => sum + packet.length, 0)).toBeGreaterThan((1 << 18) - 2 * 30_100)
        expect(ring.isEmpty).toBe(waiting.length === 0)
      }
    }),
    { numRuns: 60 },
  )
})

it('counts on beyond 2^32 octets', () => {
  const buffer = new SharedArrayBuffer(HANDOFF_RING_BYTES)
  const counters = new Int32Array(buffer, 0, 32)
  counters[0] = counters[16] = -64
  const ring = new HandoffRing(buffer)
  for (let seed = 0; seed < 5; seed++) expect(put(ring, seed, 1000)).toBe(true)
  for (let seed = 0; seed < 5; seed++) expectTaken(ring, seed, 1000)
  expect(ring.isEmpty).toBe(true)
})
