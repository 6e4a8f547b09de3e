import { Direction, DropCode, SubjectPolicies, subjectPolicyBytes } from '@culvert/esp'
import { NO_USAGE, type DeviceLimits, type Usage } from '@culvert/lifecycle'
import { createLogger } from '@culvert/observability'
import { beforeEach, expect, it } from 'vitest'
import { createDevicePolicies, type DevicePolicies } from './device-policies.ts'

const limits: DeviceLimits = {
  networkId: 'net_a',
  deviceToDevice: false,
  rateLimit: null,
  quota: null,
  usage: NO_USAGE,
}
const daily = (bytes: number): DeviceLimits => ({ ...limits, quota: { bytes, period: 'day' } })

let table: SubjectPolicies
let policies: DevicePolicies
let now: Date
/** What Postgres knows. */
let stored: Map<string, Usage>
let writes: { deviceId: string; bytes: number }[][]
/** Devices whose quota was told to be used up. */
let told: string[]
let isAway: boolean
/** While Postgres writes. */
let onWrite: () => void

beforeEach(() => {
  table = new SubjectPolicies(new ArrayBuffer(subjectPolicyBytes(4)))
  now = new Date('2026-11-30T12:00:00Z')
  stored = new Map()
  writes = []
  told = []
  isAway = false
  onWrite = () => {}
  policies = createDevicePolicies({
    plane: () => ({
      setSubject: (subject, policy) => table.set(subject, policy),
      removeSubject: (subject) => table.remove(subject),
      readSubjects: (subjects) => Promise.resolve(subjects.map((subject) => table.usedBytes(subject))),
    }),
    subjects: { deviceOf: (subject) => ['', 'dev_a', 'dev_b'][subject] },
    write: async (used) => {
      if (isAway) throw new Error('away')
      writes.push([...used])
      onWrite()
      await Promise.resolve()
      for (const { deviceId, bytes } of used) {
        const { day, month, total } = stored.get(deviceId) ?? NO_USAGE
        stored.set(deviceId, { day: day + bytes, month: month + bytes, total: total + bytes })
      }
      return stored
    },
    tell: async (deviceId) => told.push(deviceId) > 0,
    now: () => now,
    log: createLogger('test', 'silent'),
  })
})

const send = (subject: number, bytes: number): DropCode => table.admit(subject, Direction.in, bytes)

it('tells that a quota is used up once in its period, and again for another quota', async () => {
  const exhaust = async (): Promise<void> => {
    policies.exhausted(1)
    await policies.count()
    await new Promise((done) => setImmediate(done))
  }
  policies.admit({ deviceId: 'dev_a', limits: daily(100_000) }, 1, null)
  expect(send(1, 30_000)).toBe(DropCode.none)
  await exhaust() // an old notice: more is left than a packet could have taken
  expect(told).toEqual([])
  expect([send(1, 69_000), send(1, 1500)]).toEqual([DropCode.none, DropCode.quotaExceeded])
  await exhaust()
  await exhaust()
  expect(told).toEqual(['dev_a'])
  policies.update('dev_a', daily(99_500))
  await exhaust()
  expect(told).toEqual(['dev_a', 'dev_a'])
  policies.exhausted(4)
  await exhaust()
  expect(told).toHaveLength(2)
})

it('holds a device to what is left of its quota, and what it used elsewhere counts', async () => {
  policies.admit(
    { deviceId: 'dev_a', limits: { ...daily(1000), usage: { day: 400, month: 400, total: 400 } } },
    1,
    null,
  )
  expect([send(1, 601), send(1, 500)]).toEqual([DropCode.quotaExceeded, DropCode.none])
  stored.set('dev_a', { day: 450, month: 450, total: 450 }) // 50 more on another node
  await policies.count()
  expect(writes).toEqual([[{ deviceId: 'dev_a', bytes: 500 }]])
  expect([send(1, 51), send(1, 50), send(1, 1)]).toEqual([
    DropCode.quotaExceeded,
    DropCode.none,
    DropCode.quotaExceeded,
  ])
})

