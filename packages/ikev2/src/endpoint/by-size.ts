/**
 * Things by how much they hold: one that holds most is found at once, whatever their number.
 */
export class BySize<T> {
  readonly #groups: Set<T>[] = []
  #largest = 0

  /** Of the one that holds most; 0 when there is none. */
  get largest(): number {
    return this.#largest
  }

  /** One that holds most: of several the one that came to it first. */
  get first(): T | undefined {
    const [first] = this.#groups[this.#largest] ?? []
    return first
  }

  /** @param from what it held so far, @param to what it holds now; null: it is not in here. Whole numbers from 0. */
  move(item: T, from: number | null, to: number | null): void {
    if (from !== null) this.#groups[from]?.delete(item)
    if (to !== null) {
      const group = (this.#groups[to] ??= new Set())
      group.add(item)
      this.#largest = Math.max(this.#largest, to)
    }
    while (this.#largest > 0 && (this.#groups[this.#largest]?.size ?? 0) === 0) this.#largest -= 1
  }
}
