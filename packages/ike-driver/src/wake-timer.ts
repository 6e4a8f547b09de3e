/**
 * One timer for the whole core: it fires when the earliest thing is due, and is re-armed only when that moves earlier.
 */
const LONGEST_MS = 0x7fff_ffff

export class WakeTimer {
  #dueMs: number | null = null
  #timer: NodeJS.Timeout | null = null
  readonly #wake: () => void

  constructor(wake: () => void) {
    this.#wake = wake
  }

  /** @param dueMs on the clock of `performance.now()`, or null when nothing is due. */
  arm(dueMs: number | null): void {
    if (dueMs === null) return this.stop()
    if (this.#timer && this.#dueMs !== null && this.#dueMs <= dueMs) {
      this.#dueMs = Math.min(this.#dueMs, dueMs)
      return
    }
    this.stop()
    this.#dueMs = dueMs
    this.#timer = setTimeout(
      () => this.#fire(),
      Math.min(LONGEST_MS, Math.max(0, Math.ceil(dueMs - performance.now()))),
    )
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#dueMs = null
  }

  #fire(): void {
    this.#timer = null
    this.#dueMs = null
    this.#wake()
  }
}
