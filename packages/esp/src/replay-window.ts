/**
 * Anti-replay window (RFC 4303 3.4.3) as a ring of 32-bit words (RFC 6479), over memory of the caller.
 *
 *   words: [ topHigh | topLow | ring of 2^n words ]       bit (s mod 32) of word (s / 32 mod 2^n) = s was seen
 *
 *      too old          window (windowPackets)        new
 *   <-----------|------------------------------top|---------->
 *
 * The ring is one word longer than the window, so moving right clears whole words and never shifts bits. `check` comes before the
 * ICV is verified and changes nothing; `commit` comes after and is the only writer. Works on a slice of a SharedArrayBuffer with
 * one writing thread. Sequence numbers come as two halves; without ESN the high half is 0.
 */
import { distance } from './sequence-number.ts'

export const MIN_WINDOW_PACKETS = 64
export const MAX_WINDOW_PACKETS = 4096

const TOP_HIGH = 0
const TOP_LOW = 1
const RING = 2

/** Words of memory a window of this size needs. */
export function replayWindowWords(windowPackets: number): number {
  return RING + ringWords(windowPackets)
}

/** What `commit` found. */
export const Commit = { replayed: 0, inside: 1, advanced: 2 } as const
export type Commit = (typeof Commit)[keyof typeof Commit]

export class ReplayWindow {
  readonly windowPackets: number
  readonly #words: Uint32Array
  readonly #mask: number

  /** @param words zeroed, `replayWindowWords(windowPackets)` long, owned by this window from now on */
  constructor(windowPackets: number, words: Uint32Array = new Uint32Array(replayWindowWords(windowPackets))) {
    if (windowPackets < MIN_WINDOW_PACKETS || windowPackets > MAX_WINDOW_PACKETS || windowPackets % 32 !== 0) {
      throw new RangeError('the replay window holds 64..4096 packets, a multiple of 32')
    }
    if (words.length !== replayWindowWords(windowPackets)) throw new RangeError('wrong memory size for the window')
    this.windowPackets = windowPackets
    this.#words = words
    this.#mask = words.length - RING - 1
  }

  get topHigh(): number {
    return this.#words[TOP_HIGH]!
  }

  get topLow(): number {
    return this.#words[TOP_LOW]!
  }

  /** Whether this number may still be accepted; 0 never is. */
  check(high: number, low: number): boolean {
    if (high === 0 && low === 0) return false
    const behind = distance(this.topHigh, this.topLow, high, low)
    if (behind < 0) return true
    return behind < this.windowPackets && (this.#words[this.#wordOf(low)]! & bitOf(low)) === 0
  }

  /** Marks an authenticated number as seen. Checks again, because a batch may hold the same packet twice. */
  commit(high: number, low: number): Commit {
    if (!this.check(high, low)) return Commit.replayed
    const ahead = distance(high, low, this.topHigh, this.topLow)
    if (ahead > 0) this.#moveTo(high, low, ahead)
    const word = this.#wordOf(low)
    this.#words[word] = this.#words[word]! | bitOf(low)
    return ahead > 0 ? Commit.advanced : Commit.inside
  }

  /** Starts at a stored top: it and everything below counts as seen. */
  resume(high: number, low: number): void {
    this.#words.fill(0xffffffff, RING)
    this.#words[TOP_HIGH] = high
    this.#words[TOP_LOW] = low
    // Bits right of the top in its own word stand for numbers to come.
    this.#words[this.#wordOf(low)] = 0xffffffff >>> (31 - (low & 31))
  }

  #moveTo(high: number, low: number, ahead: number): void {
    const topLow = this.topLow
    const cleared = Math.min(this.#mask + 1, Math.floor(((topLow & 31) + ahead) / 32))
    for (let i = 1; i <= cleared; i++) this.#words[RING + (((topLow >>> 5) + i) & this.#mask)] = 0
    this.#words[TOP_HIGH] = high
    this.#words[TOP_LOW] = low
  }

  #wordOf(low: number): number {
    return RING + ((low >>> 5) & this.#mask)
  }
}

function bitOf(low: number): number {
  return 1 << (low & 31)
}

function ringWords(windowPackets: number): number {
  let words = 1
  while (words < windowPackets / 32 + 1) words *= 2
  return words
}
