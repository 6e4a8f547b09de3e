import { createDatabase, waitFor } from '@culvert/testkit'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import {
  appendEvents,
  ensureOrganization,
  eventAppendedChannel,
  feedMovedChannel,
  inTransaction,
  listen,
  newId,
  openPool,
  relayEvents,
  type NewEvent,
  type RelayConsumer,
  type RelayedEvent,
} from '../index.ts'

let url = ''
let pool: pg.Pool
let relays: pg.Pool
let organizationId = ''

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'))
  pool = openPool(url, { max: 20 })
  // The role that the worker has.
  relays = openPool(url, { role: 'culvert_worker' })
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  await pool.query('CREATE TABLE _seen (position bigint, id text); GRANT ALL ON _seen TO culvert_worker')
})
afterAll(async () => {
  await Promise.all([pool.end(), relays.end()])
})
beforeEach(async () => {
  await drain()
  await pool.query('TRUNCATE _seen')
})

const event = (resourceId: string, type: NewEvent['type'] = 'device.updated', data = {}): NewEvent =>
  ({ organizationId, type, resourceId, data }) as NewEvent

async function drain(consumers: readonly RelayConsumer[] = []): Promise<void> {
  while ((await relayEvents(relays, consumers)).isFull);
}

interface Row {
  readonly resource: string
  readonly sequence: number
  readonly position: number | null
}

async function rowsOf(resources: readonly string[]): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `SELECT resource_id AS resource, sequence, position::int FROM events WHERE resource_id = ANY($1) ORDER BY position, sequence`,
    [resources],
  )
  return rows
}

/** Writes down what it is told. */
const witness: RelayConsumer = {
  name: 'witness',
  consume: async (tx, events) => {
    await tx.query(`INSERT INTO _seen SELECT position, id FROM json_to_recordset($1) AS v(position bigint, id text)`, [
      JSON.stringify(events),
    ])
  },
}

async function seen(): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM _seen ORDER BY position')
  return rows.map(({ id }) => id)
}

