/**
 * Sends deliveries. It takes endpoints that have something due (a lease in the database), reads some of their deliveries, and
 * sends them as slots allow (slots.ts), so that nobody waits for the backlog, the slowness or the failures of another.
 *
 * Hints only say where to look (`want`); a timer looks everywhere. What is under way when the process dies is sent again by
 * another one once the lease is over: at least once, with the same id.
 */
import { randomUUID } from 'node:crypto'
import {
  claimEndpoints,
  disableEndpoint,
  endpointLeaseSec,
  findDueEndpoints,
  loadDueDeliveries,
  releaseEndpoints,
  renewEndpoints,
  type DueDelivery,
  type KeyRing,
  type Pool,
} from '@culvert/db'
import type { Egress } from '@culvert/egress'
import type { Logger } from '@culvert/observability'
import { Outage } from '../outage.ts'
import { attemptDelivery, attemptTimeoutMs, type Outcome } from './attempt.ts'
import { Recorder } from './recorder.ts'
import { Signers } from './signers.ts'
import { Rounds, Slots, type Lane } from './slots.ts'
import { Turn } from './turn.ts'

export interface DispatcherOptions {
  readonly pool: Pool
  readonly logger: Logger
  readonly egress: Egress
  /** Opens the keys of endpoints. */
  readonly keys: KeyRing
  /** Requests under way in each lane. */
  readonly slots?: Readonly<Record<Lane, number>> | undefined
  /** Longest pause between two looks. */
  readonly pollMs?: number | undefined
  /** Of a whole exchange. */
  readonly timeoutMs?: number | undefined
  /** From where on a request counts as slow. */
  readonly slowMs?: number | undefined
  readonly random?: (() => number) | undefined
}

