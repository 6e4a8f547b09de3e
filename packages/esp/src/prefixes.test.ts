import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prefixesOfRange, wordMask } from './prefixes.ts'

describe('prefixes of a range', () => {
  it('cover every address of the range once and nothing else', () => {
    const address = fc.integer({ min: 0, max: 0xffffffff })
    fc.assert(
      fc.property(address, address, (a, b) => {
        const [start, end] = a <= b ? [a, b] : [b, a]
        const prefixes = prefixesOfRange(Uint32Array.of(start), Uint32Array.of(end))
        let next = start
        for (const { words, lengthBits } of prefixes) {
          expect(words[0]).toBe(next)
          expect((next & wordMask(lengthBits)) >>> 0).toBe(next)
          next += 2 ** (32 - lengthBits)
        }
        expect(next).toBe(end + 1)
        expect(prefixes.length).toBeLessThanOrEqual(62)
      }),
    )
  })

  it('make one prefix of everything, of one address and of one aligned block', () => {
    const sizes = (start: number[], end: number[]): number[] =>
      prefixesOfRange(Uint32Array.from(start), Uint32Array.from(end)).map(({ lengthBits }) => lengthBits)
    expect(sizes([0], [0xffffffff])).toEqual([0])
    expect(sizes([0xffffffff], [0xffffffff])).toEqual([32])
    expect(sizes([0x0a000000], [0x0affffff])).toEqual([8])
    expect(sizes([0, 0, 0, 0], [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff])).toEqual([0])
    expect(sizes([1, 0, 0, 0], [1, 0, 0xffffffff, 0xffffffff])).toEqual([64])
    expect(sizes([1, 0, 0, 5], [1, 0, 0, 6])).toEqual([128, 128])
  })

  it('are none when start is above end', () => {
    expect(prefixesOfRange(Uint32Array.of(5), Uint32Array.of(4))).toEqual([])
  })
})
