/**
 * Cursors: opaque to the caller, bound to the list and the filters they were made for. They hold nothing secret and are not
 * trusted: what comes out is checked like any other input.
 */
import { DomainError } from '@culvert/contracts'
import type { Page, PageRequest, PageStart } from '@culvert/db'
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

function encode(start: PageStart, list: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([fingerprint(list), start.createdAt.getTime(), start.id])).toString('base64url')
}

function decode(cursor: string, list: readonly unknown[]): PageStart {
  try {
    const [print, timeMs, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    const sound = Number.isSafeInteger(timeMs) && typeof id === 'string' && /^[a-z]{3}_[A-Za-z0-9]{1,40}$/.test(id)
    if (sound && print === fingerprint(list)) {
      const createdAt = new Date(timeMs as number)
      if (createdAt.getTime() >= 0 && createdAt.getTime() < 8e12) return { createdAt, id: id as string }
    }
  } catch {
    // Not JSON: refused below like every other cursor that is not ours.
  }
  throw new DomainError('invalid_cursor', {
    errors: [{ in: 'query', pointer: '/cursor', message: 'is not a cursor of this list' }],
  })
}

function fingerprint(list: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 12)
}
