import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SYNTHETIC_BLOCK } from '@culvert/esp'
import { MOST_SYNTHETIC_ADDRESSES, SyntheticAddresses } from './synthetic-addresses.ts'

const [FIRST, SECOND, THIRD] = [SYNTHETIC_BLOCK + 1, SYNTHETIC_BLOCK + 2, SYNTHETIC_BLOCK + 3]

test('gives unused addresses first, then the one that has rested longest', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 3 })
  expect([addresses.allocate(0), addresses.allocate(0)]).toEqual([FIRST, SECOND])
  addresses.free(SECOND, 10)
  addresses.free(FIRST, 20)
  expect(addresses.allocate(5000)).toBe(THIRD)
  expect([addresses.allocate(5000), addresses.allocate(5000), addresses.allocate(5000)]).toEqual([SECOND, FIRST, null])
})

test('a freed address rests for its quarantine', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 1 })
  addresses.allocate(0)
  addresses.free(FIRST, 500)
  expect([addresses.size, addresses.allocate(1499), addresses.allocate(1500)]).toEqual([0, null, FIRST])
})

test('freeing twice, or what was never given out, changes nothing', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 0, capacity: 2 })
  addresses.allocate(0)
  for (const address of [FIRST, FIRST, SECOND, SYNTHETIC_BLOCK, 0, -1, 1.5, Number.NaN]) addresses.free(address, 0)
  expect([addresses.allocate(1), addresses.allocate(1), addresses.allocate(1)]).toEqual([SECOND, FIRST, null])
})

test('an address of an earlier life is reserved, and then neither given out nor reserved again', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 3 })
  expect([addresses.reserve(SECOND), addresses.reserve(SECOND)]).toEqual([true, false])
  expect([addresses.reserve(SYNTHETIC_BLOCK), addresses.reserve(SYNTHETIC_BLOCK + 4)]).toEqual([false, false])
  expect([addresses.allocate(0), addresses.allocate(0), addresses.allocate(0)]).toEqual([FIRST, THIRD, null])
  addresses.free(SECOND, 0)
  expect(addresses.reserve(SECOND)).toBe(false) // it rests
})

test('refuses a capacity that the block does not hold', () => {
  for (const capacity of [0, MOST_SYNTHETIC_ADDRESSES + 1]) {
    expect(() => new SyntheticAddresses({ quarantineMs: 0, capacity })).toThrow(RangeError)
  }
})

test('never gives out what is in use or rests, and never more than its capacity', () => {
  const step = fc.record({ isFree: fc.boolean(), at: fc.nat({ max: 9 }), afterMs: fc.nat({ max: 400 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 8 })
      const inUse: number[] = []
      const freedAtMs = new Map<number, number>()
      let nowMs = 0
      for (const { isFree, at, afterMs } of steps) {
        nowMs += afterMs
        if (isFree) {
          const [address] = inUse.splice(at % Math.max(1, inUse.length), 1)
          if (address === undefined) continue
          addresses.free(address, nowMs)
          freedAtMs.set(address, nowMs)
          continue
        }
        const address = addresses.allocate(nowMs)
        const isAnyReady = [...freedAtMs].some(([held, freed]) => !inUse.includes(held) && nowMs - freed >= 1000)
        if (address === null) {
          expect(new Set([...inUse, ...freedAtMs.keys()]).size === 8 && !isAnyReady).toBe(true)
          continue
        }
        expect(inUse).not.toContain(address)
        expect(nowMs - (freedAtMs.get(address) ?? -1000)).toBeGreaterThanOrEqual(1000)
        inUse.push(address)
      }
      expect(addresses.size).toBe(inUse.length)
    }),
  )
})
