/**
 * The gateway: customers' TCP ports for tunnels. Puts the parts together and takes them apart.
 *
 * ```
 *  Postgres ◀─ lease, heartbeat ── registration
 *     │ ▲ NOTIFY, job, timer ▶ reconciler ─▶ open ports ─▶ port listener ─▶ flow ◀─▶ device
 *     │ └ reports ─────────────────┘                          │               ▲
 *     └◀──── access log ◀── connection recorder ◀─────────────┘     dialers ──┘ (process inside the TUN's namespace)
 * ```
 *
 * Invariants: it starts only with Postgres there; afterwards listeners and connections do not need it. A gateway whose name was
 * taken by another process ends itself.
 */
import {
  closeLostConnections,
  deviceChangedChannel,
  type GatewayLease,
  gatewayChannel,
  listen,
  openPool,
  type Pool,
  readDeviceRoutes,
  readGatewayPorts,
  readQuarantine,
  registerGateway,
  reportPorts,
  writeConnections,
} from '@culvert/db'
import type { Logger } from '@culvert/observability'
import { gatewayQueue, openQueues } from '@culvert/queue'
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Dialer } from './dial/contract.ts'
import { openDialers } from './dial/dialers.ts'
import { ConnectionLimits } from './flow/connection-limits.ts'
import { ConnectionRecorder } from './flow/connection-recorder.ts'
import { RefusalBudget } from './flow/refusal-budget.ts'
import { Heartbeat } from './heartbeat.ts'
import { OpenPorts } from './ports/open-ports.ts'
import { PortPool } from './ports/port-pool.ts'
import { Reconciler } from './reconciler.ts'
import type { GatewaySettings } from './settings.ts'

export interface Gateway {
  /** Connections that flow now. */
  openConnections(): number
  /** Stops listening, lets connections end for `drainMs`, resets the rest, says so in Postgres. Tunnels stay open for the next start. */
  stop(): Promise<void>
}

const PROGRESS_MS = 30_000
const RECORDED_ROWS = 20_000
const REFUSALS_PER_MINUTE = { perPort: 20, total: 600 }
/** Resetting a connection takes a turn of the event loop or two. */
const RESET_MS = 500

/**
 * @param onFatal this process cannot go on as this gateway; the caller stops it
 * @throws when Postgres cannot be reached
 */
export async function startGateway(
  settings: GatewaySettings,
  log: Logger,
  onFatal: (error: Error) => void,
): Promise<Gateway> {
  const { nodeName, databaseUrl, portRange } = settings
  const pool = openPool(databaseUrl, { applicationName: nodeName, max: 8, role: 'culvert_gateway' })
  const { lease, resting } = await register(pool, settings).catch(async (error: unknown) => {
    await pool.end()
    throw error
  })
  void closeLostConnections(pool, lease).catch((error: unknown) =>
    log.warn({ err: error }, 'rows of earlier connections stay open'),
  )
  const dialer = openDialers({ timeoutMs: settings.dialTimeoutMs, log })
  const recorder = new ConnectionRecorder({
    write: (rows) => writeConnections(pool, rows),
    budget: new RefusalBudget(REFUSALS_PER_MINUTE),
    maxRows: RECORDED_ROWS,
    log,
  })
  const ports = new OpenPorts({
    bindAddress: settings.bindAddress,
    pool: new PortPool(portRange, (below) => randomInt(below)),
    quarantineMs: settings.quarantineMs,
    parts: {
      dialer,
      recorder,
      limits: new ConnectionLimits({ perTunnel: settings.maxConnectionsPerTunnel, total: settings.maxConnections }),
    },
    onExpired: () => void reconciler.trigger('everything'),
  })
  for (const { port, remainingMs } of resting) ports.rest(port, remainingMs)
  const reconciler: Reconciler = openReconciler({ settings, pool, lease, ports, dialer, log })
  const heartbeat = new Heartbeat({ pool, lease, log, onFatal })
  const queues = openQueues({ databaseUrl, redisUrl: settings.redisUrl ?? undefined, logger: log, expectedObjects: 1 })
  await reconciler.trigger('everything')
  queues.workNode(gatewayQueue(nodeName), () => reconciler.trigger('changes'))
  const listener = listen(
    databaseUrl,
    [gatewayChannel(nodeName), deviceChangedChannel],
    (notice) => {
      if (notice === 'reconnected') void reconciler.trigger('everything')
      else if (notice.channel === deviceChangedChannel) reconciler.deviceChanged(notice.payload)
      else void reconciler.trigger('changes')
    },
    { applicationName: nodeName, role: 'culvert_gateway' },
  )
  const progress = setInterval(() => ports.recordProgress(), PROGRESS_MS)
  log.info({ ...portRange, bind: settings.bindAddress, tunnelPorts: ports.ids.length }, 'gateway is ready')

  return {
    openConnections: () => ports.openFlows,
    stop: async () => {
      clearInterval(progress)
      await heartbeat.say('draining')
      ports.stopAccepting()
      await Promise.all([reconciler.stop(), listener.close(), queues.close()])
      await settledWithin(settings.drainMs, () => ports.openFlows === 0)
      ports.closeAll('gateway_stopped')
      dialer.stop()
      await settledWithin(RESET_MS, () => ports.openFlows === 0)
      await recorder.drain()
      await heartbeat.stop()
      await pool.end()
      log.info({}, 'gateway has stopped')
    },
  }
}

interface Registered {
  readonly lease: GatewayLease
  /** Ports that an earlier process closed and that are in quarantine. */
  readonly resting: readonly { readonly port: number; readonly remainingMs: number }[]
}

async function register(pool: Pool, settings: GatewaySettings): Promise<Registered> {
  const { nodeName: id, bindAddress, publicHost, portRange } = settings
  const lease = await registerGateway(pool, {
    id,
    bindAddress,
    publicHost,
    portFrom: portRange.from,
    portTo: portRange.to,
  })
  return { lease, resting: await readQuarantine(pool, id) }
}

interface ReconcilerParts {
  readonly settings: GatewaySettings
  readonly pool: Pool
  readonly lease: GatewayLease
  readonly ports: OpenPorts
  readonly dialer: Dialer
  readonly log: Logger
}

function openReconciler({ settings, pool, lease, ports, dialer, log }: ReconcilerParts): Reconciler {
  return new Reconciler({
    store: {
      readPorts: (everything) => readGatewayPorts(pool, settings.nodeName, everything),
      readRoutes: (devices) => readDeviceRoutes(pool, devices),
      report: (tunnelId, reports) => reportPorts(pool, lease, tunnelId, reports),
    },
    ports,
    quarantineMs: settings.quarantineMs,
    prepareRoute: (namespace) => dialer.prepare(namespace),
    log,
  })
}

async function settledWithin(limitMs: number, settled: () => boolean): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!settled() && performance.now() < deadline) await pause(10)
}
