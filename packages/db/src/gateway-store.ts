/**
 * A gateway's rows: its registration, the tunnel ports it shall serve, what it did about them.
 *
 * Invariants: what a gateway writes about ports is fenced twice, by the registration it holds (a process that was replaced
 * under the same name writes nothing) and by generations (an older answer never covers a newer wish); a tunnel's state changes
 * as package lifecycle allows, together with its event and notices.
 */
import type { RateLimit, TunnelEvent, TunnelState } from '@culvert/lifecycle'
import type { Pool, PoolClient } from 'pg'
import type { HostFailure } from './concentrator/host-mapping-rows.ts'
import { tellOfGateway } from './node-news.ts'
import { notify, tunnelChangedChannel } from './notify.ts'
import { appendEvent } from './outbox.ts'
import { inTransaction } from './transaction.ts'
import { type LockedTunnel, lockTunnel, moveTunnel } from './tunnel-end.ts'

export interface GatewayRegistration {
  readonly id: string
  readonly bindAddress: string
  readonly publicHost: string
  readonly portFrom: number
  readonly portTo: number
}

/** Proof of being the gateway of that name: a later registration makes it worthless. */
export interface GatewayLease {
  readonly id: string
  readonly startedAt: Date
}

/**
 * How an attached device is reached: from `dialAddress` inside a network namespace of the gateway's host (may be empty).
 * Over IPv4, unless the device leased IPv6 alone.
 */
export interface DeviceRoute {
  readonly namespace: string
  readonly dialAddress: string
  /** Inner address of the device, of the same family. */
  readonly deviceAddress: string
  /** Where hosts on LANs behind the device are dialed there, by their address on the LAN. */
  readonly hosts: Readonly<Record<string, string>>
}

/** One tunnel port with all that serving it takes, as it was in one moment. */
export interface GatewayPort {
  readonly id: string
  readonly organizationId: string
  readonly tunnelId: string
  readonly tunnelState: string
  readonly deviceId: string
  readonly devicePort: number
  /** A host on a LAN behind the device; null: the device itself. */
  readonly deviceHost: string | null
  /** Why the concentrator cannot reach that host. */
  readonly hostFailure: HostFailure | null
  readonly gatewayPort: number | null
  readonly desired: string
  readonly desiredGeneration: number
  readonly appliedGeneration: number
  readonly allowFrom: readonly string[]
  /** Octets of both directions that the tunnel may carry; null: any. */
  readonly maxBytes: number | null
  readonly rateLimit: RateLimit | null
  /** What it carried by the access log; 0 where nothing limits it. */
  readonly usedBytes: number
  /** Until the tunnel expires, by the database's clock; not positive when it has. */
  readonly remainingMs: number
  readonly route: DeviceRoute | null
}

export type PortFailure = 'no_free_port' | 'listen_failed' | 'quota' | HostFailure

/** What the gateway did about a port when it read `generation`. */
export interface PortReport {
  readonly portId: string
  readonly generation: number
  /** The port it listens on, null when it does not. */
  readonly gatewayPort: number | null
  readonly failure: PortFailure | null
  /** How long the port that was closed stays unused. */
  readonly quarantineMs: number | null
}

/** Another process has registered under this gateway's name. */
export class GatewayReplacedError extends Error {
  constructor(gatewayId: string) {
    super(`another process has registered as gateway ${gatewayId}`)
    this.name = 'GatewayReplacedError'
  }
}

/** Makes or renews the gateway's row; every older lease of that name ends. */
export async function registerGateway(pool: Pool, gateway: GatewayRegistration): Promise<GatewayLease> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ started_at: Date }>(
      `INSERT INTO gateways (id, bind_address, public_host, port_from, port_to, state, started_at, heartbeat_at)
     VALUES ($1, $2, $3, $4, $5, 'ready', now(), now())
     ON CONFLICT (id) DO UPDATE SET bind_address = excluded.bind_address, public_host = excluded.public_host,
       port_from = excluded.port_from, port_to = excluded.port_to, state = 'ready', heartbeat_at = now(),
       started_at = greatest(now(), gateways.started_at + interval '1 ms')
     RETURNING started_at`,
      [gateway.id, gateway.bindAddress, gateway.publicHost, gateway.portFrom, gateway.portTo],
    )
    await tellOfGateway(tx, gateway.id, 'gateway.online')
    return { id: gateway.id, startedAt: rows[0]?.started_at ?? new Date(0) }
  })
}

