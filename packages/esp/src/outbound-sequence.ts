/**
 * The sequence numbers of one outbound SA (RFC 4303 2.2, 3.3.3), taken by one thread or by several.
 *
 * Numbers lie in three words that threads may share; each thread has an object of its own over them. A thread reserves the numbers
 * of a whole superpacket in one step and uses them at once, so that none waits until it is left of the peer's window.
 *
 *   words: [ last number reserved, low half | high half of numbers below 2^31 | high half of numbers from 2^31 on ]
 *
 * Two high halves, because one could not change in the same instant as the low one. Each is counted on by whoever leaves its part
 * of the low numbers, 2^31 numbers before it is needed again; and it is read before the low half is advanced. A wrong one would
 * take a thread that stands still between two instructions while 2^31 packets of the same SA leave by the others.
 */
const LAST = 0
const LOWER_HIGH = 1
const UPPER_HIGH = 2
/** Words of memory that a sequence needs. */
export const SEQUENCE_WORDS = 3

const HALF = 0x8000_0000
const LAST_LOW = 0xffff_ffff

export class OutboundSequence {
  readonly #esn: boolean
  #words: Int32Array
  /** The number taken last. */
  #low = 0
  #high = 0
  /** Reserved, not yet taken. */
  #left = 0
  #lowerHigh = 0
  #upperHigh = 0

  /** @param words as for `share` */
  constructor(esn: boolean, words: Int32Array = new Int32Array(SEQUENCE_WORDS)) {
    this.#esn = esn
    this.#words = words
  }

  /** The number that this object took last. */
  get low(): number {
    return this.#low
  }

  /** 0 without extended numbers. */
  get high(): number {
    return this.#high
  }

  /** Low half of the number that any thread reserved last. */
  get lastLow(): number {
    return Atomics.load(this.#words, LAST) >>> 0
  }

  /** From now on counts in memory of the caller: its first `SEQUENCE_WORDS`, zero for a new SA, the same for every thread. */
  share(words: Int32Array): void {
    if (words.length < SEQUENCE_WORDS) throw new RangeError('wrong memory size for a sequence')
    this.#words = words
    this.#left = 0
  }

  /** Goes on after a number sent before. */
  skipTo(high: number, low: number): void {
    const isUpper = low >= HALF
    Atomics.store(this.#words, LAST, low | 0)
    Atomics.store(this.#words, LOWER_HIGH, (isUpper ? high + 1 : high) | 0)
    Atomics.store(this.#words, UPPER_HIGH, high | 0)
    this.#low = low
    this.#high = high
    this.#left = 0
  }

  /**
   * Sets aside the next `count` numbers for `take`; what was set aside before and not taken is never used.
   * @returns false when fewer are left before the end: 2^32 - 1, with extended numbers 2^64 - 1
   */
  reserve(count: number): boolean {
    const words = this.#words
    this.#left = 0
    for (;;) {
      // Plain reads: the exchange below puts them in order before itself, and fails when the low half was another one.
      const lowerHigh = words[LOWER_HIGH]!
      const upperHigh = words[UPPER_HIGH]!
      const last = words[LAST]!
      const from = last >>> 0
      const end = from + count
      const wraps = end > LAST_LOW
      // The half after the last one would be 0 again.
      if (wraps && (!this.#esn || lowerHigh === 0)) return false
      if (Atomics.compareExchange(words, LAST, last, end | 0) !== last) continue
      if (this.#esn && wraps) Atomics.store(words, UPPER_HIGH, (upperHigh + 1) | 0)
      else if (this.#esn && from < HALF && end >= HALF) Atomics.store(words, LOWER_HIGH, (lowerHigh + 1) | 0)
      this.#low = from
      this.#left = count
      this.#lowerHigh = lowerHigh >>> 0
      this.#upperHigh = upperHigh >>> 0
      return true
    }
  }

  /** Takes the next number, into `low` and `high`; reserves one when none is set aside. @returns false when none is left */
  take(): boolean {
    if (this.#left === 0 && !this.reserve(1)) return false
    this.#left--
    this.#low = this.#low === LAST_LOW ? 0 : this.#low + 1
    this.#high = this.#low >= HALF ? this.#upperHigh : this.#lowerHigh
    return true
  }
}
