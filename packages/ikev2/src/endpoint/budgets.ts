/**
 * A budget for each of many names, of which a bounded number is remembered: those charged last. A name that is not remembered has
 * its whole budget.
 */
import type { MonotonicMs } from './contract.ts'
import { createTokenBucket, hasToken, takeToken, type TokenBucket } from '../sa/token-bucket.ts'

export interface BudgetLimits {
  readonly burst: number
  readonly refillMs: number
  readonly names: number
}

export class Budgets {
  readonly #limits: BudgetLimits
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(limits: BudgetLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Whether something is left; charges nothing. */
  has(name: string, nowMs: MonotonicMs): boolean {
    const bucket = this.#buckets.get(name)
    return bucket === undefined || hasToken(bucket, nowMs)
  }

  /** @returns false when the budget is spent. */
  take(name: string, nowMs: MonotonicMs): boolean {
    const { burst, refillMs, names } = this.#limits
    const bucket = this.#buckets.get(name) ?? createTokenBucket(burst, refillMs, nowMs)
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > names && oldest !== undefined) this.#buckets.delete(oldest)
    return takeToken(bucket, nowMs)
  }

  /** What was taken was for something; a name that has its whole budget again is forgotten. */
  giveBack(name: string): void {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) return
    bucket.tokens += 1
    if (bucket.tokens >= bucket.capacity) this.#buckets.delete(name)
  }
}
