/**
 * Tells Postgres every five seconds that this gateway lives, and notices when another process has taken its name.
 *
 * Invariant: a heartbeat that cannot be written harms nobody; only a lost lease is fatal.
 */
import { beatGateway, type GatewayLease, GatewayReplacedError, type Pool } from '@culvert/db'

export interface HeartbeatOptions {
  readonly pool: Pool
  readonly lease: GatewayLease
  readonly log: { warn(fields: object, message: string): void }
  readonly onFatal: (error: Error) => void
}

export type BeatState = 'ready' | 'draining' | 'stopped'

const INTERVAL_MS = 5_000

export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #timer: NodeJS.Timeout
  #state: BeatState = 'ready'
  #failing = false
  #writing: Promise<void> | null = null

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#timer = setInterval(() => {
      this.#writing ??= this.#beat()
    }, INTERVAL_MS)
  }

  async say(state: BeatState): Promise<void> {
    this.#state = state
    await this.#writing
    await this.#beat()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.say('stopped')
  }

  async #beat(): Promise<void> {
    const { pool, lease, log, onFatal } = this.#options
    try {
      await beatGateway(pool, lease, this.#state)
      this.#failing = false
    } catch (error) {
      if (error instanceof GatewayReplacedError) {
        clearInterval(this.#timer)
        if (this.#state === 'ready') onFatal(error)
      } else if (!this.#failing) {
        this.#failing = true
        log.warn({ err: error }, 'heartbeat could not be written; listeners and connections go on')
      }
    }
    this.#writing = null
  }
}
