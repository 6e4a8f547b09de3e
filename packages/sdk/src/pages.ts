/** A list of the API, page after page as it is read. Nothing is fetched before somebody reads. */

interface Page<T> {
  readonly data: readonly T[]
  readonly nextCursor: string | null
}

export class Pages<T> implements AsyncIterable<T> {
  readonly #read: (cursor: string | null) => Promise<Page<T>>

  constructor(read: (cursor: string | null) => Promise<Page<T>>) {
    this.#read = read
  }

  /** Item after item; ends early with `break`, and then fetches no more. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for await (const page of this.pages()) yield* page
  }

  async *pages(): AsyncGenerator<readonly T[]> {
    let cursor: string | null = null
    do {
      const page: Page<T> = await this.#read(cursor)
      yield page.data
      cursor = page.nextCursor
    } while (cursor !== null)
  }

  /** @param most no more than these, so that a list of a million does not fill the memory by accident */
  async toArray({ most }: { readonly most: number }): Promise<T[]> {
    const items: T[] = []
    for await (const item of this) {
      if (items.length >= most) break
      items.push(item)
    }
    return items
  }
}
