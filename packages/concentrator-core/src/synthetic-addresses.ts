/**
 * Hands out the synthetic addresses of one node, under which gateways reach hosts on LANs behind its devices.
 *
 *   free ──allocate──▶ in use ──free──▶ quarantine ──allocate, once its time is over, longest quiet first──▶ in use
 *
 * A freed address rests, so that a late packet or a gateway that still holds it never reaches another device's host. Addresses
 * that were never used come first, then the one that was freed longest ago. Bounded: nothing is given out beyond the capacity.
 */
import { SYNTHETIC_BLOCK, SYNTHETIC_COUNT } from '@culvert/esp'

export interface SyntheticAddressOptions {
  /** How long a freed address rests. */
  readonly quarantineMs: number
  /** Addresses in use at once, resting ones included; at most the block without its first and last. */
  readonly capacity?: number
}

/** 198.18.0.0 and 198.19.255.255 stay out: they look like the ends of a network. */
export const MOST_SYNTHETIC_ADDRESSES: number = SYNTHETIC_COUNT - 2

export class SyntheticAddresses {
  readonly #quarantineMs: number
  readonly #capacity: number
  readonly #inUse = new Set<number>()
  /** When each was freed, by index into the block, longest ago first. */
  readonly #resting = new Map<number, number>()
  /** Next index that was never used. */
  #fresh = 1

  constructor({ quarantineMs, capacity = MOST_SYNTHETIC_ADDRESSES }: SyntheticAddressOptions) {
    if (capacity < 1 || capacity > MOST_SYNTHETIC_ADDRESSES) throw new RangeError('the block holds 1..131070 addresses')
    this.#quarantineMs = quarantineMs
    this.#capacity = capacity
  }

  /** Addresses in use. */
  get size(): number {
    return this.#inUse.size
  }

  /** @param nowMs of a monotonic clock @returns an unsigned IPv4 address, or null when all are in use or resting */
  allocate(nowMs: number): number | null {
    while (this.#fresh <= this.#capacity) {
      const index = this.#fresh++
      if (this.#isUntouched(index)) return this.#take(index) // else it was reserved
    }
    for (const [index, freedAtMs] of this.#resting) {
      if (nowMs - freedAtMs < this.#quarantineMs) return null
      this.#resting.delete(index)
      return this.#take(index)
    }
    return null
  }

  /**
   * Takes this address, for mappings of an earlier process life.
   *
   * @returns false when it is outside the capacity, in use or resting
   */
  reserve(address: number): boolean {
    const index = this.#indexOf(address)
    if (index === 0 || !this.#isUntouched(index)) return false
    this.#take(index)
    return true
  }

  /** The address rests from now on; one that is not in use is ignored. */
  free(address: number, nowMs: number): void {
    const index = this.#indexOf(address)
    if (this.#inUse.delete(index)) this.#resting.set(index, nowMs)
  }

  #isUntouched(index: number): boolean {
    return !this.#inUse.has(index) && !this.#resting.has(index)
  }

  /** @returns 0 when the address is none of these */
  #indexOf(address: number): number {
    const index = address - SYNTHETIC_BLOCK
    return Number.isInteger(index) && index >= 1 && index <= this.#capacity ? index : 0
  }

  #take(index: number): number {
    this.#inUse.add(index)
    return SYNTHETIC_BLOCK + index
  }
}