it('writes only what is new, once, and what Postgres did not take later', async () => {
  policies.admit({ deviceId: 'dev_a', limits }, 1, null)
  send(1, 100)
  isAway = true
  await expect(policies.count()).rejects.toThrow('away')
  send(1, 10)
  isAway = false
  await policies.count()
  await policies.count()
  expect(writes).toEqual([[{ deviceId: 'dev_a', bytes: 110 }]])
})

it('counts what a device used before its number went to another, and lets that one begin anew', async () => {
  policies.admit({ deviceId: 'dev_a', limits: daily(100) }, 1, null)
  send(1, 100)
  policies.admit({ deviceId: 'dev_b', limits: daily(100) }, 1, 'dev_a')
  expect(send(1, 40)).toBe(DropCode.none)
  await policies.count()
  expect(writes.flat()).toEqual([
    { deviceId: 'dev_b', bytes: 40 },
    { deviceId: 'dev_a', bytes: 100 },
  ])
})

it('counts once what a device used whose number goes to another while that is written', async () => {
  policies.admit({ deviceId: 'dev_a', limits: daily(1000) }, 1, null)
  send(1, 100)
  onWrite = () => {
    onWrite = () => {}
    send(1, 7)
    policies.admit({ deviceId: 'dev_b', limits: daily(1000) }, 1, 'dev_a')
  }
  await policies.count()
  await policies.count()
  expect(writes.flat()).toEqual([
    { deviceId: 'dev_a', bytes: 100 },
    { deviceId: 'dev_a', bytes: 7 },
  ])
})

it('begins a quota anew with its period, for a device that was stopped too', async () => {
  policies.admit({ deviceId: 'dev_a', limits: daily(100) }, 1, null)
  expect([send(1, 100), send(1, 1)]).toEqual([DropCode.none, DropCode.quotaExceeded])
  await policies.count()
  expect(send(1, 1)).toBe(DropCode.quotaExceeded)
  now = new Date('2026-12-01T00:00:01Z')
  await policies.count()
  expect([send(1, 100), send(1, 1)]).toEqual([DropCode.none, DropCode.quotaExceeded])
})

it('acts on a changed policy at once, and gives nothing back that was used', async () => {
  policies.admit({ deviceId: 'dev_a', limits }, 1, null)
  send(1, 300)
  policies.update('dev_a', daily(500))
  await Promise.resolve()
  expect([send(1, 201), send(1, 200)]).toEqual([DropCode.quotaExceeded, DropCode.none])
  policies.update('dev_a', { ...limits, rateLimit: { upBytesPerSec: 100_000, downBytesPerSec: null } })
  await Promise.resolve()
  expect([send(1, 100_000), send(1, 1)]).toEqual([DropCode.none, DropCode.rateLimited])
  policies.update('dev_b', daily(0)) // is not here
  expect(send(2, 1)).toBe(DropCode.none)
})

it('joins devices of one network where it says so, and nobody else', () => {
  const open = { ...limits, deviceToDevice: true }
  policies.admit({ deviceId: 'dev_a', limits: open }, 1, null)
  policies.admit({ deviceId: 'dev_b', limits: open }, 2, null)
  policies.admit({ deviceId: 'dev_c', limits: { ...open, networkId: 'net_b' } }, 3, null)
  policies.admit({ deviceId: 'dev_d', limits }, 4, null)
  expect([table.mayPair(1, 2), table.mayPair(1, 3), table.mayPair(1, 4)]).toEqual([true, false, false])
})

it('holds a device that comes back to what is said now: another node may have held it when that changed', async () => {
  const [open, neighbour] = [
    { ...limits, deviceToDevice: true },
    { ...limits, deviceToDevice: true },
  ]
  policies.admit({ deviceId: 'dev_a', limits: open }, 1, null)
  policies.admit({ deviceId: 'dev_b', limits: neighbour }, 2, null)
  expect([table.mayPair(1, 2), send(1, 60)]).toEqual([true, DropCode.none])
  policies.admit({ deviceId: 'dev_a', limits: daily(100) }, 1, null)
  await Promise.resolve()
  expect([table.mayPair(1, 2), send(1, 41), send(1, 40)]).toEqual([false, DropCode.quotaExceeded, DropCode.none])
})
