/** Tunnels as customers open, read, change and close them. */
import type { RateLimit, TunnelReason, TunnelState } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { publicPartOf } from './api-key.ts'
import { appendAudit, changedFields } from './audit.ts'
import type { Author, WriteOptions } from './author.ts'
import { matchGrant, type GrantHolder, type GrantMatch, type GrantRule, type WantedTunnel } from './grant-match.ts'
import { wantsConnectionEvents } from './connection-settings.ts'
import { newId } from './ids.ts'
import { chooseGateway } from './nodes.ts'
import { noteChange } from './noted-change.ts'
import { gatewayChannel, notify, tunnelChangedChannel } from './notify.ts'
import { appendEvents } from './outbox.ts'
import { refusal } from './refusal.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnel, lockTunnel, tellOfHosts } from './tunnel-end.ts'

export interface TunnelRecord {
  readonly id: string
  readonly deviceId: string
  readonly state: TunnelState
  readonly reason: TunnelReason | null
  readonly allowFrom: string[]
  readonly waitForDevice: boolean
  readonly ttlSec: number
  readonly maxBytes: number | null
  readonly rateLimit: RateLimit | null
  readonly expiresAt: Date
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly openedAt: Date | null
  readonly closedAt: Date | null
  readonly devicePort: number
  /** A host on a LAN behind the device; null: the device itself. */
  readonly deviceHost: string | null
  readonly gatewayId: string
  readonly gatewayHost: string
  readonly gatewayPort: number | null
  /** Null: from before this was kept. */
  readonly openedByKind: string | null
  readonly openedById: string | null
  /** Null: who opened it may open any. */
  readonly grantId: string | null
}

export interface NewTunnel {
  readonly organizationId: string
  readonly deviceId: string
  readonly devicePort: number
  /** IPv4 address on a LAN behind the device; null: the device itself. */
  readonly deviceHost: string | null
  readonly ttlSec: number
  /** Canonical prefixes. */
  readonly allowFrom: readonly string[]
  readonly waitForDevice: boolean
  /** Octets of both directions after which it ends; null: any. */
  readonly maxBytes: number | null
  readonly rateLimit: RateLimit | null
}

export type OpenFault =
  | TunnelDenied
  | 'not_found'
  /** Who calls was good when it came in and is no longer. */
  | 'opener_revoked'
  | 'device_offline'
  | 'device_not_tunnelable'
  | 'host_outside_lans'
  | 'no_gateway'
  | 'tunnel_limit'

/** No grant allows it, or the tunnel is another one's. */
export interface TunnelDenied {
  readonly missing: GrantRule | 'own tunnel'
}

export interface TunnelOptions extends WriteOptions {
  /** A caller that may do only what is granted to it; left out: one that may open any tunnel. */
  readonly grantedTo?: GrantHolder | undefined
}

/** Tunnels of one device that have not ended. */
export const maxActiveTunnels = 64
/** Of `tunnelSource`, as a {@link TunnelRecord}. */
export const tunnelColumns = `t.id, t.device_id AS "deviceId", t.state, t.reason, t.allow_from AS "allowFrom", t.wait_for_device AS "waitForDevice",
  t.ttl_sec AS "ttlSec", t.max_bytes::float8 AS "maxBytes", t.rate_limit AS "rateLimit", t.expires_at AS "expiresAt", t.version, t.created_at AS "createdAt", t.updated_at AS "updatedAt",
  t.opened_at AS "openedAt", t.closed_at AS "closedAt", p.device_port AS "devicePort", host(p.device_host) AS "deviceHost", p.gateway_id AS "gatewayId",
  g.public_host AS "gatewayHost", p.gateway_port AS "gatewayPort",
  t.opened_by_kind AS "openedByKind", t.opened_by_id AS "openedById", t.grant_id AS "grantId"`
export const tunnelSource = `tunnels t JOIN tunnel_ports p ON p.organization_id = t.organization_id AND p.tunnel_id = t.id
  JOIN gateways g ON g.id = p.gateway_id`

type OpenedTunnel = { id: string; state: TunnelState; gatewayId: string; concentrators: string[] }

/** Writes tunnel, port, event and notice at once; the gateway does the rest. */
export function openTunnel(pool: Pool, tunnel: NewTunnel, options: TunnelOptions): Promise<OpenedTunnel | OpenFault> {
  return inTenantTransaction(pool, tunnel.organizationId, (tx) => openTunnelIn(tx, tunnel, options), options)
}

