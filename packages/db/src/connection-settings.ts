/** Whether connections are told as events: as the network says, or else the organization. Tunnels carry what holds. */
import type { TenantSql } from './tenant.ts'

/** Of device `d`, its network `n` and its organization `o`. */
export const wantsConnectionEvents = 'coalesce(n.connection_events, o.connection_events)'

/** For tunnels that have not ended, after a setting was changed. */
export async function applyConnectionEvents(tx: TenantSql, organizationId: string): Promise<void> {
  await tx.query(
    `UPDATE tunnels t SET connection_events = ${wantsConnectionEvents}
     FROM devices d JOIN networks n ON n.organization_id = d.organization_id AND n.id = d.network_id
       JOIN organizations o ON o.id = d.organization_id
     WHERE t.organization_id = $1 AND d.organization_id = $1 AND d.id = t.device_id
       AND t.state IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining')
       AND t.connection_events <> ${wantsConnectionEvents}`,
    [organizationId],
  )
}