/** Of a lane, for one organization. */
const organizationShare = 0.25
/** Requests that moved to the slow lane hold no slot of it once it is full: so many may be under way for each slot that there is. */
const underWayPerSlot = 4
const loadedAtOnce = 32
const lowWater = 4
const mostHeld = 2_000
const mostWanted = 10_000
const claimedAtOnce = 200
/** Results that wait for the database: then nothing new is sent. */
const mostUnwritten = 2_000
/** How long requests under way may go on when the process ends. */
const graceMs = 2_000

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #runner = randomUUID()
  readonly #recorder: Recorder
  readonly #signers: Signers
  readonly #outage: Outage
  readonly #slots: Slots
  readonly #rounds = new Rounds<Turn>()
  readonly #held = new Map<string, Turn>()
  readonly #wanted = new Set<string>()
  /** Endpoints that were slow when they were given back, so that they do not begin among the fast ones again. */
  readonly #slow = new Set<string>()
  readonly #toLoad = new Set<Turn>()
  readonly #toRelease = new Set<string>()
  readonly #sending = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  readonly #timers: NodeJS.Timeout[]
  readonly #slowMs: number
  #pumpTimer: NodeJS.Timeout | undefined
  #working: Promise<void> | null = null
  #closed = false

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#recorder = new Recorder(options.pool, this.#runner, options.logger)
    this.#signers = new Signers(options.keys)
    this.#outage = new Outage(options.logger, {
      waits: 'deliveries wait',
      failed: 'deliveries cannot be taken; it is tried again',
    })
    const { fast, slow } = options.slots ?? { fast: 128, slow: 64 }
    this.#slots = new Slots({ slots: { fast, slow }, share: organizationShare, all: underWayPerSlot * (fast + slow) })
    this.#slowMs = options.slowMs ?? 1_000
    this.#timers = [
      setInterval(() => void this.#sweep(), options.pollMs ?? 1_000),
      setInterval(() => void this.#renew(), (endpointLeaseSec * 1_000) / 4),
    ]
    void this.#sweep()
  }

  /** These endpoints may have something due. */
  want(ids: readonly string[]): void {
    if (this.#closed) return
    for (const id of ids) {
      const turn = this.#held.get(id)
      if (turn && !turn.isOver) {
        turn.hasMore = true
        this.#refill(turn)
      } else if (this.#wanted.size < mostWanted) this.#wanted.add(id)
    }
    this.#work()
  }

  /** Resolves when requests under way have ended, or were broken off, and what came of them is written. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#pumpTimer)
    for (const turn of this.#held.values()) turn.end()
    const broken = setTimeout(() => this.#abort.abort(), graceMs)
    while (this.#sending.size > 0) await Promise.all(this.#sending)
    clearTimeout(broken)
    await this.#recorder.close()
    await this.#working
    await releaseEndpoints(this.#options.pool, this.#runner, [...this.#held.keys()]).catch(() => [])
  }

  async #sweep(): Promise<void> {
    await this.#told(async () => this.want(await findDueEndpoints(this.#options.pool, claimedAtOnce * 5)))
  }

  async #renew(): Promise<void> {
    const ids = [...this.#held.keys()]
    if (ids.length === 0) return
    await this.#told(async () => {
      const versions = await renewEndpoints(this.#options.pool, this.#runner, ids)
      // What was changed, got another key or is disabled is given back, and taken as it is now.
      for (const turn of this.#held.values()) {
        if (!ids.includes(turn.id) || versions.get(turn.id) === turn.claim.version) continue
        turn.end()
        this.#settle(turn)
      }
    })
  }

  /** Claims, loads and releases, one statement after the other, until there is nothing of it left. */
  #work(): void {
    this.#working ??= this.#told(() => this.#pass()).finally(() => {
      this.#working = null
    })
  }

  async #pass(): Promise<void> {
    const { pool } = this.#options
    await Promise.resolve()
    for (;;) {
      if (this.#toRelease.size > 0) {
        const ids = [...this.#toRelease]
        this.#toRelease.clear()
        const due = await releaseEndpoints(pool, this.#runner, ids)
        if (!this.#closed) for (const id of due) this.#wanted.add(id)
      }
      if (this.#closed) return
      const room = Math.min(claimedAtOnce, mostHeld - this.#held.size)
      const wanted = [...this.#wanted].slice(0, Math.max(room, 0))
      if (wanted.length > 0) {
        for (const id of wanted) this.#wanted.delete(id)
        const free = wanted.filter((id) => !this.#held.has(id))
        for (const claim of await claimEndpoints(pool, this.#runner, free)) {
          const turn = new Turn(claim, this.#slow.delete(claim.id) ? 'slow' : 'fast')
          this.#held.set(turn.id, turn)
          this.#rounds.add(turn)
          this.#toLoad.add(turn)
        }
      }
      if (this.#toLoad.size > 0) await this.#load([...this.#toLoad])
      if (this.#toRelease.size === 0 && this.#toLoad.size === 0 && (this.#wanted.size === 0 || room <= 0)) return
    }
  }

  async #load(turns: readonly Turn[]): Promise<void> {
    const wanted = turns.map((turn) => ({ endpointId: turn.id, limit: loadedAtOnce + turn.known.size }))
    for (const turn of turns) {
      this.#toLoad.delete(turn)
      turn.loading = true
      turn.hasMore = false
    }
    try {
      const rows = Map.groupBy(await loadDueDeliveries(this.#options.pool, wanted), ({ endpointId }) => endpointId)
      for (const [index, turn] of turns.entries()) {
        const found = rows.get(turn.id) ?? []
        turn.hasMore ||= found.length >= (wanted[index]?.limit ?? 0)
        if (!turn.isOver) for (const delivery of found) turn.enqueue(delivery)
      }
    } catch (error) {
      for (const turn of turns) turn.end()
      throw error
    } finally {
      for (const turn of turns) {
        turn.loading = false
        turn.writtenMeanwhile.clear()
      }
    }
    this.#pump()
    for (const turn of turns) this.#settle(turn)
  }

  #refill(turn: Turn): void {
    if (this.#closed || turn.isOver || turn.loading || !turn.hasMore || turn.queue.length > lowWater) return
    this.#toLoad.add(turn)
    this.#work()
  }

  /** Begins what may begin. */
  #pump(): void {
    if (this.#closed) return
    const nowMs = performance.now()
    for (const lane of ['fast', 'slow'] as const) {
      while (this.#recorder.size < mostUnwritten) {
        const turn = this.#rounds.next(
          (organizationId) => this.#slots.isFree(lane, organizationId),
          (candidate) => candidate.lane === lane && candidate.mayStart(nowMs),
        )
        if (turn === null) break
        this.#start(turn, nowMs)
      }
    }
    this.#pumpLater(nowMs)
  }

  /** For endpoints with a limit of their own. */
  #pumpLater(nowMs: number): void {
    clearTimeout(this.#pumpTimer)
    let nextMs = Number.POSITIVE_INFINITY
    for (const turn of this.#held.values())
      if (turn.queue.length > 0 && turn.nextStartMs > nowMs) nextMs = Math.min(nextMs, turn.nextStartMs)
    if (nextMs < Number.POSITIVE_INFINITY) this.#pumpTimer = setTimeout(() => this.#pump(), Math.ceil(nextMs - nowMs))
  }

  #start(turn: Turn, nowMs: number): void {
    const delivery = turn.queue.shift()
    if (!delivery) return
    turn.started(nowMs)
    const sent = this.#send(turn, delivery).finally(() => {
      this.#sending.delete(sent)
      this.#pump()
      this.#settle(turn)
    })
    this.#sending.add(sent)
    this.#refill(turn)
  }

  async #send(turn: Turn, delivery: DueDelivery): Promise<void> {
    const { organizationId } = turn
    let { lane } = turn
    this.#slots.take(lane, organizationId)
    const demotion = setTimeout(() => {
      if (lane === 'slow') return
      lane = 'slow'
      turn.lane = 'slow'
      this.#slots.demote(organizationId)
      this.#pump()
    }, this.#slowMs)
    const outcome = await this.#attempt(turn, delivery).finally(() => {
      clearTimeout(demotion)
      this.#slots.give(lane, organizationId)
      turn.sending--
    })
    if (outcome === null) return void turn.known.delete(delivery.id)
    this.#learn(turn, delivery, outcome)
  }

  async #attempt(turn: Turn, delivery: DueDelivery): Promise<Outcome | null> {
    const { egress, timeoutMs = attemptTimeoutMs, random = Math.random, logger } = this.#options
    const { claim } = turn
    try {
      return await attemptDelivery(
        { url: claim.url, delivery, signers: this.#signers.of(claim) },
        { egress, random, timeoutMs, signal: this.#abort.signal },
      )
    } catch (error) {
      logger.error({ err: error, delivery: delivery.id }, 'a delivery could not be attempted; it is tried again')
      turn.end()
      return null
    }
  }

  #learn(turn: Turn, delivery: DueDelivery, outcome: Outcome): void {
    const { random = Math.random, logger, pool } = this.#options
    const { change, act } = turn.learn(outcome, { nowMs: Date.now(), slowMs: this.#slowMs, random: random() })
    const isPaused = outcome.verdict.kind === 'gone' || (change !== null && change.pauseMs > 0)
    if (isPaused) turn.end()
    this.#recorder.add(outcome.result, change, () => {
      turn.written(delivery.id)
      this.#settle(turn)
    })
    const endpoint = { organizationId: turn.organizationId, id: turn.id }
    const failed = (error: unknown): void => logger.warn({ err: error, endpoint: turn.id }, 'an endpoint is not judged')
    if (outcome.verdict.kind === 'gone' || act === 'disable') {
      turn.end()
      const reason = act === 'disable' ? 'failing' : 'gone'
      disableEndpoint(pool, endpoint, reason).then((was) => {
        if (was) logger.info({ endpoint: turn.id, reason }, 'a webhook endpoint is disabled')
      }, failed)
    }
  }

  /** Reads more when there may be more, and gives the endpoint back when nothing is left. */
  #settle(turn: Turn): void {
    if (this.#closed || this.#held.get(turn.id) !== turn) return
    if (!turn.isOver && turn.hasMore && !turn.loading) return this.#refill(turn)
    if (!turn.isIdle) return
    this.#held.delete(turn.id)
    this.#rounds.remove(turn)
    if (turn.lane === 'slow') this.#remember(turn.id)
    this.#toLoad.delete(turn)
    this.#toRelease.add(turn.id)
    this.#work()
  }

  /** The oldest is forgotten when there are too many. */
  #remember(id: string): void {
    this.#slow.add(id)
    const [oldest] = this.#slow
    if (this.#slow.size > mostWanted && oldest !== undefined) this.#slow.delete(oldest)
  }

  /** A database that is away is told once. */
  async #told(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#outage.over()
    } catch (error) {
      if (!this.#closed) this.#outage.tell(error)
    }
  }
}
