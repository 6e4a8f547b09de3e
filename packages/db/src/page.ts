/** Lists by key set: newest first, a page begins after a row and never at an offset, so that it costs the same everywhere. */
export interface PageStart {
  readonly createdAt: Date
  readonly id: string
}

export interface PageRequest {
  readonly limit: number
  readonly after: PageStart | null
}

export interface Page<T> {
  readonly rows: readonly T[]
  /** Null on the last page. */
  readonly next: PageStart | null
}

/** Collects conditions and values of a query; `add` numbers the placeholders written as `?`. */
export class Conditions {
  readonly #parts: string[] = []
  readonly #first: number
  readonly values: unknown[] = []

  /** @param before placeholders of the statement that come before these */
  constructor(before = 0) {
    this.#first = before
  }

  add(condition: string, ...values: unknown[]): this {
    let next = this.#first + this.values.length
    this.#parts.push(condition.replaceAll('?', () => `$${++next}`))
    this.values.push(...values)
    return this
  }

  get text(): string {
    return this.#parts.join(' AND ')
  }
}

/** Cuts the one row read beyond the limit, which tells that there is a next page. */
export function toPage<T>(rows: readonly T[], limit: number, startOf: (row: T) => PageStart): Page<T> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return { rows: kept, next: rows.length > limit && last !== undefined ? startOf(last) : null }
}
