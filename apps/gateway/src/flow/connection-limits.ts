/**
 * How many connections there may be at a time: in one tunnel, of one organization and in all; a place is taken before the device
 * is dialed.
 *
 * Invariant: one organization alone cannot take every place. It may have four times what is still free, which is four fifths of
 * all places when nobody else has any, and less the more the others have.
 */
export interface ConnectionLimitOptions {
  readonly perTunnel: number
  readonly total: number
}

const SHARE_OF_FREE = 4

export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions
  readonly #byTunnel = new Map<string, number>()
  readonly #byOrganization = new Map<string, number>()
  #total = 0

  constructor(options: ConnectionLimitOptions) {
    this.#options = options
  }

  get total(): number {
    return this.#total
  }

  /** @returns what gives the place back (once), or null when there is none. */
  take({ organizationId, tunnelId }: { organizationId: string; tunnelId: string }): (() => void) | null {
    const free = this.#options.total - this.#total
    if (free <= 0 || (this.#byTunnel.get(tunnelId) ?? 0) >= this.#options.perTunnel) return null
    if ((this.#byOrganization.get(organizationId) ?? 0) >= SHARE_OF_FREE * free) return null
    const counts = [
      [this.#byTunnel, tunnelId],
      [this.#byOrganization, organizationId],
    ] as const
    for (const [count, id] of counts) count.set(id, (count.get(id) ?? 0) + 1)
    this.#total++
    let taken = true
    return () => {
      if (!taken) return
      taken = false
      this.#total--
      for (const [count, id] of counts) lower(count, id)
    }
  }
}

function lower(count: Map<string, number>, id: string): void {
  const left = (count.get(id) ?? 1) - 1
  if (left === 0) count.delete(id)
  else count.set(id, left)
}
