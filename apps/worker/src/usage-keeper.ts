/** Keeps usage: counts presences that last, adds up what was noted, and tells of thresholds. Any number of workers may do so. */
import { countPresences, isDatabaseUnavailable, rollUpUsage, tellThresholds, usageBatch, type Pool } from '@culvert/db'
import type { Logger } from '@culvert/observability'

export interface UsageKeeperOptions {
  readonly pool: Pool
  readonly logger: Logger
  /** Between two passes. */
  readonly intervalMs?: number | undefined
}

export class UsageKeeper {
  readonly #options: UsageKeeperOptions
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #last: Promise<void> = Promise.resolve()

  constructor(options: UsageKeeperOptions) {
    this.#options = options
    this.#intervalMs = options.intervalMs ?? 10_000
    this.#later()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#last
  }

  #later(): void {
    if (this.#closed) return
    this.#timer = setTimeout(
      () => {
        this.#last = this.#pass().finally(() => this.#later())
      },
      this.#intervalMs * (0.75 + Math.random() / 4),
    )
  }

  async #pass(): Promise<void> {
    const { pool, logger } = this.#options
    try {
      await this.#whileFull(() => countPresences(pool), usageBatch)
      await this.#whileFull(() => rollUpUsage(pool), usageBatch)
      await tellThresholds(pool, {
        isOver: () => this.#closed,
        onTooLong: (thresholdId) =>
          logger.warn({ thresholdId }, 'a threshold of usage takes too long; it is looked at less often'),
      })
    } catch (error) {
      // The sweeper tells about a database that is away.
      if (!isDatabaseUnavailable(error)) logger.error({ err: error }, 'usage could not be added up; it is repeated')
    }
  }

  async #whileFull(step: () => Promise<number>, full: number): Promise<void> {
    while (!this.#closed && (await step()) >= full) continue
  }
}
