import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SYNTHETIC_BLOCK } from '@culvert/esp'
import { type AddressHolder, MOST_SYNTHETIC_ADDRESSES, SyntheticAddresses } from './synthetic-addresses.ts'

const [FIRST, SECOND, THIRD] = [SYNTHETIC_BLOCK + 1, SYNTHETIC_BLOCK + 2, SYNTHETIC_BLOCK + 3]

let names = 0
/** Another host each time. */
const someone = (group = 'a'): AddressHolder => ({ name: `host ${++names}`, group })

test('gives unused addresses first, then the one that has rested longest', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 3, share: 3 })
  expect([addresses.allocate(someone(), 0), addresses.allocate(someone(), 0)]).toEqual([FIRST, SECOND])
  addresses.free(SECOND, 10)
  addresses.free(FIRST, 20)
  expect(addresses.allocate(someone(), 5000)).toBe(THIRD)
  expect([
    addresses.allocate(someone(), 5000),
    addresses.allocate(someone(), 5000),
    addresses.allocate(someone(), 5000),
  ]).toEqual([SECOND, FIRST, null])
})

test('a freed address rests for its quarantine', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 1 })
  addresses.allocate(someone(), 0)
  addresses.free(FIRST, 500)
  expect([addresses.size, addresses.allocate(someone(), 1499), addresses.allocate(someone(), 1500)]).toEqual([
    0,
    null,
    FIRST,
  ])
})

test('freeing twice, or what was never given out, changes nothing', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 0, capacity: 2, share: 2 })
  addresses.allocate(someone(), 0)
  for (const address of [FIRST, FIRST, SECOND, SYNTHETIC_BLOCK, 0, -1, 1.5, Number.NaN]) addresses.free(address, 0)
  expect([
    addresses.allocate(someone(), 1),
    addresses.allocate(someone(), 1),
    addresses.allocate(someone(), 1),
  ]).toEqual([SECOND, FIRST, null])
})

test('an address of an earlier life is reserved, and then neither given out nor reserved again', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 3, share: 3 })
  expect([addresses.reserve(SECOND, someone()), addresses.reserve(SECOND, someone())]).toEqual([true, false])
  expect([addresses.reserve(SYNTHETIC_BLOCK, someone()), addresses.reserve(SYNTHETIC_BLOCK + 4, someone())]).toEqual([
    false,
    false,
  ])
  expect([
    addresses.allocate(someone(), 0),
    addresses.allocate(someone(), 0),
    addresses.allocate(someone(), 0),
  ]).toEqual([FIRST, THIRD, null])
  addresses.free(SECOND, 0)
  expect(addresses.reserve(SECOND, someone())).toBe(false) // it rests
})

test('gives the address that rests back to the host it was, at once, and to nobody else', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 2, share: 2 })
  const [one, other] = [someone(), someone()]
  expect([addresses.allocate(one, 0), addresses.allocate(other, 0)]).toEqual([FIRST, SECOND])
  addresses.free(FIRST, 10)
  addresses.free(SECOND, 10)
  expect([addresses.allocate(someone(), 20), addresses.allocate(other, 20)]).toEqual([null, SECOND])
  expect([addresses.allocate(other, 20), addresses.allocate(one, 20)]).toEqual([null, FIRST])
})

test('no group has more than its share, and what rests counts to it', () => {
  const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 16 })
  const take = (group: string, nowMs: number): number | null => addresses.allocate(someone(group), nowMs)
  expect([take('a', 0), take('a', 0), take('a', 0)]).toEqual([FIRST, SECOND, null])
  expect(take('b', 0)).toBe(THIRD)
  addresses.free(FIRST, 100)
  expect([take('a', 1099), take('b', 1099)]).toEqual([null, SYNTHETIC_BLOCK + 4])
  expect([take('a', 1100), take('a', 1100)]).toEqual([SYNTHETIC_BLOCK + 5, null])
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
      const addresses = new SyntheticAddresses({ quarantineMs: 1000, capacity: 8, share: 8 })
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
        const address = addresses.allocate(someone(), nowMs)
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
