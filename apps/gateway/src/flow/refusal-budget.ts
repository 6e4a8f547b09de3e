/**
 * How many refusals are written to the access log: some for each port in a minute and some for the whole gateway, so that a scan
 * cannot fill the table. What goes beyond is counted.
 *
 * Invariant: memory is bounded by the ports that refused somebody within one minute.
 */
export interface RefusalBudgetOptions {
  readonly perPort: number
  readonly total: number
}

const WINDOW_MS = 60_000

export class RefusalBudget {
  readonly #options: RefusalBudgetOptions
  readonly #byPort = new Map<string, number>()
  #windowEndsMs = -Infinity
  #total = 0
  #suppressed = 0

  constructor(options: RefusalBudgetOptions) {
    this.#options = options
  }

  /**
   * @param nowMs monotonic
   * @returns whether this refusal may be written
   */
  take(portId: string, nowMs: number): boolean {
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + WINDOW_MS
      this.#byPort.clear()
      this.#total = 0
    }
    const used = this.#byPort.get(portId) ?? 0
    if (used >= this.#options.perPort || this.#total >= this.#options.total) {
      this.#suppressed++
      return false
    }
    this.#byPort.set(portId, used + 1)
    this.#total++
    return true
  }

  /** @returns how many were not written since this was last asked. */
  takeSuppressed(): number {
    const count = this.#suppressed
    this.#suppressed = 0
    return count
  }
}
