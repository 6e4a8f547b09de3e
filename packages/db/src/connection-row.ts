/** A row of the access log. */
export interface ConnectionRow {
  readonly id: string
  readonly organizationId: string
  readonly tunnelId: string
  readonly tunnelPortId: string
  readonly clientAddress: string
  readonly clientPort: number
  readonly state: 'open' | 'closed' | 'refused'
  readonly reason: string | null
  readonly openedAt: Date
  readonly closedAt: Date | null
  readonly bytesUp: number
  readonly bytesDown: number
}

/** A row of the access log as it was just written. */
export interface WrittenConnection extends ConnectionRow {
  readonly told: boolean
  readonly isNew: boolean
}

export const connectionColumns = (row: string): string =>
  `${row}.id, ${row}.organization_id AS "organizationId", ${row}.tunnel_id AS "tunnelId", ${row}.tunnel_port_id AS "tunnelPortId",
   host(${row}.client_address) AS "clientAddress", ${row}.client_port AS "clientPort", ${row}.state, ${row}.reason,
   ${row}.opened_at AS "openedAt", ${row}.closed_at AS "closedAt", ${row}.bytes_up::float8 AS "bytesUp",
   ${row}.bytes_down::float8 AS "bytesDown", ${row}.told`
