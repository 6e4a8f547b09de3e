/**
 * Ten days of a fleet, and a year of some more devices. CULVERT_SEED repeats a run that failed, and is taken for the first one.
 */
import { expect, test } from 'vitest'
import { Life } from './life.ts'
import { DAY } from './life-times.ts'

const first = Number(process.env['CULVERT_SEED'] ?? 100)

test(`seed ${first}: sixty devices are reached again after everything they meet in ten days`, () => {
  const life = new Life({ seed: first, devices: 60, peaceMs: 3 * DAY, commonPeaceMs: 6 * DAY })
  life.live(10 * DAY)
  expect(life.checks).toBeGreaterThan(150)
}, 1_800_000)

test.each(Array.from({ length: 4 }, (_, index) => first + index))(
  'seed %i: a year of hardship',
  { timeout: 300_000 },
  (seed) => {
    const life = new Life({ seed, devices: 1, peaceMs: DAY, commonPeaceMs: 20 * DAY })
    life.live(365 * DAY)
    expect(life.checks).toBeGreaterThan(300)
  },
)
