/** What a caller wants of the feed, out of query and headers. */
import { DomainError, eventTypes, type EventQuery } from '@culvert/contracts'
import { positionSince, type EventCursors, type FeedFilter, type Pool } from '@culvert/db'
import type { FastifyRequest } from 'fastify'
import { validationError } from '../problem.ts'

/** @throws validation_failed for types that there are not */
export function feedFilter({ types, resourceId, deviceId }: EventQuery): FeedFilter {
  return {
    types: types === undefined ? null : types.split(',').flatMap((name) => typesOf(name.trim())),
    resourceId: resourceId ?? null,
    deviceId: deviceId ?? null,
  }
}

function typesOf(name: string): readonly string[] {
  const kind = /^([a-z_]+\.)\*$/.exec(name)?.[1]
  const known = eventTypes.filter((type) => (kind === undefined ? type === name : type.startsWith(kind)))
  if (known.length > 0) return known
  throw validationError([{ in: 'query', pointer: '/types', message: `has \`${name}\`, which is no type of event` }])
}

/** `Last-Event-ID` wins: who comes again with it comes with the URL of the first time. @returns null: from the oldest event */
export async function feedStart(
  pool: Pool,
  request: FastifyRequest<{ Querystring: EventQuery }>,
  cursors: EventCursors,
): Promise<number | null> {
  const { organizationId, query } = request
  const last = request.headers['last-event-id']
  if (typeof last === 'string' && last !== '') return open(cursors, last, 'header', '/last-event-id')
  if (query.after !== undefined && query.since !== undefined)
    throw validationError([{ in: 'query', pointer: '/since', message: 'is instead of `after`, not beside it' }])
  if (query.after !== undefined) return open(cursors, query.after, 'query', '/after')
  if (query.since === undefined) return null
  return positionSince(pool, organizationId, query.since === 'now' ? null : new Date(query.since))
}

function open(cursors: EventCursors, text: string, part: 'header' | 'query', pointer: string): number {
  const position = cursors.read(text)
  if (position !== null) return position
  throw new DomainError('invalid_cursor', {
    errors: [{ in: part, pointer, message: 'is not a cursor of the feed of this organization' }],
  })
}

/** Server-sent events are asked for by name, as browsers do. */
export function wantsStream({ headers }: FastifyRequest): boolean {
  return /(^|,)\s*text\/event-stream\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(headers.accept ?? '')
}
