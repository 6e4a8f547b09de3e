/**
 * Random octets for ids and secrets. In the course of a request with an Idempotency-Key they follow from a seed that is kept
 * with the key: a request that is done again after a crash makes the same ids and the same secrets at the same places, and
 * so finds what it made, and can show once more what the crash kept from being shown.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { requestScope } from './request-scope.ts'

/** @returns `length` octets, of which nobody else has any */
export function drawOctets(length: number): Buffer {
  const scope = requestScope()
  return scope?.kind === 'kept' ? scope.drawing.draw(length) : randomBytes(length)
}

/** One sequence of octets; the same seed and name make the same. */
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
