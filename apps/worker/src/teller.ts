/**
 * Tells what has become due to be told: that a device stayed away or is elsewhere, and what was counted. All of it stands in rows,
 * so that a worker that is killed only delays it; a notice, the next thing that is due and a timer wake it.
 */
import { nextTellingMs, tellPresence, tellTallies, type Pool } from '@culvert/db'

export interface TellerOptions {
  readonly pool: Pool
  /** How long a device must be away, or elsewhere, before that is told. */
  readonly offlineAfterMs: number
  /** Longest pause between two passes. */
  readonly intervalMs: number
  /** Runs work that may fail, and tells of it. */
  readonly told: <T>(work: () => Promise<T>) => Promise<T | null>
}

/** Many devices may come and go at once: their notices are one pass. */
const shortestPauseMs = 100

export class Teller {
  readonly #options: TellerOptions
  #timer: NodeJS.Timeout | null = null
  #dueMs = Infinity
  #running: Promise<void> = Promise.resolve()
  #isRunning = false
  /** A pass was asked for while one ran. */
  #isWanted = false
  #isClosed = false

  constructor(options: TellerOptions) {
    this.#options = options
    this.wake()
  }

  /** Something was written that may be due now or soon. */
  wake(): void {
    this.#schedule(shortestPauseMs)
  }

  /** Resolves when everything that was due at the time of the call has been told. */
  async pass(): Promise<void> {
    await this.#running
    this.#run()
    await this.#running
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
  }

  /** A pass that is due earlier stays so. */
  #schedule(pauseMs: number): void {
    const dueMs = performance.now() + pauseMs
    if (this.#isClosed || dueMs >= this.#dueMs) return
    this.#dueMs = dueMs
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#run(), pauseMs)
  }

  #run(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#dueMs = Infinity
    this.#isWanted = true
    if (this.#isClosed || this.#isRunning) return
    this.#isRunning = true
    this.#running = this.#tell().finally(() => {
      this.#isRunning = false
      if (this.#isWanted) this.#schedule(shortestPauseMs)
    })
  }

  async #tell(): Promise<void> {
    const { pool, offlineAfterMs, intervalMs, told } = this.#options
    this.#isWanted = false
    const nextMs = await told(async () => {
      while (await tellPresence(pool, offlineAfterMs)) if (this.#isClosed) return null
      while (await tellTallies(pool)) if (this.#isClosed) return null
      return nextTellingMs(pool, offlineAfterMs)
    })
    this.#schedule(Math.min(intervalMs, Math.max(shortestPauseMs, nextMs ?? intervalMs)))
  }
}
