/**
 * Connections as events, for organizations and networks that ask for them. Of each tunnel a bounded number is told in a minute; the
 * others stand in the access log alone. A connection that was told open is told closed, however many there are.
 */
import type { PoolClient } from 'pg'
import type { WrittenConnection } from './connection-row.ts'
import { appendEvents, type NewEvent } from './outbox.ts'

/** New connections of one tunnel that are told in a minute. */
export const mostConnectionsTold = 120

interface Target {
  readonly deviceId: string
  readonly devicePort: number
  readonly deviceHost: string | null
}

/** In the transaction that wrote the rows. */
export async function tellConnections(tx: PoolClient, rows: readonly WrittenConnection[]): Promise<void> {
  const chosen = await choose(
    tx,
    rows.filter(({ isNew }) => isNew),
  )
  const ended = rows.filter(({ isNew, told, state }) => !isNew && told && state !== 'open')
  if (chosen.length + ended.length === 0) return
  await tx.query('UPDATE connections SET told = true WHERE id = ANY($1)', [chosen.map(({ id }) => id)])
  const targets = await targetsOf(tx, [...chosen, ...ended])
  const news = [...chosen, ...ended].flatMap((row) => {
    const target = targets.get(row.tunnelPortId)
    return target ? newsOf(row, target) : []
  })
  await appendEvents(tx, news)
}

/** As many as may be told now. */
async function choose(tx: PoolClient, rows: readonly WrittenConnection[]): Promise<WrittenConnection[]> {
  const byTunnel = new Map<string, WrittenConnection[]>()
  for (const row of rows) byTunnel.set(row.tunnelId, [...(byTunnel.get(row.tunnelId) ?? []), row])
  if (byTunnel.size === 0) return []
  const counts = [...byTunnel].map(([id, { length }]) => ({ id, count: length }))
  const { rows: allowed } = await tx.query<{ id: string; left: number }>(
    `UPDATE tunnels t SET
       connections_told = least($2, v.count + CASE WHEN t.connections_told_since > now() - interval '1 minute' THEN t.connections_told ELSE 0 END),
       connections_told_since = CASE WHEN t.connections_told_since > now() - interval '1 minute' THEN t.connections_told_since ELSE now() END
     FROM json_to_recordset($1) AS v(id text, count int) WHERE t.id = v.id AND t.connection_events
     RETURNING t.id, new.connections_told - CASE WHEN new.connections_told_since = old.connections_told_since THEN old.connections_told ELSE 0 END AS left`,
    [JSON.stringify(counts), mostConnectionsTold],
  )
  return allowed.flatMap(({ id, left }) => (byTunnel.get(id) ?? []).slice(0, left))
}

async function targetsOf(tx: PoolClient, rows: readonly WrittenConnection[]): Promise<Map<string, Target>> {
  const { rows: targets } = await tx.query<Target & { id: string }>(
    `SELECT p.id, t.device_id AS "deviceId", p.device_port AS "devicePort", host(p.device_host) AS "deviceHost"
     FROM tunnel_ports p JOIN tunnels t ON t.organization_id = p.organization_id AND t.id = p.tunnel_id WHERE p.id = ANY($1)`,
    [[...new Set(rows.map(({ tunnelPortId }) => tunnelPortId))]],
  )
  return new Map(targets.map(({ id, ...target }) => [id, target]))
}

function newsOf(row: WrittenConnection, target: Target): NewEvent[] {
  const of = { organizationId: row.organizationId, resourceId: row.id }
  const { tunnelId, clientAddress, clientPort, reason, bytesUp, bytesDown } = row
  const opened = { ...target, tunnelId, clientAddress, clientPort, openedAt: row.openedAt.toISOString() }
  const ended = { ...opened, reason, closedAt: (row.closedAt ?? row.openedAt).toISOString(), bytesUp, bytesDown }
  if (row.state === 'refused' && row.isNew) return [{ ...of, type: 'connection.denied', data: ended }]
  const begins: NewEvent[] = row.isNew ? [{ ...of, type: 'connection.opened', data: opened }] : []
  return row.state === 'open' ? begins : [...begins, { ...of, type: 'connection.closed', data: ended }]
}
