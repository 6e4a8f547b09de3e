/** `npm run chaos -- --rounds 1000 --seed 7`: rounds of chaos until the number is reached; the exit code tells. */
import { parseArgs } from 'node:util'
import { chaos } from './rounds.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
})
const [rounds, seed] = [Number(values.rounds), Number(values.seed)]
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--rounds and --seed are whole numbers.\n')
  process.exit(2)
}
process.stdout.write(`seed ${seed}\n`)
const report = await chaos({ rounds, seed, log: (line) => process.stdout.write(`${line}\n`) })
process.stdout.write(`${JSON.stringify({ seed, ...report })}\n`)
process.exit(report.complaints.length === 0 && report.rounds === rounds ? 0 : 1)
