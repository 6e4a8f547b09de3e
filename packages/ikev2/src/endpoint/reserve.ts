/**
 * Places beside those that everybody competes for, only for who is known: who brings a good resumption ticket, or asks from a port
 * where a device is attached. However crowded it is, such a device comes back at once.
 *
 * A name has few of them, so who copied a ticket on its way, or is a bad device itself, takes those of nobody else. It is the name of
 * the device, not of its ticket: a device gathers as many tickets as it likes.
 */
const MOST_OF_ONE = 2
/** Of the table, in addition to it. */
const SHARE = 1 / 4

export class Reserve {
  readonly #held = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param name of the device whose ticket it is, or of the port. @param limit of the table. */
  hasRoom(name: string, limit: number): boolean {
    return this.#size < Math.floor(limit * SHARE) && (this.#held.get(name) ?? 0) < MOST_OF_ONE
  }

  add(name: string): void {
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1)
    this.#size += 1
  }

  delete(name: string): void {
    const left = (this.#held.get(name) ?? 0) - 1
    if (left > 0) this.#held.set(name, left)
    else this.#held.delete(name)
    this.#size -= 1
  }
}
