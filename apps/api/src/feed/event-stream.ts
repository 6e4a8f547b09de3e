/**
 * Events as they come, as server-sent events (WHATWG HTML 9.2). `id` of an event is the cursor after it; a heartbeat carries the
 * cursor too, so that who comes again goes on there however little it was told.
 *
 * Pages are read as fast as the reader takes them and no faster: what is not taken in time ends the stream. Before anything is told
 * the caller is asked for again who it is: a key that was revoked is told nothing more.
 */
import { isDatabaseUnavailable, type EventCursors, type FeedBeginning, type FeedPage } from '@culvert/db'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { Changes } from '../changes.ts'
import { callerSignal } from '../preconditions.ts'
import { eventView } from './event-view.ts'

export interface StreamTimes {
  /** Longest silence. */
  readonly heartbeatMs: number
  /** For the reader to take what was sent. */
  readonly stallMs: number
}

export interface StreamOptions extends StreamTimes {
  readonly changes: Changes
  readonly cursors: EventCursors
  readonly start: FeedPage
  readonly read: (after: number) => Promise<FeedPage | FeedBeginning>
  /** @throws when the caller may not read any more */
  readonly check: () => Promise<void>
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies that collect an answer would keep it for ever.
  'x-accel-buffering': 'no',
  connection: 'close',
}
const reconnectMs = 2_000
const outageMs = 1_000

/** Resolves when the stream has ended, whoever ended it. */
export async function streamEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  options: StreamOptions,
): Promise<void> {
  const gone = callerSignal(request, reply)
  reply.hijack()
  const { raw } = reply
  raw.on('error', () => {})
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
  const line: Line = { raw, gone, times: options, isOver: () => gone.aborted || options.changes.isReleased }
  try {
    await send(line, `retry: ${reconnectMs}\n\n`)
    await tell(line, request.organizationId, options)
    raw.end()
  } catch (error) {
    request.log.debug({ err: error }, 'a stream of events has ended')
    raw.destroy()
  }
}

/** To one reader. */
interface Line {
  readonly raw: ServerResponse
  readonly times: StreamTimes
  /** Aborted when the reader hangs up. */
  readonly gone: AbortSignal
  readonly isOver: () => boolean
}

async function tell(line: Line, organizationId: string, options: StreamOptions): Promise<void> {
  const { changes, cursors, read, check } = options
  let toldMs = -Infinity
  let page: FeedPage | FeedBeginning = options.start
  const leftMs = (): number => toldMs + options.heartbeatMs - performance.now()
  // Retention has overtaken the reader: when it comes again, it is told so.
  while (!('beginsAfter' in page)) {
    const { events, position }: FeedPage = page
    if (events.length > 0 || leftMs() <= 0) {
      await throughOutages(line, check)
      const frames = events.map((event) => frame(cursors.write(event.position ?? 0), eventView(event)))
      await send(line, frames.join('') + heartbeat(cursors.write(position)))
      toldMs = performance.now()
    }
    // Watches before it reads: what comes meanwhile wakes it.
    const changed = changes.next(organizationId)
    try {
      page = await throughOutages(line, () => read(position))
      const isIdle = !('beginsAfter' in page) && page.events.length === 0 && !page.hasMore
      if (isIdle && !line.isOver()) await changed.within(Math.max(0, leftMs()), line.gone)
    } finally {
      changed.forget()
    }
    if (line.isOver()) return
  }
}

/** While the database is away the stream waits; it is told nothing, and kept. */
async function throughOutages<T>(line: Line, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (line.isOver() || !isDatabaseUnavailable(error)) throw error
      await send(line, ':\n\n')
      await setTimeout(outageMs, undefined, { signal: line.gone })
    }
  }
}

/** @throws when the reader does not take it in time */
async function send({ raw, times, gone }: Line, text: string): Promise<void> {
  if (raw.write(text) || gone.aborted) return
  await new Promise<void>((resolve, reject) => {
    const timer = globalThis.setTimeout(() => reject(new Error('the reader of a stream does not read')), times.stallMs)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    raw.once('drain', done)
    gone.addEventListener('abort', done, { once: true })
  })
}

function frame(cursor: string, event: object): string {
  return `id: ${cursor}\ndata: ${JSON.stringify(event)}\n\n`
}

/** A comment; the `id` counts all the same. */
function heartbeat(cursor: string): string {
  return `id: ${cursor}\n:\n\n`
}
