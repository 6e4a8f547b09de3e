/** How many connections there may be at a time, in one tunnel and in all; a place is taken before the device is dialed. */
export interface ConnectionLimitOptions {
  readonly perTunnel: number
  readonly total: number
}

export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions
  readonly #byTunnel = new Map<string, number>()
  #total = 0

  constructor(options: ConnectionLimitOptions) {
    this.#options = options
  }

  get total(): number {
    return this.#total
  }

  /** @returns what gives the place back (once), or null when there is none. */
  take(tunnelId: string): (() => void) | null {
    const inTunnel = this.#byTunnel.get(tunnelId) ?? 0
    if (inTunnel >= this.#options.perTunnel || this.#total >= this.#options.total) return null
    this.#byTunnel.set(tunnelId, inTunnel + 1)
    this.#total++
    let taken = true
    return () => {
      if (!taken) return
      taken = false
      this.#total--
      const left = (this.#byTunnel.get(tunnelId) ?? 1) - 1
      if (left === 0) this.#byTunnel.delete(tunnelId)
      else this.#byTunnel.set(tunnelId, left)
    }
  }
}
