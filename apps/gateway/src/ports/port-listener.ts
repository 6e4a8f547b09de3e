/**
 * The listener of one tunnel port: accepts customers, dials the device for each, joins the two.
 *
 * ```
 * accept ─▶ allowed? ─▶ place free? ─▶ device attached? ─▶ dial ─▶ flow
 *              │no          │no             │no             │fails
 *              └────────────┴───────────────┴───────────────┴──▶ reset, one refusal in the access log
 * ```
 *
 * A host on a LAN behind the device is dialed under the address that the device's concentrator mapped it to, while Postgres has said so
 * of late.
 *
 * Invariants: a client is allowed when it arrives and still when its device answers; nothing a client sends is read before its device is connected; no database stands in this path; after `close` the
 * port accepts nobody and every flow through it has been reset.
 */
import type { ConnectionRow, DeviceRoute } from '@culvert/db'
import { createServer, type Server, type Socket } from 'node:net'
import type { Dialer } from '../dial/contract.ts'
import type { ConnectionLimits } from '../flow/connection-limits.ts'
import type { ConnectionRecorder } from '../flow/connection-recorder.ts'
import { Flow, reset } from '../flow/flow.ts'
import { TunnelBudget, type TunnelLimits } from '../flow/tunnel-budget.ts'
import { AllowList, plainAddress } from './allow-list.ts'

/** What a listener serves; may change while it listens. */
export interface PortRules {
  readonly portId: string
  readonly tunnelId: string
  readonly organizationId: string
  /** A host on a LAN behind the device; null: the device itself. */
  readonly deviceHost: string | null
  readonly devicePort: number
  readonly allowFrom: readonly string[]
  /** Of the tunnel; as they are when it begins to listen. */
  readonly limits: TunnelLimits
  /** Octets that went through the tunnel before. */
  readonly usedBytes: number
  /** Null while the device is attached nowhere. */
  readonly route: DeviceRoute | null
}

export interface ListenerParts {
  readonly dialer: Dialer
  readonly limits: ConnectionLimits
  readonly recorder: ConnectionRecorder
  /** A tunnel has carried all it may: its listener and every flow are closed. */
  readonly onQuota?: () => void
  /** Milliseconds of a monotonic clock; that of this process when left out. */
  readonly nowMs?: () => number
}

/**
 * How long addresses of hosts on LANs are believed without word from Postgres. A concentrator lets one that it took back rest for
 * twice as long before another host, of another customer perhaps, has it.
 */
const HOSTS_KNOWN_MS = 600_000

const BACKLOG = 511

export class PortListener {
  readonly #parts: ListenerParts
  readonly #server: Server
  readonly #flows = new Map<Flow, ConnectionRow>()
  /** Accepted, their device not connected yet. */
  readonly #waiting = new Set<Socket>()
  readonly #budget: TunnelBudget
  #rules: PortRules
  #allowList: AllowList
  /** When Postgres said them. */
  #rulesAtMs: number
  #closed: string | null = null

