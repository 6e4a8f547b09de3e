/**
 * The listeners this gateway has, by tunnel port: opens, changes and closes them as a row of Postgres says. It never asks
 * Postgres itself, so listeners and their ends of time go on while Postgres is away.
 *
 * Invariants: a port number belongs to one tunnel port from the moment it is tried until its quarantine ends; a tunnel whose
 * time is up is closed by the timer here, whoever else may have died, and keeps its number until Postgres says `close`.
 */
import type { DeviceRoute, GatewayPort } from '@culvert/db'
import { type ListenerParts, PortListener } from './port-listener.ts'
import type { PortPool } from './port-pool.ts'

export interface OpenPortsOptions {
  readonly bindAddress: string
  readonly pool: PortPool
  readonly quarantineMs: number
  readonly parts: ListenerParts
  /** A tunnel's time was up, or it carried all it may, and its listener is closed. */
  readonly onExpired: () => void
}

export type ListenFailure = 'no_free_port' | 'listen_failed' | 'quota'
export type ListenResult =
  | { readonly port: number; readonly failure: null }
  | { readonly port: null; readonly failure: ListenFailure; readonly detail: string }

interface Held {
  /** Null when the tunnel's time was up: the number is still this tunnel port's. */
  listener: PortListener | null
  readonly port: number
  row: GatewayPort
  timer: NodeJS.Timeout | null
}

const MOST_TRIES = 256
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** The timer runs a little behind the database's clock, so that the database agrees that the time is up. */
const CLOCK_SLACK_MS = 20
/** The number is taken by somebody else, or not ours to take: another one may do. */
const TAKEN = new Set(['EADDRINUSE', 'EACCES'])

export class OpenPorts {
  readonly #options: OpenPortsOptions
  readonly #held = new Map<string, Held>()
  /** Ids of tunnel ports by device: thousands of devices may move at once. */
  readonly #byDevice = new Map<string, Set<string>>()

  constructor(options: OpenPortsOptions) {
    this.#options = options
  }

