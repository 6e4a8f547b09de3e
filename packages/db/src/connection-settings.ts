/**
 * Whether connections are told as events: as the network says, or else the organization; where neither asks for all of them, when an
 * endpoint of webhooks or a rule of the organization names them. Tunnels carry what holds.
 */
import { eventTypes, isOptIn } from '@culvert/contracts'
import type { TenantSql } from './tenant-sql.ts'

const optIn = eventTypes.filter(isOptIn)
const names: ReadonlySet<string> = new Set([...optIn, ...optIn.map((type) => type.replace(/\..*/, '.*'))])
const namesThem = `event_types && '{${[...names].join(',')}}'::text[]`

/** An endpoint that is disabled counts too: it gets what it missed when it is enabled. */
const isNamed = `(EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.organization_id = o.id AND w.deleted_at IS NULL AND w.${namesThem})
  OR EXISTS (SELECT 1 FROM automation_rules r WHERE r.organization_id = o.id AND r.deleted_at IS NULL AND r.${namesThem}))`

/** Of network `n` and organization `o`: connections are told to all. */
export const tellsConnections = 'coalesce(n.connection_events, o.connection_events)'

/** Of device `d`, its network `n` and its organization `o`. */
export const wantsConnectionEvents = `coalesce(n.connection_events, o.connection_events OR ${isNamed})`

/** For tunnels that have not ended, after what decides it was changed. */
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

/** The same after types of events that an endpoint or a rule names were changed. @param types before and after */
export async function applyNamedTypes(
  tx: TenantSql,
  organizationId: string,
  ...types: readonly (readonly string[])[]
): Promise<void> {
  if (types.flat().some((type) => names.has(type))) await applyConnectionEvents(tx, organizationId)
}
