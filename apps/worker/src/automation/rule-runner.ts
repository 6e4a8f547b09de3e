/**
 * Does what rules say, run by run and step by step. Rows say what is to be done; `wake` only makes it look sooner. A worker that
 * is killed leaves its runs to the others: what had committed is not done again, a call may be made twice.
 */
import {
  askMaker,
  claimRun,
  deliveredTo,
  doStep,
  finishRun,
  isDatabaseUnavailable,
  postponeRun,
  readRunFacts,
  recordCall,
  RunLostError,
  type Pool,
  type RuleStop,
  type RunClaim,
} from '@culvert/db'
import type { Egress } from '@culvert/egress'
import { maxRuleFailures, stepsOf, ttlOf, type RuleStep } from '@culvert/lifecycle'
import type { Logger } from '@culvert/observability'
import { hintNodes, webhooksQueue, type Queues } from '@culvert/queue'
import { Outage } from '../outage.ts'
import { rightsFor } from './maker-rights.ts'
import { Slots } from '../webhooks/slots.ts'
import { callWebhook, type CallAction } from './rule-call.ts'
import { Turns } from './turns.ts'

export interface RuleRunnerOptions {
  readonly pool: Pool
  readonly queues: Queues
  readonly egress: Egress
  readonly logger: Logger
  /** Longest pause between two looks. */
  readonly pollMs?: number | undefined
  /** From where on a call counts as slow. */
  readonly slowMs?: number | undefined
}

/**
 * Runs under way in this process: while it works or calls somebody who answers at once, and when the call takes long. One
 * organization has 4 of each at most, and fewer the more others have.
 */
const atOnce = { fast: 64, slow: 64 }
const organizationShare = 1 / 16
/** With those that wait for a call beyond that; each of them has a socket. */
const underWay = 192
/** Of those, the ones that may ask the database at a time. */
const atWork = 8
/** Has nothing under way. */
const nobody = ''
/** Organizations whose turns are remembered. */
const maxServed = 1_000
/** So long a call waits for tunnels of its run to open, that it may say where they are. */
const tunnelsWaitMs = 15_000
const tunnelsPauseSec = 0.25

/** The run goes on with another step, later, or not at all. */
type Progress = RunClaim | { readonly stop: RuleStop } | 'later'

