/** Lists that can be sorted: from the query of a request to what package db takes, and back to a page with its cursor. */
import type { ListedPage, ListRequest } from '@culvert/db'
import { readPosition, writePosition, type PageQuery } from './paging.ts'

/** A list as one request asks for it. */
export interface AskedList<By extends string> {
  readonly page: ListRequest<By>
  readonly answer: <Row, View>(
    found: ListedPage<Row>,
    view: (row: Row) => View,
  ) => { data: View[]; nextCursor: string | null }
}

/**
 * @param of names the list, its organization and its filters: a cursor of another one is refused
 * @param sort `createdAt`, `-createdAt`; as the schema has it
 */
export function askedList<By extends string>(
  query: PageQuery,
  of: readonly unknown[],
  sort: By | `-${By}`,
): AskedList<By> {
  const list = [...of, sort]
  const by = sort.replace(/^-/, '') as By
  return {
    page: {
      limit: query.limit ?? 50,
      after: readPosition(query, list, by),
      sort: { by, descending: sort.startsWith('-') },
    },
    answer: ({ rows, next }, view) => ({ data: rows.map(view), nextCursor: writePosition(next, list) }),
  }
}

/** What is said of lists that may be long. */
export const listed =
  'All filters that are given must hold. A page may have fewer items than `limit`, even none, although `nextCursor` says that there are more: each call looks at a bounded part.'

export function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}
