/**
 * The 8-octet IV of AEAD transforms: 24 bits of incarnation, 4 of the thread that seals, 36 of counter, never the same twice under
 * one key. Each thread counts for itself: what others have used it need not know.
 *
 * The incarnation is drawn anew by every process before it takes over SAs, so a resumed SA cannot repeat an IV of its former owner.
 * The counter is not the sequence number: that one may jump or be resumed. Neither field wraps; `next` refuses first.
 */
import { writeUint32 } from './octets.ts'

/** How many threads may seal under one key. */
export const IV_THREADS = 16

const LAST_HIGH = 0x0f

export class IvCounter {
  /** Incarnation and thread. */
  readonly #prefix: number
  #high = 0
  #low = 0

  /** @param incarnation 24 bits @param thread 4 bits: no two that hold one key may have the same */
  constructor(incarnation: number, thread = 0) {
    if (!Number.isInteger(incarnation) || incarnation < 0 || incarnation > 0xffffff) {
      throw new RangeError('the incarnation has 24 bits')
    }
    if (!Number.isInteger(thread) || thread < 0 || thread >= IV_THREADS) throw new RangeError('there are 16 IV ranges')
    this.#prefix = (incarnation << 8) | (thread << 4)
  }

  /** Writes a fresh IV at `at`. @returns false when the counter is used up; nothing is written then. */
  next(out: Uint8Array, at: number): boolean {
    if (this.#low === 0xffffffff) {
      if (this.#high === LAST_HIGH) return false
      this.#high++
      this.#low = 0
    } else {
      this.#low++
    }
    writeUint32(out, at, (this.#prefix | this.#high) >>> 0)
    writeUint32(out, at + 4, this.#low)
    return true
  }

  /** Continues after a stored value of the same incarnation and thread; `high` has 4 bits. */
  skipTo(high: number, low: number): void {
    this.#high = high
    this.#low = low
  }
}
