import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { DropCode } from './drop-code.ts'
import {
  Direction,
  SubjectPolicies,
  type SubjectPolicy,
  subjectPolicyBytes,
  UNLIMITED_POLICY,
} from './subject-policies.ts'

const A = 1
const B = 2

function open(told: number[] = []): SubjectPolicies {
  return new SubjectPolicies(new ArrayBuffer(subjectPolicyBytes(4)), (subject) => void told.push(subject))
}

function policy(part: Partial<SubjectPolicy>): SubjectPolicy {
  return { ...UNLIMITED_POLICY, ...part }
}

/** @returns how many of `count` packets passed */
function passed(policies: SubjectPolicies, direction: Direction, bytes: number, count: number, subject = A): number {
  let admitted = 0
  for (let i = 0; i < count; i++) {
    if (policies.admit(subject, direction, bytes) === DropCode.none) admitted++
  }
  return admitted
}

it('lets everything pass that has no limit, and counts it', () => {
  const policies = open()
  expect(passed(policies, Direction.in, 1000, 500)).toBe(500)
  policies.set(A, policy({}))
  expect(passed(policies, Direction.out, 10, 1)).toBe(1)
  expect([policies.usedBytes(A), policies.usedBytes(B)]).toEqual([500_010, 0])
})

it('passes a burst of octets, then what the rate gives, in each direction for itself', () => {
  const policies = open()
  const rateIn = { bytes: { perSec: 10_000, burst: 5000 }, packets: null }
  policies.set(A, policy({ rateIn }))
  expect(passed(policies, Direction.in, 1000, 9)).toBe(5)
  policies.nowMs += 250
  expect(passed(policies, Direction.in, 1000, 9)).toBe(2)
  policies.nowMs += 60_000
  expect(passed(policies, Direction.in, 1000, 9)).toBe(5)
  expect(policies.admit(A, Direction.in, 1)).toBe(DropCode.rateLimited)
  expect(passed(policies, Direction.out, 1000, 9)).toBe(9)
  expect(passed(policies, Direction.in, 1000, 9, B)).toBe(9)
})

it('passes a whole burst and no packet more, however long the clock has run', () => {
  const uptimeMs = fc.double({ min: 0, max: 4e10, noNaN: true })
  const perSec = fc.constantFrom(1e-6, 0.001, 1 / 3, 7, 1000)
  fc.assert(
    fc.property(uptimeMs, perSec, fc.integer({ min: 1, max: 20 }), (nowMs, rate, burst) => {
      const policies = open()
      policies.nowMs = nowMs
      policies.set(A, policy({ rateIn: { bytes: null, packets: { perSec: rate, burst } } }))
      expect(passed(policies, Direction.in, 100, 25)).toBe(burst)
    }),
  )
})

it('counts packets as well as octets, and takes from neither bucket what the other refused', () => {
  const policies = open()
  const rateOut = { bytes: { perSec: 1000, burst: 1000 }, packets: { perSec: 10, burst: 3 } }
  policies.set(A, policy({ rateOut }))
  expect(passed(policies, Direction.out, 1001, 9)).toBe(0) // longer than the burst
  expect(passed(policies, Direction.out, 1, 9)).toBe(3)
  policies.nowMs += 100
  expect(passed(policies, Direction.out, 1, 9)).toBe(1)
})

it('keeps the level of a bucket when the same rate is set again, and fills it for another', () => {
  const policies = open()
  const withBurst = (burst: number): SubjectPolicy =>
    policy({ rateIn: { bytes: { perSec: 1000, burst }, packets: null } })
  policies.set(A, withBurst(3))
  expect(passed(policies, Direction.in, 1, 9)).toBe(3)
  policies.set(A, withBurst(3))
  expect(passed(policies, Direction.in, 1, 9)).toBe(0)
  policies.set(A, withBurst(4))
  expect(passed(policies, Direction.in, 1, 9)).toBe(4)
})

it('stops both directions when the quota is used up, tells it once a minute at most, and goes on with a new one', () => {
  const told: number[] = []
  const policies = open(told)
  passed(policies, Direction.in, 700, 1)
  policies.set(A, policy({ quotaBytes: 1000 }))
  expect(passed(policies, Direction.in, 600, 1)).toBe(1)
  expect(policies.admit(A, Direction.out, 401)).toBe(DropCode.quotaExceeded)
  expect(policies.admit(A, Direction.out, 400)).toBe(DropCode.none)
  expect([policies.admit(A, Direction.in, 1), policies.admit(A, Direction.out, 1)]).toEqual([
    DropCode.quotaExceeded,
    DropCode.quotaExceeded,
  ])
  expect([told, policies.usedBytes(A)]).toEqual([[A], 1700])
  policies.nowMs += 60_000
  policies.admit(A, Direction.in, 1)
  expect(told).toEqual([A, A])
  policies.set(A, policy({ quotaBytes: 5 }))
  expect(passed(policies, Direction.in, 1, 9)).toBe(5)
  policies.set(A, policy({}))
  expect(passed(policies, Direction.in, 1, 9)).toBe(9)
})

