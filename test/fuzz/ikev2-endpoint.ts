/**
 * `npm run fuzz -- ikev2-endpoint`: runs the endpoint fuzzer until `--seconds N` (60) have passed, from `--seed N` (the clock).
 * `--inputs N` stops it after so many instead. `--corpus` also writes a small inside of SK for every transition and answer seen to
 * `corpus/ikev2/steps.txt`, beside those already there.
 *
 * Prints one JSON line with the costliest steps; a broken rule stops it with the input, and the seed in the message repeats it. It
 * fails as well when a step without a key exchange takes longer than 5 ms in each of several runs, or when the memory in use grows by
 * more than 5 percent (looked at where there are batches enough to tell).
 */
import { parseArgs } from 'node:util'
import { type Costly, fuzzEndpoint, type Inside } from './ikev2-endpoint-fuzz.ts'
import { readSteps, recordedInsides, writeSteps } from './step-corpus.ts'

const ROUNDS = 5_000
const MOST_STEP_MS = 5
/** What disturbed a step does not disturb the same step again and again. */
const RUNS_TO_BE_SURE = 6
/** More than a busy machine disturbs in one run. */
const SUSPECTS = 1_000
const SHOWN = 3
const WARM_BATCHES = 3
const MOST_GROWTH = 1.05

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    inputs: { type: 'string' },
    corpus: { type: 'boolean' },
  },
})
const firstSeed = Number(values.seed ?? Date.now() % 0x7fffffff)
const limit = Number(values.inputs ?? Infinity)
const endMs = performance.now() + (values.inputs === undefined ? Number(values.seconds ?? 60) * 1000 : Infinity)
const steps = readSteps()
const insides = [...steps.values(), ...recordedInsides()]

let inputs = 0
let costliest: readonly Costly[] = []
const heapBytes: number[] = []
for (let seed = firstSeed; performance.now() < endMs && inputs < limit; seed++) {
  const rounds = Math.min(ROUNDS, Math.ceil((limit - inputs) / 2))
  inputs += explore(seed, rounds)
  globalThis.gc?.()
  heapBytes.push(process.memoryUsage().heapUsed)
}
if (values.corpus === true) writeSteps(steps)
const growth = heapBytes.length > 2 * WARM_BATCHES ? heapBytes.at(-1)! / heapBytes[WARM_BATCHES]! : 1
const result = {
  figure: 'fuzz.ikev2_endpoint.escapes',
  value: 0,
  unit: 'inputs',
  inputs,
  seed: firstSeed,
  growth,
  costliest,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
if (growth > MOST_GROWTH && globalThis.gc !== undefined) throw new Error(`memory in use grew to ${growth} times`)

function explore(seed: number, rounds: number): number {
  try {
    const tally = fuzzEndpoint(seed, rounds, { insides, costly: SUSPECTS })
    for (const [feature, inside] of tally.features) keep(feature, inside)
    const suspects = tally.costly.filter(({ tookMs }) => tookMs > MOST_STEP_MS)
    const settled = suspects.length === 0 ? tally.costly : leastOf(seed, rounds, tally.costly)
    costliest = [...costliest, ...settled].toSorted((a, b) => b.tookMs - a.tookMs).slice(0, SHOWN)
    const [worst] = costliest
    if (worst !== undefined && worst.tookMs > MOST_STEP_MS) throw new Error(`${worst.tookMs} ms for ${worst.input}`)
    return tally.inputs
  } catch (cause) {
    throw new Error(`seed ${seed}`, { cause })
  }
}

/** The same run again, and of every step the shortest time. */
function leastOf(seed: number, rounds: number, first: readonly Costly[]): readonly Costly[] {
  const least = new Map(first.map((costly) => [costly.step, costly]))
  for (let run = 1; run < RUNS_TO_BE_SURE; run++) {
    if (![...least.values()].some(({ tookMs }) => tookMs > MOST_STEP_MS)) break
    const again = new Map(
      fuzzEndpoint(seed, rounds, { insides, costly: SUSPECTS }).costly.map((costly) => [costly.step, costly]),
    )
    const bound = Math.min(...[...again.values()].map(({ tookMs }) => tookMs))
    for (const [step, costly] of least) {
      // One that is not among the costliest any more took less than any of those.
      const { tookMs } = again.get(step) ?? { tookMs: bound }
      if (tookMs < costly.tookMs) least.set(step, { ...costly, tookMs })
    }
  }
  return [...least.values()]
}

function keep(feature: string, inside: Inside | null): void {
  const known = steps.get(feature)
  if (inside === null || (known !== undefined && known.bytes.length <= inside.bytes.length)) return
  steps.set(feature, inside)
}
