/**
 * A month of a fleet, and a year of some more devices. CULVERT_SEED repeats a run that failed, and is taken for the first one.
 */
import { expect, test } from 'vitest'
import { Life } from './life.ts'
import { DAY } from './life-times.ts'

const first = Number(process.env['CULVERT_SEED'] ?? 100)

test(`seed ${first}: two hundred devices are reached again after everything they meet in a month`, () => {
  const life = new Life({ seed: first, devices: 200, peaceMs: 3 * DAY, commonPeaceMs: 6 * DAY })
  life.live(30 * DAY)
  expect(life.checks).toBeGreaterThan(1_500)
}, 1_800_000)

test.each(Array.from({ length: 8 }, (_, index) => first + index))(
  'seed %i: a year of hardship',
  { timeout: 300_000 },
  (seed) => {
    const life = new Life({ seed, devices: 1, peaceMs: DAY, commonPeaceMs: 20 * DAY })
    life.live(365 * DAY)
    expect(life.checks).toBeGreaterThan(300)
  },
)
