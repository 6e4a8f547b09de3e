/**
 * Octets that may still go to where an SA sends, one word that threads may share: what one of them receives, all of them may answer.
 *
 *   word: 0 = any number of octets, otherwise the octets and 1
 */
const ANY = 0
const MOST_BYTES = 2 ** 30

export class PathCredit {
  #words: Int32Array
  #at: number

  /** @param words memory of the caller @param at the word that is this credit, 0 for a new SA */
  constructor(words: Int32Array = new Int32Array(1), at = 0) {
    this.#words = words
    this.#at = at
  }

  /** From now on counts in that word of other memory. */
  share(words: Int32Array, at: number): void {
    this.#words = words
    this.#at = at
  }

  /** Infinite once the peer was heard to answer from there. */
  get bytes(): number {
    const word = Atomics.load(this.#words, this.#at)
    return word === ANY ? Infinity : word - 1
  }

  set bytes(bytes: number) {
    Atomics.store(this.#words, this.#at, bytes === Infinity ? ANY : Math.min(bytes, MOST_BYTES) + 1)
  }

  earn(bytes: number): void {
    if (this.#words[this.#at] === ANY) return
    for (;;) {
      const word = Atomics.load(this.#words, this.#at)
      if (word === ANY) return
      const earned = Math.min(word + bytes, MOST_BYTES + 1)
      if (Atomics.compareExchange(this.#words, this.#at, word, earned) === word) return
    }
  }

  /** @returns false when it has less */
  spend(bytes: number): boolean {
    if (this.#words[this.#at] === ANY) return true // most of the time, and cheaper than an atomic access for every packet
    for (;;) {
      const word = Atomics.load(this.#words, this.#at)
      if (word === ANY) return true
      if (word - 1 < bytes) return false
      if (Atomics.compareExchange(this.#words, this.#at, word, word - bytes) === word) return true
    }
  }
}
