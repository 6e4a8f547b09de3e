/**
 * Removes old events now and then, a small batch at a time with pauses between, so that nobody notices; and forgets what was kept of
 * resources that are gone.
 */
import { forgetFloors, isDatabaseUnavailable, removeOldEvents, type Pool } from '@culvert/db'
import type { Logger } from '@culvert/observability'

export interface EventRetentionOptions {
  readonly pool: Pool
  readonly logger: Logger
  readonly days: number
  /** Pause when there is nothing more to remove. */
  readonly restMs?: number | undefined
}

const betweenBatchesMs = 100

export class EventRetention {
  readonly #options: EventRetentionOptions & { restMs: number }
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #closed = false
  /** Where the look at floors goes on. */
  #floor = ''

  constructor(options: EventRetentionOptions) {
    this.#options = { ...options, restMs: options.restMs ?? 60_000 }
    this.#next(0)
  }

  /** Resolves when the batch at hand is over. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #next(afterMs: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#running = this.#batch().then((isFull) => this.#next(isFull ? betweenBatchesMs : this.#options.restMs))
    }, afterMs)
  }

  /** @returns whether there may be more to remove */
  async #batch(): Promise<boolean> {
    const { pool, days, logger } = this.#options
    try {
      const { removed, isFull } = await removeOldEvents(pool, days)
      if (removed > 0) logger.debug({ events: removed }, 'old events removed')
      this.#floor = (await forgetFloors(pool, this.#floor)) ?? ''
      return isFull
    } catch (error) {
      if (!isDatabaseUnavailable(error)) logger.error({ err: error }, 'old events are not removed; it is tried again')
      return false
    }
  }
}
