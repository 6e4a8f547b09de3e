import { expect, test } from 'vitest'
import { createTokenBucket, hasToken, takeToken } from './token-bucket.ts'

test('N27 a budget is spent and comes back with time, never above its capacity', () => {
  const bucket = createTokenBucket(2, 100, 0)
  const takeAt = (...times: number[]): boolean[] => times.map((nowMs) => takeToken(bucket, nowMs))
  expect(takeAt(0, 0, 0)).toEqual([true, true, false])
  expect(takeAt(99, 100, 101)).toEqual([false, true, false])
  expect(takeAt(10_000, 10_000, 10_000)).toEqual([true, true, false])
})

test('asking for the budget takes nothing of it', () => {
  const bucket = createTokenBucket(1, 100, 0)
  expect([hasToken(bucket, 0), hasToken(bucket, 0), takeToken(bucket, 0), hasToken(bucket, 99)]).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect(hasToken(bucket, 100)).toBe(true)
})
