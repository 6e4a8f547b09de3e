import { composeSpi } from '@culvert/esp'
import { expect, it } from 'vitest'
import { ToldLimits } from './told-limits.ts'

const [A, B] = [composeSpi(1, 0, 0), composeSpi(1, 1, 0)]

it('C66 each limit is told once, the soft one first, whichever thread is heard first', () => {
  const told: string[] = []
  const limits = new ToldLimits({
    onSoftLimit: (spi) => told.push(`soft ${spi}`),
    onHardLimit: (spi) => told.push(`hard ${spi}`),
  })
  limits.hard(A)
  limits.soft(A)
  limits.soft(B)
  limits.hard(A)
  limits.hard(B)
  expect(told).toEqual([`soft ${A}`, `hard ${A}`, `soft ${B}`, `hard ${B}`])
  limits.forget(A)
  limits.soft(A)
  expect(told).toHaveLength(5)
})
