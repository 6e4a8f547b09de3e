/**
 * Retention at work while everything dies: from time to time what has been delivered, read and done is made old, so that the worker
 * removes it from the low end of the feed. A copy stays here, and what must hold is asked of events and copies together: numbers go on
 * where events were removed.
 */
import { type Pool } from '@culvert/db'

/** Events that are kept, and those that were. With such a name no table of the installation, which no process looks at. */
export const allEvents = '_chaos_events'

export async function openArchive(pool: Pool): Promise<void> {
  await pool.query(`
    CREATE TABLE _chaos_archive (LIKE events);
    ALTER TABLE _chaos_archive ADD PRIMARY KEY (id);
    CREATE VIEW ${allEvents} AS
      SELECT * FROM events UNION ALL SELECT * FROM _chaos_archive a WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = a.id)`)
}

/** @param read the last event that the follower of the feed has */
export async function growOld(pool: Pool, read: string | undefined): Promise<void> {
  const { rows } = await pool.query<{ through: string | null }>(
    `SELECT least((SELECT position FROM ${allEvents} WHERE id = $1),
       (SELECT min(e.position) - 1 FROM events e JOIN webhook_deliveries d ON d.event_id = e.id AND d.state = 'pending')) AS through
     WHERE EXISTS (SELECT 1 FROM ${allEvents} WHERE id = $1)`,
    [read ?? ''],
  )
  const through = rows[0]?.through
  if (!through) return
  await pool.query(
    `WITH old AS (SELECT * FROM events WHERE position <= $1 ORDER BY position)
     INSERT INTO _chaos_archive SELECT * FROM old ON CONFLICT (id) DO NOTHING`,
    [through],
  )
  await pool.query(
    `UPDATE events SET created_at = now() - interval '100 days' WHERE position <= $1 AND created_at > now() - interval '99 days'`,
    [through],
  )
}

/** @returns how many events retention has removed */
export async function countForgotten(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ forgotten: number }>(
    'SELECT count(*)::int AS forgotten FROM _chaos_archive a WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = a.id)',
  )
  return rows[0]?.forgotten ?? 0
}
