/** A hundred rounds, in worlds with jobs in Redis and in PostgreSQL. */
import { labMissing } from '@culvert/testkit'
import { expect, it } from 'vitest'
import { chaos } from './rounds.ts'

const missing = labMissing()
const note = missing ? ` (skipped: ${missing})` : ''
const rounds = 100
/** Against rounds without end: a machine that is busy takes half of it. */
const limitMs = 1_200_000

it.skipIf(missing)(
  `no event is lost, doubled or out of order in a hundred rounds of SIGKILL${note}`,
  { timeout: limitMs + 300_000 },
  async () => {
    const report = await chaos({ rounds, seed: 100, limitMs, log: (line) => process.stdout.write(`${line}\n`) })
    expect(report.complaints).toEqual([])
    expect(report.rounds).toBe(rounds)
    expect(report.stores).toContain('postgres')
    expect(report.webhooks.repeated).toBeGreaterThan(0)
    expect(report.forgotten).toBeGreaterThan(0)
    for (const type of ['device.offline', 'tunnel.opened', 'rule.ran', 'webhook.rotated'])
      expect(report.events[type] ?? 0, type).toBeGreaterThan(3)
  },
)
