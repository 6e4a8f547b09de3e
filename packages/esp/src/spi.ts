/**
 * Layout of our inbound ESP SPIs, so that a stateless front can steer by them and a dense table can be indexed by them.
 *
 *   31        24 23                          7 6         0
 *  +------------+-----------------------------+-----------+
 *  | slot (1..) |            index            | generation|
 *  +------------+-----------------------------+-----------+
 *
 * Slot 0 is never used, so no SPI of ours falls in 0..255 (RFC 4303 2.1 reserves them).
 */
import type { Spi } from '@culvert/ikev2'

export const SPI_INDEX_COUNT: number = 1 << 17
export const SPI_GENERATION_COUNT: number = 1 << 7

/** @param slot 1..255 @param index below `SPI_INDEX_COUNT` @param generation below `SPI_GENERATION_COUNT` */
export function composeSpi(slot: number, index: number, generation: number): Spi {
  return (((slot << 24) | (index << 7) | generation) >>> 0) as Spi
}

export function spiSlot(spi: number): number {
  return spi >>> 24
}

export function spiIndex(spi: number): number {
  return (spi >>> 7) & 0x1ffff
}

export function spiGeneration(spi: number): number {
  return spi & 0x7f
}
