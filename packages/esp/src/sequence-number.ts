/**
 * Extended sequence numbers (RFC 4303 2.2.1 and appendix A): 64 bits of which the packet carries the low 32.
 *
 * Both halves are unsigned 32-bit numbers; nothing here uses BigInt.
 */

/**
 * The high half that a received low half belongs to (RFC 4303 A2.1).
 *
 * @param topHigh, topLow right edge of the replay window
 * @param windowPackets size of the window
 * @returns the high half, or -1 when the number would be before the first or after the last one
 */
export function highHalf(topHigh: number, topLow: number, windowPackets: number, low: number): number {
  const bottom = topLow - windowPackets + 1
  if (bottom >= 0) {
    // The window lies inside one subspace: smaller numbers belong to the next one.
    if (low >= bottom) return topHigh
    return topHigh === 0xffffffff ? -1 : topHigh + 1
  }
  // The window spans two subspaces: numbers right of its wrapped bottom belong to the one before.
  return low >= bottom + 0x100000000 ? topHigh - 1 : topHigh
}

/**
 * Distance a - b of two sequence numbers in halves. Exact up to 2^53, and further away rounded but on the right side of any
 * window, because each half is exact and only their sum is rounded.
 */
export function distance(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  return (aHigh - bHigh) * 0x100000000 + (aLow - bLow)
}
