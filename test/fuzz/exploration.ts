/**
 * Explores with a fuzzer until `--seconds N` (60) have passed or `--inputs N` were made, from `--seed N` (the clock), and prints one
 * JSON line. It stops at the first broken rule; the seed in the message repeats it.
 *
 * It fails as well when an input takes longer than 5 ms of CPU in each of several runs, public-key operations apart, or when the memory
 * in use grows by more than 5 percent (looked at where there are batches enough to tell, and garbage can be collected at will).
 */
import { parseArgs } from 'node:util'
import type { Costly } from './cost.ts'
import { memoryGrowth } from './memory-growth.ts'

const MOST_INPUT_MS = 5
/** What disturbed an input does not disturb the same input again and again. */
const RUNS_TO_BE_SURE = 6
/** More than a busy machine disturbs in one run. */
const SUSPECTS = 1_000
const SHOWN = 3
const MOST_GROWTH = 1.05

export interface ExploredTally {
  readonly inputs: number
  /** Most expensive first, `RunOptions.costly` of them. */
  readonly costly: readonly Costly[]
}

export interface RunOptions {
  readonly costly: number
}

export interface Exploration<T extends ExploredTally> {
  /** Of the target, as in `fuzz.<name>.escapes`. */
  readonly name: string
  /** Inputs of one run. */
  readonly batch: number
  /** The same seed and number of inputs give the same run; a smaller number gives its beginning. */
  run(seed: number, inputs: number, options: RunOptions): T | Promise<T>
  /** Told of every tally. @returns numbers for the JSON line. */
  tell?(tally: T): void
  readonly figures?: () => Readonly<Record<string, number>>
  /** With `--corpus`, in the end. */
  writeCorpus?(): void
}

export async function explore<T extends ExploredTally>(fuzzer: Exploration<T>): Promise<void> {
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
  const heapBytes: number[] = []
  let inputs = 0
  let costliest: readonly Costly[] = []
  for (let seed = firstSeed; performance.now() < endMs && inputs < limit; seed++) {
    const tally = await exploreBatch(fuzzer, seed, Math.min(fuzzer.batch, limit - inputs))
    inputs += tally.inputs
    costliest = [...costliest, ...tally.costly].toSorted((a, b) => b.tookMs - a.tookMs).slice(0, SHOWN)
    globalThis.gc?.()
    heapBytes.push(process.memoryUsage().heapUsed)
  }
  if (values.corpus === true) fuzzer.writeCorpus?.()
  const growth = memoryGrowth(heapBytes)
  const figure = `fuzz.${fuzzer.name.replaceAll('-', '_')}.escapes`
  const result = { figure, value: 0, unit: 'inputs', inputs, seed: firstSeed, ...fuzzer.figures?.(), growth, costliest }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  if (growth > MOST_GROWTH && globalThis.gc !== undefined) throw new Error(`memory in use grew to ${growth} times`)
}

async function exploreBatch<T extends ExploredTally>(
  fuzzer: Exploration<T>,
  seed: number,
  inputs: number,
): Promise<ExploredTally> {
  try {
    const tally = await fuzzer.run(seed, inputs, { costly: SUSPECTS })
    fuzzer.tell?.(tally)
    const isSuspect = tally.costly.some(({ tookMs }) => tookMs > MOST_INPUT_MS)
    const settled = isSuspect ? await leastOf(fuzzer, seed, tally.costly) : tally.costly
    const [worst] = settled.toSorted((a, b) => b.tookMs - a.tookMs)
    if (worst !== undefined && worst.tookMs > MOST_INPUT_MS)
      throw new Error(`${worst.tookMs} ms for input ${worst.at}, ${worst.input}`)
    return { inputs: tally.inputs, costly: settled }
  } catch (cause) {
    throw new Error(`seed ${seed}`, { cause })
  }
}

/** The same run again up to the last one in doubt, and of every input the shortest time. */
async function leastOf<T extends ExploredTally>(
  fuzzer: Exploration<T>,
  seed: number,
  first: readonly Costly[],
): Promise<readonly Costly[]> {
  const least = new Map(first.map((costly) => [costly.step, costly]))
  for (let run = 1; run < RUNS_TO_BE_SURE; run++) {
    const suspects = [...least.values()].filter(({ tookMs }) => tookMs > MOST_INPUT_MS)
    if (suspects.length === 0) break
    const inputs = 1 + Math.max(...suspects.map(({ at }) => at))
    const { costly } = await fuzzer.run(seed, inputs, { costly: SUSPECTS })
    const again = new Map(costly.map((each) => [each.step, each]))
    const bound = Math.min(...costly.map(({ tookMs }) => tookMs))
    for (const [step, known] of least) {
      // One that is not among the costliest any more took less than any of those.
      const tookMs = again.get(step)?.tookMs ?? bound
      if (tookMs < known.tookMs) least.set(step, { ...known, tookMs })
    }
  }
  return [...least.values()]
}