/** The same as a part of a transaction; a refusal has written nothing. */
export async function openTunnelIn(
  tx: TenantSql,
  tunnel: NewTunnel,
  options: Omit<TunnelOptions, 'validateOnly'>,
): Promise<OpenedTunnel | OpenFault> {
  const { organizationId, deviceId, deviceHost } = tunnel
  const device = await deviceForTunnel(tx, organizationId, deviceId, deviceHost)
  if (!device) return 'not_found'
  if (!(await lockOpener(tx, organizationId, options.by))) return 'opener_revoked'
  const grant = options.grantedTo ? await matchGrant(tx, tunnel, options.grantedTo) : null
  if (grant && 'missing' in grant) return grant
  if (!device.tunnelable) return 'device_not_tunnelable'
  if (!device.hasHost) return 'host_outside_lans'
  if (!device.attached && !tunnel.waitForDevice) return 'device_offline'
  if (device.activeTunnels >= maxActiveTunnels) return 'tunnel_limit'
  const gatewayId = await chooseGateway(tx)
  if (gatewayId === null) return 'no_gateway'
  const id = newId('tun')
  const state = device.attached ? 'opening' : 'waiting_for_device'
  if (deviceHost !== null) await forgetHostFailure(tx, organizationId, deviceId, deviceHost)
  await insertTunnel(tx, { ...tunnel, id, state, gatewayId, grant }, options.by)
  await appendEvents(tx, [
    { organizationId, type: 'tunnel.requested', resourceId: id, data: { deviceId, state: 'requested' } },
    state === 'opening'
      ? { organizationId, type: 'tunnel.opening', resourceId: id, data: { deviceId, state } }
      : { organizationId, type: 'tunnel.waiting_for_device', resourceId: id, data: { deviceId, state } },
  ])
  const { organizationId: _, ...after } = tunnel
  const audited = { organizationId, by: options.by, action: 'tunnel.opened', targetType: 'tunnel', targetId: id }
  await appendAudit(tx, { ...audited, after: { ...after, ...(grant ? { grantId: grant.grantId } : {}) } })
  if (device.attached) await notify(tx, gatewayChannel(gatewayId), id)
  return { id, state, gatewayId, concentrators: device.attached ? await tellOfHosts(tx, id) : [] }
}

/**
 * The lock keeps the device from being deleted until the tunnel is there to be ended with it, and lets one call after the other
 * count: what is counted is read in a statement of its own, which sees what the call before committed.
 */
async function deviceForTunnel(
  tx: TenantSql,
  organizationId: string,
  deviceId: string,
  host: string | null,
): Promise<{ tunnelable: boolean; attached: boolean; activeTunnels: number; hasHost: boolean } | null> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM devices WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE',
    [organizationId, deviceId],
  )
  if (rowCount === 0) return null
  const { rows } = await tx.query<{ tunnelable: boolean; attached: boolean; activeTunnels: number; hasHost: boolean }>(
    `SELECT d.tunnelable, $3::inet IS NULL OR EXISTS (SELECT 1 FROM unnest(d.lan_prefixes) AS lan(prefix) WHERE $3::inet <<= lan.prefix::inet) AS "hasHost",
       EXISTS (SELECT 1 FROM attachments a WHERE a.organization_id = $1 AND a.device_id = $2 AND a.state = 'attached') AS attached,
       (SELECT count(*)::int FROM tunnels t WHERE t.organization_id = $1 AND t.device_id = $2
         AND t.state IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining')) AS "activeTunnels"
     FROM devices d WHERE d.organization_id = $1 AND d.id = $2`,
    [organizationId, deviceId, host],
  )
  return rows[0] ?? null
}

/** A key that is revoked, or a person that is removed or locked, here or everywhere, waits until the tunnel is there to be ended with it. */
async function lockOpener(tx: TenantSql, organizationId: string, { kind, id }: Author): Promise<boolean> {
  if (kind === 'system') return true
  const statement =
    kind === 'api_key'
      ? 'SELECT 1 FROM api_keys WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL FOR KEY SHARE'
      : `SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.organization_id = $1 AND m.user_id = $2 AND m.locked_at IS NULL AND u.disabled_at IS NULL FOR SHARE OF m, u`
  const { rowCount } = await tx.query(statement, [organizationId, kind === 'api_key' ? publicPartOf(id) : id])
  return (rowCount ?? 0) > 0
}

/** What was in the way of an earlier tunnel may be mended: the concentrator looks again. */
async function forgetHostFailure(tx: TenantSql, organizationId: string, deviceId: string, host: string): Promise<void> {
  await tx.query(
    'DELETE FROM host_mappings WHERE organization_id = $1 AND device_id = $2 AND host = $3 AND failure IS NOT NULL',
    [organizationId, deviceId, host],
  )
}

