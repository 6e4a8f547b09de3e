/** How many requests an endpoint gets at a time, and in which lane, by what it answered. */
import { describe, expect, it } from 'vitest'
import type { Outcome } from './attempt.ts'
import { Turn } from './turn.ts'

const claim = {
  id: 'whe_1',
  organizationId: 'org_1',
  url: 'https://hooks.example.com/',
  maxPerSec: null,
  version: 1,
  throttled: 0,
  failingSince: null,
  warnedAt: null,
  keys: [],
}
const delivery = { id: 'whd_1', organizationId: 'org_1', endpointId: 'whe_1', eventId: 'evt_1', step: 0, event: null }
const again = { kind: 'again', throttle: false, retryAfterSec: null } as const

/** @returns how many begin at once */
function burst(turn: Turn, nowMs = 0): number {
  for (let i = 0; i < 20; i++) turn.queue.push(delivery)
  let begun = 0
  for (; turn.mayStart(nowMs); begun++) turn.started(nowMs)
  turn.sending = 0
  return begun
}
function learn(turn: Turn, verdict: Outcome['verdict'], { status = 204, durationMs = 10, nowMs = 1e12 } = {}) {
  const outcome = { verdict, status, durationMs } as Outcome
  return turn.learn(outcome, { nowMs, slowMs: 1_000, random: 0.5 })
}

it('does not send again what was written while its deliveries were read', () => {
  const turn = new Turn(claim)
  turn.enqueue(delivery)
  turn.queue.length = 0
  turn.loading = true
  turn.written(delivery.id)
  turn.enqueue(delivery)
  expect([turn.queue.length, turn.isIdle]).toEqual([0, false])
  turn.loading = false
  turn.writtenMeanwhile.clear()
  turn.enqueue(delivery)
  expect(turn.queue).toEqual([delivery])
})

it('one that was slow when it was given back begins in the slow lane, until it answers at once', () => {
  expect(new Turn(claim).lane).toBe('fast')
  const turn = new Turn(claim, 'slow')
  expect(turn.lane).toBe('slow')
  learn(turn, { kind: 'delivered' })
  expect(turn.lane).toBe('fast')
})

describe('an endpoint', () => {
  it('gets two requests at once until it has answered one, then eight; four while it is slow, one while it fails', () => {
    const turn = new Turn(claim)
    expect([burst(turn), turn.lane]).toEqual([2, 'fast'])
    learn(turn, { kind: 'delivered' })
    expect([burst(turn), turn.lane]).toEqual([8, 'fast'])
    learn(turn, { kind: 'delivered' }, { durationMs: 3_000 })
    expect([burst(turn), turn.lane]).toEqual([4, 'slow'])
    learn(turn, again, { status: 500 })
    expect([burst(turn), turn.lane]).toEqual([1, 'slow'])
    learn(turn, { kind: 'delivered' })
    expect([burst(turn), turn.lane]).toEqual([8, 'fast'])
  })

  it('that failed before it was taken is slow from the beginning', () => {
    expect(new Turn({ ...claim, failingSince: new Date() }).lane).toBe('slow')
  })

  it('gets no more in a second than it asked for', () => {
    const turn = new Turn({ ...claim, maxPerSec: 20 })
    const begun = Array.from({ length: 10 }, (_, index) => burst(turn, index * 25))
    expect(begun).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0])
  })

  it('that asks for less rests, and is not failing for it', () => {
    const turn = new Turn(claim)
    const { change } = learn(turn, { kind: 'again', throttle: true, retryAfterSec: 30 }, { status: 429 })
    expect(change).toMatchObject({ pauseMs: 30_000, throttled: 1, failingSince: null })
    const next = learn(turn, { kind: 'again', throttle: true, retryAfterSec: null }, { status: 504 })
    expect(next.change).toMatchObject({ pauseMs: 2_000, throttled: 2, failingSince: new Date(1e12) })
  })

  it('that goes on answering is written down once a minute', () => {
    const turn = new Turn(claim)
    const written = [0, 1_000, 59_000, 61_000].map(
      (ms) => learn(turn, { kind: 'delivered' }, { nowMs: 1e12 + ms }).change,
    )
    expect(written.map((change) => change !== null)).toEqual([true, false, false, true])
  })
})
