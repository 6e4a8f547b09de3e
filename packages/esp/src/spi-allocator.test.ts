import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SpiAllocator } from './spi-allocator.ts'
import { composeSpi, SPI_INDEX_COUNT, spiGeneration, spiIndex, spiSlot } from './spi.ts'

describe('SPI layout', () => {
  it('holds slot, index and generation', () => {
    const slot = fc.integer({ min: 1, max: 255 })
    const index = fc.integer({ min: 0, max: SPI_INDEX_COUNT - 1 })
    const generation = fc.integer({ min: 0, max: 127 })
    fc.assert(
      fc.property(slot, index, generation, (s, i, g) => {
        const spi = composeSpi(s, i, g)
        expect([spiSlot(spi), spiIndex(spi), spiGeneration(spi)]).toEqual([s, i, g])
        expect(spi).toBeGreaterThan(255)
        expect(spi).toBeLessThanOrEqual(0xffffffff)
      }),
    )
  })
})

describe('SPI allocator', () => {
  it('never hands out an SPI that is in use, and gives null when all are', () => {
    const allocator = new SpiAllocator(3, 10)
    const spis = Array.from({ length: 10 }, () => allocator.allocate())
    expect(new Set(spis).size).toBe(10)
    expect(allocator.allocate()).toBeNull()
    expect(allocator.size).toBe(10)
  })

  it('reuses a freed index last, with the next generation', () => {
    const allocator = new SpiAllocator(3, 3)
    const first = allocator.allocate()!
    allocator.free(first)
    const later = [allocator.allocate()!, allocator.allocate()!, allocator.allocate()!]
    expect(later.map(spiIndex)).toEqual([1, 2, 0])
    expect(spiGeneration(later[2]!)).toBe(1)
  })

  it('wraps the generation after 128 uses of an index', () => {
    const allocator = new SpiAllocator(3, 1, 127)
    const first = allocator.allocate()!
    allocator.free(first)
    expect([spiGeneration(first), spiGeneration(allocator.allocate()!)]).toEqual([127, 0])
  })

  it('frees an SPI once', () => {
    const allocator = new SpiAllocator(3, 2)
    const spi = allocator.allocate()!
    expect([allocator.free(spi), allocator.free(spi)]).toEqual([true, false])
    expect(allocator.size).toBe(0)
    const spis = [allocator.allocate(), allocator.allocate()]
    expect(new Set(spis).size).toBe(2)
    expect(allocator.allocate()).toBeNull()
  })

  it('reserves the SPI of a resumed SA and does not hand out its index', () => {
    const allocator = new SpiAllocator(3, 4)
    expect(allocator.reserve(composeSpi(3, 1, 77))).toBe(true)
    expect(allocator.reserve(composeSpi(3, 1, 78))).toBe(false)
    expect(allocator.reserve(composeSpi(4, 2, 0))).toBe(false)
    expect(allocator.reserve(composeSpi(3, 4, 0))).toBe(false)
    const spis = [allocator.allocate()!, allocator.allocate()!, allocator.allocate()!]
    expect(spis.map(spiIndex)).toEqual([0, 2, 3])
    expect(allocator.allocate()).toBeNull()
    allocator.free(composeSpi(3, 1, 77))
    expect(allocator.allocate()).toBe(composeSpi(3, 1, 78))
  })

  it('loses no index when a reserved one is freed while it still waits in the queue', () => {
    const allocator = new SpiAllocator(3, 4)
    for (const index of [2, 2, 1]) {
      const spi = composeSpi(3, index, 50)
      expect([allocator.reserve(spi), allocator.free(spi)]).toEqual([true, true])
    }
    const spis = Array.from({ length: 5 }, () => allocator.allocate())
    expect(spis.map((spi) => (spi === null ? null : spiIndex(spi)))).toEqual([0, 1, 2, 3, null])
  })

  it('agrees with a set of SPIs in use under any order of calls', () => {
    const call = fc.record({
      kind: fc.constantFrom('allocate', 'free', 'reserve'),
      index: fc.nat(9),
      generation: fc.nat(127),
    })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 120 }), (calls) => {
        const allocator = new SpiAllocator(1, 8)
        const used = new Map<number, ReturnType<typeof composeSpi>>()
        for (const { kind, index, generation } of calls) {
          const wanted = composeSpi(1, index, generation)
          const step = {
            allocate: () => {
              const spi = allocator.allocate()
              const isRight = spi === null ? used.size === 8 : !used.has(spiIndex(spi))
              if (spi !== null) used.set(spiIndex(spi), spi)
              return isRight
            },
            free: () => {
              const spi = used.get(index) ?? wanted
              return allocator.free(spi) === used.delete(index)
            },
            reserve: () => {
              const isFree = index < 8 && !used.has(index)
              if (isFree) used.set(index, wanted)
              return allocator.reserve(wanted) === isFree
            },
          }[kind]
          expect(step?.()).toBe(true)
          expect(allocator.size).toBe(used.size)
        }
      }),
    )
  })
})
