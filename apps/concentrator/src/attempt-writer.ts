/**
 * Writes failed attempts behind, about once a second. Never in the way of IKE: what does not fit is dropped, the oldest first, and
 * while Postgres is away the newest wait.
 */
import { isDatabaseUnavailable, mostAttemptsOfBatch, type AttachAttempt } from '@culvert/db'
import type { Logger } from '@culvert/observability'

const EVERY_MS = 1000

export interface AttemptWriter {
  add(attempt: AttachAttempt): void
  /** Writes what waits, if that can be done now; nothing is written later. */
  stop(): Promise<void>
}

export function createAttemptWriter(options: {
  write: (batch: readonly AttachAttempt[]) => Promise<void>
  log: Pick<Logger, 'error'>
  /** Pause between two batches. */
  everyMs?: number
}): AttemptWriter {
  const { everyMs = EVERY_MS } = options
  let waiting: AttachAttempt[] = []
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> = Promise.resolve()
  let isStopped = false

  function schedule(): void {
    if (timer !== null || isStopped || waiting.length === 0) return
    timer = setTimeout(() => {
      running = flush().finally(() => {
        timer = null
        schedule()
      })
    }, everyMs)
  }

  async function flush(): Promise<void> {
    const batch = waiting
    waiting = []
    if (batch.length === 0) return
    try {
      await options.write(batch)
    } catch (error) {
      if (isDatabaseUnavailable(error)) waiting = [...batch, ...waiting].slice(-mostAttemptsOfBatch)
      else options.log.error({ err: error, attempts: batch.length }, 'failed attempts could not be written')
    }
  }

  return {
    add(attempt) {
      waiting.push(attempt)
      if (waiting.length > mostAttemptsOfBatch) waiting.shift()
      schedule()
    },
    async stop() {
      isStopped = true
      if (timer) clearTimeout(timer)
      await running
      await flush()
    },
  }
}
