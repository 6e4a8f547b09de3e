/**
 * Keys of SAs that have not carried a packet yet, in packet memory.
 *
 * A cipher context of OpenSSL costs more than a kilobyte and most devices of a fleet are silent, so contexts are made at the
 * first packet. Until then a key waits here: outside the JavaScript heap, where the collector would leave copies, and zeroed
 * as soon as the context has it or the SA is gone.
 */
import type { PacketMemory } from '../../foreign/index.ts'

/** The longest key with its salt, in whole words. */
const SLOT_BYTES = 40

export class KeyVault {
  readonly #memory: PacketMemory
  readonly #region: number
  readonly #slots: number
  readonly #free: number[] = []
  #used = 0

  /** @param slots one per SA and direction */
  constructor(memory: PacketMemory, slots: number) {
    this.#memory = memory
    this.#slots = slots
    this.#region = memory.allocate(keyVaultBytes(slots))
  }

  /** Keeps a copy. @returns its slot */
  put(key: Uint8Array): number {
    const isFull = this.#free.length === 0 && this.#used === this.#slots
    if (isFull || key.length > SLOT_BYTES) throw new RangeError('no room for this key')
    const slot = this.#free.pop() ?? this.#used++
    this.#memory.bytes.set(key, this.#region + SLOT_BYTES * slot)
    return slot
  }

  /** The key in `slot`; a view that ends with `wipe`. */
  get(slot: number, length: number): Uint8Array {
    const start = this.#region + SLOT_BYTES * slot
    return this.#memory.bytes.subarray(start, start + length)
  }

  /** Zeroes the slot and gives it back; once per `put`. */
  wipe(slot: number): void {
    this.#memory.bytes.fill(0, this.#region + SLOT_BYTES * slot, this.#region + SLOT_BYTES * (slot + 1))
    this.#free.push(slot)
  }
}

export function keyVaultBytes(slots: number): number {
  return SLOT_BYTES * slots
}
