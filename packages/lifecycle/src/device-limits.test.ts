import { expect, it } from 'vitest'
import { periodOf, remainingBytes } from './device-limits.ts'

it('leaves what was not used of a quota, never less than nothing', () => {
  expect(remainingBytes({ bytes: 100, period: 'day' }, 30)).toBe(70)
  expect(remainingBytes({ bytes: 100, period: 'day' }, 130)).toBe(0)
  expect(remainingBytes(null, 130)).toBeNull()
})

it('begins days and months at midnight UTC', () => {
  const [late, early] = [new Date('2026-11-30T23:59:59.999Z'), new Date('2026-12-01T00:00:00Z')]
  expect([periodOf('day', late), periodOf('day', early)]).toEqual(['2026-11-30', '2026-12-01'])
  expect([periodOf('month', late), periodOf('month', early)]).toEqual(['2026-11', '2026-12'])
  expect(periodOf('total', late)).toBe(periodOf('total', early))
})