it('takes nothing from a quota for a packet that the rate refused, nor the other way round', () => {
  const policies = open()
  policies.set(A, policy({ quotaBytes: 10, rateIn: { bytes: null, packets: { perSec: 1, burst: 2 } } }))
  expect(passed(policies, Direction.in, 1, 9)).toBe(2)
  expect(policies.usedBytes(A)).toBe(2)
  policies.nowMs += 1000
  expect(policies.admit(A, Direction.in, 9)).toBe(DropCode.quotaExceeded)
  expect(policies.admit(A, Direction.in, 8)).toBe(DropCode.none)
})

it('pairs two subjects of one group where both may reach it, and nobody else', () => {
  const policies = open()
  policies.set(A, policy({ group: 7, mayReachGroup: true }))
  const cases: [Partial<SubjectPolicy>, boolean][] = [
    [{ group: 7, mayReachGroup: true }, true],
    [{ group: 8, mayReachGroup: true }, false],
    [{ group: 7, mayReachGroup: false }, false],
    [{ group: 0, mayReachGroup: true }, false],
  ]
  for (const [part, isPair] of cases) {
    policies.set(B, policy(part))
    expect([policies.mayPair(A, B), policies.mayPair(B, A)]).toEqual([isPair, isPair])
  }
  policies.set(3, policy({ group: 0, mayReachGroup: true }))
  policies.set(B, policy({ group: 0, mayReachGroup: true }))
  expect([policies.mayPair(B, 3), policies.mayPair(A, A), policies.mayPair(A, 4)]).toEqual([false, false, false])
})

it('forgets everything of a subject that is removed, and nothing of its neighbours', () => {
  const policies = open()
  const all = policy({ group: 7, mayReachGroup: true, quotaBytes: 0 })
  for (const subject of [A, B, 3]) policies.set(subject, all)
  policies.remove(B)
  expect([A, B, 3].map((subject) => passed(policies, Direction.in, 1, 1, subject))).toEqual([0, 1, 0])
  expect([policies.mayPair(A, 3), policies.mayPair(A, B)]).toEqual([true, false])
})

it('ignores subjects that it has no line for', () => {
  const policies = open()
  for (const subject of [0, -1, 5, 1.5, Number.NaN]) {
    policies.set(subject, policy({ quotaBytes: 0 }))
    policies.remove(subject)
  }
  expect([A, B, 3, 4].map((subject) => passed(policies, Direction.in, 1, 1, subject))).toEqual([1, 1, 1, 1])
})

it('acts through shared memory on another thread’s instance', () => {
  const memory = new SharedArrayBuffer(subjectPolicyBytes(4))
  const [owner, worker] = [new SubjectPolicies(memory), new SubjectPolicies(memory)]
  owner.set(A, policy({ quotaBytes: 3 }))
  expect(passed(worker, Direction.in, 1, 9)).toBe(3)
  expect(owner.usedBytes(A)).toBe(3)
})

it('counts what all threads let pass, and holds them together to one quota', () => {
  const memory = new SharedArrayBuffer(subjectPolicyBytes(4, 3))
  const instanceOf = (thread: number): SubjectPolicies => new SubjectPolicies(memory, () => {}, { threads: 3, thread })
  const [owner, ...workers] = [instanceOf(0), instanceOf(0), instanceOf(1), instanceOf(2)]
  expect(owner!.maxSubjects).toBe(4)
  for (const worker of workers) worker.admit(A, Direction.in, 100)
  expect([owner!.usedBytes(A), owner!.usedBytes(B)]).toEqual([300, 0])
  owner!.set(A, policy({ quotaBytes: 5 }))
  expect(workers.map((worker) => passed(worker, Direction.out, 1, 2))).toEqual([2, 2, 1])
  owner!.remove(A)
  expect(owner!.usedBytes(A)).toBe(0)
  owner!.set(A, policy({ quotaBytes: 2 }))
  expect(workers.map((worker) => passed(worker, Direction.out, 1, 1))).toEqual([1, 1, 0])
  expect(owner!.usedBytes(A)).toBe(2)
})

it('never lets more pass than burst and rate together, whatever comes when', () => {
  const step = fc.record({ waitMs: fc.integer({ min: 0, max: 300 }), bytes: fc.integer({ min: 1, max: 2000 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const policies = open()
      policies.nowMs = 1e9
      policies.set(A, policy({ rateIn: { bytes: { perSec: 4000, burst: 3000 }, packets: { perSec: 20, burst: 8 } } }))
      let [bytes, packets, elapsedMs] = [0, 0, 0]
      for (const each of steps) {
        elapsedMs += each.waitMs
        policies.nowMs = 1e9 + elapsedMs
        if (policies.admit(A, Direction.in, each.bytes) !== DropCode.none) continue
        bytes += each.bytes
        packets++
        expect(bytes).toBeLessThanOrEqual(3000 + 4 * elapsedMs + 0.01)
        expect(packets).toBeLessThanOrEqual(8 + 0.02 * elapsedMs + 0.01)
      }
    }),
  )
})
