/**
 * Splits an address range of a traffic selector into prefixes, so that ranges can be looked up by longest prefix.
 *
 * Addresses are arrays of 32-bit words, one (IPv4) or four (IPv6). A range of n-bit addresses needs at most 2n - 2 prefixes.
 */
export interface Prefix {
  readonly words: Uint32Array
  readonly lengthBits: number
}

/** @param start, end both inclusive; start above end gives nothing */
export function prefixesOfRange(start: Uint32Array, end: Uint32Array): Prefix[] {
  const bits = start.length * 32
  const prefixes: Prefix[] = []
  const cursor = Uint32Array.from(start)
  while (compare(cursor, end) <= 0) {
    let lengthBits = bits
    while (lengthBits > 0 && fits(cursor, lengthBits - 1, end)) lengthBits--
    prefixes.push({ words: Uint32Array.from(cursor), lengthBits })
    const last = lastOf(cursor, lengthBits)
    if (!increment(last)) break
    cursor.set(last)
  }
  return prefixes
}

/** Whether `cursor` starts a block of this prefix length that ends at or before `end`. */
function fits(cursor: Uint32Array, lengthBits: number, end: Uint32Array): boolean {
  const masked = maskWords(cursor, lengthBits)
  return compare(masked, cursor) === 0 && compare(lastOf(cursor, lengthBits), end) <= 0
}

export function maskWords(words: Uint32Array, lengthBits: number): Uint32Array {
  return words.map((word, i) => (word & wordMask(lengthBits - 32 * i)) >>> 0)
}

/** Mask with this many leading ones; clamps to 0..32. */
export function wordMask(ones: number): number {
  if (ones <= 0) return 0
  return ones >= 32 ? 0xffffffff : (0xffffffff << (32 - ones)) >>> 0
}

function lastOf(words: Uint32Array, lengthBits: number): Uint32Array {
  return words.map((word, i) => (word | ~wordMask(lengthBits - 32 * i)) >>> 0)
}

/** @returns false when it was the highest address. */
function increment(words: Uint32Array): boolean {
  for (let i = words.length - 1; i >= 0; i--) {
    words[i] = (words[i]! + 1) >>> 0
    if (words[i] !== 0) return true
  }
  return false
}

function compare(a: Uint32Array, b: Uint32Array): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i]! !== b[i]!) return a[i]! < b[i]! ? -1 : 1
  }
  return 0
}
