/**
 * Limits of SAs that the owner was told. Each worker may find them, and the one that found the soft limit may be heard after the
 * one that found the hard limit: an owner hears each once, and the soft one first.
 */
import type { Spi } from '@culvert/ikev2'
import type { DataPlaneHandlers } from '../../contract.ts'

export class ToldLimits {
  readonly #handlers: Pick<DataPlaneHandlers, 'onSoftLimit' | 'onHardLimit'>
  readonly #soft = new Set<Spi>()
  readonly #hard = new Set<Spi>()

  constructor(handlers: Pick<DataPlaneHandlers, 'onSoftLimit' | 'onHardLimit'>) {
    this.#handlers = handlers
  }

  soft(spiIn: Spi): void {
    if (this.#soft.has(spiIn)) return
    this.#soft.add(spiIn)
    this.#handlers.onSoftLimit(spiIn)
  }

  hard(spiIn: Spi): void {
    this.soft(spiIn)
    if (this.#hard.has(spiIn)) return
    this.#hard.add(spiIn)
    this.#handlers.onHardLimit(spiIn)
  }

  /** The SA was removed. */
  forget(spiIn: Spi): void {
    this.#soft.delete(spiIn)
    this.#hard.delete(spiIn)
  }
}
