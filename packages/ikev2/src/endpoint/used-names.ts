/**
 * Names that were used and must not be used again, the last ones of them: a quick no before anybody else is asked. Not the truth:
 * what was forgotten here, or happened on another node, the driver knows.
 */
export class UsedNames {
  readonly #most: number
  readonly #names = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#names.size
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  add(name: string): void {
    this.#names.add(name)
    const [oldest] = this.#names
    if (this.#names.size > this.#most && oldest !== undefined) this.#names.delete(oldest)
  }
}
