/** An endpoint while this process holds it: what waits in memory, and how sending goes. */
import type { CourseChange, DueDelivery, EndpointClaim } from '@culvert/db'
import { pauseAfter, stepHealth, type HealthStep } from '@culvert/webhooks'
import type { Outcome } from './attempt.ts'
import type { Lane } from './slots.ts'

/** Requests to one endpoint at a time: before the first success since it was taken, after it, and while it is slow or fails. */
const atOnce = { unproven: 2, proven: 8, slow: 4, failing: 1 }
/** A success is written at most so often, unless something changes with it. */
const successEveryMs = 60_000

export class Turn {
  readonly claim: EndpointClaim
  readonly id: string
  readonly organizationId: string
  readonly queue: DueDelivery[] = []
  /** In the queue, under way, or not written yet. */
  readonly known = new Set<string>()
  /** Written while deliveries are read: what was read may be older than that. */
  readonly writtenMeanwhile = new Set<string>()
  lane: Lane
  sending = 0
  /** More may be due than is here. */
  hasMore = true
  loading = false
  /** It is given back once nothing is under way. */
  isOver = false
  nextStartMs = 0
  #isProven = false
  #failingSinceMs: number | null
  #warnedAtMs: number | null
  #throttled: number
  #successWrittenMs = Number.NEGATIVE_INFINITY

  /** @param last the lane in which it was left */
  constructor(claim: EndpointClaim, last: Lane = 'fast') {
    this.claim = claim
    this.id = claim.id
    this.organizationId = claim.organizationId
    this.#failingSinceMs = claim.failingSince?.getTime() ?? null
    this.#warnedAtMs = claim.warnedAt?.getTime() ?? null
    this.#throttled = claim.throttled
    this.lane = this.#failingSinceMs === null ? last : 'slow'
  }

  get isIdle(): boolean {
    return this.queue.length === 0 && this.sending === 0 && this.known.size === 0 && !this.loading
  }

  mayStart(nowMs: number): boolean {
    return !this.isOver && this.queue.length > 0 && this.sending < this.#atOnce && nowMs >= this.nextStartMs
  }

  get #atOnce(): number {
    if (this.#failingSinceMs !== null) return atOnce.failing
    if (this.lane === 'slow') return atOnce.slow
    return this.#isProven ? atOnce.proven : atOnce.unproven
  }

  started(nowMs: number): void {
    this.sending++
    const { maxPerSec } = this.claim
    if (maxPerSec !== null) this.nextStartMs = Math.max(this.nextStartMs, nowMs) + 1_000 / maxPerSec
  }

  enqueue(delivery: DueDelivery): void {
    if (this.known.has(delivery.id) || this.writtenMeanwhile.has(delivery.id)) return
    this.known.add(delivery.id)
    this.queue.push(delivery)
  }

  /** What came of it is in the database. */
  written(id: string): void {
    this.known.delete(id)
    if (this.loading) this.writtenMeanwhile.add(id)
  }

  /** What waits stays due for whoever takes the endpoint next. */
  end(): void {
    this.isOver = true
    for (const { id } of this.queue) this.known.delete(id)
    this.queue.length = 0
  }

  /** @param slowMs from where on an answer counts as slow @returns what is to be written of the endpoint, and done */
  learn(
    { verdict, status, durationMs }: Outcome,
    { nowMs, slowMs, random }: { nowMs: number; slowMs: number; random: number },
  ): { change: CourseChange | null; act: HealthStep['act'] } {
    if (verdict.kind !== 'again') {
      this.lane = durationMs < slowMs ? 'fast' : 'slow'
      return { change: verdict.kind === 'gone' ? null : this.#succeeded(nowMs), act: 'none' }
    }
    this.#isProven = false
    // Who asks for less is well.
    const step: HealthStep = status === 429 ? { health: this.#health, act: 'none' } : stepHealth(this.#health, nowMs)
    this.#failingSinceMs = step.health.failingSinceMs
    this.#warnedAtMs = step.health.warnedAtMs
    if (this.#failingSinceMs !== null) this.lane = 'slow'
    this.#throttled = verdict.throttle ? this.#throttled + 1 : 0
    const pauseMs = verdict.throttle ? pauseAfter(this.#throttled, random, verdict.retryAfterSec) : 0
    return { change: this.#change({ pauseMs, succeededAt: null, failedAt: new Date(nowMs) }), act: step.act }
  }

  get #health() {
    return { failingSinceMs: this.#failingSinceMs, warnedAtMs: this.#warnedAtMs }
  }

  /** A message that was refused for good was understood, too. */
  #succeeded(nowMs: number): CourseChange | null {
    const isNews = this.#failingSinceMs !== null || this.#throttled > 0
    this.#isProven = true
    this.#failingSinceMs = null
    this.#warnedAtMs = null
    this.#throttled = 0
    if (!isNews && nowMs - this.#successWrittenMs < successEveryMs) return null
    this.#successWrittenMs = nowMs
    return this.#change({ pauseMs: 0, succeededAt: new Date(nowMs), failedAt: null })
  }

  #change(rest: Pick<CourseChange, 'pauseMs' | 'succeededAt' | 'failedAt'>): CourseChange {
    return {
      endpointId: this.id,
      failingSince: dateOf(this.#failingSinceMs),
      warnedAt: dateOf(this.#warnedAtMs),
      throttled: this.#throttled,
      ...rest,
    }
  }
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms)
}
