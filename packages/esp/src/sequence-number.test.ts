import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { distance, highHalf } from './sequence-number.ts'

const HALF = 0x1_0000_0000n

describe('extended sequence numbers', () => {
  it('belong to the subspace in which they are closest to the window (RFC 4303 A2.1)', () => {
    const top = fc.oneof(
      fc.bigInt({ min: 1n, max: 1n << 63n }),
      fc.bigInt({ min: -5000n, max: 5000n }).map((near) => (1n << 40n) + near),
    )
    const offset = fc.oneof(fc.bigInt({ min: -4096n, max: 4096n }), fc.bigInt({ min: 0n, max: HALF - 4096n }))
    const sizes = fc.constantFrom(64, 1024, 4096)
    fc.assert(
      fc.property(top, offset, sizes, (topNumber, ahead, windowPackets) => {
        // Any number from the left edge of the window up to one subspace further must be found again.
        const number = topNumber + (ahead < 1n - BigInt(windowPackets) ? 1n - BigInt(windowPackets) : ahead)
        fc.pre(number >= 0n)
        const high = highHalf(Number(topNumber / HALF), Number(topNumber % HALF), windowPackets, Number(number % HALF))
        expect(BigInt(high)).toBe(number / HALF)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    { top: [0, 0], low: 1, high: 0, why: 'the first packet' },
    { top: [0, 10], low: 0xfffffff0, high: -1, why: 'a number before the first one' },
    { top: [0, 63], low: 0, high: 0, why: 'the left edge at the start' },
    { top: [0, 64], low: 0, high: 1, why: 'just left of the window: the next subspace' },
    { top: [0, 0xffffffff], low: 0, high: 1, why: 'the first number of the next subspace' },
    { top: [1, 5], low: 0xffffffff, high: 0, why: 'inside the window, in the former subspace' },
    { top: [1, 5], low: 6, high: 1, why: 'right of the top' },
    { top: [0xffffffff, 0xffffffff], low: 3, high: -1, why: 'after the last number' },
  ])('gives $high for $why', ({ top: [topHigh = 0, topLow = 0], low, high }) => {
    expect(highHalf(topHigh, topLow, 64, low)).toBe(high)
  })

  it('have distances on the right side of any window', () => {
    const half = fc.integer({ min: 0, max: 0xffffffff })
    fc.assert(
      fc.property(half, half, half, half, (aHigh, aLow, bHigh, bLow) => {
        const exact = BigInt(aHigh) * HALF + BigInt(aLow) - (BigInt(bHigh) * HALF + BigInt(bLow))
        const found = distance(aHigh, aLow, bHigh, bLow)
        const isExact = exact > -(1n << 53n) && exact < 1n << 53n
        expect(found).toBe(isExact ? Number(exact) : found)
        expect([found > 0, found < 0]).toEqual([exact > 0n, exact < 0n])
      }),
    )
  })
})
