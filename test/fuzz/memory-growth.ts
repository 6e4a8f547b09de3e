/**
 * How much the memory in use grew over batches of one fuzzer. What one collection leaves differs from the next by some 15 percent, and
 * always upwards; and in the first quarter of a run the engine still compiles, which is memory in use as well. So the least of the second
 * quarter is compared with the least of the last one.
 */
const PARTS = 4
/** Fewer in a part may all be uneven ones. */
const LEAST_PART = 3

/** @param bytes in use after each batch @returns 1 for no growth, also when there are too few batches to tell */
export function memoryGrowth(bytes: readonly number[]): number {
  const part = Math.floor(bytes.length / PARTS)
  if (part < LEAST_PART) return 1
  return Math.min(...bytes.slice(-part)) / Math.min(...bytes.slice(part, 2 * part))
}