async function insertTunnel(
  tx: TenantSql,
  tunnel: NewTunnel & {
    id: string
    state: 'opening' | 'waiting_for_device'
    gatewayId: string
    grant: { grantId: string; until: Date } | null
  },
  by: Author,
): Promise<void> {
  const listen = tunnel.state === 'opening'
  await tx.query(
    `INSERT INTO tunnels (id, organization_id, device_id, state, reason, allow_from, wait_for_device, ttl_sec, expires_at, max_bytes, rate_limit,
       opened_by_kind, opened_by_id, grant_id, connection_events)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8::int, least(now() + $8::int * interval '1 second', $14::timestamptz), $9, $10, $11, $12, $13,
       ${wantsConnectionEvents}
     FROM devices d JOIN networks n ON n.organization_id = d.organization_id AND n.id = d.network_id
       JOIN organizations o ON o.id = d.organization_id WHERE d.organization_id = $2 AND d.id = $3`,
    [
      tunnel.id,
      tunnel.organizationId,
      tunnel.deviceId,
      tunnel.state,
      listen ? null : 'device_offline',
      tunnel.allowFrom,
      tunnel.waitForDevice,
      tunnel.ttlSec,
      tunnel.maxBytes,
      tunnel.rateLimit,
      by.kind,
      by.id,
      tunnel.grant?.grantId ?? null,
      tunnel.grant?.until ?? null,
    ],
  )
  await tx.query(
    `INSERT INTO tunnel_ports (id, organization_id, tunnel_id, gateway_id, protocol, device_port, desired, desired_generation, applied_generation, device_host)
     VALUES ($1, $2, $3, $4, 'tcp', $5, $6, $7, 0, $8)`,
    [
      newId('prt'),
      tunnel.organizationId,
      tunnel.id,
      tunnel.gatewayId,
      tunnel.devicePort,
      listen ? 'listen' : 'close',
      listen ? 1 : 0,
      tunnel.deviceHost,
    ],
  )
}

