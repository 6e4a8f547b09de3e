/**
 * The gateway's port range: which ports are held, which rest in quarantine, which may be tried next.
 *
 * Invariants: a port is never offered while it is held or before its quarantine ends; ports are offered in random order, so that
 * a port says nothing about others; a port outside the range can be held (a listener from before the range changed) but is never
 * offered. Time and randomness are passed in.
 */
export interface PortRange {
  readonly from: number
  readonly to: number
}

export class PortPool {
  readonly #range: PortRange
  /** @returns a number in [0, below), uniformly. */
  readonly #random: (below: number) => number
  readonly #held = new Set<number>()
  /** Port to the monotonic time at which it may be used again. */
  readonly #quarantine = new Map<number, number>()

  constructor(range: PortRange, random: (below: number) => number) {
    this.#range = range
    this.#random = random
  }

  /**
   * The free ports, in random order; lazily, because most callers take the first.
   * @param nowMs monotonic
   */
  *candidates(nowMs: number): Generator<number> {
    this.#forget(nowMs)
    const ports: number[] = []
    for (let port = this.#range.from; port <= this.#range.to; port++) ports.push(port)
    // Fisher-Yates, one step for each port that is asked for.
    for (let left = ports.length; left > 0; left--) {
      const at = this.#random(left)
      const port = ports[at]
      ports[at] = ports[left - 1] ?? 0
      if (port !== undefined && this.isFree(port, nowMs)) yield port
    }
  }

  isFree(port: number, nowMs: number): boolean {
    return !this.#held.has(port) && (this.#quarantine.get(port) ?? -Infinity) <= nowMs
  }

  /** Nobody else gets `port` from now on; a quarantine on it ends, because only its former holder may ask for it by number. */
  hold(port: number): void {
    this.#held.add(port)
    this.#quarantine.delete(port)
  }

  /** Gives `port` back; it rests until `untilMs` (monotonic). */
  quarantine(port: number, untilMs: number): void {
    this.#held.delete(port)
    this.#quarantine.set(port, untilMs)
  }

  /** Gives back a port that no listener ever used. */
  release(port: number): void {
    this.#held.delete(port)
  }

  #forget(nowMs: number): void {
    for (const [port, untilMs] of this.#quarantine) if (untilMs <= nowMs) this.#quarantine.delete(port)
  }
}
