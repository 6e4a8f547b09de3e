/** One sequence of octets; the same seed and name make the same. */
import { createHmac } from 'node:crypto'

export class Drawing {
  readonly #seed: Uint8Array
  readonly #name: string
  #count = 0

  /** @param seed 32 random octets, which stay the caller's */
  constructor(seed: Uint8Array, name: string) {
    this.#seed = seed
    this.#name = name
  }

  draw(length: number): Buffer {
    const blocks: Buffer[] = []
    for (let octets = 0; octets < length; octets += 32) {
      blocks.push(
        createHmac('sha256', this.#seed)
          .update(`${this.#name} ${this.#count++}`)
          .digest(),
      )
    }
    return Buffer.concat(blocks).subarray(0, length)
  }

  /** A sequence of its own for a part that may be done once, many times or not at all: it moves no other place. */
  part(name: string): Drawing {
    return new Drawing(this.#seed, `${this.#name}/${name}`)
  }
}