export async function findTunnel(pool: Pool, organizationId: string, id: string): Promise<TunnelRecord | null> {
  const { rows } = await tenant(pool, organizationId).query<TunnelRecord>(
    `SELECT ${tunnelColumns} FROM ${tunnelSource} WHERE t.organization_id = $1 AND t.id = $2`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

/** @returns the gateways to hint */
export async function closeTunnel(
  pool: Pool,
  { organizationId, id }: { organizationId: string; id: string },
  options: TunnelOptions,
): Promise<{ gateways: string[] } | TunnelDenied | 'not_found'> {
  const work = async (tx: TenantSql): ReturnType<typeof closeTunnel> => {
    if (options.grantedTo) {
      const own = await ownTunnel(tx, { organizationId, id }, options.grantedTo)
      if (own === 'not_found' || 'missing' in own) return own
    }
    const tunnel = await lockTunnel(tx, id, organizationId)
    if (!tunnel) return 'not_found'
    const gateways = await endTunnel(tx, tunnel, 'requested')
    if (gateways === null) return { gateways: [] }
    const audited = { organizationId, by: options.by, action: 'tunnel.closed', targetType: 'tunnel', targetId: id }
    await appendAudit(tx, { ...audited, before: { deviceId: tunnel.deviceId, state: tunnel.state } })
    return { gateways }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export interface TunnelChange {
  /** Seconds from now. */
  readonly ttlSec?: number | undefined
  readonly allowFrom?: readonly string[] | undefined
  /** Null: any. */
  readonly maxBytes?: number | null | undefined
  readonly rateLimit?: RateLimit | null | undefined
}

interface ChangeableTunnel {
  readonly version: number
  readonly live: boolean
  readonly ttlSec: number
  readonly allowFrom: string[]
  readonly maxBytes: number | null
  readonly rateLimit: RateLimit | null
}

/** Acts on live tunnels: raising the generation makes the gateway read the new values, flows that stay allowed go on. */
export async function changeTunnel(
  pool: Pool,
  key: { organizationId: string; id: string; ifVersion: number | null },
  change: TunnelChange,
  options: TunnelOptions,
): Promise<{ gateways: string[] } | TunnelDenied | 'not_found' | 'changed' | 'tunnel_not_active'> {
  const { organizationId, id, ifVersion } = key
  const work = async (tx: TenantSql): ReturnType<typeof changeTunnel> => {
    // Before the tunnel is locked: whoever revokes a grant locks in this order too.
    const grant = options.grantedTo ? await grantOfOwn(tx, { organizationId, id }, options.grantedTo) : null
    if (grant === 'not_found' || (grant && 'missing' in grant)) return grant
    const { rows } = await tx.query<ChangeableTunnel>(
      `SELECT version, ttl_sec AS "ttlSec", allow_from AS "allowFrom", max_bytes::float8 AS "maxBytes", rate_limit AS "rateLimit", state IN ('requested', 'waiting_for_device', 'opening', 'open') AND expires_at > now() AS live
       FROM tunnels WHERE organization_id = $1 AND id = $2 FOR UPDATE`,
      [organizationId, id],
    )
    const tunnel = rows[0]
    if (!tunnel) return 'not_found'
    if (ifVersion !== null && tunnel.version !== ifVersion) return 'changed'
    if (!tunnel.live) return 'tunnel_not_active'
    const { maxBytes = tunnel.maxBytes, rateLimit = tunnel.rateLimit } = change
    const after = {
      ttlSec: change.ttlSec ?? tunnel.ttlSec,
      allowFrom: change.allowFrom ?? tunnel.allowFrom,
      maxBytes,
      rateLimit,
    }
    await tx.query(
      `UPDATE tunnels SET version = version + 1, updated_at = now(), allow_from = coalesce($3::text[], allow_from), ttl_sec = coalesce($4::int, ttl_sec),
         max_bytes = $5, rate_limit = $6, grant_id = coalesce($7, grant_id),
         expires_at = CASE WHEN $4::int IS NULL THEN expires_at ELSE least(now() + $4::int * interval '1 second', $8::timestamptz) END
       WHERE organization_id = $1 AND id = $2`,
      [
        organizationId,
        id,
        change.allowFrom ?? null,
        change.ttlSec ?? null,
        after.maxBytes,
        after.rateLimit,
        grant?.grantId ?? null,
        grant?.until ?? null,
      ],
    )
    const gateways = await repeatListen(tx, organizationId, id)
    const data = { changed: Object.keys(change).filter((name) => change[name as keyof TunnelChange] !== undefined) }
    const fields = changedFields(tunnel, after, ['ttlSec', 'allowFrom', 'maxBytes', 'rateLimit'])
    const noted = { organizationId, by: options.by, targetType: 'tunnel', resourceId: id }
    await noteChange(tx, { ...noted, type: 'tunnel.updated', data, ...fields })
    await notify(tx, tunnelChangedChannel, id)
    return { gateways }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/** @returns whether its grant, or another one, still allows the tunnel */
async function grantOfOwn(
  tx: TenantSql,
  key: { organizationId: string; id: string },
  holder: GrantHolder,
): Promise<Exclude<GrantMatch, { missing: unknown }> | TunnelDenied | 'not_found'> {
  const own = await ownTunnel(tx, key, holder)
  return own === 'not_found' || 'missing' in own ? own : matchGrant(tx, own, holder)
}

async function ownTunnel(
  tx: TenantSql,
  { organizationId, id }: { organizationId: string; id: string },
  holder: GrantHolder,
): Promise<WantedTunnel | TunnelDenied | 'not_found'> {
  const { rows } = await tx.query<WantedTunnel & { own: boolean }>(
    `SELECT t.organization_id AS "organizationId", t.device_id AS "deviceId", p.device_port AS "devicePort",
       host(p.device_host) AS "deviceHost", coalesce(t.opened_by_kind = $3 AND t.opened_by_id = $4, false) AS own
     FROM tunnels t JOIN tunnel_ports p ON p.organization_id = t.organization_id AND p.tunnel_id = t.id
     WHERE t.organization_id = $1 AND t.id = $2`,
    [organizationId, id, holder.kind, holder.id],
  )
  if (!rows[0]) return 'not_found'
  return rows[0].own ? rows[0] : refusal({ missing: 'own tunnel' as const })
}

async function repeatListen(tx: TenantSql, organizationId: string, tunnelId: string): Promise<string[]> {
  const { rows } = await tx.query<{ gateway_id: string }>(
    `UPDATE tunnel_ports SET desired_generation = desired_generation + 1 WHERE organization_id = $1 AND tunnel_id = $2 AND desired = 'listen' RETURNING gateway_id`,
    [organizationId, tunnelId],
  )
  for (const { gateway_id } of rows) await notify(tx, gatewayChannel(gateway_id), tunnelId)
  return rows.map((row) => row.gateway_id)
}
