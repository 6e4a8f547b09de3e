/**
 * One LISTEN for the whole process, on which every waiting request is woken. A wake only says "read again": notices that were
 * lost while the connection was away are made up for by waking everybody when it is back, and by a slow poll.
 */
import {
  answerKeptChannel,
  credentialChangedChannel,
  deviceChangedChannel,
  feedMovedChannel,
  isRehearsed,
  listen,
  operationChangedChannel,
  tunnelChangedChannel,
  type Listener,
} from '@culvert/db'
import type { Logger } from '@culvert/observability'

const pollMs = 1_000
/** Calls of one organization that wait in this process; more are answered at once, with what there is. */
export const mostWaiting = 200

export interface WaitOptions<T> {
  readonly organizationId: string
  /** Id of the tunnel, device, credential or operation; of the organization for its feed; name of the Idempotency-Key. */
  readonly id: string
  readonly timeoutMs: number
  /** The caller has gone. */
  readonly signal: AbortSignal
  readonly read: () => Promise<T>
  readonly done: (value: T) => boolean
}

export class Changes {
  readonly #waiters = new Map<string, Set<() => void>>()
  /** How many calls of each organization wait. */
  readonly #waiting = new Map<string, number>()
  readonly #listener: Listener
  #released = false

  constructor(databaseUrl: string, logger: Logger) {
    this.#listener = listen(
      databaseUrl,
      [
        tunnelChangedChannel,
        deviceChangedChannel,
        credentialChangedChannel,
        operationChangedChannel,
        answerKeptChannel,
        feedMovedChannel,
      ],
      (notice) => {
        if (notice === 'reconnected') for (const id of this.#waiters.keys()) this.#wake(id)
        else this.#wake(notice.payload)
      },
      {
        applicationName: 'culvert-api-listen',
        role: 'culvert_api',
        onError: (error) => logger.warn({ err: error }, 'notices of changes do not arrive; waiting calls poll'),
      },
    )
  }

  connected(): boolean {
    return this.#listener.connected()
  }

  /** The process is about to end. */
  get isReleased(): boolean {
    return this.#released
  }

  /** Nobody waits any more: the process is about to end, and every waiting call answers with what it has. */
  release(): void {
    this.#released = true
    for (const id of this.#waiters.keys()) this.#wake(id)
  }

  close(): Promise<void> {
    return this.#listener.close()
  }

  /** @returns the first value that is `done`, or the last one read when the time is up, the caller gone or the process ending; at once when the request is only tried, or too many of the organization wait */
  async until<T>(options: WaitOptions<T>): Promise<T> {
    const { organizationId } = options
    const waiting = this.#waiting.get(organizationId) ?? 0
    if (options.timeoutMs <= 0 || isRehearsed() || waiting >= mostWaiting) return options.read()
    this.#waiting.set(organizationId, waiting + 1)
    try {
      return await this.#wait(options)
    } finally {
      const left = (this.#waiting.get(organizationId) ?? 1) - 1
      if (left > 0) this.#waiting.set(organizationId, left)
      else this.#waiting.delete(organizationId)
    }
  }

  async #wait<T>({ id, timeoutMs, signal, read, done }: WaitOptions<T>): Promise<T> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const changed = this.next(id)
      try {
        const value = await read()
        const leftMs = deadline - performance.now()
        if (done(value) || leftMs <= 0 || signal.aborted || this.#released) return value
        await changed.within(Math.min(leftMs, pollMs), signal)
      } finally {
        changed.forget()
      }
    }
  }

  /** Counts from now on, so that a change during the read is not missed. Whoever asks for it forgets it in the end. */
  next(id: string): { within(ms: number, signal: AbortSignal): Promise<void>; forget(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiters = this.#waiters.get(id) ?? new Set()
    this.#waiters.set(id, waiters.add(resolve))
    return {
      within: async (ms, signal) => {
        const timer = setTimeout(resolve, ms)
        const gone = (): void => resolve()
        signal.addEventListener('abort', gone, { once: true })
        if (signal.aborted) resolve()
        await promise
        clearTimeout(timer)
        signal.removeEventListener('abort', gone)
      },
      forget: () => {
        waiters.delete(resolve)
        if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id)
      },
    }
  }

  #wake(id: string): void {
    for (const resolve of this.#waiters.get(id) ?? []) resolve()
  }
}