/** @throws GatewayReplacedError */
export async function beatGateway(
  pool: Pool,
  lease: GatewayLease,
  state: 'ready' | 'draining' | 'stopped',
): Promise<void> {
  const update = `UPDATE gateways SET heartbeat_at = now(), state = $3 WHERE id = $1 AND started_at = $2`
  const values = [lease.id, lease.startedAt, state]
  const { rowCount } = await pool.query(`${update} AND state = $3`, values)
  if (rowCount === 1) return
  await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ former: string }>(`${update} RETURNING old.state AS former`, values)
    if (!rows[0]) throw new GatewayReplacedError(lease.id)
    if (rows[0].former !== state) await tellOfGateway(tx, lease.id, newsOfState[state])
  })
}

const newsOfState = { ready: 'gateway.online', draining: 'gateway.draining', stopped: 'gateway.stopped' } as const

/** @returns the ports of this gateway that rest, with the time they still have to. */
export async function readQuarantine(pool: Pool, gatewayId: string): Promise<{ port: number; remainingMs: number }[]> {
  const { rows } = await pool.query<{ port: number; remaining_ms: number }>(
    `SELECT gateway_port AS port, (extract(epoch FROM quarantine_until - now()) * 1000)::float8 AS remaining_ms
     FROM tunnel_ports WHERE gateway_id = $1 AND quarantine_until > now() AND gateway_port IS NOT NULL`,
    [gatewayId],
  )
  return rows.map((row) => ({ port: row.port, remainingMs: row.remaining_ms }))
}

/** Ports on which something is to be done; with `everything` also those that shall listen and do. */
export async function readGatewayPorts(pool: Pool, gatewayId: string, everything: boolean): Promise<GatewayPort[]> {
  const behind = 'p.applied_generation < p.desired_generation'
  // One statement, hence one moment: between two, a port that has just changed would be in neither, and taken for gone.
  return readPorts(pool, gatewayId, everything ? `(${behind} OR p.desired = 'listen')` : behind)
}

/** @returns null for a device that is attached nowhere. */
export async function readDeviceRoutes(
  pool: Pool,
  deviceIds: readonly string[],
): Promise<Map<string, DeviceRoute | null>> {
  const { rows } = await pool.query<{ device_id: string } & RouteRow>(
    `SELECT a.device_id, ${routeColumns}, ${hostsColumn} FROM attachments a JOIN concentrators c ON c.id = a.concentrator_id
     WHERE a.device_id = ANY($1) AND a.state = 'attached'`,
    [deviceIds],
  )
  const routes = new Map<string, DeviceRoute | null>(deviceIds.map((id) => [id, null]))
  for (const row of rows) routes.set(row.device_id, toRoute(row))
  return routes
}

/**
 * Writes what was done about ports of one tunnel and takes the tunnel a step further: open when all its ports listen, draining
 * when one cannot or when its time is up, ended when all are closed.
 * @throws GatewayReplacedError
 */
export async function reportPorts(
  pool: Pool,
  lease: GatewayLease,
  tunnelId: string,
  reports: readonly PortReport[],
): Promise<void> {
  await inTransaction(pool, async (client) => {
    const tunnel = await lockTunnel(client, tunnelId)
    await checkLease(client, lease)
    if (!tunnel) return
    await applyReports(client, lease.id, tunnelId, reports)
    const ports = await readTunnelPorts(client, tunnelId)
    const event = nextEvent(tunnel.state, ports)
    const moved = event !== null && (await moveTunnel(client, tunnel, event)) !== null
    if (moved && event.kind === 'listening') await recordOpening(client, tunnel, ports)
    if (!moved) await notify(client, tunnelChangedChannel, tunnelId)
  })
}

