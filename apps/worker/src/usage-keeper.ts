/** Keeps usage: counts presences that last, adds up what was noted, and tells of thresholds. Any number of workers may do so. */
import { countPresences, rollUpUsage, tellThresholds, usageBatch, type Pool } from '@culvert/db'
import type { Logger } from '@culvert/observability'
import { Passes } from './passes.ts'

export interface UsageKeeperOptions {
  readonly pool: Pool
  readonly logger: Logger
  /** Between two passes. */
  readonly intervalMs?: number | undefined
}

export class UsageKeeper {
  readonly #options: UsageKeeperOptions
  readonly #passes: Passes

  constructor(options: UsageKeeperOptions) {
    const { logger, intervalMs = 10_000 } = options
    this.#options = options
    const failed = 'usage could not be added up; it is repeated'
    this.#passes = new Passes({ logger, intervalMs, pass: () => this.#pass(), failed })
  }

  close(): Promise<void> {
    return this.#passes.close()
  }

  async #pass(): Promise<void> {
    const { pool, logger } = this.#options
    await this.#whileFull(() => countPresences(pool), usageBatch)
    await this.#whileFull(() => rollUpUsage(pool), usageBatch)
    await tellThresholds(pool, {
      isOver: () => this.#passes.isClosed,
      onTooLong: (thresholdId) =>
        logger.warn({ thresholdId }, 'a threshold of usage takes too long; it is looked at less often'),
    })
  }

  async #whileFull(step: () => Promise<number>, full: number): Promise<void> {
    while (!this.#passes.isClosed && (await step()) >= full) continue
  }
}