  /** Listens for `row`, or brings its listener up to date; on the number it had, when it had one. */
  async listen(row: GatewayPort): Promise<ListenResult> {
    const held = this.#held.get(row.id)
    if (held?.listener?.isExhausted || isUsedUp(row)) return EXHAUSTED
    if (held?.listener) {
      held.row = row
      held.listener.update(rulesOf(row))
      this.#arm(held)
      return { port: held.port, failure: null }
    }
    const listener = new PortListener(rulesOf(row), { ...this.#options.parts, onQuota: this.#options.onExpired })
    const number = held?.port ?? row.gatewayPort
    const result = number === null ? await this.#listenAnywhere(listener) : await this.#listenOn(listener, number, held)
    if (result.failure === null) {
      const fresh: Held = { listener, port: result.port, row, timer: null }
      this.#held.set(row.id, fresh)
      this.#byDevice.set(row.deviceId, (this.#byDevice.get(row.deviceId) ?? new Set()).add(row.id))
      this.#arm(fresh)
    }
    return result
  }

  /** Ends the listener and every flow of a tunnel port for good; its number goes into quarantine. */
  close(portId: string, lastNumber: number | null): void {
    const held = this.#held.get(portId)
    this.suspend(portId)
    this.#forget(portId)
    const number = held?.port ?? lastNumber
    if (number !== null && (held || this.#options.pool.isFree(number, performance.now()))) {
      this.#options.pool.quarantine(number, performance.now() + this.#options.quarantineMs)
    }
  }

  /** Ends the listener and every flow, but keeps the number: the tunnel may be extended. */
  suspend(portId: string): void {
    const held = this.#held.get(portId)
    if (!held) return
    if (held.timer) clearTimeout(held.timer)
    held.timer = null
    held.listener?.close('tunnel_closed')
    held.listener = null
  }

  /** A number that an earlier process closed stays unused for what is left of its quarantine. */
  rest(port: number, remainingMs: number): void {
    this.#options.pool.quarantine(port, performance.now() + remainingMs)
  }

  /** The device of a port moved, came or went. */
  reroute(deviceId: string, route: DeviceRoute | null): void {
    for (const id of this.#byDevice.get(deviceId) ?? []) {
      const held = this.#held.get(id)
      if (!held) continue
      held.row = { ...held.row, route }
      held.listener?.update(rulesOf(held.row))
    }
  }

  hasDevice(deviceId: string): boolean {
    return this.#byDevice.has(deviceId)
  }

  get ids(): readonly string[] {
    return [...this.#held.keys()]
  }

  get openFlows(): number {
    return this.#listeners().reduce((sum, listener) => sum + listener.openFlows, 0)
  }

  recordProgress(): void {
    for (const listener of this.#listeners()) listener.recordProgress()
  }

  stopAccepting(): void {
    for (const held of this.#held.values()) {
      if (held.timer) clearTimeout(held.timer)
      held.listener?.stopAccepting()
    }
  }

  closeAll(reason: string): void {
    for (const listener of this.#listeners()) listener.close(reason)
  }

  #forget(portId: string): void {
    const deviceId = this.#held.get(portId)?.row.deviceId
    this.#held.delete(portId)
    if (deviceId === undefined) return
    const ids = this.#byDevice.get(deviceId)
    ids?.delete(portId)
    if (ids?.size === 0) this.#byDevice.delete(deviceId)
  }

  #listeners(): PortListener[] {
    return [...this.#held.values()].flatMap(({ listener }) => (listener ? [listener] : []))
  }

  async #listenOn(listener: PortListener, port: number, held: Held | undefined): Promise<ListenResult> {
    const { pool } = this.#options
    if (!held && !pool.isFree(port, performance.now())) {
      return { port: null, failure: 'listen_failed', detail: `port ${port} is held by another tunnel or in quarantine` }
    }
    pool.hold(port)
    const code = await this.#bind(listener, port)
    if (code === null) return { port, failure: null }
    if (!held) pool.release(port)
    return { port: null, failure: 'listen_failed', detail: `${code} on port ${port}` }
  }

  async #listenAnywhere(listener: PortListener): Promise<ListenResult> {
    const { pool } = this.#options
    let tries = 0
    for (const port of pool.candidates(performance.now())) {
      pool.hold(port)
      const code = await this.#bind(listener, port)
      if (code === null) return { port, failure: null }
      pool.release(port)
      if (!TAKEN.has(code)) return { port: null, failure: 'listen_failed', detail: code }
      if (++tries === MOST_TRIES) break
    }
    return { port: null, failure: 'no_free_port', detail: `none found, ${tries} tried` }
  }

  /** @returns null, or the errno name. */
  async #bind(listener: PortListener, port: number): Promise<string | null> {
    try {
      await listener.listen(this.#options.bindAddress, port)
      return null
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'EIO'
    }
  }

  #arm(held: Held): void {
    if (held.timer) clearTimeout(held.timer)
    held.timer = setTimeout(
      () => {
        this.suspend(held.row.id)
        this.#options.onExpired()
      },
      Math.min(LONGEST_TIMER_MS, Math.max(0, held.row.remainingMs) + CLOCK_SLACK_MS),
    )
  }
}

const EXHAUSTED = { port: null, failure: 'quota', detail: 'the tunnel has carried all it may' } as const

function isUsedUp({ maxBytes, usedBytes }: GatewayPort): boolean {
  return maxBytes !== null && usedBytes >= maxBytes
}

function rulesOf(row: GatewayPort): ConstructorParameters<typeof PortListener>[0] {
  const {
    id: portId,
    organizationId,
    tunnelId,
    deviceHost,
    devicePort,
    allowFrom,
    maxBytes,
    rateLimit,
    usedBytes,
    route,
  } = row
  const limits = { maxBytes, rateLimit }
  return { portId, organizationId, tunnelId, deviceHost, devicePort, allowFrom, limits, usedBytes, route }
}
