/** /v1/events: the feed, as pages, as calls that wait, and as a stream. */
import { DomainError, EventId, EventQuery } from '@culvert/contracts'
import { eventCursors, findEvent, readFeed, type EventCursors, type FeedBeginning, type FeedPage } from '@culvert/db'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { authorize } from '../permissions.ts'
import type { Api, ApiContext } from '../context.ts'
import { streamEvents } from '../feed/event-stream.ts'
import { eventView } from '../feed/event-view.ts'
import { feedFilter, feedStart, wantsStream } from '../feed/feed-query.ts'
import { Seats } from '../feed/seats.ts'
import { callerSignal } from '../preconditions.ts'
import { json, problems } from '../responses.ts'

const tags = ['events']
/** Of a stream, where the caller says nothing. */
const streamPage = 200

const description = `In order: of each resource by \`sequence\`, and an event that was told never gets another one before it. Keep \`nextCursor\`; who comes
again with it misses nothing, for as long as events are kept.

With \`Accept: text/event-stream\` events come as they happen, as server-sent events: \`id\` is a cursor, \`data\` an event as JSON, and
\`Last-Event-ID\` goes on after one. A stream ends when its key does, and when it is not read.`

const streamExample = `retry: 2000

id: Gr3pZ0q7cVh1yQm9w2x4Tg
data: {"id":"evt_k7m2qx5n4r3t6v7w2y3z","type":"device.online","timestamp":"2026-11-22T09:30:00.000Z","resourceId":"dev_ajaic76ztpqad76h2tn2","sequence":7,"data":{"concentrator":"con-1"}}

`

export function eventRoutes(api: Api, context: ApiContext): void {
  const { pool, changes, stream } = context
  const cursorsOf = eventCursors(pool)
  const seats = new Seats(stream)

  api.get(
    '/events',
    {
      config: { permission: 'events:read' },
      schema: {
        operationId: 'listEvents',
        summary: 'Read events, oldest first, or have them streamed',
        description,
        tags,
        querystring: EventQuery,
        response: {
          200: {
            ...json(Type.Ref('EventPage'), 'A page of events, or a stream of them.'),
            content: {
              'application/json': { schema: Type.Ref('EventPage') },
              'text/event-stream': { schema: Type.String(), example: streamExample },
            },
          },
          ...problems('invalid_cursor', 'cursor_expired', 'stream_limit'),
        },
      },
    },
    async (request, reply) => {
      const { organizationId, query } = request
      const filter = feedFilter(query)
      const cursors = await cursorsOf(organizationId)
      const after = await feedStart(pool, request, cursors)
      const isStream = wantsStream(request)
      const limit = query.limit ?? (isStream ? streamPage : 50)
      const read = (from: number | null) => readFeed(pool, organizationId, filter, { after: from, limit })
      const check = async (): Promise<void> => {
        await context.authenticate(request)
        await authorize(request, reply)
      }
      if (isStream) {
        const start = kept(await read(after), request, reply, cursors)
        const leave = seats.take(request.actor)
        return streamEvents(request, reply, { ...stream, changes, cursors, start, read, check }).finally(leave)
      }
      const waitMs = (query.wait ?? 0) * 1_000
      const first = kept(await read(after), request, reply, cursors)
      if (waitMs === 0 || first.events.length > 0 || first.hasMore) return pageView(first, cursors)
      const leave = seats.take(request.actor)
      try {
        const page = await changes.until({
          organizationId,
          id: organizationId,
          timeoutMs: waitMs,
          signal: callerSignal(request, reply),
          read: async () => kept(await read(first.position), request, reply, cursors),
          done: ({ events, hasMore }) => events.length > 0 || hasMore,
        })
        await check()
        return pageView(page, cursors)
      } finally {
        leave()
      }
    },
  )

  api.get(
    '/events/:eventId',
    {
      config: { permission: 'events:read' },
      schema: {
        operationId: 'getEvent',
        summary: 'Read an event',
        tags,
        params: Type.Object({ eventId: EventId }, { additionalProperties: false }),
        response: { 200: json(Type.Ref('Event'), 'The event.'), ...problems('not_found') },
      },
    },
    async ({ organizationId, params }) => {
      const event = await findEvent(pool, organizationId, params.eventId)
      if (!event) throw new DomainError('not_found')
      return eventView(event)
    },
  )
}

function pageView({ events, position, hasMore }: FeedPage, cursors: EventCursors): object {
  return { data: events.map(eventView), nextCursor: cursors.write(position), hasMore }
}

/** @throws cursor_expired, with where to go on */
function kept(
  page: FeedPage | FeedBeginning,
  request: FastifyRequest<{ Querystring: EventQuery }>,
  reply: FastifyReply,
  cursors: EventCursors,
): FeedPage {
  if (!('beginsAfter' in page)) return page
  const { since: _since, wait: _wait, ...query } = request.query
  const cursor = cursors.write(page.beginsAfter)
  const parameters = new URLSearchParams({ after: cursor })
  for (const [name, value] of Object.entries(query)) if (name !== 'after') parameters.set(name, String(value))
  reply.header('link', `</v1/events?${parameters.toString()}>; rel="next"`)
  throw new DomainError('cursor_expired', {
    publicDetail: `Events after this cursor are removed already. The oldest that is kept comes after \`${cursor}\`.`,
  })
}
