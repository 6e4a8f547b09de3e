/**
 * Hands out the synthetic addresses of one node, under which gateways reach hosts on LANs behind its devices.
 *
 *   free ──allocate──▶ in use ──free──▶ resting ──once its time is over──▶ free
 *                         ◀── allocate, for the same host ──┘
 *
 * A freed address rests, so that a late packet or a gateway that still holds it never reaches another device's host; the host it
 * was gets it back at once. Addresses that were never used come first, then the one that was freed longest ago. Bounded: nothing is
 * given out beyond the capacity, and no group has more than its share, resting ones included.
 */
import { SYNTHETIC_BLOCK, SYNTHETIC_COUNT } from '@culvert/esp'

export interface SyntheticAddressOptions {
  /** How long a freed address rests. */
  readonly quarantineMs: number
  /** Addresses in use at once, resting ones included; at most the block without its first and last. */
  readonly capacity?: number
  /** Of the capacity, for one group; an eighth when left out. */
  readonly share?: number
}

/** Whom an address is for. */
export interface AddressHolder {
  /** Of the host, unique among all groups. */
  readonly name: string
  /** Those who share a part of the capacity. */
  readonly group: string
}

/** 198.18.0.0 and 198.19.255.255 stay out: they look like the ends of a network. */
export const MOST_SYNTHETIC_ADDRESSES: number = SYNTHETIC_COUNT - 2

interface Resting {
  readonly holder: AddressHolder
  readonly freedAtMs: number
}

export class SyntheticAddresses {
  readonly #quarantineMs: number
  readonly #capacity: number
  readonly #share: number
  /** All three by index into the block. */
  readonly #inUse = new Map<number, AddressHolder>()
  /** Freed longest ago first. */
  readonly #resting = new Map<number, Resting>()
  /** Free for everybody, rested longest first. */
  readonly #rested = new Set<number>()
  /** Index of the address that rests, by name of its host. */
  readonly #restingOf = new Map<string, number>()
  /** In use or resting, by group. */
  readonly #held = new Map<string, number>()
  /** Next index that was never used. */
  #fresh = 1

  constructor({ quarantineMs, capacity = MOST_SYNTHETIC_ADDRESSES, share }: SyntheticAddressOptions) {
    if (capacity < 1 || capacity > MOST_SYNTHETIC_ADDRESSES) throw new RangeError('the block holds 1..131070 addresses')
    this.#quarantineMs = quarantineMs
    this.#capacity = capacity
    this.#share = share ?? Math.ceil(capacity / 8)
  }

  /** Addresses in use. */
  get size(): number {
    return this.#inUse.size
  }

  /**
   * @param nowMs of a monotonic clock
   * @returns an unsigned IPv4 address, or null when all are in use or resting, or the share of the group is
   */
  allocate(holder: AddressHolder, nowMs: number): number | null {
    const own = this.#restingOf.get(holder.name)
    if (own !== undefined) {
      this.#endRest(own)
      return this.#take(own, holder)
    }
    this.#advanceTo(nowMs)
    if ((this.#held.get(holder.group) ?? 0) >= this.#share) return null
    const index = this.#freeIndex()
    return index === null ? null : this.#take(index, holder)
  }

  /**
   * Takes this address, for mappings of an earlier process life; shares do not count there.
   *
   * @returns false when it is outside the capacity, in use or resting
   */
  reserve(address: number, holder: AddressHolder): boolean {
    const index = this.#indexOf(address)
    if (index === 0 || !this.#isUntouched(index)) return false
    this.#take(index, holder)
    return true
  }

  /** The address rests from now on; one that is not in use is ignored. */
  free(address: number, nowMs: number): void {
    const index = this.#indexOf(address)
    const holder = this.#inUse.get(index)
    if (holder === undefined) return
    this.#inUse.delete(index)
    this.#resting.set(index, { holder, freedAtMs: nowMs })
    this.#restingOf.set(holder.name, index)
  }

  #freeIndex(): number | null {
    while (this.#fresh <= this.#capacity) {
      const index = this.#fresh++
      if (this.#isUntouched(index)) return index // else it was reserved
    }
    for (const index of this.#rested) {
      this.#rested.delete(index)
      return index
    }
    return null
  }

  #advanceTo(nowMs: number): void {
    for (const [index, { freedAtMs }] of this.#resting) {
      if (nowMs - freedAtMs < this.#quarantineMs) return
      this.#endRest(index)
      this.#rested.add(index)
    }
  }

  #endRest(index: number): void {
    const resting = this.#resting.get(index)
    if (resting === undefined) return
    const { name, group } = resting.holder
    this.#resting.delete(index)
    if (this.#restingOf.get(name) === index) this.#restingOf.delete(name)
    const held = (this.#held.get(group) ?? 1) - 1
    if (held === 0) this.#held.delete(group)
    else this.#held.set(group, held)
  }

  #isUntouched(index: number): boolean {
    return !this.#inUse.has(index) && !this.#resting.has(index) && !this.#rested.has(index)
  }

  /** @returns 0 when the address is none of these */
  #indexOf(address: number): number {
    const index = address - SYNTHETIC_BLOCK
    return Number.isInteger(index) && index >= 1 && index <= this.#capacity ? index : 0
  }

  #take(index: number, holder: AddressHolder): number {
    this.#inUse.set(index, holder)
    this.#held.set(holder.group, (this.#held.get(holder.group) ?? 0) + 1)
    return SYNTHETIC_BLOCK + index
  }
}
