/** What must hold when the dust has settled. Each check returns its complaints; none means that all is well. */
import { type Pool } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { allEvents } from './archive.ts'
import { type Ledger } from './traffic.ts'

interface EventRow {
  readonly id: string
  readonly type: string
  readonly resource_id: string
  readonly sequence: number
  readonly position: number
}

/** Waits until every event has its place in the feed, and of each device is told what is the case. */
export async function settled(pool: Pool): Promise<void> {
  await waitFor(
    async () => {
      const { rows } = await pool.query<{ open: number }>(
        `SELECT (SELECT count(*) FROM events WHERE position IS NULL)::int
           + (SELECT count(*) FROM attachments WHERE tell_since IS NOT NULL)::int AS open`,
      )
      return rows[0]?.open === 0
    },
    { timeoutMs: 60_000, message: 'every event to have its place in the feed' },
  )
}

export async function complaintsAboutEvents(
  pool: Pool,
  { organizationId, deviceId, ledger }: { organizationId: string; deviceId: string; ledger: Ledger },
): Promise<string[]> {
  const { rows } = await pool.query<EventRow>(
    `SELECT id, type, resource_id, sequence::int, position::int FROM ${allEvents} WHERE organization_id = $1 ORDER BY position`,
    [organizationId],
  )
  return [...gaps(rows), ...missing(rows, ledger), ...(await presence(pool, rows, deviceId))]
}

/** How many there were of each type. */
export async function countEvents(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ type: string; count: number }>(
    `SELECT type, count(*)::int AS count FROM ${allEvents} GROUP BY type ORDER BY type`,
  )
  return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
}

/** The device comes online and goes offline in turn, and was told last what is the case. */
async function presence(pool: Pool, all: readonly EventRow[], deviceId: string): Promise<string[]> {
  const told = all.filter(({ resource_id: id, type }) => id === deviceId && /^device\.o(n|ff)line$/.test(type))
  const twice = told.filter(({ type }, index) => type === (told[index - 1]?.type ?? 'device.offline'))
  const { rows } = await pool.query<{ state: string }>('SELECT state FROM attachments WHERE device_id = $1', [deviceId])
  const now = rows[0]?.state === 'attached' ? 'device.online' : 'device.offline'
  return [
    ...twice.map(({ id, type }) => `${id} says ${type} again`),
    ...(told.at(-1)?.type === now
      ? []
      : [`the device was told last as ${told.at(-1)?.type}, and is ${rows[0]?.state}`]),
  ]
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
