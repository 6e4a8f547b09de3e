/**
 * A year of one device on a clock of its own; `life.full.test.ts` has a fleet. CULVERT_SEED repeats a run that failed.
 */
import { expect, test } from 'vitest'
import { Life } from './life.ts'
import { DAY } from './life-times.ts'

const seed = Number(process.env['CULVERT_SEED'] ?? 1)

test(`seed ${seed}: a device is reached again after everything it meets in a year`, { timeout: 120_000 }, () => {
  const life = new Life({ seed, devices: 1, peaceMs: 3 * DAY, commonPeaceMs: 30 * DAY })
  life.live(365 * DAY)
  expect(life.checks).toBeGreaterThan(150)
  expect([...life.seen.keys()].toSorted()).toEqual([
    'NAT rebinding',
    'another network',
    'another secret',
    'concentrator is cut off',
    'concentrator starts anew',
    'hurry',
    'reboot',
    'sleep',
    'weather',
  ])
})
