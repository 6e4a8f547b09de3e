/**
 * Hands out inbound SPIs of one node slot.
 *
 * Freed indexes queue up first in, first out, and each comes back with the next generation: a late packet of a removed SA finds
 * another SPI in its place for as long as possible. `reserve` takes a particular SPI, for SAs resumed from a snapshot.
 */
import type { Spi } from '@culvert/ikev2'
import { composeSpi, SPI_GENERATION_COUNT, SPI_INDEX_COUNT, spiGeneration, spiIndex, spiSlot } from './spi.ts'

export class SpiAllocator {
  readonly #slot: number
  readonly #capacity: number
  readonly #generation: Uint8Array
  readonly #inUse: Uint8Array
  readonly #queued: Uint8Array
  readonly #queue: Uint32Array
  #head = 0
  #queueLength: number
  #size = 0

  /**
   * @param slot node slot, 1..255
   * @param capacity number of indexes, at most `SPI_INDEX_COUNT`
   * @param firstGeneration generation every index starts with; a restarted process should differ from the one before
   */
  constructor(slot: number, capacity: number, firstGeneration = 0) {
    if (slot < 1 || slot > 255) throw new RangeError('the node slot must be 1..255')
    if (capacity < 1 || capacity > SPI_INDEX_COUNT) throw new RangeError('the SPI table holds 1..131072 entries')
    this.#slot = slot
    this.#capacity = capacity
    this.#generation = new Uint8Array(capacity).fill(firstGeneration % SPI_GENERATION_COUNT)
    this.#inUse = new Uint8Array(capacity)
    this.#queued = new Uint8Array(capacity).fill(1)
    this.#queue = Uint32Array.from({ length: capacity }, (_, index) => index)
    this.#queueLength = capacity
  }

  get size(): number {
    return this.#size
  }

  /** @returns an SPI that is not in use, or null when all are. */
  allocate(): Spi | null {
    while (this.#queueLength > 0) {
      const index = this.#queue[this.#head]!
      this.#head = (this.#head + 1) % this.#capacity
      this.#queueLength--
      this.#queued[index] = 0
      if (this.#inUse[index] === 1) continue // reserved while it waited
      return this.#take(index)
    }
    return null
  }

  /** Takes this SPI. @returns false when it is of another slot, outside the table, or its index is in use. */
  reserve(spi: Spi): boolean {
    const index = spiIndex(spi)
    if (spiSlot(spi) !== this.#slot || index >= this.#capacity || this.#inUse[index] === 1) return false
    this.#generation[index] = spiGeneration(spi)
    this.#take(index)
    return true
  }

  /** @returns false when this SPI is not in use; freeing twice changes nothing. */
  free(spi: Spi): boolean {
    const index = spiIndex(spi)
    if (!this.has(spi)) return false
    this.#inUse[index] = 0
    this.#size--
    this.#generation[index] = (this.#generation[index]! + 1) % SPI_GENERATION_COUNT
    if (this.#queued[index] === 0) {
      this.#queue[(this.#head + this.#queueLength) % this.#capacity] = index
      this.#queueLength++
      this.#queued[index] = 1
    }
    return true
  }

  has(spi: Spi): boolean {
    const index = spiIndex(spi)
    if (spiSlot(spi) !== this.#slot || index >= this.#capacity) return false
    return this.#inUse[index] === 1 && this.#generation[index] === spiGeneration(spi)
  }

  #take(index: number): Spi {
    this.#inUse[index] = 1
    this.#size++
    return composeSpi(this.#slot, index, this.#generation[index]!)
  }
}
