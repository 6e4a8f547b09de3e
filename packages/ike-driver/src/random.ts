/**
 * Randomness for the core, drawn from the system in blocks: a system call for every nonce would cost more than the nonce.
 */
import { randomFillSync } from 'node:crypto'
import type { Rng } from '@culvert/crypto'

const POOL_BYTES = 4096

/** @returns an Rng whose arrays are the caller's own; used-up pool bytes are overwritten at once. */
export function createSystemRng(): Rng {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return (length) => {
    if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length))
    if (used + length > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const bytes = pool.slice(used, used + length)
    pool.fill(0, used, used + length)
    used += length
    return bytes
  }
}
