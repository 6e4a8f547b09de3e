import { createLogger, type Logger } from '@culvert/observability'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Passes } from './passes.ts'

const silent = createLogger('worker', 'silent')

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('follows a pass with the next after a pause of its own, whatever came of it', async () => {
  let count = 0
  const errors: string[] = []
  const logger = { error: (_fields: object, text: string) => void errors.push(text) } as unknown as Logger
  const pass = (): Promise<void> => (++count === 1 ? Promise.reject(new Error('a bug')) : Promise.resolve())
  const passes = new Passes({ logger, intervalMs: 1_000, pass, failed: 'it is repeated' })

  await vi.advanceTimersByTimeAsync(749)
  expect(count).toBe(0)
  await vi.advanceTimersByTimeAsync(251)
  expect(count).toBe(1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(count).toBeGreaterThan(1)
  expect(errors).toEqual(['it is repeated'])
  await passes.close()
})

it('leaves a database that is away to others to tell', async () => {
  let count = 0
  const logger = { error: () => expect.unreachable() } as unknown as Logger
  const pass = (): Promise<void> => (count++, Promise.reject(Object.assign(new Error(), { code: 'ECONNREFUSED' })))
  const passes = new Passes({ logger, intervalMs: 10, pass, failed: '' })
  await vi.advanceTimersByTimeAsync(100)
  expect(count).toBeGreaterThan(1)
  await passes.close()
})

it('closes when the pass at hand is over, and begins no other', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let count = 0
  const pass = (): Promise<void> => (count++, promise)
  const passes = new Passes({ logger: silent, intervalMs: 10, pass, failed: '' })
  await vi.advanceTimersByTimeAsync(10)
  let isOver = false
  const closing = passes.close().then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(100)
  expect([passes.isClosed, isOver]).toEqual([true, false])
  resolve()
  await closing
  await vi.advanceTimersByTimeAsync(100)
  expect(count).toBe(1)
})
