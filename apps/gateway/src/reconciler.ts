/**
 * Makes the listeners what Postgres says they shall be: desired state in, applied generations out.
 *
 * ```
 * NOTIFY gateway_<node> ─┐
 * job on gateway.<node> ─┤
 * start, reconnect ──────┼──▶ one pass at a time ──▶ read ──▶ listen / close ──▶ report (fenced, one transaction a tunnel)
 * 5-10 s timer ──────────┘
 * ```
 *
 * Invariants: a trigger only says "look"; lost, late and doubled ones change nothing. While Postgres is away nothing that
 * listens or flows is touched, and everything is made up for afterwards.
 */
import type { DeviceRoute, GatewayPort, PortReport } from '@culvert/db'
import type { OpenPorts } from './ports/open-ports.ts'

/** What the reconciler asks of Postgres. */
export interface ReconcilerStore {
  /** Ports that are behind; with `everything` also those that shall listen. */
  readPorts(everything: boolean): Promise<readonly GatewayPort[]>
  /** Null for a device that is attached nowhere. */
  readRoutes(deviceIds: readonly string[]): Promise<ReadonlyMap<string, DeviceRoute | null>>
  /** Without reports it only makes the tunnel's state follow, such as when its time is up. */
  report(tunnelId: string, reports: readonly PortReport[]): Promise<void>
}

export interface ReconcilerOptions {
  readonly store: ReconcilerStore
  readonly ports: OpenPorts
  readonly quarantineMs: number
  /** A route through this namespace is in use. */
  readonly prepareRoute: (namespace: string) => void
  readonly log: {
    debug(fields: object, message: string): void
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}

const SHORTEST_TICK_MS = 5_000
const LONGEST_TICK_MS = 10_000
const RETRY_MS = 1_000
const TUNNELS_AT_ONCE = 6

export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #changedDevices = new Set<string>()
  #wanted: 'nothing' | 'changes' | 'everything' = 'nothing'
  #running: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #failing = false
  #stopped = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Asks for a pass; `everything` also looks at ports that are in step. @returns when nothing is asked for any more. */
  trigger(scope: 'changes' | 'everything'): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    if (this.#wanted !== 'everything') this.#wanted = scope
    this.#running ??= this.#run()
    return this.#running
  }

  deviceChanged(deviceId: string): void {
    if (!this.#options.ports.hasDevice(deviceId)) return
    this.#changedDevices.add(deviceId)
    void this.trigger('changes')
  }

  /** No further pass begins; resolves when the current one is over. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    let pauseMs = SHORTEST_TICK_MS + Math.random() * (LONGEST_TICK_MS - SHORTEST_TICK_MS)
    while (this.#wanted !== 'nothing' && !this.#stopped) {
      const everything = this.#wanted === 'everything'
      this.#wanted = 'nothing'
      try {
        await this.#pass(everything)
        if (this.#failing) this.#options.log.info({}, 'desired state can be read again')
        this.#failing = false
      } catch (error) {
        if (!this.#failing)
          this.#options.log.warn({ err: error }, 'desired state cannot be applied now; what listens goes on')
        this.#failing = true
        pauseMs = RETRY_MS
        break
      }
    }
    this.#running = null
    if (this.#timer) clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = setTimeout(() => void this.trigger('everything'), pauseMs)
  }

  async #pass(everything: boolean): Promise<void> {
    const { store, ports, prepareRoute } = this.#options
    await this.#reroute()
    const rows = await store.readPorts(everything)
    for (const namespace of new Set(rows.map((row) => row.route?.namespace))) {
      if (namespace !== undefined) prepareRoute(namespace)
    }
    if (everything) {
      const known = new Set(rows.map((row) => row.id))
      for (const id of ports.ids) if (!known.has(id)) ports.close(id, null)
    }
    // Numbers that were given out before go to their tunnels first, else a new tunnel might be given one of them.
    const tunnels = byTunnel(rows)
    const isNew = (tunnel: readonly GatewayPort[]): boolean => tunnel.some((row) => row.gatewayPort === null)
    const numbered = this.#eachTunnel(tunnels.filter((tunnel) => !isNew(tunnel)))
    await numbered.catch(() => undefined)
    await this.#eachTunnel(tunnels.filter(isNew))
    await numbered
  }

  async #reroute(): Promise<void> {
    const devices = [...this.#changedDevices]
    if (devices.length === 0) return
    const routes = await this.#options.store.readRoutes(devices)
    for (const device of devices) {
      this.#changedDevices.delete(device)
      const route = routes.get(device) ?? null
      if (route) this.#options.prepareRoute(route.namespace)
      this.#options.ports.reroute(device, route)
    }
  }

  /** A few tunnels at a time; one that fails does not keep the others back, and fails the pass in the end. */
  async #eachTunnel(tunnels: readonly (readonly GatewayPort[])[]): Promise<void> {
    const queue = tunnels.values()
    const errors: unknown[] = []
    const worker = async (): Promise<void> => {
      for (const rows of queue) await this.#applyTunnel(rows).catch((error: unknown) => errors.push(error))
    }
    await Promise.all(Array.from({ length: TUNNELS_AT_ONCE }, worker))
    if (errors.length > 0) throw errors[0]
  }

