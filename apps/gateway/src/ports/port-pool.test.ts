import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PortPool } from './port-pool.ts'

const range = { from: 100, to: 109 }
const first = (): number => 0

test('every port of the range is offered once', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (numbers) => {
      const pool = new PortPool(range, (below) => Math.floor((numbers.next().value ?? 0) * below))
      const offered = [...pool.candidates(0)]
      expect(offered.toSorted((a, b) => a - b)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109])
    }),
  )
})

test('ports that are held or rest are not offered', () => {
  const pool = new PortPool(range, first)
  for (let port = 100; port < 108; port++) pool.hold(port)
  pool.quarantine(108, 50)
  expect([...pool.candidates(49)]).toEqual([109])
  expect(new Set(pool.candidates(50))).toEqual(new Set([108, 109]))
  pool.release(100)
  expect([...pool.candidates(0)]).toContain(100)
})

test('a port that is taken while candidates are tried is passed over', () => {
  const pool = new PortPool(range, first)
  const candidates = pool.candidates(0)
  const one = candidates.next().value ?? 0
  pool.hold(one)
  const other = new PortPool(range, first)
  other.hold(one)
  expect([...candidates]).not.toContain(one)
  expect(pool.isFree(one, 0)).toBe(false)
})

test('a former holder may take its port out of quarantine', () => {
  const pool = new PortPool(range, first)
  pool.quarantine(100, 1_000)
  expect(pool.isFree(100, 0)).toBe(false)
  pool.hold(100)
  pool.release(100)
  expect(pool.isFree(100, 0)).toBe(true)
})

test('a port outside the range can be held but is never offered', () => {
  const pool = new PortPool(range, first)
  pool.hold(5_000)
  pool.release(5_000)
  expect([...pool.candidates(0)]).not.toContain(5_000)
})
