/**
 * Passes over what has become due, one after the other with pauses between them. No two pauses are equally long, so that workers do
 * not look at the same moment for ever.
 */
import { isDatabaseUnavailable } from '@culvert/db'
import type { Logger } from '@culvert/observability'

export interface PassesOptions {
  readonly logger: Logger
  /** The longest pause. */
  readonly intervalMs: number
  readonly pass: () => Promise<void>
  /** Told of a pass that failed. */
  readonly failed: string
}

export class Passes {
  readonly #options: PassesOptions
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #last: Promise<void> = Promise.resolve()

  /** The first one comes after a pause. */
  constructor(options: PassesOptions) {
    this.#options = options
    this.#later()
  }

  /** A pass under way ends as soon as it can. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Resolves when the pass at hand is over. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#last
  }

  #later(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(
      () => {
        this.#last = this.#pass().finally(() => this.#later())
      },
      this.#options.intervalMs * (0.75 + Math.random() / 4),
    )
  }

  async #pass(): Promise<void> {
    const { logger, pass, failed } = this.#options
    try {
      await pass()
    } catch (error) {
      // The sweeper tells about a database that is away.
      if (!isDatabaseUnavailable(error)) logger.error({ err: error }, failed)
    }
  }
}
