/** The database as one part of the worker finds it: that it is away is told once, and once more that it is back; all else each time. */
import { isDatabaseUnavailable } from '@culvert/db'
import type { Logger } from '@culvert/observability'

export interface OutageWords {
  /** What waits while it is away. */
  readonly waits: string
  /** Of an error of another kind. */
  readonly failed: string
}

export class Outage {
  readonly #logger: Logger
  readonly #words: OutageWords
  #isAway = false

  constructor(logger: Logger, words: OutageWords) {
    this.#logger = logger
    this.#words = words
  }

  /** What was asked of it was answered. */
  over(): void {
    if (this.#isAway) this.#logger.info({}, 'the database is back')
    this.#isAway = false
  }

  /** What was asked of it failed. */
  tell(error: unknown): void {
    const isUnavailable = isDatabaseUnavailable(error)
    if (!isUnavailable) this.#logger.error({ err: error }, this.#words.failed)
    else if (!this.#isAway) this.#logger.warn({ err: error }, `the database is away; ${this.#words.waits}`)
    this.#isAway ||= isUnavailable
  }
}