describe('positions', () => {
  it('are given to events of transactions that have committed alone, and one that commits late comes after all that have one', async () => {
    const [late, early] = [newId('dev'), newId('dev')]
    const writer = await pool.connect()
    await writer.query('BEGIN')
    await appendEvents(writer, [event(late)])
    await appendEvents(pool, [event(early)])
    await drain()
    const before = await rowsOf([late, early])
    expect(before).toMatchObject([{ resource: early }])
    await writer.query('COMMIT')
    writer.release()
    expect(await rowsOf([late])).toMatchObject([{ position: null }])
    await drain()
    expect(await rowsOf([late])).toMatchObject([{ position: (before[0]?.position ?? 0) + 1 }])
  })

  it('rise with the sequence of a resource, also where the later event seems older and passes are small', async () => {
    const resource = newId('dev')
    const older = await pool.connect()
    await older.query('BEGIN')
    await older.query('SELECT now()')
    await waitFor(async () => {
      const { rows } = await pool.query<{ later: boolean }>(
        `SELECT now()::timestamptz(3) > max(xact_start)::timestamptz(3) AS later FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()`,
      )
      return rows[0]?.later === true
    })
    await appendEvents(pool, [event(resource), event(resource)])
    await appendEvents(older, [event(resource)])
    await older.query('COMMIT')
    older.release()
    while ((await relayEvents(relays, [], 1)).relayed > 0);
    const rows = await rowsOf([resource])
    expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(rows.every(({ position }) => position !== null)).toBe(true)
  })

  it('name the device, also through another resource', async () => {
    const [device, tunnel] = [newId('dev'), newId('tun')]
    await appendEvents(pool, [event(device), event(tunnel, 'tunnel.requested', { deviceId: device })])
    const told: RelayedEvent[] = []
    await drain([{ name: 'ear', consume: async (_tx, events) => void told.push(...events) }])
    expect(told.map(({ deviceId }) => deviceId)).toEqual([device, device])
    expect(told[0]).toMatchObject({ organizationId, resourceId: device, sequence: 1, createdAt: expect.any(Date) })
  })

  it('are without gap and repeat, and each event is consumed once, with writers that commit late, two relays, and relays killed in the middle', async () => {
    const resources = Array.from({ length: 6 }, () => newId('dev'))
    const { rows: start } = await pool.query<{ last: number }>('SELECT last_position::int AS last FROM event_feed')
    let writing = true
    let kills = 0
    /** Ends its own connection now and then, after its work and before the commit. */
    const killer: RelayConsumer = {
      name: 'killer',
      consume: async (tx) => {
        if (++kills % 4 !== 0) return
        await tx.query('SELECT pg_terminate_backend(pg_backend_pid())')
      },
    }
    const relay = async (): Promise<void> => {
      while (writing) await relayEvents(relays, [witness, killer], 7).catch(() => {})
    }
    const relaying = [relay(), relay()]
    const writer = async (number: number): Promise<void> => {
      for (let round = 0; round < 12; round++) {
        await inTransaction(pool, async (tx) => {
          const chosen = resources.filter((_, index) => (index + round + number) % 3 !== 0)
          await appendEvents(
            tx,
            chosen.map((resource) => event(resource)),
          )
          // Numbered, and not committed while others come and go.
          for (let other = 0; other < 5; other++) await tx.query('SELECT 1')
        })
      }
    }
    await Promise.all(Array.from({ length: 5 }, (_, number) => writer(number)))
    writing = false
    await Promise.all(relaying)
    await drain([witness])
    expect(kills).toBeGreaterThan(4)
    const rows = await rowsOf(resources)
    expect(rows).toHaveLength(5 * 12 * 4)
    expect(rows.map(({ position }) => position)).toEqual(rows.map((_, index) => (start[0]?.last ?? 0) + index + 1))
    for (const resource of resources) {
      const sequences = rows.filter((row) => row.resource === resource).map(({ sequence }) => sequence)
      expect(sequences).toEqual(sequences.map((_, index) => index + 1))
    }
    const { rows: ids } = await pool.query<{ id: string }>(
      'SELECT id FROM events WHERE resource_id = ANY($1) ORDER BY position',
      [resources],
    )
    expect(await seen()).toEqual(ids.map(({ id }) => id))
  })
})

describe('a backlog of one organization', () => {
  let other = ''
  beforeAll(async () => {
    other = (await ensureOrganization(pool, { name: 'Umbrella', slug: 'umbrella' })).id
  })
  const happen = async (): Promise<void> => {
    await appendEvents(
      pool,
      Array.from({ length: 30 }, () => event(newId('dev'))),
    )
    const late = Array.from({ length: 4 }, () => ({ ...event(newId('dev')), organizationId: other }))
    await appendEvents(pool, late)
  }
  const countOf = (events: readonly RelayedEvent[]): [number, number] => [
    events.filter((one) => one.organizationId === organizationId).length,
    events.filter((one) => one.organizationId === other).length,
  ]

  it('shares a pass with the events of others, which are younger', async () => {
    await happen()
    const told: RelayedEvent[] = []
    const ear: RelayConsumer = { name: 'ear', consume: async (_tx, events) => void told.push(...events) }
    expect(await relayEvents(relays, [ear], 10)).toMatchObject({ relayed: 9, isFull: true })
    expect(countOf(told)).toEqual([5, 4])
    await drain([ear])
    expect(countOf(told)).toEqual([30, 4])
    const own = told.filter((one) => one.organizationId === organizationId)
    expect(own.map(({ position }) => position)).toEqual(own.map(({ position }) => position).toSorted((a, b) => a - b))
  })

  it('for which each event is many rows fills no pass', async () => {
    await happen()
    const passes: [number, number][] = []
    const heavy: RelayConsumer = {
      name: 'heavy',
      weigh: async (_tx, ids) => new Map(ids.map((id) => [id, id === organizationId ? 1_000 : 1])),
      consume: async (_tx, events) => void passes.push(countOf(events)),
    }
    await drain([heavy])
    expect(passes.slice(0, 2)).toEqual([
      [5, 4],
      [10, 0],
    ])
    expect(passes.reduce((sum, [own]) => sum + own, 0)).toBe(30)
  })
})

