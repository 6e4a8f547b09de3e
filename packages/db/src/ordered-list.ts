/**
 * Pages of a list in the order of one of its columns, chosen by filters, in bounded time at any depth, for any filter and any size:
 *
 * ```
 *   index of the order, from the cursor  ->  at most `walkLimit` rows  ->  each looked up and held to the filter, until the page is full
 * ```
 *
 * A walk that ends before the page is full says where it ended: such a page has fewer items than asked for, or none, and still a
 * next one. The planner is left no way but that one.
 */
import type { Pool } from 'pg'
import { Conditions } from './page.ts'
import { inTenantTransaction } from './tenant.ts'

export interface ListSort<By extends string> {
  readonly by: By
  readonly descending: boolean
}

/** Where a page begins: after this row. */
export interface ListPosition {
  /** Milliseconds, or the text as it is compared. */
  readonly key: number | string
  readonly id: string
}

export interface ListRequest<By extends string> {
  readonly limit: number
  readonly after: ListPosition | null
  readonly sort: ListSort<By>
}

export interface ListedPage<Row> {
  readonly rows: readonly Row[]
  /** Null: there are no more. */
  readonly next: ListPosition | null
}

/** What is walked: rows of `from`, in the order of `key` and `id`, which an index has behind what `where` says. */
export interface Walk {
  readonly from: string
  readonly key: string
  readonly id: string
  readonly cast: 'timestamptz' | 'text'
  /** Begins with the organization; conditions that the index answers. */
  readonly where: Conditions
}

/** What is shown: `columns` of `source`, whose row is found by `id`. */
export interface Shown {
  readonly columns: string
  readonly source: string
  readonly organizationId: string
  readonly id: string
  /** Adds what the index does not answer. */
  readonly fits: (where: Conditions) => Conditions
}

/** So many rows of an index are looked at for a page. */
const walkLimit = 4_000

/** Only indexes, read in their order and no further than needed; what has to be sorted still is. */
export const boundedPlans = ['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin', 'sort']
  .map((way) => `SET LOCAL enable_${way} = off`)
  .concat('SET LOCAL jit = off')
  .join('; ')

interface WalkedRow {
  readonly listKey: Date | string
  readonly listId: string
}

export async function listInOrder<Row, By extends string = string>(
  pool: Pool,
  organizationId: string,
  { walk, shown }: { walk: Walk; shown: Shown },
  page: ListRequest<By>,
): Promise<ListedPage<Row>> {
  const { from, key, id, where } = walk
  addPosition(where, walk, page)
  const walked = `SELECT ${id} AS id, ${key} AS key FROM ${from} WHERE ${where.text} ORDER BY ${inOrder(walk, page.sort)}`
  const fits = shown.fits(new Conditions(where.values.length).add(`${shown.organizationId} = ?`, organizationId))
  return inTenantTransaction(pool, organizationId, async (sql) => {
    await sql.query(boundedPlans)
    // LATERAL: a look into an index for each row, in the order of the walk, until the page is full.
    const { rows } = await sql.query<Row & WalkedRow>(
      `SELECT walked.key AS "listKey", walked.id AS "listId", shown.* FROM (${walked} LIMIT ${walkLimit}) walked CROSS JOIN LATERAL
         (SELECT ${shown.columns} FROM ${shown.source} WHERE ${shown.id} = walked.id AND ${fits.text} OFFSET 0) shown LIMIT ${page.limit + 1}`,
      [...where.values, ...fits.values],
    )
    const kept = rows.slice(0, page.limit)
    const shownRows = kept.map(({ listKey: _key, listId: _id, ...row }) => row as Row)
    if (rows.length > page.limit) return { rows: shownRows, next: positionOf(kept.at(-1)) }
    const { rows: last } = await sql.query<WalkedRow>(
      `SELECT walked.key AS "listKey", walked.id AS "listId" FROM (${walked} OFFSET ${walkLimit - 1} LIMIT 1) walked`,
      where.values,
    )
    return { rows: shownRows, next: positionOf(last[0]) }
  })
}

function positionOf(row: WalkedRow | undefined): ListPosition | null {
  if (row === undefined) return null
  return { id: row.listId, key: row.listKey instanceof Date ? row.listKey.getTime() : row.listKey }
}

function inOrder({ key, id }: Pick<Walk, 'key' | 'id'>, { descending }: ListSort<string>): string {
  const direction = descending ? 'DESC' : 'ASC'
  return `${key} ${direction}, ${id} ${direction}`
}

function addPosition(where: Conditions, { key, id, cast }: Walk, { after, sort }: ListRequest<string>): void {
  if (after === null) return
  const value = typeof after.key === 'number' ? new Date(after.key) : after.key
  where.add(`(${key}, ${id}) ${sort.descending ? '<' : '>'} (?::${cast}, ?::text)`, value, after.id)
}

/** Conditions that several lists have; what is undefined adds nothing. `column` is the list's own. */
export class Fitting {
  readonly #where: Conditions

  constructor(where: Conditions) {
    this.#where = where
  }

  is(column: string, value: string | number | boolean | undefined): this {
    if (value !== undefined) this.#where.add(`${column} = ?`, value)
    return this
  }

  /** A part of the text, in any case. */
  has(column: string, text: string | undefined): this {
    if (text !== undefined) this.#where.add(`strpos(lower(${column}), lower(?::text)) > 0`, text)
    return this
  }

  between(column: string, from: Date | undefined, before: Date | undefined): this {
    if (from !== undefined) this.#where.add(`${column} >= ?`, from)
    if (before !== undefined) this.#where.add(`${column} < ?`, before)
    return this
  }

  when(condition: string, value: unknown): this {
    if (value !== undefined) this.#where.add(condition, value)
    return this
  }

  get conditions(): Conditions {
    return this.#where
  }
}
