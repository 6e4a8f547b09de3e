/**
 * Cursors: opaque to the caller, bound to the list and the filters they were made for. They hold nothing secret and are not
 * trusted: what comes out is checked like any other input.
 */
import { DomainError } from '@culvert/contracts'
import type { DevicePosition, Page, PageRequest, PageStart } from '@culvert/db'
import { createHash } from 'node:crypto'

export interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}

/** @param list names the list and its filters; a cursor of another one is refused */
export function readPage(query: PageQuery, list: readonly unknown[]): PageRequest {
  return { limit: query.limit ?? 50, after: query.cursor === undefined ? null : decode(query.cursor, list) }
}

export function writePage<T, V>(
  page: Page<T>,
  list: readonly unknown[],
  view: (row: T) => V,
): { data: V[]; nextCursor: string | null } {
  return { data: page.rows.map(view), nextCursor: page.next === null ? null : encode(page.next, list) }
}

/**
 * Where a page of a list begins that can be sorted by several things.
 * @param list names the order, too
 * @param by what it is sorted by: a time when its name says so, else a text
 */
export function readPosition({ cursor }: PageQuery, list: readonly unknown[], by: string): DevicePosition | null {
  if (cursor === undefined) return null
  const [key, id] = open(cursor, list)
  const isKey: (value: unknown) => value is number | string = by.endsWith('At') ? isTime : isText
  if (isKey(key) && isId(id)) return { key, id }
  throw invalidCursor()
}

export function writePosition(position: DevicePosition | null, list: readonly unknown[]): string | null {
  return position === null ? null : seal([position.key, position.id], list)
}

function encode(start: PageStart, list: readonly unknown[]): string {
  return seal([start.createdAt.getTime(), start.id], list)
}

function decode(cursor: string, list: readonly unknown[]): PageStart {
  const [timeMs, id] = open(cursor, list)
  if (isTime(timeMs) && isId(id)) return { createdAt: new Date(timeMs), id }
  throw invalidCursor()
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 8e12
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 400 && !value.includes('\0')
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z]{3}_[A-Za-z0-9]{1,40}$/.test(value)
}

function seal(content: readonly unknown[], list: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([fingerprint(list), ...content])).toString('base64url')
}

/** @throws DomainError for what is no cursor of this list */
function open(cursor: string, list: readonly unknown[]): unknown[] {
  try {
    const [print, ...content] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (print === fingerprint(list)) return content
  } catch {
    // Not JSON: refused below like every other cursor that is not ours.
  }
  throw invalidCursor()
}

function invalidCursor(): DomainError {
  return new DomainError('invalid_cursor', {
    errors: [{ in: 'query', pointer: '/cursor', message: 'is not a cursor of this list' }],
  })
}

function fingerprint(list: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 12)
}