  async #applyTunnel(rows: readonly GatewayPort[]): Promise<void> {
    const reports: PortReport[] = []
    let expired = false
    for (const row of rows) {
      if (shallListen(row)) reports.push(...(await this.#listen(row)))
      else if (row.desired === 'close') reports.push(this.#close(row))
      else {
        this.#options.ports.suspend(row.id)
        expired ||= row.remainingMs <= 0
      }
    }
    const tunnelId = rows[0]?.tunnelId
    if (tunnelId !== undefined && (reports.length > 0 || expired)) {
      await this.#options.store.report(tunnelId, reports)
    }
  }

  async #listen(row: GatewayPort): Promise<PortReport[]> {
    const isNew = row.appliedGeneration < row.desiredGeneration
    if (row.gatewayPort === null && row.hostFailure !== null) return [this.#refuse(row, row.hostFailure)]
    if (row.gatewayPort === null && isHostAwaited(row)) return [] // the concentrator tells when it has mapped it
    const { failure, port, ...rest } = await this.#options.ports.listen(row)
    const report = { portId: row.id, generation: row.desiredGeneration, gatewayPort: port, failure, quarantineMs: null }
    if (failure === 'quota') {
      this.#options.log.info({ tunnel: row.tunnelId }, 'a tunnel has carried all it may')
      return [report]
    }
    if (failure !== null) {
      this.#options.log.warn({ tunnel: row.tunnelId, failure, ...rest }, 'tunnel port cannot listen')
      return [report]
    }
    if (!isNew) return []
    this.#options.log.debug({ tunnel: row.tunnelId, port }, 'tunnel port listens')
    return [report]
  }

  #refuse(row: GatewayPort, failure: PortReport['failure']): PortReport {
    this.#options.log.info({ tunnel: row.tunnelId, failure }, 'the host of a tunnel cannot be reached')
    return { portId: row.id, generation: row.desiredGeneration, gatewayPort: null, failure, quarantineMs: null }
  }

  #close(row: GatewayPort): PortReport {
    this.#options.ports.close(row.id, row.gatewayPort)
    const quarantineMs = row.gatewayPort === null ? null : this.#options.quarantineMs
    return { portId: row.id, generation: row.desiredGeneration, gatewayPort: null, failure: null, quarantineMs }
  }
}

/** It is asked to, and the tunnel's time is not up. */
function shallListen(row: GatewayPort): boolean {
  return (
    row.desired === 'listen' && (row.tunnelState === 'opening' || row.tunnelState === 'open') && row.remainingMs > 0
  )
}

/** The device is there, but the host on its LAN has no address yet. */
function isHostAwaited({ deviceHost, route }: GatewayPort): boolean {
  return deviceHost !== null && route !== null && route.hosts[deviceHost] === undefined
}

function byTunnel(rows: readonly GatewayPort[]): GatewayPort[][] {
  const tunnels = new Map<string, GatewayPort[]>()
  for (const row of rows) {
    const ports = tunnels.get(row.tunnelId)
    if (ports) ports.push(row)
    else tunnels.set(row.tunnelId, [row])
  }
  return [...tunnels.values()]
}
