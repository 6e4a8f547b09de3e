/**
 * One pass over everything that can become due. Idempotent: it may run late, twice, or in several workers at once.
 * A step that fails does not keep the others back, so that one row that cannot be brought further does not stop the fleet.
 */
import {
  endTunnelsOfLostGateways,
  expireTunnels,
  findNodesBehind,
  isDatabaseUnavailable,
  markOffline,
  nextExpiryMs,
  openWaitingTunnels,
  prune,
  pruneBatch,
  readHeartbeats,
  tellExpiringCredentials,
  type Pool,
} from '@culvert/db'
import type { Logger } from '@culvert/observability'
import { concentratorQueue, gatewayQueue, type Queues } from '@culvert/queue'
import { NodeWatch } from './node-watch.ts'

export interface SweeperOptions {
  readonly pool: Pool
  readonly queues: Queues
  readonly logger: Logger
  readonly nodeDeadAfterMs: number
}

const pruneEveryMs = 600_000

export class Sweeper {
  readonly #options: SweeperOptions
  readonly #watch: NodeWatch
  #prunedAtMs: number | null = null

  constructor(options: SweeperOptions) {
    this.#options = options
    this.#watch = new NodeWatch(options.nodeDeadAfterMs)
  }

  /** @returns milliseconds until something is due for certain, null when nothing is */
  async sweep(): Promise<number | null> {
    const { pool } = this.#options
    const failures: unknown[] = []
    for (const step of [
      async () => this.#hintGateways(await expireTunnels(pool)),
      async () => this.#hintGateways(await openWaitingTunnels(pool, null)),
      () => this.#buryNodes(),
      () => this.#tellNodesBehind(),
      () => this.#tellExpiring(),
      () => this.#prune(),
    ]) {
      await step().catch((error: unknown) => {
        // The others need the database too.
        if (isDatabaseUnavailable(error)) throw this.#unwatched(error)
        failures.push(error)
      })
    }
    if (failures.length > 0) throw failures[0]
    return nextExpiryMs(pool).catch((error: unknown) => Promise.reject(this.#unwatched(error)))
  }

  /** What was not seen without a gap proves nothing about a node. */
  #unwatched(error: unknown): unknown {
    this.#watch.forget()
    return error
  }

  /** Devices were attached or left: tunnels may have waited for them. */
  async devicesChanged(deviceIds: readonly string[]): Promise<void> {
    this.#hintGateways(await openWaitingTunnels(this.#options.pool, deviceIds))
  }

  async #buryNodes(): Promise<void> {
    const { pool, logger } = this.#options
    const heartbeats = await readHeartbeats(pool).catch((error: unknown) => Promise.reject(this.#unwatched(error)))
    for (const node of this.#watch.observe(heartbeats, performance.now())) {
      if (await markOffline(pool, node))
        logger.warn({ node: node.id, kind: node.kind }, 'a node is silent and counts as offline')
    }
    const ended = await endTunnelsOfLostGateways(pool)
    if (ended > 0) logger.warn({ tunnels: ended }, 'tunnels failed with their gateway')
  }

  async #tellNodesBehind(): Promise<void> {
    const { pool, queues } = this.#options
    const behind = await findNodesBehind(pool)
    this.#hintGateways(behind.gateways)
    for (const id of behind.detach) void queues.hint(concentratorQueue(id), 'device.detach')
    for (const id of behind.policy) void queues.hint(concentratorQueue(id), 'policy.changed')
  }

  async #tellExpiring(): Promise<void> {
    while (await tellExpiringCredentials(this.#options.pool)) continue
  }

  async #prune(): Promise<void> {
    const nowMs = performance.now()
    if (this.#prunedAtMs !== null && nowMs - this.#prunedAtMs < pruneEveryMs) return
    const removed = await prune(this.#options.pool)
    this.#prunedAtMs = removed < pruneBatch ? nowMs : null
    if (removed > 0) this.#options.logger.debug({ removed }, 'old rows removed')
  }

  #hintGateways(gateways: readonly string[]): void {
    for (const id of gateways) void this.#options.queues.hint(gatewayQueue(id), 'listeners.changed')
  }
}
