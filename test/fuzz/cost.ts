/**
 * What the most expensive inputs cost. What the machine did meanwhile and collecting garbage may be in it, so only the least of
 * several runs of the same input tells.
 */
import { shownInput } from './broken.ts'

export interface Costly {
  readonly tookMs: number
  /** Which input of the run it was, counted from 0; a shorter run with the same seed repeats it when it is longer than this. */
  readonly at: number
  /** Tells inputs of one run apart. */
  readonly step: number
  /** Its beginning and length: `at` and the seed give the whole. */
  readonly input: string
}

/**
 * CPU of this thread since it was made, and never more than the time. Some kernels count it in ticks of 4 ms: there one input of 6 ms
 * may pass for one of 4, but not each time it comes.
 */
export class Stopwatch {
  readonly #startMs = performance.now()
  readonly #startCpuMs = cpuMs()

  get tookMs(): number {
    return Math.min(performance.now() - this.#startMs, cpuMs() - this.#startCpuMs)
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

export class CostRank {
  readonly #most: number
  readonly #ranked: Costly[] = []

  /** @param most how many are remembered; 0 measures nothing. */
  constructor(most: number) {
    this.#most = most
  }

  get isOn(): boolean {
    return this.#most > 0
  }

  /** Most expensive first. */
  get costly(): readonly Costly[] {
    return this.#ranked
  }

  measure<T>(at: number, input: Uint8Array, run: () => T): T {
    if (!this.isOn) return run()
    const watch = new Stopwatch()
    const result = run()
    this.note(watch.tookMs, { at, step: at }, input)
    return result
  }

  note(tookMs: number, place: Pick<Costly, 'at' | 'step'>, input: Uint8Array): void {
    const ranked = this.#ranked
    const last = ranked.at(-1)
    if (!this.isOn || (ranked.length >= this.#most && last !== undefined && last.tookMs >= tookMs)) return
    ranked.push({ tookMs, ...place, input: shownInput(input) })
    ranked.sort((a, b) => b.tookMs - a.tookMs)
    ranked.splice(this.#most)
  }
}
