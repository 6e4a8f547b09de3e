/** How many calls wait for events at once in this process: of one organization, and of one key or person. */
import { DomainError } from '@culvert/contracts'
import type { Actor } from '../actor.ts'

export interface SeatLimits {
  readonly organization: number
  readonly caller: number
}

export class Seats {
  readonly #limits: SeatLimits
  readonly #taken = new Map<string, number>()

  constructor(limits: SeatLimits) {
    this.#limits = limits
  }

  /** @returns what gives the seat back; call it once. @throws stream_limit */
  take({ organizationId, id }: Actor): () => void {
    const wanted = [
      { name: organizationId, most: this.#limits.organization },
      { name: `${organizationId} ${id}`, most: this.#limits.caller },
    ]
    if (wanted.some(({ name, most }) => this.#count(name) >= most))
      throw new DomainError('stream_limit', { retryAfterSec: 5 })
    for (const { name } of wanted) this.#taken.set(name, this.#count(name) + 1)
    return () => {
      for (const { name } of wanted) {
        const left = this.#count(name) - 1
        if (left > 0) this.#taken.set(name, left)
        else this.#taken.delete(name)
      }
    }
  }

  #count(name: string): number {
    return this.#taken.get(name) ?? 0
  }
}
