import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OutboundSequence, SEQUENCE_WORDS } from './outbound-sequence.ts'

/** Takes `count` numbers. @returns them as 64-bit numbers */
function takeAll(sequence: OutboundSequence, count: number): bigint[] {
  const numbers: bigint[] = []
  for (let i = 0; i < count && sequence.take(); i++) {
    numbers.push((BigInt(sequence.high) << 32n) | BigInt(sequence.low))
  }
  return numbers
}

const sharing = (words: Int32Array, esn: boolean): OutboundSequence => {
  const sequence = new OutboundSequence(esn)
  sequence.share(words)
  return sequence
}

describe('outbound sequence numbers', () => {
  it('N17: begin with 1', () => {
    expect(takeAll(new OutboundSequence(false), 3)).toEqual([1n, 2n, 3n])
  })

  it('C66: stop before they wrap, and hand out what is left one by one', () => {
    const sequence = new OutboundSequence(false)
    sequence.skipTo(0, 0xffff_fffc)
    expect(sequence.reserve(4)).toBe(false)
    expect(takeAll(sequence, 9)).toEqual([0xffff_fffdn, 0xffff_fffen, 0xffff_ffffn])
  })

  it('C66: stop before 2^64 with extended numbers (RFC 4303 3.3.3)', () => {
    const sequence = new OutboundSequence(true)
    sequence.skipTo(0xffff_ffff, 0xffff_fffe)
    expect(takeAll(sequence, 9)).toEqual([2n ** 64n - 1n])
  })

  it('are never used when set aside for a packet that did not leave', () => {
    const sequence = new OutboundSequence(false)
    sequence.reserve(10)
    takeAll(sequence, 2)
    sequence.reserve(3)
    expect(takeAll(sequence, 4)).toEqual([11n, 12n, 13n, 14n])
  })

  it('RFC 4303 2.2.1: carry into the high half as one number would, however threads and superpackets take turns', () => {
    const turn = fc.record({ thread: fc.nat(2), count: fc.integer({ min: 1, max: 900 }) })
    const start = fc.record({
      high: fc.constantFrom(0, 1, 0x7fff_ffff, 0xffff_fffe),
      low: fc.constantFrom(0, 0x7fff_fc00, 0xffff_fc00),
    })
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 60 }), start, (turns, { high, low }) => {
        const words = new Int32Array(SEQUENCE_WORDS)
        const threads = [sharing(words, true), sharing(words, true), sharing(words, true)] as const
        threads[0].skipTo(high, low)
        let expected = (BigInt(high) << 32n) | BigInt(low)
        for (const { thread, count } of turns) {
          threads[thread]!.reserve(count)
          for (const number of takeAll(threads[thread]!, count)) expect(number).toBe(++expected)
        }
      }),
    )
  })

  it('carry twice around without a step back', () => {
    const words = new Int32Array(SEQUENCE_WORDS)
    const [sequence, wasteful] = [sharing(words, true), sharing(words, true)]
    const seen: bigint[] = []
    for (let round = 0; round < 10; round++) {
      seen.push(...takeAll(sequence, 1))
      // A quarter of the low numbers is lost at once.
      wasteful.reserve(0x4000_0000 - 1)
    }
    expect(seen).toEqual(seen.map((_, i) => BigInt(i) * 0x4000_0000n + 1n))
  })
})
