/**
 * The access log as a gateway writes it: whole rows in batches, behind the connections themselves.
 *
 * Invariant: writing a row again, late or twice changes nothing; what is closed stays closed.
 */
import type { Pool } from 'pg'
import { tellConnections } from './connection-news.ts'
import { connectionColumns, type ConnectionRow, type WrittenConnection } from './connection-row.ts'
import type { GatewayLease } from './gateway-store.ts'
import { inTransaction } from './transaction.ts'

/**
 * Writes access-log rows, each new or over its older self; a row that is closed stays closed, one without a port is dropped.
 * Events come with them where the tunnel wants that (connection-news.ts).
 */
export async function writeConnections(pool: Pool, connections: readonly ConnectionRow[]): Promise<void> {
  const column = <T>(read: (row: ConnectionRow) => T): T[] => connections.map(read)
  await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<WrittenConnection>(
      `INSERT INTO connections AS x (id, organization_id, tunnel_id, tunnel_port_id, client_address, client_port, state, reason, opened_at,
         closed_at, bytes_up, bytes_down)
       SELECT v.id, p.organization_id, p.tunnel_id, p.id, v.client_address::inet, v.client_port, v.state, v.reason, v.opened_at,
         v.closed_at, v.bytes_up, v.bytes_down
       FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
         $9::bigint[], $10::bigint[])
         AS v(id, tunnel_port_id, client_address, client_port, state, reason, opened_at, closed_at, bytes_up, bytes_down)
       JOIN tunnel_ports p ON p.id = v.tunnel_port_id
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason, closed_at = excluded.closed_at,
         bytes_up = excluded.bytes_up, bytes_down = excluded.bytes_down WHERE x.state = 'open'
       RETURNING ${connectionColumns('new')}, old.id IS NULL AS "isNew"`,
      [
        column((row) => row.id),
        column((row) => row.tunnelPortId),
        column((row) => row.clientAddress),
        column((row) => row.clientPort),
        column((row) => row.state),
        column((row) => row.reason),
        column((row) => row.openedAt),
        column((row) => row.closedAt),
        column((row) => row.bytesUp),
        column((row) => row.bytesDown),
      ],
    )
    await tellConnections(tx, rows)
  })
}

/** Ends the rows of connections that an earlier process of this gateway held. @returns how many there were. */
export async function closeLostConnections(pool: Pool, lease: GatewayLease): Promise<number> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<WrittenConnection>(
      `UPDATE connections SET state = 'closed', reason = 'gateway_restarted', closed_at = now()
       WHERE state = 'open' AND opened_at < $2 AND tunnel_port_id IN (SELECT id FROM tunnel_ports WHERE gateway_id = $1)
       RETURNING ${connectionColumns('new')}, false AS "isNew"`,
      [lease.id, lease.startedAt],
    )
    await tellConnections(tx, rows)
    return rows.length
  })
}
