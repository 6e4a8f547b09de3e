import { expect, test } from 'vitest'
import { Budgets } from './budgets.ts'
import { sourceName } from './source.ts'

const LIMITS = { burst: 2, refillMs: 100, names: 3 }

test('each name has a budget of its own, which refills', () => {
  const budgets = new Budgets(LIMITS)
  expect([budgets.take('a', 0), budgets.take('a', 0), budgets.take('a', 0)]).toEqual([true, true, false])
  expect([budgets.has('a', 0), budgets.has('b', 0), budgets.take('b', 0)]).toEqual([false, true, true])
  expect([budgets.has('a', 100), budgets.take('a', 100), budgets.take('a', 100)]).toEqual([true, true, false])
})

test('only the names charged last are remembered', () => {
  const budgets = new Budgets(LIMITS)
  for (const name of ['a', 'a', 'b', 'c', 'd']) budgets.take(name, 0)
  expect(budgets.size).toBe(3)
  expect(budgets.has('a', 0)).toBe(true)
})

test('what is given back is there again, and a name with its whole budget is forgotten', () => {
  const budgets = new Budgets(LIMITS)
  for (const name of ['a', 'a', 'b']) budgets.take(name, 0)
  for (const name of ['a', 'b', 'c']) budgets.giveBack(name)
  expect(budgets.size).toBe(1)
  expect([budgets.take('a', 0), budgets.take('a', 0), budgets.take('b', 0)]).toEqual([true, false, true])
})

test('a source is an IPv4 /24 or an IPv6 /48', () => {
  expect(sourceName('198.51.100.1')).toBe(sourceName('198.51.100.254'))
  expect(sourceName('198.51.100.1')).not.toBe(sourceName('198.51.101.1'))
  expect(sourceName('2001:db8:1::1')).toBe(sourceName('2001:db8:1:ffff::2'))
  expect(sourceName('2001:db8:1::1')).not.toBe(sourceName('2001:db8:2::1'))
})