/** Of the attachment `a`. */
const hostsColumn = `(SELECT json_object_agg(host(m.host), host(m.synthetic4)) FROM host_mappings m
  WHERE m.concentrator_id = a.concentrator_id AND m.device_id = a.device_id AND m.synthetic4 IS NOT NULL AND m.freed_at IS NULL) AS hosts`

interface RouteRow {
  tun_namespace: string | null
  dial_address: string | null
  device_address: string | null
  /** Null when there is none. */
  hosts: Record<string, string> | null
}

/** Of the attachment `a` and its concentrator `c`. */
const routeColumns = `c.tun_namespace, CASE WHEN a.address4 IS NULL THEN c.dial_address6 ELSE c.dial_address END AS dial_address,
       host(coalesce(a.address4, a.address6)) AS device_address`

interface PortRow extends RouteRow {
  id: string
  organization_id: string
  tunnel_id: string
  state: string
  device_id: string
  device_port: number
  device_host: string | null
  host_failure: HostFailure | null
  gateway_port: number | null
  desired: string
  desired_generation: number
  applied_generation: number
  allow_from: string[]
  max_bytes: number | null
  rate_limit: RateLimit | null
  used_bytes: number
  remaining_ms: number
}

/** @param which a condition of this file, never input. */
async function readPorts(pool: Pool, gatewayId: string, which: string): Promise<GatewayPort[]> {
  const { rows } = await pool.query<PortRow>(
    `SELECT p.id, p.organization_id, p.tunnel_id, p.device_port, p.gateway_port, p.desired, p.desired_generation,
       p.applied_generation, t.state, t.device_id, t.allow_from, t.max_bytes::float8, t.rate_limit,
       CASE WHEN t.max_bytes IS NULL THEN 0 ELSE (SELECT coalesce(sum(x.bytes_up + x.bytes_down), 0) FROM connections x
         WHERE x.organization_id = t.organization_id AND x.tunnel_id = t.id) END::float8 AS used_bytes,
       host(p.device_host) AS device_host, m.failure AS host_failure, ${hostsColumn},
       (extract(epoch FROM t.expires_at - now()) * 1000)::float8 AS remaining_ms, ${routeColumns}
     FROM tunnel_ports p
     JOIN tunnels t ON t.organization_id = p.organization_id AND t.id = p.tunnel_id
     LEFT JOIN attachments a ON a.organization_id = t.organization_id AND a.device_id = t.device_id AND a.state = 'attached'
     LEFT JOIN concentrators c ON c.id = a.concentrator_id
     LEFT JOIN host_mappings m ON m.concentrator_id = a.concentrator_id AND m.device_id = t.device_id AND m.host = p.device_host
     WHERE p.gateway_id = $1 AND ${which}`,
    [gatewayId],
  )
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    tunnelId: row.tunnel_id,
    tunnelState: row.state,
    deviceId: row.device_id,
    devicePort: row.device_port,
    deviceHost: row.device_host,
    hostFailure: row.host_failure,
    gatewayPort: row.gateway_port,
    desired: row.desired,
    desiredGeneration: row.desired_generation,
    appliedGeneration: row.applied_generation,
    allowFrom: row.allow_from,
    maxBytes: row.max_bytes,
    rateLimit: row.rate_limit,
    usedBytes: row.used_bytes,
    remainingMs: row.remaining_ms,
    route: toRoute(row),
  }))
}

function toRoute({ tun_namespace, dial_address, device_address, hosts }: RouteRow): DeviceRoute | null {
  return tun_namespace === null || dial_address === null || device_address === null
    ? null
    : { namespace: tun_namespace, dialAddress: dial_address, deviceAddress: device_address, hosts: hosts ?? {} }
}

