import { appendEvent, ensureOrganization, newId, openPool, type Pool, type RelayConsumer } from '@culvert/db'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { runWorker } from './index.ts'

let databaseUrl = ''
let pool: Pool
let organizationId = ''

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
})
afterAll(() => pool.end())

const append = () =>
  appendEvent(pool, { organizationId, type: 'device.updated', resourceId: newId('dev'), data: { changed: [] } })
const isRelayed = async (id: string): Promise<boolean> => {
  const { rowCount } = await pool.query('SELECT 1 FROM events WHERE id = $1 AND position IS NOT NULL', [id])
  return rowCount === 1
}

describe('the relay in the worker', () => {
  it('is woken by the commit of an event: two workers, each event consumed once', async () => {
    const told: string[] = []
    const ear: RelayConsumer = {
      name: 'ear',
      consume: async (_tx, events) => void told.push(...events.map(({ id }) => id)),
    }
    // They look by themselves so seldom that the test would end first.
    const slow = { databaseUrl, sweepIntervalMs: 600_000, relayConsumers: [ear] }
    const workers = [runWorker(slow), runWorker(slow)]
    await Promise.all(workers.map((worker) => worker.sweep()))
    await waitFor(async () => {
      const { rows } = await pool.query<{ ears: number }>(
        `SELECT count(*)::int AS ears FROM pg_stat_activity WHERE application_name = 'culvert-worker-listen' AND datname = current_database()`,
      )
      return rows[0]?.ears === 2
    })
    await append()
    await waitFor(() => told.length > 0)
    told.length = 0
    const ids = await Promise.all(Array.from({ length: 20 }, append))
    await waitFor(() => told.length >= 20)
    await Promise.all(workers.map((worker) => worker.close()))
    expect(told.toSorted()).toEqual(ids.toSorted())
  })

  it('looks by itself where no notice came', async () => {
    await pool.query('ALTER TABLE events DISABLE TRIGGER events_wake_the_relay')
    const worker = runWorker({ databaseUrl, sweepIntervalMs: 50 })
    await worker.sweep()
    const id = await append()
    expect(await waitFor(() => isRelayed(id))).toBe(true)
    await worker.close()
    await pool.query('ALTER TABLE events ENABLE TRIGGER events_wake_the_relay')
  })

  it('is followed by the removal of what is too old', async () => {
    const id = await append()
    await pool.query(`UPDATE events SET created_at = now() - interval '8 days' WHERE id <> $1`, [id])
    const worker = runWorker({ databaseUrl, sweepIntervalMs: 50, eventRetentionDays: 7 })
    const left = await waitFor(async () => {
      const { rows } = await pool.query<{ id: string }>('SELECT id FROM events')
      return rows.length === 1 ? rows : null
    })
    expect(left).toEqual([{ id }])
    await worker.close()
  })
})
