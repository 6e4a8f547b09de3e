/**
 * A binary heap of things that are due at some time; every item knows its own place, so moving and removing cost O(log n).
 *
 * An item stands in at most one heap. `dueMs` belongs to the heap while the item is in it. Items due at the same millisecond
 * come out in the order in which they were last set, so that a run can be repeated exactly.
 */
export interface Timed {
  /** Place in the heap, -1 when outside. */
  heapIndex: number
  dueMs: number
  /** Order among items due at the same time. */
  dueOrder: number
}

export class TimerHeap<T extends Timed> {
  readonly #items: T[] = []
  #order = 0

  get size(): number {
    return this.#items.length
  }

  /** Time of the earliest item, null when empty. */
  get nextMs(): number | null {
    return this.#items[0]?.dueMs ?? null
  }

  /** Adds the item or moves it; Infinity takes it out. */
  set(item: T, dueMs: number): void {
    if (dueMs === Infinity) {
      this.remove(item)
      return
    }
    if (item.heapIndex >= 0 && item.dueMs === dueMs) return
    item.dueMs = dueMs
    item.dueOrder = this.#order++
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length
      this.#items.push(item)
    }
    this.#settle(item)
  }

  remove(item: T): void {
    const index = item.heapIndex
    if (index < 0) return
    item.heapIndex = -1
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    this.#place(last, index)
    this.#settle(last)
  }

  /** Takes out and returns the earliest item that is due, null when none is. */
  popDue(nowMs: number): T | null {
    const first = this.#items[0]
    if (first === undefined || first.dueMs > nowMs) return null
    this.remove(first)
    return first
  }

  #settle(item: T): void {
    this.#rise(item)
    this.#sink(item)
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const parentIndex = (item.heapIndex - 1) >> 1
      const parent = this.#items[parentIndex]
      if (parent === undefined || before(parent, item)) return
      this.#place(parent, item.heapIndex)
      this.#place(item, parentIndex)
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.heapIndex + 1]
      const right = this.#items[2 * item.heapIndex + 2]
      const child = left !== undefined && right !== undefined && before(right, left) ? right : left
      if (child === undefined || before(item, child)) return
      const childIndex = child.heapIndex
      this.#place(child, item.heapIndex)
      this.#place(item, childIndex)
    }
  }

  #place(item: T, index: number): void {
    this.#items[index] = item
    item.heapIndex = index
  }
}

function before(a: Timed, b: Timed): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.dueOrder < b.dueOrder)
}
