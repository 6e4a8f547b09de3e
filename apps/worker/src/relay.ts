/**
 * Drives the relay (packages/db/src/events/relay.ts): passes until nothing waits for its position, woken by the notice of every
 * commit with events and by a timer, as notices may be lost. Workers that do so at once take turns at the row of the feed.
 */
import { relayEvents, type Pool, type RelayConsumer, type RelayFault } from '@culvert/db'
import type { Logger } from '@culvert/observability'
import { Outage } from './outage.ts'

export interface RelayOptions {
  readonly pool: Pool
  readonly logger: Logger
  readonly consumers: readonly RelayConsumer[]
  /** Told after each pass, once it has committed. */
  readonly relayed?: (() => void) | undefined
  /** Longest pause between two passes. */
  readonly pollMs?: number | undefined
  /** Most events of one pass. */
  readonly batch?: number | undefined
}

export class Relay {
  readonly #options: RelayOptions & { pollMs: number }
  readonly #outage: Outage
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | null = null
  #again = false
  #closed = false

  constructor(options: RelayOptions) {
    this.#options = { ...options, pollMs: options.pollMs ?? 2_000 }
    this.#outage = new Outage(options.logger, {
      waits: 'events wait',
      failed: 'events cannot be relayed; it is tried again',
    })
    this.wake()
  }

  /** Events may wait. What is asked for while a pass runs is one more pass. */
  wake(): void {
    if (this.#closed) return
    this.#again = true
    if (this.#running) return
    clearTimeout(this.#timer)
    this.#running = this.#run().finally(() => {
      this.#running = null
      if (!this.#closed) this.#timer = setTimeout(() => this.wake(), this.#options.pollMs)
    })
  }

  /** Resolves when the pass at hand is over. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    const { pool, consumers, batch } = this.#options
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        const pass = await relayEvents(pool, consumers, batch)
        this.#outage.over()
        this.#options.relayed?.()
        this.#tell(pass.faults)
        this.#again ||= pass.isFull
      }
    } catch (error) {
      this.#outage.tell(error)
    }
  }

  /** Once for each consumer, however many events it refuses. */
  #tell(faults: readonly RelayFault[]): void {
    for (const [consumer, refused] of Object.entries(Object.groupBy(faults, (fault) => fault.consumer)))
      this.#options.logger.error(
        { err: refused?.[0]?.error, consumer, event: refused?.[0]?.event.id, events: refused?.length },
        'a consumer of the relay refused events; they are offered again',
      )
  }
}
