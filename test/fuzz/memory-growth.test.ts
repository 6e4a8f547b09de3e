import { expect, it } from 'vitest'
import { memoryGrowth } from './memory-growth.ts'

const MEGABYTE = 1_000_000
const batches = (count: number, bytes: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => bytes(index))

it('is 1 where every collection leaves the same', () => {
  expect(memoryGrowth(batches(100, () => 27 * MEGABYTE))).toBe(1)
})

it('does not take for growth what one collection left and the next did not', () => {
  const uneven = batches(100, (index) => (index % 4 === 3 ? 31 : 27) * MEGABYTE)
  expect(uneven.at(-1)! / uneven[4]!).toBeGreaterThan(1.1)
  expect(memoryGrowth(uneven)).toBe(1)
})

it('sees what stays of every batch, under the same unevenness', () => {
  const leaking = batches(100, (index) => (index % 4 === 3 ? 31 : 27) * MEGABYTE + index * 30_000)
  expect(memoryGrowth(leaking)).toBeGreaterThan(1.05)
})

it('leaves out the batches in which the engine compiles', () => {
  expect(memoryGrowth([10, 20, 24, 26, 26, ...batches(15, () => 27)])).toBe(1)
})

it('cannot tell from a few batches', () => {
  expect(memoryGrowth([])).toBe(1)
  expect(memoryGrowth(batches(11, (index) => 10 * index))).toBe(1)
})
