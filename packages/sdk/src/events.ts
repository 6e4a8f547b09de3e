/** Events as they happen: a stream that is opened anew, after what was read, as often as it breaks. */
import { CulvertError, errorOf } from './error.ts'
import { readEventStream } from './event-stream.ts'
import type { WebhookEvent } from './schema.ts'
import { pause, type SendOptions } from './send.ts'

export interface FollowOptions {
  /** Goes on after this cursor: `cursor` of what was read last, or `nextCursor` of a page. */
  readonly after?: string
  /** Where there is no cursor: a time (RFC 3339), or `now`; when neither is said, the oldest event that is kept. */
  readonly since?: string
  /** Such as `device.online` or `tunnel.*`. */
  readonly types?: readonly string[]
  readonly deviceId?: string
  readonly resourceId?: string
  readonly signal?: AbortSignal
}

export interface FollowedEvent {
  readonly event: WebhookEvent
  /** Keep it with what you made of the event, and give it as `after` when you come again. */
  readonly cursor: string
}

export interface EventCalls {
  /**
   * Events in order, those that were and those that come, for ever: `for await (const { event, cursor } of culvert.events.follow())`.
   * @throws CulvertError when the API refuses: `cursor_expired` when events after the cursor are removed already, `unauthenticated`
   *   when the key is good no more; what `signal` was aborted with
   */
  follow(options?: FollowOptions): AsyncGenerator<FollowedEvent, void>
}

export interface EventConnection extends Pick<SendOptions, 'key' | 'fetch'> {
  readonly baseUrl: string
}

const firstPauseMs = 250
const longestPauseMs = 10_000
/** The API says something every 15 seconds. */
const longestSilenceMs = 45_000
const transientStatuses = new Set([408, 429, 500, 502, 503, 504])

export async function* followEvents(
  connection: EventConnection,
  options: FollowOptions = {},
): AsyncGenerator<FollowedEvent, void> {
  let cursor = options.after
  for (let failures = 0; ; failures++) {
    options.signal?.throwIfAborted()
    const silence = new Silence(options.signal)
    let pauseMs = Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10))
    try {
      const response = await open(connection, options, cursor, silence.signal)
      for await (const { id, data } of readEventStream(heard(response, silence))) {
        failures = 0
        if (id !== null) cursor = id
        if (data !== null) yield { event: JSON.parse(data) as WebhookEvent, cursor: cursor ?? '' }
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof CulvertError && !transientStatuses.has(error.status ?? 503)) throw error
      if (error instanceof CulvertError) pauseMs += (error.retryAfterSec ?? 0) * 1_000
    } finally {
      silence.end()
    }
    await pause(pauseMs, options.signal)
  }
}

async function open(
  { baseUrl, key, fetch }: EventConnection,
  { since, types, deviceId, resourceId }: FollowOptions,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const query = new URLSearchParams()
  if (cursor === undefined && since !== undefined) query.set('since', since)
  if (types !== undefined && types.length > 0) query.set('types', types.join(','))
  if (deviceId !== undefined) query.set('deviceId', deviceId)
  if (resourceId !== undefined) query.set('resourceId', resourceId)
  const headers = new Headers({
    accept: 'text/event-stream',
    authorization: `Bearer ${typeof key === 'string' ? key : await key()}`,
  })
  if (cursor !== undefined) headers.set('last-event-id', cursor)
  const response = await fetch(
    new Request(`${baseUrl}/v1/events?${query.toString()}`, { headers, signal, redirect: 'error' }),
  )
  if (!response.ok || !response.headers.get('content-type')?.startsWith('text/event-stream'))
    throw await errorOf(response)
  return response
}

async function* heard(response: Response, silence: Silence): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  try {
    for (;;) {
      silence.restart()
      const read = await reader?.read()
      // What the reader of the events does meanwhile is no silence of the API.
      silence.end()
      if (!read || read.done) return
      yield read.value
    }
  } finally {
    await reader?.cancel().catch(() => undefined)
  }
}

/** Gives up a connection on which nothing is heard any more. */
class Silence {
  readonly signal: AbortSignal
  readonly #broken = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(caller: AbortSignal | undefined) {
    this.signal = caller ? AbortSignal.any([caller, this.#broken.signal]) : this.#broken.signal
    this.restart()
  }

  restart(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#broken.abort(new Error('the stream is silent')), longestSilenceMs)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
