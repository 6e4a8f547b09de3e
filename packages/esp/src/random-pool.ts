/**
 * Random octets in small portions out of large draws: CBC takes 16 fresh ones per packet, and a draw from the system for each
 * would cost more than the cipher. Octets are handed out once and wiped.
 */
import type { Rng } from '@culvert/crypto'

const DRAW_BYTES = 4096

export class RandomPool {
  readonly #rng: Rng
  #pool: Uint8Array = new Uint8Array(0)
  #used = 0

  constructor(rng: Rng) {
    this.#rng = rng
  }

  fill(out: Uint8Array, at: number, count: number): void {
    for (let i = 0; i < count; i++) {
      if (this.#used === this.#pool.length) {
        this.#pool = this.#rng(DRAW_BYTES)
        this.#used = 0
      }
      out[at + i] = this.#pool[this.#used]!
      this.#pool[this.#used++] = 0
    }
  }
}
