/**
 * Asks at start whether the Redis of REDIS_URL answers, so that a wrong setting is one clear sentence and not a process that
 * waits for ever. Later on nobody asks: queues heal by themselves.
 *
 * Invariant: the sentence names host and port, never user or password.
 */
import { Redis } from 'ioredis'
import { withTimeout } from './reviving.ts'

/** The message is one sentence for a person. */
export class QueueStoreError extends Error {
  override readonly name = 'QueueStoreError'
}

export interface QueueStoreRequest {
  /** Nothing is asked without it: jobs go through PostgreSQL. */
  readonly redisUrl?: string | null | undefined
  /** Longest wait for the answer; 2 s when left out. */
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 2_000
const refusals = /^(WRONGPASS|NOAUTH|NOPERM|ERR (invalid password|AUTH|Client sent AUTH))/i

/** @throws QueueStoreError when Redis does not answer a PING in time, with the credentials of the URL */
export async function requireQueueStore({ redisUrl, timeoutMs = defaultTimeoutMs }: QueueStoreRequest): Promise<void> {
  if (!redisUrl) return
  const where = placeOf(redisUrl)
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  // What a connection that breaks says first tells more than what its commands say afterwards.
  let first: Error | undefined
  redis.on('error', (error: Error) => (first ??= error))
  try {
    await withTimeout(
      redis.connect().then(() => redis.ping()),
      timeoutMs,
    )
  } catch (error) {
    throw explain(where, first ?? (error as Error))
  } finally {
    redis.disconnect()
  }
}

function placeOf(redisUrl: string): string {
  const url = URL.parse(redisUrl)
  if (!url) throw new QueueStoreError('The address of Redis in REDIS_URL is not a URL such as redis://host:6379.')
  return `${url.hostname || '127.0.0.1'}:${url.port || 6379}`
}

function explain(where: string, error: Error): QueueStoreError {
  if (refusals.test(error.message))
    return new QueueStoreError(`Redis at ${where} refuses the user or password of REDIS_URL.`, { cause: error })
  const { code } = error as NodeJS.ErrnoException
  const why = code ? ` (${code})` : ''
  return new QueueStoreError(`Redis cannot be reached at ${where}${why}: check REDIS_URL and that the server runs.`, {
    cause: error,
  })
}
