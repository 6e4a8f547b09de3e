/** `follow()` against an API that falls silent: what a test with a real one would have to wait a minute for. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { followEvents, type FollowedEvent } from './events.ts'

const silenceMs = 45_000
const longestPauseMs = 10_000

/** A call of the feed that stays open until it is ended, or until the caller gives it up. */
interface Call {
  readonly lastEventId: string | null
  readonly url: URL
  readonly signal: AbortSignal
  say(text: string): void
  end(): void
}

let calls: Call[] = []

const fetch = (async (request: Request) => {
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (stream = controller) })
  const { signal } = request
  signal.addEventListener('abort', () => stream?.error(signal.reason))
  calls.push({
    lastEventId: request.headers.get('last-event-id'),
    url: new URL(request.url),
    signal,
    say: (text) => stream?.enqueue(new TextEncoder().encode(text)),
    end: () => stream?.close(),
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
}) as typeof globalThis.fetch

const follow = () => followEvents({ baseUrl: 'https://api.example', key: 'key', fetch }, { since: 'now' })
const frame = (cursor: string, id: string): string => `id: ${cursor}\ndata: {"id":"${id}"}\n\n`
/** What is under way without a timer comes to its end. */
const settle = () => vi.advanceTimersByTimeAsync(0)
const idOf = ({ value }: IteratorResult<FollowedEvent, void>) => value && [value.event.id, value.cursor]

beforeEach(() => {
  calls = []
  vi.useFakeTimers()
})
afterEach(() => void vi.useRealTimers())

describe('a stream that says nothing for 45 seconds', () => {
  it('is given up and opened anew after the last cursor, that of a beat too', async () => {
    const events = follow()
    const first = events.next()
    await settle()
    expect([calls[0]?.url.search, calls[0]?.lastEventId]).toEqual(['?since=now', null])
    calls[0]?.say(frame('c1', 'evt_1'))
    expect(idOf(await first)).toEqual(['evt_1', 'c1'])

    const second = events.next()
    await vi.advanceTimersByTimeAsync(silenceMs - 1)
    calls[0]?.say('id: c2\n:\n\n')
    await vi.advanceTimersByTimeAsync(silenceMs - 1)
    expect(calls[0]?.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(calls[0]?.signal.aborted).toBe(true)
    await vi.advanceTimersByTimeAsync(longestPauseMs)
    expect(calls).toHaveLength(2)
    expect([calls[1]?.url.search, calls[1]?.lastEventId]).toEqual(['', 'c2'])
    calls[1]?.say(frame('c3', 'evt_2'))
    expect(idOf(await second)).toEqual(['evt_2', 'c3'])
    await events.return()
  })

  it('is one while it is opened, too', async () => {
    const hangs = vi.fn((request: Request) => {
      const { promise, reject } = Promise.withResolvers<Response>()
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error))
      return promise
    })
    const events = followEvents({ baseUrl: 'https://api.example', key: 'key', fetch: hangs as typeof fetch })
    const broken = new AbortController()
    void events.next().catch(() => broken.abort())
    await vi.advanceTimersByTimeAsync(silenceMs + longestPauseMs)
    expect(hangs.mock.calls.length).toBe(2)
    expect(broken.signal.aborted).toBe(false)
  })

  it('is none while the program that follows works on an event', async () => {
    const events = follow()
    const first = events.next()
    await settle()
    calls[0]?.say(frame('c1', 'evt_1') + frame('c2', 'evt_2'))
    expect(idOf(await first)).toEqual(['evt_1', 'c1'])
    await vi.advanceTimersByTimeAsync(10 * silenceMs)
    expect(calls[0]?.signal.aborted).toBe(false)
    expect(idOf(await events.next())).toEqual(['evt_2', 'c2'])
    expect(calls).toHaveLength(1)
    await events.return()
  })
})
