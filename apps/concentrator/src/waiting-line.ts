/**
 * Who waits for a turn, in groups that take turns: however many of one group wait, the first of another is served next but one.
 * Each waits once, with what was said of it last. Everything is O(1), and a group is known only while somebody of it waits.
 */
export class WaitingLine<Item> {
  readonly #groups = new Map<string, Map<string, Item>>()

  get isEmpty(): boolean {
    return this.#groups.size === 0
  }

  /** Who waits already keeps its place. */
  add(group: string, id: string, item: Item): void {
    const waiting = this.#groups.get(group)
    if (waiting === undefined) this.#groups.set(group, new Map([[id, item]]))
    else waiting.set(id, item)
  }

  delete(group: string, id: string): void {
    const waiting = this.#groups.get(group)
    if (waiting?.delete(id) && waiting.size === 0) this.#groups.delete(group)
  }

  /** Takes out whose turn it is; undefined when nobody waits. */
  next(): Item | undefined {
    for (const [group, waiting] of this.#groups) {
      this.#groups.delete(group)
      for (const [id, item] of waiting) {
        waiting.delete(id)
        if (waiting.size > 0) this.#groups.set(group, waiting)
        return item
      }
    }
    return undefined
  }

  clear(): void {
    this.#groups.clear()
  }
}
