/** Waiting for something that takes longer than one call. */
import { CulvertError } from './error.ts'

export interface WaitOptions {
  /** How long to wait in all. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Longest time that the API lets one call wait. */
const longestCallSec = 30

export class Deadline {
  readonly #endMs: number
  readonly #timeoutMs: number

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    this.#endMs = performance.now() + timeoutMs
  }

  /** Seconds for the `wait` of a call. */
  waitSec(): number {
    return Math.max(0, Math.min(longestCallSec, Math.ceil((this.#endMs - performance.now()) / 1_000)))
  }

  /** @throws CulvertError `timeout` when the time is up */
  check(what: string): void {
    if (performance.now() < this.#endMs) return
    throw new CulvertError({
      code: 'timeout',
      title: 'It took too long',
      detail: `${what} within ${this.#timeoutMs} ms.`,
    })
  }
}
