/**
 * Whose events a pass of the relay takes, and how many: organizations with events that wait share the pass, those who have waited
 * longest first. A pass is bounded by its events and by the rows that consumers may write for them, so that neither the backlog of one
 * organization nor its many endpoints keep the events of others waiting.
 */
import type { PoolClient } from 'pg'

export interface WaitingOrganization {
  readonly id: string
  /** Rows that consumers may write for one of its events; at least 1. */
  readonly weight: number
}

export interface PassBounds {
  readonly events: number
  /** Whoever takes part has one event at least. */
  readonly rows: number
}

/** @returns how many events of each at most; of the first organizations alone where not each can have one */
export function shareOut(waiting: readonly WaitingOrganization[], { events, rows }: PassBounds): Map<string, number> {
  let weight = 0
  const admitted = waiting.slice(0, events).filter((organization, place) => {
    weight += organization.weight
    return place === 0 || weight <= rows
  })
  const part = { events: Math.floor(events / admitted.length), rows: rows / admitted.length }
  return new Map(
    admitted.map((one) => [one.id, Math.max(1, Math.min(part.events, Math.floor(part.rows / one.weight)))]),
  )
}

/** Skips from organization to organization, however many events of each wait. @returns those that waited longest first */
export async function waitingOrganizations(tx: PoolClient, most: number): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `WITH RECURSIVE waiting(id, since) AS (
       (SELECT organization_id, created_at FROM events WHERE coalesce(position, 0) = 0 ORDER BY organization_id, created_at LIMIT 1)
       UNION ALL
       SELECT n.organization_id, n.created_at FROM waiting w CROSS JOIN LATERAL (
         SELECT organization_id, created_at FROM events WHERE coalesce(position, 0) = 0 AND organization_id > w.id
         ORDER BY organization_id, created_at LIMIT 1) n
     )
     SELECT id FROM waiting ORDER BY since, id LIMIT $1`,
    [most],
  )
  return rows.map(({ id }) => id)
}
