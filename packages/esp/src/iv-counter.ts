/**
 * The 8-octet IV of AEAD transforms: 24 bits of incarnation, 40 bits of counter, never the same twice under one key.
 *
 * The incarnation is drawn anew by every process before it takes over SAs, so a resumed SA cannot repeat an IV of its former owner.
 * The counter is not the sequence number: that one may jump or be resumed. Neither field wraps; `next` refuses first.
 */
import { writeUint32 } from './octets.ts'

export class IvCounter {
  readonly #incarnation: number
  readonly #lastHigh: number
  #high = 0
  #low = 0

  /** @param incarnation 24 bits @param lastHigh upper 8 bits of the last counter value; smaller only in tests of the limit */
  constructor(incarnation: number, lastHigh = 0xff) {
    if (!Number.isInteger(incarnation) || incarnation < 0 || incarnation > 0xffffff) {
      throw new RangeError('the incarnation has 24 bits')
    }
    this.#incarnation = incarnation
    this.#lastHigh = lastHigh
  }

  /** Writes a fresh IV at `at`. @returns false when the counter is used up; nothing is written then. */
  next(out: Uint8Array, at: number): boolean {
    if (this.#low === 0xffffffff) {
      if (this.#high >= this.#lastHigh) return false
      this.#high++
      this.#low = 0
    } else {
      this.#low++
    }
    writeUint32(out, at, ((this.#incarnation << 8) | this.#high) >>> 0)
    writeUint32(out, at + 4, this.#low)
    return true
  }

  /** Continues after a stored value of the same incarnation. */
  skipTo(high: number, low: number): void {
    this.#high = high
    this.#low = low
  }
}
