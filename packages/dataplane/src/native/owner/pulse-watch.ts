/**
 * Notices workers that hang: each counts its pulse on at least four times a second, asleep or busy.
 *
 * Time is counted in looks of the owner, not by a clock: a machine or an owner that stood still looks at nobody meanwhile.
 */
const PATIENT_LOOKS = 10
export const LOOK_INTERVAL_MS = 1000

export class PulseWatch {
  readonly #last: number[] = []
  readonly #still: number[] = []

  /** @param pulses of all workers, in the same order every time @returns the first worker that is still, or -1 */
  look(pulses: readonly number[]): number {
    for (const [worker, pulse] of pulses.entries()) {
      this.#still[worker] = pulse === this.#last[worker] ? (this.#still[worker] ?? 0) + 1 : 0
      this.#last[worker] = pulse
    }
    return this.#still.findIndex((looks) => looks >= PATIENT_LOOKS)
  }
}