describe('notices', () => {
  it('tell the relay of events that were committed, and the feed of positions', async () => {
    const heard: string[] = []
    const listener = listen(url, [eventAppendedChannel, feedMovedChannel], (notice) => {
      if (notice !== 'reconnected') heard.push(`${notice.channel} ${notice.payload}`)
    })
    await listener.ready
    await appendEvents(pool, [event(newId('dev')), event(newId('dev'))])
    await waitFor(() => heard.length === 1)
    await drain()
    await waitFor(() => heard.length === 2)
    expect(heard).toEqual(['event_appended ', `feed_moved ${organizationId}`])
    await listener.close()
  })
})

describe('a consumer that refuses an event', () => {
  it('gets all others, stops nobody else, and is offered it again until it takes it', async () => {
    const resources = Array.from({ length: 9 }, () => newId('dev'))
    await appendEvents(
      pool,
      resources.map((resource) => event(resource)),
    )
    const poison = resources[4] as string
    let cured = false
    const told = new Map<string, string[]>()
    const picky = (name: string, fail: () => boolean, query = 'SELECT 1'): RelayConsumer => ({
      name,
      consume: async (tx, events) => {
        if (fail() && events.some(({ resourceId }) => resourceId === poison)) {
          await tx.query('INSERT INTO _seen VALUES (1)')
          await tx.query(query)
          throw new Error('cannot')
        }
        told.set(name, [...(told.get(name) ?? []), ...events.map(({ resourceId }) => resourceId)])
      },
    })
    const consumers = [
      picky('broken', () => !cured, 'SELECT 1 / 0'),
      picky('sound', () => false),
      picky('odd', () => !cured),
    ]
    const pass = await relayEvents(relays, consumers)
    expect(pass.faults.map(({ consumer, event: { resourceId } }) => [consumer, resourceId])).toEqual([
      ['broken', poison],
      ['odd', poison],
    ])
    const others = resources.filter((resource) => resource !== poison)
    expect([...(told.get('sound') ?? [])].toSorted()).toEqual(resources.toSorted())
    expect(told.get('broken')?.toSorted()).toEqual(others.toSorted())
    expect(await seen()).toEqual([])
    expect((await relayEvents(relays, consumers)).faults).toEqual([])

    const due = () => pool.query(`UPDATE relay_faults SET next_attempt_at = now() - interval '1 second'`)
    await due()
    expect((await relayEvents(relays, consumers)).faults).toHaveLength(2)
    const { rows } = await pool.query<{ attempts: number; waits: boolean }>(
      `SELECT attempts, next_attempt_at > now() + interval '15 seconds' AS waits FROM relay_faults`,
    )
    expect(rows).toEqual([
      { attempts: 2, waits: true },
      { attempts: 2, waits: true },
    ])
    cured = true
    await due()
    expect((await relayEvents(relays, consumers)).faults).toEqual([])
    expect(told.get('broken')?.toSorted()).toEqual(resources.toSorted())
    expect((await pool.query('SELECT 1 FROM relay_faults')).rowCount).toBe(0)
  })

  it('holds the feed for one lock that it waits for in vain, and not for long', async () => {
    await appendEvents(
      pool,
      Array.from({ length: 4 }, () => event(newId('dev'))),
    )
    let offered = 0
    const failing = (code: string): RelayConsumer => ({
      name: 'waiting',
      consume: () => {
        offered++
        return Promise.reject(Object.assign(new Error('cannot'), { code }))
      },
    })
    const again = async (code: string): Promise<number> => {
      await pool.query(`UPDATE relay_faults SET next_attempt_at = now() - interval '1 second'`)
      offered = 0
      await relayEvents(relays, [failing(code)])
      return offered
    }
    expect((await relayEvents(relays, [failing('55P03')])).faults).toHaveLength(4)
    expect(await again('55P03')).toBe(1)
    expect(await again('22012')).toBe(4)
    let nowMs = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 2_000))
    try {
      expect(await again('22012')).toBeLessThan(4)
    } finally {
      clock.mockRestore()
    }
    await pool.query('DELETE FROM relay_faults')
  })
})
