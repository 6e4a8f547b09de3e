/** Texts that count for a time each; of more than fit, the oldest are forgotten. */
export class RecentSet {
  readonly #until = new Map<string, number>()
  readonly #size: number
  readonly #clock: () => number

  constructor(size: number, clock: () => number = () => performance.now()) {
    this.#size = size
    this.#clock = clock
  }

  add(text: string, forMs: number): void {
    this.#until.delete(text)
    this.#until.set(text, this.#clock() + forMs)
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= this.#size) break
      this.#until.delete(oldest)
    }
  }

  /** @returns how long it counts yet; 0 when it does not */
  leftMs(text: string): number {
    return Math.max(0, (this.#until.get(text) ?? 0) - this.#clock())
  }
}
