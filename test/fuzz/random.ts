/**
 * A seeded pseudorandom source for fuzzers: the same seed gives the same run on every machine. Not for keys.
 */
export interface SeededRandom {
  /** An integer from 0 up to `limit`, which it never reaches; 0 when `limit` is 0. */
  below(limit: number): number
  /** True in one of `times` calls. */
  oneIn(times: number): boolean
  pick<T>(items: readonly T[]): T
  bytes(length: number): Uint8Array
}

/** @param seed any 32-bit integer. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  // Weyl sequence through a 32-bit mixing function (SplitMix32)
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const below = (limit: number): number => (limit <= 0 ? 0 : next() % limit)
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: <T>(items: readonly T[]): T => {
      const item = items[below(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  }
}