async function checkLease(client: PoolClient, lease: GatewayLease): Promise<void> {
  const { rowCount } = await client.query(`SELECT 1 FROM gateways WHERE id = $1 AND started_at = $2`, [
    lease.id,
    lease.startedAt,
  ])
  if (rowCount === 0) throw new GatewayReplacedError(lease.id)
}

/** A failure may come for a generation that was applied before: a listener that could not be opened again after a restart. */
async function applyReports(
  client: PoolClient,
  gatewayId: string,
  tunnelId: string,
  reports: readonly PortReport[],
): Promise<void> {
  await client.query(
    `UPDATE tunnel_ports p SET applied_generation = v.generation, gateway_port = coalesce(v.gateway_port, p.gateway_port),
       failure = CASE WHEN v.gateway_port IS NULL THEN coalesce(v.failure, p.failure) END,
       quarantine_until = now() + v.quarantine_ms * interval '1 ms'
     FROM unnest($3::text[], $4::int[], $5::int[], $6::text[], $7::float8[])
       AS v(id, generation, gateway_port, failure, quarantine_ms)
     WHERE p.id = v.id AND p.gateway_id = $1 AND p.tunnel_id = $2 AND v.generation <= p.desired_generation
       AND (p.applied_generation < v.generation OR (p.applied_generation = v.generation AND v.failure IS NOT NULL))`,
    [
      gatewayId,
      tunnelId,
      reports.map((report) => report.portId),
      reports.map((report) => report.generation),
      reports.map((report) => report.gatewayPort),
      reports.map((report) => report.failure),
      reports.map((report) => report.quarantineMs),
    ],
  )
}

interface TunnelPortRow {
  readonly id: string
  readonly publicHost: string
  readonly devicePort: number
  readonly deviceHost: string | null
  readonly gatewayPort: number | null
  readonly desired: string
  readonly inStep: boolean
  readonly failure: PortFailure | null
  /** The tunnel has lived as long as it may. */
  readonly timeIsUp: boolean
}

async function readTunnelPorts(client: PoolClient, tunnelId: string): Promise<TunnelPortRow[]> {
  const { rows } = await client.query<TunnelPortRow>(
    `SELECT p.id, g.public_host AS "publicHost", p.device_port AS "devicePort",
       host(p.device_host) AS "deviceHost", p.gateway_port AS "gatewayPort", p.desired, p.applied_generation = p.desired_generation AS "inStep", p.failure,
       t.expires_at <= now() AS "timeIsUp"
     FROM tunnel_ports p JOIN gateways g ON g.id = p.gateway_id
     JOIN tunnels t ON t.organization_id = p.organization_id AND t.id = p.tunnel_id
     WHERE p.tunnel_id = $1 ORDER BY p.device_port, p.id`,
    [tunnelId],
  )
  return rows
}

function nextEvent(state: TunnelState, ports: readonly TunnelPortRow[]): TunnelEvent | null {
  const settled = (desired: string): boolean => ports.every((port) => port.desired === desired && port.inStep)
  if (state === 'draining') return settled('close') ? { kind: 'released' } : null
  if (ports.some((port) => port.timeIsUp)) return { kind: 'end', reason: 'ttl_elapsed' }
  const failure = ports.find((port) => port.desired === 'listen' && port.inStep && port.failure)?.failure
  if (failure) return { kind: 'end', reason: failure }
  return settled('listen') ? { kind: 'listening' } : null
}

async function recordOpening(client: PoolClient, tunnel: LockedTunnel, ports: readonly TunnelPortRow[]): Promise<void> {
  await client.query(`UPDATE tunnels SET opened_at = now() WHERE id = $1`, [tunnel.id])
  const endpoints = ports.map(({ id, devicePort, deviceHost, publicHost, gatewayPort }) => ({
    id,
    devicePort,
    deviceHost,
    host: publicHost,
    port: gatewayPort ?? 0,
  }))
  await appendEvent(client, {
    organizationId: tunnel.organizationId,
    type: 'tunnel.opened',
    resourceId: tunnel.id,
    data: { deviceId: tunnel.deviceId, state: 'open', ports: endpoints },
  })
}
