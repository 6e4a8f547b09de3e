import { expect, it } from 'vitest'
import { createAttachBudget } from './attach-budget.ts'

it('lets a device attach 20 times at once and then every two seconds, whatever others do', () => {
  const budget = createAttachBudget()
  const allowed = (deviceId: string, tries: number, nowMs: number): number =>
    Array.from({ length: tries }, () => budget.take(deviceId, nowMs)).filter(Boolean).length
  expect(allowed('dev_a', 100, 1000)).toBe(20)
  expect(allowed('dev_a', 100, 2999)).toBe(0)
  expect(allowed('dev_a', 100, 3000)).toBe(1)
  expect(allowed('dev_b', 100, 3000)).toBe(20)
  expect(allowed('dev_a', 100, 100_000)).toBe(20)
})

it('remembers only who has used some of it, and at most a hundred thousand of those', () => {
  const budget = createAttachBudget()
  for (let device = 0; device < 1000; device++) budget.take(`dev_${device}`, 0)
  expect(budget.size).toBe(1000)
  budget.take('dev_late', 2001)
  expect(budget.size).toBe(1)
  for (let device = 0; device < 100_001; device++) budget.take(`dev_${device}`, 2001)
  expect(budget.size).toBe(100_000)
})
