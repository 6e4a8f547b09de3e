/**
 * Adds up what triggers noted (migration `usage`) into `usage_hourly` and `usage_daily`. A note and what was counted commit together; a note and its
 * place in the sum are exchanged in one statement: whoever dies anywhere, or does it twice, changes no figure.
 */
import type { Pool } from 'pg'
import { inTransaction } from './transaction.ts'

/** Notes that one pass adds up, and presences whose time it notes. */
const batch = 10_000
/** Presences that last are counted this often. */
const presenceSec = 900
/** One after the other: two that add to the same rows would wait for each other. */
const rollUpLock = 21

const counted = `bytes_in, bytes_out, packets_in, packets_out, attached_ms, tunnels_opened, connections, denied`
const summed = `coalesce(sum(t.bytes_in) FILTER (WHERE s.carries), 0), coalesce(sum(t.bytes_out) FILTER (WHERE s.carries), 0),
  sum(t.packets_in), sum(t.packets_out), sum(t.attached_ms), sum(t.tunnels_opened), sum(t.connections), sum(t.denied)`
const added = counted
  .split(', ')
  .map((name) => `${name} = u.${name} + excluded.${name}`)
  .join(', ')

/** Octets through a tunnel are octets of its device already: they count for the tunnel alone. */
const rollUp = `WITH taken AS (
    DELETE FROM usage_deltas WHERE id IN (SELECT id FROM usage_deltas ORDER BY id LIMIT ${batch}) RETURNING *),
  summed AS (
    INSERT INTO usage_hourly AS u (organization_id, kind, subject_id, hour, device_id, ${counted})
    SELECT t.organization_id, s.kind, s.subject_id, t.hour, max(s.device_id), ${summed}
    FROM taken t CROSS JOIN LATERAL (VALUES
      ('device', t.device_id, t.tunnel_id IS NULL, NULL),
      ('tunnel', t.tunnel_id, true, t.device_id),
      ('organization', t.organization_id, t.tunnel_id IS NULL, NULL)) AS s(kind, subject_id, carries, device_id)
    WHERE s.subject_id IS NOT NULL GROUP BY 1, 2, 3, 4
    ON CONFLICT (organization_id, kind, subject_id, hour) DO UPDATE SET ${added}),
  days AS (
    INSERT INTO usage_daily AS u (organization_id, device_id, day, bytes)
    SELECT organization_id, device_id, date_trunc('day', hour, 'UTC'), sum(bytes_in + bytes_out)
    FROM taken WHERE tunnel_id IS NULL GROUP BY 1, 2, 3 HAVING sum(bytes_in + bytes_out) <> 0
    ON CONFLICT (organization_id, device_id, day) DO UPDATE SET bytes = u.bytes + excluded.bytes)
  SELECT count(*)::int AS taken FROM taken`

/** @returns how many notes were added up; 0 when there are none, or another worker is at it */
export function rollUpUsage(pool: Pool): Promise<number> {
  return inTransaction(pool, async (tx) => {
    const { rows: free } = await tx.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS free', [
      rollUpLock,
    ])
    if (!free[0]?.free) return 0
    const { rows } = await tx.query<{ taken: number }>(rollUp)
    return rows[0]?.taken ?? 0
  })
}

/** Most that {@link rollUpUsage} and {@link countPresences} do at once: as much tells that there may be more. */
export const usageBatch = batch

/**
 * Notes the time of presences that last, up to now; of those that end, triggers do.
 * @param olderThanSec since when nothing of a presence was noted
 * @returns how many there were
 */
export async function countPresences(pool: Pool, olderThanSec = presenceSec): Promise<number> {
  const { rows } = await pool.query<{ counted: number }>(
    `WITH due AS (
       SELECT device_id, organization_id, greatest(usage_until, attached_at) AS since FROM attachments
       WHERE state = 'attached' AND greatest(usage_until, attached_at) < now() - $1::int * interval '1 second'
       ORDER BY device_id LIMIT ${batch} FOR NO KEY UPDATE SKIP LOCKED),
     marked AS (
       UPDATE attachments a SET usage_until = now() FROM due WHERE a.device_id = due.device_id
       RETURNING due.organization_id, due.device_id, due.since),
     noted AS (SELECT note_attached(organization_id, device_id, since, now()) FROM marked)
     SELECT count(*)::int AS counted FROM noted`,
    [olderThanSec],
  )
  return rows[0]?.counted ?? 0
}
