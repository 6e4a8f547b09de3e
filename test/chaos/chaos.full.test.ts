/** A hundred rounds, or as many as five minutes hold. */
import { labMissing } from '@culvert/testkit'
import { expect, it } from 'vitest'
import { chaos } from './rounds.ts'

const missing = labMissing()
const note = missing ? ` (skipped: ${missing})` : ''
const limitMs = 300_000

it.skipIf(missing)(
  `no event is lost, doubled or out of order in a hundred rounds of SIGKILL${note}`,
  { timeout: 2 * limitMs },
  async () => {
    const report = await chaos({ rounds: 100, seed: 100, limitMs, log: (line) => process.stdout.write(`${line}\n`) })
    expect(report.complaints).toEqual([])
    expect(report.rounds).toBeGreaterThan(20)
  },
)
