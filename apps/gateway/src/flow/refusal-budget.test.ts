import { expect, test } from 'vitest'
import { RefusalBudget } from './refusal-budget.ts'

test('each port has its share of a minute, and all together have theirs', () => {
  const budget = new RefusalBudget({ perPort: 2, total: 3 })
  expect(['a', 'a', 'a', 'b', 'b', 'c'].map((port) => budget.take(port, 0))).toEqual([
    true,
    true,
    false,
    true,
    false,
    false,
  ])
  expect(budget.takeSuppressed()).toBe(3)
  expect(budget.takeSuppressed()).toBe(0)
})

test('a new minute begins a new count', () => {
  const budget = new RefusalBudget({ perPort: 1, total: 1 })
  expect(budget.take('a', 0)).toBe(true)
  expect(budget.take('a', 59_999)).toBe(false)
  expect(budget.take('a', 60_000)).toBe(true)
})
