/** Five rounds; a hundred in chaos.full.test.ts, any number with `npm run chaos -- --rounds N --seed S`. */
import { labMissing } from '@culvert/testkit'
import { expect, it } from 'vitest'
import { chaos } from './rounds.ts'

const missing = labMissing()
const note = missing ? ` (skipped: ${missing})` : ''

it.skipIf(missing)(
  `no event is lost, doubled or out of order when any process is killed with SIGKILL${note}`,
  async () => {
    const report = await chaos({ rounds: 5, seed: 20 })
    expect(report.complaints).toEqual([])
    expect(Object.keys(report.killed)).toHaveLength(5)
    expect(report.acknowledged).toBeGreaterThan(100)
  },
)
