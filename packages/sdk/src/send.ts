/**
 * Sends a request until it is answered for good. Only what may be done twice is sent twice: methods that are idempotent (RFC 9110
 * 9.2.2), and a POST with an `Idempotency-Key`, which the API does once however often it comes. The key is made once for all
 * attempts.
 */
import { CulvertError, errorOf, retryAfterOf } from './error.ts'

export interface SendOptions {
  readonly key: string | (() => string | Promise<string>)
  /** Attempts after the first one. */
  readonly retries: number
  /** For the answer of one attempt. */
  readonly timeoutMs: number
  readonly fetch: (request: Request) => Promise<Response>
}

const transientStatuses = new Set([408, 429, 500, 502, 503, 504])
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const firstPauseMs = 250
const longestPauseMs = 8_000
/** Who is told to wait for longer than this hears of it at once. */
const longestRetryAfterSec = 60

/** @returns an answer with 2xx @throws CulvertError for every other, or when none came; what `signal` was aborted with */
export async function send(request: Request, options: SendOptions): Promise<Response> {
  const key = typeof options.key === 'string' ? options.key : await options.key()
  request.headers.set('authorization', `Bearer ${key}`)
  if (request.method === 'POST' && !request.headers.has('idempotency-key'))
    request.headers.set('idempotency-key', crypto.randomUUID())
  const attempts = isRepeatable(request) ? options.retries + 1 : 1
  for (let attempt = 1; ; attempt++) {
    const outcome = await once(request, options)
    if (outcome instanceof Response && outcome.ok) return outcome
    const pauseMs = attempt < attempts ? pauseAfter(outcome, attempt) : null
    if (pauseMs === null) throw outcome instanceof Response ? await errorOf(outcome) : outcome
    if (outcome instanceof Response) await outcome.body?.cancel()
    await pause(pauseMs, request.signal)
  }
}

/** `PATCH` is not: what it did may have been changed again by somebody else. */
function isRepeatable({ method, headers }: Request): boolean {
  return idempotentMethods.has(method) || headers.has('idempotency-key')
}

async function once(request: Request, { fetch, timeoutMs }: SendOptions): Promise<Response | CulvertError> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await fetch(new Request(request.clone(), { signal: AbortSignal.any([request.signal, timeout]) }))
  } catch (cause) {
    request.signal.throwIfAborted()
    const { origin, pathname } = new URL(request.url)
    return new CulvertError({
      code: timeout.aborted ? 'timeout' : 'connection_failed',
      title: 'The API did not answer',
      detail: `${request.method} ${pathname} at ${origin} was not answered${timeout.aborted ? ` within ${timeoutMs} ms` : ''}.`,
      cause,
    })
  }
}

/** @returns milliseconds, or null when it is not to be tried again */
function pauseAfter(outcome: Response | CulvertError, attempt: number): number | null {
  const jitterMs = Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1))
  if (outcome instanceof CulvertError) return jitterMs
  const retryAfterSec = retryAfterOf(outcome)
  // A POST with the same key that is still at work answers 409 with Retry-After.
  if (!transientStatuses.has(outcome.status) && !(outcome.status === 409 && retryAfterSec !== null)) return null
  if (retryAfterSec === null) return jitterMs
  return retryAfterSec > longestRetryAfterSec ? null : retryAfterSec * 1_000 + jitterMs
}

/** @throws what the signal was aborted with */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })
  signal?.throwIfAborted()
}
