/** Five rounds; a hundred in chaos.full.test.ts, any number with `npm run chaos -- --rounds N --seed S`. */
import { labMissing } from '@culvert/testkit'
import { expect, it } from 'vitest'
import { chaos } from './rounds.ts'

const missing = labMissing()
const note = missing ? ` (skipped: ${missing})` : ''

it.skipIf(missing)(
  `no event is lost, doubled or out of order, and every webhook arrives, when any process is killed with SIGKILL${note}`,
  { timeout: 300_000 },
  async () => {
    const report = await chaos({ rounds: 5, seed: 20 })
    expect(report.complaints).toEqual([])
    expect(Object.keys(report.killed)).toHaveLength(5)
    expect(report.acknowledged).toBeGreaterThan(100)
    expect(report.webhooks.accepted).toBeGreaterThan(400)
    expect(report.webhooks.refused).toBeGreaterThan(10)
  },
)
