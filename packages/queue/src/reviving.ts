/**
 * Keeps one BullMQ object alive. An object made while its store is away never recovers, so it is closed and built anew with
 * back-off until it is ready; afterwards it reconnects by itself.
 */
export interface Closable {
  close(): Promise<void>
  waitUntilReady(): Promise<unknown>
}

export interface Reviving<T> {
  /** Resolves with the object when it is ready. */
  readonly object: Promise<T>
  close(): Promise<void>
}

const firstDelayMs = 200
const longestDelayMs = 5_000
const readyTimeoutMs = 5_000

export function keepAlive<T extends Closable>(
  build: () => Promise<T>,
  onReady: (object: T) => void,
  onError: (error: Error) => void,
): Reviving<T> {
  const stop = new AbortController()
  const ready = Promise.withResolvers<T>()
  let object: T | null = null

  const run = async (): Promise<void> => {
    for (let delayMs = firstDelayMs; !stop.signal.aborted; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
      const attempt = await attemptOnce(build, stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) onError(error as Error)
        return null
      })
      if (attempt) {
        if (stop.signal.aborted) return void attempt.close().catch(() => {})
        object = attempt
        ready.resolve(attempt)
        onReady(attempt)
        return
      }
      await pause(delayMs, stop.signal)
    }
  }
  const running = run()
  return {
    object: ready.promise,
    close: async () => {
      stop.abort()
      await running
      await object?.close().catch(() => {})
      object = null
    },
  }
}

/** Ends early when nobody wants the object any more. */
async function attemptOnce<T extends Closable>(build: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const object = await build()
  const unwanted = Promise.withResolvers<never>()
  const abort = (): void => unwanted.reject(new Error('closed while starting'))
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    await withTimeout(Promise.race([object.waitUntilReady(), unwanted.promise]), readyTimeoutMs)
    return object
  } catch (error) {
    void object.close().catch(() => {})
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Rejects when `work` takes longer; the work itself goes on. */
export async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
