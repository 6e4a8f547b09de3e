/**
 * `npm run chaos -- --rounds 1000 --seed 7`: rounds of chaos until the number is reached; the exit code tells. A signal, or nobody who
 * reads on (`| head`), ends it after the round that is played: then no server of the world is left behind.
 */
import { parseArgs } from 'node:util'
import { chaos } from './rounds.ts'

const { rounds, seed } = asked()
const end = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
// Without a listener the first failure would end this process at once, and leave its servers behind.
process.stdout.on('error', stop)
await say(`seed ${seed}`)
const report = await chaos({ rounds, seed, signal: end.signal, log: (line) => void say(line) })
await say(JSON.stringify({ seed, ...report }))
process.exit(report.complaints.length === 0 && report.rounds === rounds ? 0 : 1)

function asked(): { readonly rounds: number; readonly seed: number } {
  const { rounds, seed } = options()
  const numbers = { rounds: Number(rounds), seed: Number(seed ?? Date.now() % 100_000) }
  if (Number.isSafeInteger(numbers.rounds) && numbers.rounds > 0 && Number.isSafeInteger(numbers.seed)) return numbers
  process.stderr.write(
    'Usage: npm run chaos -- --rounds N [--seed S], both whole numbers; a round takes some seconds.\n',
  )
  process.exit(2)
}

/** Nothing where a word is not known, such as `--help`. */
function options(): { readonly rounds?: string; readonly seed?: string } {
  try {
    return parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } }).values
  } catch {
    return {}
  }
}

function say(line: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (error) stop()
      resolve()
    })
  })
}

function stop(): void {
  if (!end.signal.aborted) process.stderr.write('Ending after this round.\n')
  end.abort()
}
