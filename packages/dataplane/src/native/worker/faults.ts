/**
 * Bugs that a packet met on its way: it is dropped and counted (`internalFault`), and the node goes on.
 *
 * What repeats ends the worker all the same, and with it the node: state that is wrong for good is not limped on with.
 */
import { DropCode } from '@culvert/esp'

const INTERVAL_MS = 60_000
const MOST_IN_INTERVAL = 16

export class Faults {
  readonly #clock: { readonly nowMs: number }
  readonly #tell: (error: Error) => void
  #sinceMs = -Infinity
  #count = 0

  constructor(clock: { readonly nowMs: number }, tell: (error: Error) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** @returns what to count the packet by. Throws the same error when there were too many of late. */
  note(error: unknown): DropCode {
    const { nowMs } = this.#clock
    if (nowMs - this.#sinceMs >= INTERVAL_MS) {
      this.#sinceMs = nowMs
      this.#count = 0
    }
    if (++this.#count > MOST_IN_INTERVAL) throw error
    this.#tell(error instanceof Error ? error : new Error(String(error)))
    return DropCode.internalFault
  }
}
