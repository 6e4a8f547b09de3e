import { createLogger } from '@culvert/observability'
import { createDatabase } from '@culvert/testkit'
import { getEventListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { Changes, mostWaiting } from './changes.ts'

let changes: Changes
beforeAll(async () => {
  changes = new Changes(await createDatabase(inject('databaseUrl')), createLogger('api', 'silent'))
})
afterAll(() => changes.close())

function waiting(organizationId: string, signal = new AbortController().signal): Promise<string> {
  const options = { organizationId, id: 'x', timeoutMs: 600_000, signal, done: () => false }
  return changes.until({ ...options, read: async () => 'not yet' })
}

describe('waiting for a change', () => {
  it(`is for ${mostWaiting} calls of an organization: one more is answered at once, one of another organization waits`, async () => {
    const gone = new AbortController()
    const all = Array.from({ length: mostWaiting }, () => waiting('org_a', gone.signal))
    expect(await waiting('org_a')).toBe('not yet')
    const other = new AbortController()
    const outcome = Promise.race([
      waiting('org_b', other.signal).then(() => 'answered'),
      waiting('org_a').then(() => 'waits'),
    ])
    expect(await outcome).toBe('waits')
    other.abort()
    gone.abort()
    await Promise.all(all)
    const again = new AbortController()
    const free = waiting('org_a', again.signal)
    again.abort()
    expect(await free).toBe('not yet')
  })

  it('leaves nothing on the signal of the caller, however often it looks', async () => {
    const { signal } = new AbortController()
    let reads = 0
    let most = 0
    await changes.until({
      organizationId: 'org_a',
      id: 'x',
      timeoutMs: 60_000,
      signal,
      read: async () => {
        most = Math.max(most, getEventListeners(signal, 'abort').length)
        return reads++
      },
      done: (count) => count === 2,
    })
    expect([most, getEventListeners(signal, 'abort').length]).toEqual([0, 0])
  })
})