  constructor(rules: PortRules, parts: ListenerParts) {
    this.#rules = rules
    this.#allowList = new AllowList(rules.allowFrom)
    this.#parts = parts
    this.#rulesAtMs = this.#nowMs
    this.#budget = new TunnelBudget(rules.limits, rules.usedBytes, () => {
      // What was the last of it is still on its way to the other side.
      setImmediate(() => {
        this.close('quota')
        parts.onQuota?.()
      })
    })
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      void this.#accept(client)
    })
  }

  get openFlows(): number {
    return this.#flows.size
  }

  get isExhausted(): boolean {
    return this.#budget.isExhausted
  }

  get port(): number {
    const address = this.#server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  /** @throws what bind and listen throw, such as EADDRINUSE. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog: BACKLOG, exclusive: true }, () => {
        this.#server.off('error', reject)
        // accept(2) failing (no descriptors left) concerns one client, not the listener.
        this.#server.on('error', () => undefined)
        resolve()
      })
    })
  }

  /** Applies new rules at once; a flow ends only when its client is no longer allowed. */
  update(rules: PortRules): void {
    const changed = rules.allowFrom.join() !== this.#rules.allowFrom.join()
    this.#rules = rules
    this.#rulesAtMs = this.#nowMs
    this.#budget.change(rules.limits, rules.usedBytes)
    if (!changed) return
    this.#allowList = new AllowList(rules.allowFrom)
    for (const [flow, record] of this.#flows) {
      if (!this.#allowList.allows(record.clientAddress)) flow.abort('not_allowed')
    }
  }

  /** Accepts nobody any more; flows go on. */
  stopAccepting(): void {
    this.#server.close()
  }

  /** Stops listening and resets every connection, with `reason` in the access log. */
  close(reason: string): void {
    this.#closed ??= reason
    this.#server.close()
    for (const client of this.#waiting) reset(client)
    for (const flow of this.#flows.keys()) flow.abort(reason)
  }

  /** Writes the byte counts of flows that moved to the access log. */
  recordProgress(): void {
    for (const [flow, record] of this.#flows) if (flow.takeProgress()) this.#parts.recorder.progress(record, flow)
  }

  async #accept(client: Socket): Promise<void> {
    const { remoteAddress, remotePort } = client
    client.on('error', () => undefined)
    if (remoteAddress === undefined || remotePort === undefined) {
      client.destroy()
      return
    }
    const rules = this.#rules
    const record = this.#parts.recorder.begin(rules, plainAddress(remoteAddress), remotePort)
    const refuse = (reason: string): void => {
      reset(client)
      this.#parts.recorder.refused(record, reason)
    }
    if (this.#closed !== null) return refuse(this.#closed)
    if (!this.#allowList.allows(remoteAddress)) return refuse('not_allowed')
    if (rules.route === null) return refuse('device_offline')
    const address = this.#areHostsKnown(rules) ? dialAddressOf(rules, rules.route) : undefined
    if (address === undefined) return refuse('host_not_reachable')
    const release = this.#parts.limits.take(rules)
    if (!release) return refuse('too_many_connections')
    const outcome = await this.#dial(client, { address, port: rules.devicePort }, rules.route)
    // Seconds may have gone by: what was allowed then is asked again.
    const hindrance = this.#closed ?? (this.#allowList.allows(remoteAddress) ? null : 'not_allowed')
    if (!outcome.ok || hindrance !== null) {
      release()
      if (outcome.ok) reset(outcome.socket)
      return refuse(hindrance ?? (outcome.ok ? 'tunnel_closed' : outcome.reason))
    }
    this.#join(client, outcome.socket, record, release)
  }

  get #nowMs(): number {
    return this.#parts.nowMs?.() ?? performance.now()
  }

  #areHostsKnown({ deviceHost }: PortRules): boolean {
    return deviceHost === null || this.#nowMs - this.#rulesAtMs < HOSTS_KNOWN_MS
  }

  async #dial(
    client: Socket,
    target: { readonly address: string; readonly port: number },
    route: DeviceRoute,
  ): ReturnType<Dialer['dial']> {
    this.#waiting.add(client)
    const outcome = await this.#parts.dialer.dial({
      namespace: route.namespace,
      localAddress: route.dialAddress,
      host: target.address,
      port: target.port,
    })
    this.#waiting.delete(client)
    return outcome
  }

  #join(client: Socket, device: Socket, record: ConnectionRow, release: () => void): void {
    if (client.destroyed) {
      release()
      reset(device)
      return this.#parts.recorder.refused(record, 'client_reset')
    }
    const flow: Flow = new Flow({ client, device }, this.#budget, (reason) => {
      this.#flows.delete(flow)
      release()
      this.#parts.recorder.closed(record, flow, reason)
    })
    this.#flows.set(flow, record)
    this.#parts.recorder.opened(record)
  }
}

/** @returns undefined for a host that its concentrator has no address for (yet) */
function dialAddressOf({ deviceHost }: PortRules, { deviceAddress, hosts }: DeviceRoute): string | undefined {
  return deviceHost === null ? deviceAddress : hosts[deviceHost]
}
