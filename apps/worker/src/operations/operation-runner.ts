/**
 * Takes operations further, some at once and each for a turn, so that no organization waits for the long work of another.
 *
 * The rows say what is to be done; `wake` only makes it look sooner. While it works it renews the lease; a worker that is killed
 * does not, and another one goes on from the last step that committed.
 */
import { randomUUID } from 'node:crypto'
import {
  claimOperation,
  dropUnreceivedOperations,
  finishOperation,
  isDatabaseUnavailable,
  maxOperationAttempts,
  operationLeaseSec,
  OperationLostError,
  postponeOperation,
  renewOperation,
  yieldOperation,
  type OperationClaim,
  type OperationEnd,
  type Pool,
} from '@culvert/db'
import type { Logger } from '@culvert/observability'
import type { Queues } from '@culvert/queue'
import { Outage } from '../outage.ts'
import { isEnd, type OperationHandlers } from './operation-handler.ts'

export interface OperationRunnerOptions {
  readonly pool: Pool
  readonly queues: Queues
  readonly logger: Logger
  readonly handlers: OperationHandlers
  /** Operations under way in this process; 2 when left out. */
  readonly atOnce?: number | undefined
  /** After so long others come first. */
  readonly turnMs?: number | undefined
  /** Longest pause between two looks. */
  readonly pollMs?: number | undefined
}

const broken: OperationEnd = {
  state: 'failed',
  error: { code: 'internal_error', detail: 'Something went wrong on our side, again and again.' },
}

export class OperationRunner {
  readonly #options: OperationRunnerOptions & { atOnce: number; turnMs: number; pollMs: number }
  readonly #loops = new Set<Promise<void>>()
  readonly #outage: Outage
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: OperationRunnerOptions) {
    this.#options = {
      ...options,
      atOnce: options.atOnce ?? 2,
      turnMs: options.turnMs ?? 3_000,
      pollMs: options.pollMs ?? 2_000,
    }
    this.#outage = new Outage(options.logger, {
      waits: 'operations wait',
      failed: 'operations cannot be taken; it is tried again',
    })
    this.wake()
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    if (this.#loops.size < this.#options.atOnce) {
      const loop = this.#work().finally(() => this.#loops.delete(loop))
      this.#loops.add(loop)
    }
    this.#timer = setTimeout(() => this.wake(), this.#options.pollMs)
  }

  /** Resolves when the steps at hand have ended; what is not done any worker may go on with at once. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await Promise.all(this.#loops)
  }

  /** Ends when nothing can be taken, or the database is away: then the timer looks again. */
  async #work(): Promise<void> {
    const { pool } = this.#options
    try {
      await dropUnreceivedOperations(pool)
      while (!this.#closed) {
        const claim = await claimOperation(pool, randomUUID())
        this.#outage.over()
        if (claim === null) return
        // Another one may be taken beside it.
        this.wake()
        await this.#serve(claim)
      }
    } catch (error) {
      this.#outage.tell(error)
    }
  }

  async #serve(claim: OperationClaim): Promise<void> {
    const { pool, logger } = this.#options
    const fields = { operation: claim.id, kind: claim.kind }
    const heart = setInterval(
      () => {
        renewOperation(pool, claim).catch((error: unknown) =>
          logger.debug({ ...fields, err: error }, 'lease not renewed'),
        )
      },
      (operationLeaseSec * 1_000) / 3,
    )
    try {
      await this.#turn(claim)
    } catch (error) {
      if (error instanceof OperationLostError) return logger.debug(fields, 'another worker has the operation')
      if (isDatabaseUnavailable(error)) throw error
      logger.error({ ...fields, err: error }, 'a step of an operation failed; it is repeated')
      await postponeOperation(pool, claim)
    } finally {
      clearInterval(heart)
    }
  }

  async #turn(claim: OperationClaim): Promise<void> {
    const { pool, queues, handlers, turnMs, logger } = this.#options
    const end = async (how: OperationEnd): Promise<void> => {
      await finishOperation(pool, claim, how)
      logger.debug({ operation: claim.id, kind: claim.kind, state: how.state }, 'an operation has ended')
    }
    if (claim.cancelRequested) return end({ state: 'cancelled' })
    if (claim.attempts >= maxOperationAttempts) return end(broken)
    const handler = handlers.get(claim.kind)
    if (!handler) throw new Error(`nobody knows operations of the kind ${claim.kind}`)
    const untilMs = performance.now() + turnMs
    const work = handler(claim, { pool, queues })
    let at = claim
    do {
      const outcome = await work.step(at)
      if (isEnd(outcome)) return end(outcome)
      at = outcome
      if (at.cancelRequested) return end({ state: 'cancelled' })
    } while (performance.now() < untilMs && !this.#closed)
    await yieldOperation(pool, at)
  }
}
