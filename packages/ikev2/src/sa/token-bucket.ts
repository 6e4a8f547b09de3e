/**
 * A budget that refills with time: how often something may happen that costs us more than the one who causes it.
 */
import type { MonotonicMs } from '../endpoint/contract.ts'

export interface TokenBucket {
  readonly capacity: number
  readonly refillMs: number
  tokens: number
  countedAtMs: MonotonicMs
}

/** @param refillMs time after which one token comes back. */
export function createTokenBucket(capacity: number, refillMs: number, nowMs: MonotonicMs): TokenBucket {
  return { capacity, refillMs, tokens: capacity, countedAtMs: nowMs }
}

/** @returns false when the budget is spent. */
export function takeToken(bucket: TokenBucket, nowMs: MonotonicMs): boolean {
  if (!hasToken(bucket, nowMs)) return false
  bucket.tokens -= 1
  return true
}

/** Whether the budget is not spent; takes nothing. */
export function hasToken(bucket: TokenBucket, nowMs: MonotonicMs): boolean {
  const refilled = Math.floor((nowMs - bucket.countedAtMs) / bucket.refillMs)
  if (refilled > 0) {
    bucket.tokens = Math.min(bucket.capacity, bucket.tokens + refilled)
    bucket.countedAtMs += refilled * bucket.refillMs
  }
  return bucket.tokens > 0
}
