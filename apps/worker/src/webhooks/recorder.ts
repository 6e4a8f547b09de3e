/**
 * Writes what came of attempts, many in one statement: what comes while one is written waits for the next. While the database is
 * away it is kept; a process that dies with it has its deliveries made again by another one.
 */
import {
  isDatabaseUnavailable,
  recordAttempts,
  recordCourses,
  type AttemptResult,
  type CourseChange,
  type Pool,
} from '@culvert/db'
import type { Logger } from '@culvert/observability'

interface Waiting {
  readonly result: AttemptResult
  readonly written: () => void
}

const mostAtOnce = 500
const pauseMs = 1_000

export class Recorder {
  readonly #pool: Pool
  readonly #logger: Logger
  readonly #runner: string
  #waiting: Waiting[] = []
  readonly #courses = new Map<string, CourseChange>()
  #writing: Promise<void> | null = null
  #closed = false

  constructor(pool: Pool, runner: string, logger: Logger) {
    this.#pool = pool
    this.#runner = runner
    this.#logger = logger
  }

  get size(): number {
    return this.#waiting.length
  }

  /** @param written called once it is there */
  add(result: AttemptResult, change: CourseChange | null, written: () => void): void {
    this.#waiting.push({ result, written })
    if (change !== null) this.#courses.set(change.endpointId, merged(this.#courses.get(change.endpointId), change))
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
    })
  }

  /** Resolves when all that can be written is. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
  }

  async #write(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostAtOnce)
      const courses = [...this.#courses.values()]
      this.#courses.clear()
      try {
        await recordAttempts(
          this.#pool,
          batch.map(({ result }) => result),
        )
        await recordCourses(this.#pool, this.#runner, courses)
        for (const { written } of batch) written()
      } catch (error) {
        if (!isDatabaseUnavailable(error)) return this.#giveUp(batch, error)
        this.#waiting.unshift(...batch)
        for (const change of courses)
          this.#courses.set(change.endpointId, merged(change, this.#courses.get(change.endpointId) ?? change))
        if (this.#closed) return
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
  }

  /** What the database will never take is not kept for ever: its deliveries stay pending. */
  #giveUp(batch: readonly Waiting[], error: unknown): void {
    this.#logger.error({ err: error, attempts: batch.length }, 'attempts cannot be written; they are made again')
    for (const { written } of batch) written()
  }
}

function merged(before: CourseChange | undefined, change: CourseChange): CourseChange {
  if (!before) return change
  return {
    ...change,
    succeededAt: change.succeededAt ?? before.succeededAt,
    failedAt: change.failedAt ?? before.failedAt,
  }
}
