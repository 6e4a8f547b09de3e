/**
 * When a delivery is tried again: ten attempts over about 75 hours (the sample schedule of Standard Webhooks), each a little
 * earlier or later by chance, so that what failed together does not come back together; never before a receiver's `Retry-After`.
 */

/** Seconds before each attempt, from the first on. */
export const retryScheduleSec = [
  0,
  5,
  5 * 60,
  30 * 60,
  2 * 3_600,
  5 * 3_600,
  10 * 3_600,
  14 * 3_600,
  20 * 3_600,
  24 * 3_600,
] as const

export const mostAttempts = retryScheduleSec.length
/** Of the delay, to both sides. */
export const jitterShare = 0.1
/** Longer waits that a receiver asks for are cut. */
export const longestRetryAfterSec = 24 * 3_600

/**
 * @param attempts made so far, at least 1
 * @param random from 0 up to 1
 * @param retryAfterSec what the receiver asked for; null: nothing
 * @returns milliseconds to the next attempt; null: there is none
 */
export function delayAfter(attempts: number, random: number, retryAfterSec: number | null = null): number | null {
  const delaySec = retryScheduleSec[attempts]
  if (delaySec === undefined) return null
  const askedMs = Math.min(retryAfterSec ?? 0, longestRetryAfterSec) * 1_000
  return Math.max(Math.round(delaySec * 1_000 * (1 + jitterShare * (2 * random - 1))), askedMs)
}

/** Seconds that a whole endpoint rests after it said that it has too much, by how often it said so in a row. */
const pauseSec = [1, 2, 5, 10, 30, 60] as const

/**
 * @param throttled how often in a row, this time included
 * @returns milliseconds in which nothing is sent to it
 */
export function pauseAfter(throttled: number, random: number, retryAfterSec: number | null = null): number {
  const usual = pauseSec[Math.min(throttled, pauseSec.length) - 1] ?? 1
  const asked = Math.min(retryAfterSec ?? 0, longestPauseSec)
  return Math.max(Math.round(usual * 1_000 * (1 + jitterShare * (2 * random - 1))), asked * 1_000)
}

/** However long it asks for: what is due for others of its deliveries is tried again then. */
const longestPauseSec = 3_600