export class RuleRunner {
  readonly #options: RuleRunnerOptions & { pollMs: number; slowMs: number }
  readonly #loops = new Set<Promise<void>>()
  readonly #slots = new Slots({ slots: atOnce, share: organizationShare, all: underWay })
  /** Organizations with runs under way. */
  readonly #underWay = new Map<string, number>()
  /** Runs whose call takes long. */
  readonly #slow = new Set<string>()
  /** Organizations that had a run, in the order of their last one. */
  readonly #served = new Set<string>()
  readonly #turns = new Turns(atWork)
  readonly #claims = new Turns(1)
  readonly #outage: Outage
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: RuleRunnerOptions) {
    this.#options = { ...options, pollMs: options.pollMs ?? 1_000, slowMs: options.slowMs ?? 1_000 }
    this.#outage = new Outage(options.logger, {
      waits: 'rules wait',
      failed: 'rules cannot be run; it is tried again',
    })
    this.wake()
  }

  /** There may be runs. */
  wake(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    if (this.#loops.size - this.#slow.size < atOnce.fast) {
      const loop = this.#work().finally(() => this.#loops.delete(loop))
      this.#loops.add(loop)
    }
    this.#timer = setTimeout(() => this.wake(), this.#options.pollMs)
  }

  /** Resolves when the steps at hand have ended. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#soon)
    await Promise.all(this.#loops)
  }

  async #work(): Promise<void> {
    await this.#turns.take()
    try {
      while (!this.#closed) {
        const run = await this.#claim()
        this.#outage.over()
        if (run === null) return
        if (run === 'over') continue
        // Another one may be taken beside it.
        this.wake()
        await this.#serve(run)
      }
    } catch (error) {
      this.#outage.tell(error)
    } finally {
      this.#turns.give()
    }
  }

  /** One after the other, as each changes whose turn it is. */
  async #claim(): Promise<RunClaim | 'over' | null> {
    await this.#claims.take()
    try {
      if (!this.#slots.isFree('fast', nobody)) return null
      const busy = [...this.#underWay.keys()].filter((id) => !this.#slots.isFree('fast', id))
      const run = await claimRun(this.#options.pool, { busy, served: [...this.#served] })
      if (run !== null && run !== 'over') this.#begin(run.organizationId)
      return run
    } finally {
      this.#claims.give()
    }
  }

  #begin(organizationId: string): void {
    this.#slots.take('fast', organizationId)
    this.#underWay.set(organizationId, (this.#underWay.get(organizationId) ?? 0) + 1)
    this.#served.delete(organizationId)
    this.#served.add(organizationId)
    const [oldest] = this.#served
    if (this.#served.size > maxServed && oldest !== undefined) this.#served.delete(oldest)
  }

  async #serve(run: RunClaim): Promise<void> {
    const { organizationId } = run
    try {
      await this.#steps(run)
    } catch (error) {
      if (error instanceof RunLostError) return
      if (isDatabaseUnavailable(error)) throw error
      this.#options.logger.error({ err: error, run: run.id }, 'a step of a rule failed; it is repeated')
    } finally {
      this.#slots.give(this.#slow.delete(run.id) ? 'slow' : 'fast', organizationId)
      const left = (this.#underWay.get(organizationId) ?? 1) - 1
      if (left > 0) this.#underWay.set(organizationId, left)
      else this.#underWay.delete(organizationId)
    }
  }

  async #steps(first: RunClaim): Promise<void> {
    const steps = stepsOf(first.plan.actions)
    let run = first
    let stop: RuleStop | null = null
    for (let step = steps[run.steps.length]; step && stop === null; step = steps[run.steps.length]) {
      const next: Progress = await this.#step(run, step)
      if (next === 'later') return
      if ('stop' in next) stop = next.stop
      else run = next
    }
    const { pool, queues, logger } = this.#options
    const stopped = await finishRun(pool, run, { stop, maxFailures: maxRuleFailures })
    const endpoints = deliveredTo(run)
    if (endpoints.length > 0) void queues.hint(webhooksQueue, 'deliveries.due', { about: endpoints })
    if (stopped !== null) logger.info({ rule: run.rule.id, reason: stopped }, 'a rule was stopped')
  }

  async #step(run: RunClaim, step: RuleStep): Promise<Progress> {
    const { pool, queues } = this.#options
    const action = run.plan.actions[step.action]
    if (!action) throw new Error(`the plan of ${run.id} has no action ${step.action}`)
    if (action.kind === 'call_webhook') return this.#call(run, step, action)
    const outcome = await doStep(pool, run, {
      step,
      action,
      ttlSec: action.kind === 'open_tunnel' ? ttlOf(action, run.plan.during, Date.now()) : null,
      judge: (standing) => rightsFor(action.kind, standing),
    })
    if (typeof outcome === 'string') return { stop: outcome }
    hintNodes(queues, outcome.touched, 'policy.changed')
    return outcome.run
  }

  async #call(run: RunClaim, step: RuleStep, action: CallAction): Promise<Progress> {
    const { pool, egress } = this.#options
    const standing = await askMaker(pool, run)
    if (!standing) return { stop: 'maker_gone' }
    if (rightsFor(action.kind, standing) === 'none') return { stop: 'permission_missing' }
    const facts = await readRunFacts(pool, run)
    const opening = facts.tunnels.some(({ state }) => state === 'requested' || state === 'opening')
    if (opening && Date.now() - run.startedAt.getTime() < tunnelsWaitMs) return this.#later(run, tunnelsPauseSec, false)
    const outcome = await this.#aside(run, () => callWebhook(egress, run, action, facts))
    if (outcome.kind === 'again') return this.#later(run, outcome.afterSec, outcome.counts)
    const failed = outcome.kind === 'failed'
    const code = failed ? outcome.code : null
    const result = { ...step, state: failed ? 'failed' : 'done', code, detail: outcome.detail, tunnelId: null } as const
    return recordCall(pool, run, result)
  }

  /** Others work meanwhile, and begin when it takes long. */
  async #aside<Result>(run: RunClaim, wait: () => Promise<Result>): Promise<Result> {
    this.#turns.give()
    const demotion = setTimeout(() => this.#demote(run), this.#options.slowMs)
    try {
      return await wait()
    } finally {
      clearTimeout(demotion)
      await this.#turns.take()
    }
  }

  #demote({ id, organizationId }: RunClaim): void {
    if (this.#slow.has(id)) return
    this.#slow.add(id)
    this.#slots.demote(organizationId)
    this.wake()
  }

  async #later(run: RunClaim, afterSec: number, counts: boolean): Promise<'later'> {
    await postponeRun(this.#options.pool, run, afterSec, counts)
    clearTimeout(this.#soon)
    if (!this.#closed) this.#soon = setTimeout(() => this.wake(), afterSec * 1_000 + 5)
    return 'later'
  }
}
