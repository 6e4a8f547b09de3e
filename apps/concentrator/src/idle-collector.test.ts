import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startIdleCollector } from './idle-collector.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('collects once when a crowd has come and nobody comes any more', () => {
  const collect = vi.fn()
  const collector = startIdleCollector(collect)
  for (let device = 0; device < 600; device += 1) collector.noteChange()
  vi.advanceTimersByTime(5_000)
  expect(collect).not.toHaveBeenCalled()
  vi.advanceTimersByTime(5_000)
  expect(collect).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(60_000)
  expect(collect).toHaveBeenCalledTimes(1)
  collector.stop()
})

it('does not stop a node to which devices keep coming, nor for a few of them', () => {
  const collect = vi.fn()
  const collector = startIdleCollector(collect)
  for (let device = 0; device < 100; device += 1) collector.noteChange()
  vi.advanceTimersByTime(60_000)
  for (let second = 0; second < 600; second += 1) {
    collector.noteChange()
    vi.advanceTimersByTime(1_000)
  }
  expect(collect).not.toHaveBeenCalled()
  collector.stop()
})

it('asks the real collector', () => {
  vi.useRealTimers()
  const before = process.memoryUsage().heapUsed
  vi.useFakeTimers()
  const collector = startIdleCollector()
  for (let device = 0; device < 500; device += 1) collector.noteChange()
  let garbage: number[][] | null = Array.from({ length: 200 }, () =>
    Array.from({ length: 10_000 }, (_, index) => index),
  )
  expect(garbage).toHaveLength(200)
  garbage = null
  vi.advanceTimersByTime(10_000)
  expect(process.memoryUsage().heapUsed).toBeLessThan(before + 16_000_000)
  collector.stop()
})
