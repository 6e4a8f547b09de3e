/**
 * What all connections of a tunnel together may carry: octets in all, and octets per second in each direction.
 *
 * A rate never drops anything: what is too early waits, and whoever sends it is not read meanwhile. A rate is the moment at which all
 * that was let through will have been paid for; a quarter of a second may be owed.
 */
import { Transform, type TransformCallback } from 'node:stream'
import type { RateLimit } from '@culvert/lifecycle'

export interface TunnelLimits {
  /** Octets of both directions; null: any. */
  readonly maxBytes: number | null
  /** Up is from the device; null: any. */
  readonly rateLimit: RateLimit | null
}

/** As seen by the device. */
export type Direction = 'up' | 'down'

const BURST_MS = 250

export class TunnelBudget {
  #limits: TunnelLimits
  readonly #onExhausted: () => void
  readonly #dueMs = { up: -Infinity, down: -Infinity }
  #used: number

  /** @param usedBytes so far, as far as that is known @param onExhausted called once */
  constructor(limits: TunnelLimits, usedBytes: number, onExhausted: () => void) {
    this.#limits = limits
    this.#used = usedBytes
    this.#onExhausted = onExhausted
  }

  /** Acts on flows that have a pacer; those that began while there was no limit go on without one. @param usedBytes as known elsewhere */
  change(limits: TunnelLimits, usedBytes: number): void {
    const wasExhausted = this.isExhausted
    this.#limits = limits
    this.#used = Math.max(this.#used, usedBytes)
    if (this.isExhausted && !wasExhausted) this.#onExhausted()
  }

  get isLimited(): boolean {
    return this.#limits.maxBytes !== null || this.#limits.rateLimit !== null
  }

  get isExhausted(): boolean {
    return this.#limits.maxBytes !== null && this.#used >= this.#limits.maxBytes
  }

  /** @returns milliseconds until these octets may go on; null when they are beyond what the tunnel may carry */
  spend(direction: Direction, bytes: number, nowMs: number): number | null {
    const { maxBytes, rateLimit } = this.#limits
    const wasExhausted = this.isExhausted
    this.#used += bytes
    if (this.isExhausted && !wasExhausted) this.#onExhausted()
    if (maxBytes !== null && this.#used > maxBytes) return null
    const perSec = direction === 'up' ? rateLimit?.upBytesPerSec : rateLimit?.downBytesPerSec
    if (perSec == null) return 0
    const due = Math.max(this.#dueMs[direction], nowMs - BURST_MS) + (bytes * 1000) / perSec
    this.#dueMs[direction] = due
    return Math.max(0, due - nowMs)
  }
}

/** Stands between two sockets of a tunnel that has limits; swallows what is beyond them. */
export class Pacer extends Transform {
  readonly #budget: TunnelBudget
  readonly #direction: Direction
  #timer: NodeJS.Timeout | null = null

  constructor(budget: TunnelBudget, direction: Direction) {
    super()
    this.#budget = budget
    this.#direction = direction
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const waitMs = this.#budget.spend(this.#direction, chunk.length, performance.now())
    if (waitMs === null) done()
    else if (waitMs === 0) done(null, chunk)
    else this.#timer = setTimeout(() => done(null, chunk), waitMs)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#timer) clearTimeout(this.#timer)
    done(error)
  }
}
