/**
 * IKE SPIs of one node (DESIGN 7 and 9): slot in the upper 8 bits, then a 24-bit index, then 32 random bits.
 *
 * A front can steer a message by the slot without state; the random half makes an SPI unguessable. The index only spreads
 * and never repeats within 2^24 allocations, so two live SPIs differ even if the random halves were equal.
 */
import type { Rng } from '@culvert/crypto'
import type { IkeSpi } from '@culvert/ikev2'

export interface IkeSpiAllocator {
  /** A fresh SPI, never zero because a slot is 1 to 255. */
  allocate(): IkeSpi
}

/** @param slot 1 to 255, unique among the nodes of an installation. */
export function createIkeSpiAllocator(slot: number, rng: Rng): IkeSpiAllocator {
  if (!Number.isInteger(slot) || slot < 1 || slot > 255) throw new RangeError('a node slot is 1 to 255')
  const prefix = slot.toString(16).padStart(2, '0')
  let index = 0
  return {
    allocate() {
      index = (index + 1) & 0xff_ffff
      let spi = prefix + index.toString(16).padStart(6, '0')
      for (const byte of rng(4)) spi += byte.toString(16).padStart(2, '0')
      return spi as IkeSpi
    },
  }
}
