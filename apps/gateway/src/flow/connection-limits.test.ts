import { expect, test } from 'vitest'
import { ConnectionLimits } from './connection-limits.ts'

test('places are counted for each tunnel and in all, and come back once', () => {
  const limits = new ConnectionLimits({ perTunnel: 2, total: 3 })
  const first = limits.take('a')
  expect(limits.take('a')).not.toBeNull()
  expect(limits.take('a')).toBeNull()
  expect(limits.take('b')).not.toBeNull()
  expect(limits.take('b')).toBeNull()
  expect(limits.total).toBe(3)
  first?.()
  first?.()
  expect(limits.total).toBe(2)
  expect(limits.take('b')).not.toBeNull()
  expect(limits.take('a')).toBeNull()
})
