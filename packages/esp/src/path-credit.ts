/**
 * Octets that may still go to where an SA sends, one word that threads may share: what one of them receives, all of them may answer.
 *
 *   word: 0 = any number of octets, otherwise the octets and 1
 */
const ANY = 0
const MOST_BYTES = 2 ** 30

export class PathCredit {
  #word: Int32Array = new Int32Array(1)

  /** From now on counts in memory of the caller: one word, 0 for a new SA. */
  share(word: Int32Array): void {
    this.#word = word
  }

  /** Infinite once the peer was heard to answer from there. */
  get bytes(): number {
    const word = Atomics.load(this.#word, 0)
    return word === ANY ? Infinity : word - 1
  }

  set bytes(bytes: number) {
    Atomics.store(this.#word, 0, bytes === Infinity ? ANY : Math.min(bytes, MOST_BYTES) + 1)
  }

  earn(bytes: number): void {
    if (this.#word[0] === ANY) return
    for (;;) {
      const word = Atomics.load(this.#word, 0)
      if (word === ANY) return
      const earned = Math.min(word + bytes, MOST_BYTES + 1)
      if (Atomics.compareExchange(this.#word, 0, word, earned) === word) return
    }
  }

  /** @returns false when it has less */
  spend(bytes: number): boolean {
    if (this.#word[0] === ANY) return true // most of the time, and cheaper than an atomic access for every packet
    for (;;) {
      const word = Atomics.load(this.#word, 0)
      if (word === ANY) return true
      if (word - 1 < bytes) return false
      if (Atomics.compareExchange(this.#word, 0, word, word - bytes) === word) return true
    }
  }
}
