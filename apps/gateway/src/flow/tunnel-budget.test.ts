import { finished, Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pacer, TunnelBudget, type TunnelLimits } from './tunnel-budget.ts'

const limits = (part: Partial<TunnelLimits>): TunnelLimits => ({ maxBytes: null, rateLimit: null, ...part })
const ended = promisify(finished)

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

test('octets of both directions count, and the end is told once', () => {
  let told = 0
  const budget = new TunnelBudget(limits({ maxBytes: 100 }), 30, () => told++)
  expect([budget.spend('up', 40, 0), budget.isExhausted, told]).toEqual([0, false, 0])
  expect([budget.spend('down', 30, 0), budget.isExhausted, told]).toEqual([0, true, 1])
  expect([budget.spend('up', 1, 0), told]).toEqual([null, 1])
})

test('a tunnel that has carried all it may is exhausted from the start', () => {
  expect(new TunnelBudget(limits({ maxBytes: 100 }), 100, () => {}).isExhausted).toBe(true)
  expect(new TunnelBudget(limits({}), 1e12, () => {})).toMatchObject({ isExhausted: false, isLimited: false })
})

test('a rate lets a quarter of a second through at once and holds each direction for itself', () => {
  const budget = new TunnelBudget(limits({ rateLimit: { upBytesPerSec: 1000, downBytesPerSec: null } }), 0, () => {})
  expect([budget.spend('up', 250, 5000), budget.spend('up', 100, 5000), budget.spend('up', 100, 5000)]).toEqual([
    0, 100, 200,
  ])
  expect(budget.spend('up', 100, 5300)).toBe(0)
  expect(budget.spend('down', 1e9, 5000)).toBe(0)
})

test('what waits is neither lost nor overtaken, and its sender is not read meanwhile', async () => {
  const budget = new TunnelBudget(limits({ rateLimit: { upBytesPerSec: null, downBytesPerSec: 100_000 } }), 0, () => {})
  const octets = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
  let at = 0
  const source = new Readable({
    read(size) {
      this.push(at < octets.length ? octets.subarray(at, (at += Math.min(size, 16_384))) : null)
    },
  })
  const got: Buffer[] = []
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => (got.push(chunk), done()) })
  source.pipe(new Pacer(budget, 'down')).pipe(sink)
  const end = ended(sink)
  await vi.advanceTimersByTimeAsync(1000)
  expect(at).toBeLessThan(250_000)
  await vi.advanceTimersByTimeAsync(10_000)
  await end
  expect(Buffer.concat(got).equals(octets)).toBe(true)
})

test('nothing passes beyond what the tunnel may carry', async () => {
  const budget = new TunnelBudget(limits({ maxBytes: 10 }), 0, () => {})
  const pacer = new Pacer(budget, 'up')
  pacer.write('0123456789')
  pacer.end('x')
  const got: string[] = []
  pacer.on('data', (chunk: Buffer) => got.push(chunk.toString()))
  await ended(pacer)
  expect(got).toEqual(['0123456789'])
})

test('changed limits act at once, on what was carried before too', () => {
  let told = 0
  const budget = new TunnelBudget(limits({}), 0, () => told++)
  expect(budget.spend('up', 1000, 0)).toBe(0)
  budget.change(limits({ rateLimit: { upBytesPerSec: 1000, downBytesPerSec: null } }), 500)
  expect([budget.isLimited, budget.spend('up', 500, 0)]).toEqual([true, 250])
  budget.change(limits({ maxBytes: 2000 }), 0)
  expect([budget.spend('up', 400, 0), told]).toEqual([0, 0])
  budget.change(limits({ maxBytes: 1900 }), 0)
  expect([budget.isExhausted, told]).toEqual([true, 1])
  budget.change(limits({ maxBytes: 5000 }), 3000)
  expect([budget.isExhausted, told]).toEqual([false, 1])
})
