/** What must hold when the dust has settled. Each check returns its complaints; none means that all is well. */
import { type Pool } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { type Ledger } from './traffic.ts'

interface EventRow {
  readonly id: string
  readonly type: string
  readonly resource_id: string
  readonly sequence: number
  readonly position: number
}

/** Waits until every event has its place in the feed and every tunnel that was closed is. */
export async function settled(pool: Pool): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await pool.query<{ open: number }>(
        `SELECT (SELECT count(*) FROM events WHERE position IS NULL)::int AS open`,
      )
      return rows[0]?.open === 0
    },
    { timeoutMs: 60_000, message: 'every event to have its place in the feed' },
  )
}

export async function complaintsAboutEvents(pool: Pool, organizationId: string, ledger: Ledger): Promise<string[]> {
  const { rows } = await pool.query<EventRow>(
    `SELECT id, type, resource_id, sequence::int, position::int FROM events WHERE organization_id = $1 ORDER BY position`,
    [organizationId],
  )
  return [...gaps(rows), ...missing(rows, ledger)]
}

/** In the order of the feed the numbers of each resource are 1, 2, 3 ... */
function gaps(rows: readonly EventRow[]): string[] {
  const last = new Map<string, number>()
  const complaints: string[] = []
  for (const { resource_id: resourceId, sequence, id } of rows) {
    const next = (last.get(resourceId) ?? 0) + 1
    if (sequence !== next) complaints.push(`${id} of ${resourceId} has sequence ${sequence} where ${next} was due`)
    last.set(resourceId, sequence)
  }
  if (new Set(rows.map(({ position }) => position)).size !== rows.length)
    complaints.push('a place in the feed is taken twice')
  return complaints
}

/** Everything acknowledged was told exactly as often as it was done. */
function missing(rows: readonly EventRow[], { expected }: Ledger): string[] {
  const told = new Map<string, number>()
  for (const { resource_id: resourceId, type } of rows) {
    const key = `${resourceId} ${type}`
    told.set(key, (told.get(key) ?? 0) + 1)
  }
  return [...expected]
    .filter(([key, count]) => told.get(key) !== count)
    .map(([key, count]) => `${key}: ${told.get(key) ?? 0} events, ${count} were due`)
}
