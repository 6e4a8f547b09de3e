import { expect, test } from 'vitest'
import { ConnectionLimits } from './connection-limits.ts'

const of = (tunnelId: string, organizationId = tunnelId): { tunnelId: string; organizationId: string } => ({
  tunnelId,
  organizationId,
})

test('places are counted for each tunnel and in all, and come back once', () => {
  const limits = new ConnectionLimits({ perTunnel: 2, total: 3 })
  const first = limits.take(of('a'))
  expect(limits.take(of('a'))).not.toBeNull()
  expect(limits.take(of('a'))).toBeNull()
  expect(limits.take(of('b'))).not.toBeNull()
  expect(limits.take(of('b'))).toBeNull()
  expect(limits.total).toBe(3)
  first?.()
  first?.()
  expect(limits.total).toBe(2)
  expect(limits.take(of('b'))).not.toBeNull()
  expect(limits.take(of('a'))).toBeNull()
})

test('an organization with many tunnels leaves places for the others, and gets its own back', () => {
  const limits = new ConnectionLimits({ perTunnel: 10, total: 100 })
  const taken: (() => void)[] = []
  for (let count = 0; count < 200; count++) {
    const release = limits.take(of(`greedy-${count}`, 'greedy'))
    if (release) taken.push(release)
  }
  expect(taken).toHaveLength(80)
  for (let count = 0; count < 10; count++) expect(limits.take(of('modest'))).not.toBeNull()
  expect(limits.take(of('greedy-x', 'greedy'))).toBeNull()
  for (const release of taken) release()
  expect(limits.total).toBe(10)
  expect(limits.take(of('greedy-x', 'greedy'))).not.toBeNull()
})
