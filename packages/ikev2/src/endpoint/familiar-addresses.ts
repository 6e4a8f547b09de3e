/** Addresses where somebody authenticated, the last ones. */
const MOST_FAMILIAR = 16_384

export class FamiliarAddresses {
  readonly #hosts = new Set<string>()

  get size(): number {
    return this.#hosts.size
  }

  has(host: string): boolean {
    return this.#hosts.has(host)
  }

  add(host: string): void {
    this.#hosts.delete(host)
    this.#hosts.add(host)
    if (this.#hosts.size <= MOST_FAMILIAR) return
    const oldest = this.#hosts.values().next()
    if (!oldest.done) this.#hosts.delete(oldest.value)
  }
}
