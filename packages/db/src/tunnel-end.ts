/**
 * Moves tunnels through their lifecycle, with event and notices, in the caller's transaction. Rows are locked before the step
 * is decided, so that a customer, a gateway and a sweeper never undo each other.
 */
import {
  desiredListener,
  isFinalTunnel,
  stepTunnel,
  type EndReason,
  type TunnelEvent,
  type TunnelStatus,
} from '@culvert/lifecycle'
import { concentratorChannel, gatewayChannel, notify, tunnelChangedChannel } from './notify.ts'
import { appendEvent, type NewEvent } from './outbox.ts'
import type { TenantSql } from './tenant-sql.ts'

export interface LockedTunnel extends TunnelStatus {
  readonly id: string
  readonly organizationId: string
  readonly deviceId: string
}

const lockColumns = 'id, organization_id AS "organizationId", device_id AS "deviceId", state, reason'
const active = `state IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining')`

export async function lockTunnel(
  tx: TenantSql,
  tunnelId: string,
  organizationId?: string,
): Promise<LockedTunnel | null> {
  const { rows } = await tx.query<LockedTunnel>(
    `SELECT ${lockColumns} FROM tunnels WHERE id = $1 AND ($2::text IS NULL OR organization_id = $2) FOR UPDATE`,
    [tunnelId, organizationId ?? null],
  )
  return rows[0] ?? null
}

/** @returns the gateways that have something to do; null when the event changes nothing in this state */
export async function moveTunnel(tx: TenantSql, tunnel: LockedTunnel, event: TunnelEvent): Promise<string[] | null> {
  const next = stepTunnel(tunnel, event)
  if (!next) return null
  await tx.query(
    `UPDATE tunnels SET state = $2, reason = $3, version = version + 1, updated_at = now(),
       closed_at = CASE WHEN $4 THEN now() ELSE closed_at END WHERE id = $1`,
    [tunnel.id, next.state, next.reason, isFinalTunnel(next.state)],
  )
  const gateways = await desire(tx, tunnel.id, desiredListener(next.state))
  const news = newsOf(tunnel, next)
  if (news) await appendEvent(tx, news)
  await notify(tx, tunnelChangedChannel, tunnel.id)
  return gateways
}

/** None of `open`: whoever opens a tunnel tells where to connect as well. */
function newsOf(tunnel: LockedTunnel, { state, reason }: TunnelStatus): NewEvent | null {
  const of = { organizationId: tunnel.organizationId, resourceId: tunnel.id }
  const { deviceId } = tunnel
  switch (state) {
    case 'open':
      return null
    case 'requested':
      return { ...of, type: 'tunnel.requested', data: { deviceId, state } }
    case 'waiting_for_device':
      return { ...of, type: 'tunnel.waiting_for_device', data: { deviceId, state } }
    case 'opening':
      return { ...of, type: 'tunnel.opening', data: { deviceId, state } }
    case 'draining':
      return { ...of, type: 'tunnel.draining', data: { deviceId, state, reason } }
    case 'closed':
      return { ...of, type: 'tunnel.closed', data: { deviceId, state, reason } }
    case 'expired':
      return { ...of, type: 'tunnel.expired', data: { deviceId, state, reason } }
    case 'failed':
      return { ...of, type: 'tunnel.failed', data: { deviceId, state, reason } }
  }
}

export function endTunnel(tx: TenantSql, tunnel: LockedTunnel, reason: EndReason): Promise<string[] | null> {
  return moveTunnel(tx, tunnel, { kind: 'end', reason })
}

/** @returns the gateways that have something to do */
export function endTunnelsOfDevice(
  tx: TenantSql,
  organizationId: string,
  deviceId: string,
  reason: EndReason,
): Promise<string[]> {
  return endTunnelsWhere(tx, [organizationId, deviceId], 'device_id = $2', reason)
}

/** Tunnels to hosts that are in none of the LANs the device has now. @returns the gateways that have something to do */
export function endTunnelsOutsideLans(tx: TenantSql, organizationId: string, deviceId: string): Promise<string[]> {
  const outside = `device_id = $2 AND EXISTS (SELECT 1 FROM tunnel_ports p WHERE p.organization_id = $1 AND p.tunnel_id = tunnels.id AND p.device_host IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM devices d, unnest(d.lan_prefixes) AS lan(prefix)
      WHERE d.organization_id = $1 AND d.id = $2 AND p.device_host <<= lan.prefix::inet))`
  return endTunnelsWhere(tx, [organizationId, deviceId], outside, 'lan_removed')
}

/** Tunnels that were opened by this grant. @returns the gateways that have something to do */
export function endTunnelsOfGrant(tx: TenantSql, organizationId: string, grantId: string): Promise<string[]> {
  return endTunnelsWhere(tx, [organizationId, grantId], 'grant_id = $2', 'grant_ended')
}

/** Tunnels that a key or a person opened, who is no longer good. @returns the gateways that have something to do */
export function endTunnelsOfOpener(
  tx: TenantSql,
  organizationId: string,
  { kind, id }: { readonly kind: 'api_key' | 'user'; readonly id: string },
): Promise<string[]> {
  const opened = kind === 'api_key' ? `opened_by_kind = 'api_key'` : `opened_by_kind = 'user'`
  return endTunnelsWhere(tx, [organizationId, id], `${opened} AND opened_by_id = $2`, 'opener_revoked')
}

/** @param which a further condition of this file, never input */
async function endTunnelsWhere(
  tx: TenantSql,
  values: readonly [organizationId: string, id: string],
  which: string,
  reason: EndReason,
): Promise<string[]> {
  const { rows } = await tx.query<LockedTunnel>(
    `SELECT ${lockColumns} FROM tunnels WHERE organization_id = $1 AND ${active} AND ${which} ORDER BY id FOR UPDATE`,
    [...values],
  )
  const gateways = new Set<string>()
  for (const tunnel of rows) for (const gateway of (await endTunnel(tx, tunnel, reason)) ?? []) gateways.add(gateway)
  return [...gateways]
}

/** Raises the generation of ports that are desired otherwise, and tells their gateways. */
async function desire(tx: TenantSql, tunnelId: string, desired: 'listen' | 'close'): Promise<string[]> {
  const { rows } = await tx.query<{ gateway_id: string }>(
    `UPDATE tunnel_ports SET desired = $2, desired_generation = desired_generation + 1
     WHERE tunnel_id = $1 AND desired <> $2 RETURNING gateway_id`,
    [tunnelId, desired],
  )
  const gateways = [...new Set(rows.map((row) => row.gateway_id))]
  for (const gateway of gateways) await notify(tx, gatewayChannel(gateway), tunnelId)
  if (gateways.length > 0) await tellOfHosts(tx, tunnelId)
  return gateways
}

/** The concentrator of the device maps the hosts of this tunnel, or frees them. @returns its id; none for a tunnel without hosts */
export async function tellOfHosts(tx: TenantSql, tunnelId: string): Promise<string[]> {
  const { rows } = await tx.query<{ concentratorId: string; deviceId: string }>(
    `SELECT a.concentrator_id AS "concentratorId", a.device_id AS "deviceId" FROM tunnels t
       JOIN attachments a ON a.organization_id = t.organization_id AND a.device_id = t.device_id
     WHERE t.id = $1 AND EXISTS (SELECT 1 FROM tunnel_ports p WHERE p.tunnel_id = t.id AND p.device_host IS NOT NULL)`,
    [tunnelId],
  )
  for (const { concentratorId, deviceId } of rows) await notify(tx, concentratorChannel(concentratorId), deviceId)
  return rows.map(({ concentratorId }) => concentratorId)
}
