/**
 * Jobs about deliveries are hints that anybody with the queue's store could write: they carry ids and nothing else, and what they name is
 * looked up again. So one that is doubled, forged, late, lost or wrong moves nothing of one organization to another, and stops nothing.
 */
import {
  appendEvent,
  createKeyRing,
  ensureOrganization,
  generateSealingKeyPair,
  inTenantTransaction,
  loadDueDeliveries,
  newId,
  openPool,
  type Pool,
  type SealingKeyPair,
} from '@culvert/db'
import { openQueues, webhooksQueue, type Queues } from '@culvert/queue'
import { createDatabase, waitFor } from '@culvert/testkit'
import { Redis } from 'ioredis'
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { runWorker, type RunningWorker } from '../index.ts'
import { loopbackEgress, newTestEndpoint, openReceiver, type Receiver } from '../testing/webhook-receiver.ts'

const redisUrl = inject('redisUrl') ?? undefined
const backends = [{ store: 'postgres', url: undefined }, ...(redisUrl ? [{ store: 'redis', url: redisUrl }] : [])]
let databaseUrl = ''
let pool: Pool
let sealing: SealingKeyPair
let receiver: Receiver
let [acme, umbrella] = ['', '']
const workers: RunningWorker[] = []

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  sealing = await generateSealingKeyPair()
  return async () => pool.end()
})
beforeEach(async () => {
  acme = (await ensureOrganization(pool, { name: 'Acme', slug: newId('org').replace('_', '-') })).id
  umbrella = (await ensureOrganization(pool, { name: 'Umbrella', slug: newId('org').replace('_', '-') })).id
  receiver = await openReceiver()
})
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(workers.splice(0).map((worker) => worker.close()))
  await receiver.close()
  await pool.query('DELETE FROM webhook_deliveries')
})

/** @param pollMs so seldom that it sends what jobs say alone; in a Redis that others use too, they may take the jobs */
function start(url?: string, pollMs = url ? 500 : 600_000): void {
  const webhooks = { keys: createKeyRing([sealing.privateKey]), egress: loopbackEgress(), pollMs }
  workers.push(runWorker({ databaseUrl, redisUrl: url, sweepIntervalMs: 100, webhooks }))
}

const endpointOf = (organizationId: string, name: string) =>
  newTestEndpoint(pool, sealing, { organizationId, url: `${receiver.url}/${name}`, eventTypes: ['network.*'] })

const happen = (organizationId: string): Promise<string> =>
  inTenantTransaction(pool, organizationId, (tx) =>
    appendEvent(tx, {
      organizationId,
      type: 'network.created',
      resourceId: newId('net'),
      data: { name: organizationId },
    }),
  )

/** A row as the relay would write it. */
const addDelivery = (organizationId: string, endpointId: string, eventId: string) =>
  pool.query(
    `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, resource_id)
     VALUES ('whd_' || gen_random_uuid(), $1, $2, $3, 'network.created', 'net_1')`,
    [organizationId, endpointId, eventId],
  )

const deliveredOf = async (endpointId: string): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM webhook_deliveries WHERE endpoint_id = $1 AND state = 'delivered'`,
    [endpointId],
  )
  return rows[0]?.count ?? 0
}

async function withQueues(url: string | undefined, work: (queues: Queues) => Promise<void>): Promise<void> {
  const queues = openQueues({ databaseUrl, redisUrl: url, logger: { warn: () => {}, debug: () => {} } })
  try {
    await work(queues)
  } finally {
    await queues.close()
  }
}

describe.each(backends)('jobs on $store', ({ url }) => {
  it('A07 that name what is not there, is deleted, disabled or no id, or that come often, send nothing but what is due, once', async () => {
    const own = await endpointOf(acme, 'own')
    const [disabled, deleted] = [await endpointOf(acme, 'disabled'), await endpointOf(umbrella, 'deleted')]
    const event = await happen(acme)
    await addDelivery(acme, disabled.id, event)
    await addDelivery(umbrella, deleted.id, await happen(umbrella))
    await pool.query(
      `UPDATE webhook_endpoints SET state = 'disabled', disabled_reason = 'requested', disabled_at = now() WHERE id = $1`,
      [disabled.id],
    )
    await pool.query(`UPDATE webhook_endpoints SET deleted_at = now() WHERE id = $1`, [deleted.id])
    start(url)
    await withQueues(url, async (queues) => {
      const forged = [
        '',
        'whe_unknown',
        `' OR '1' = '1`,
        acme,
        '\u{1f4a3}',
        'x'.repeat(10_000),
        disabled.id,
        deleted.id,
      ]
      await waitFor(() => queues.hint(webhooksQueue, 'deliveries.due', { about: forged, dedup: newId('evt') }))
      for (let i = 0; i < 6; i++)
        await queues.hint(webhooksQueue, 'deliveries.due', { about: [own.id, own.id], dedup: newId('evt') })
      await waitFor(async () => (await deliveredOf(own.id)) === 1, { message: 'what is due to be sent' })
      // One that passes behind all others.
      await happen(acme)
      await queues.hint(webhooksQueue, 'deliveries.due', { about: [own.id], dedup: newId('evt') })
      await waitFor(async () => (await deliveredOf(own.id)) === 2)
    })
    expect(receiver.received.map(({ path }) => path)).toEqual(['/own', '/own'])
    expect(receiver.received[0]?.id).toBe(event)
  })

  it('A07 given to two workers at once are one delivery', async () => {
    const endpoint = await endpointOf(acme, 'own')
    start(url)
    start(url)
    await withQueues(url, async (queues) => {
      for (let i = 0; i < 10; i++) {
        await happen(acme)
        await queues.hint(webhooksQueue, 'deliveries.due', { about: [endpoint.id], dedup: newId('evt') })
      }
      await waitFor(async () => (await deliveredOf(endpoint.id)) === 10)
    })
    expect(receiver.received).toHaveLength(10)
  })

  it('A07 that are lost are missed by nobody: what is due is found without them', async () => {
    const endpoint = await endpointOf(acme, 'own')
    const event = await happen(acme)
    await addDelivery(acme, endpoint.id, event)
    await pool.query('UPDATE events SET position = -1 WHERE id = $1', [event]) // no relay will tell of it
    start(url, 50)
    await waitFor(async () => (await deliveredOf(endpoint.id)) === 1)
    expect(receiver.received.map(({ id }) => id)).toEqual([event])
  })
})

it.runIf(redisUrl)('A07 jobs in Redis have ids of endpoints and nothing else', async () => {
  const endpoint = await endpointOf(acme, 'own')
  start(redisUrl)
  await happen(acme)
  await waitFor(async () => (await deliveredOf(endpoint.id)) === 1)
  const redis = new Redis(redisUrl ?? '')
  try {
    const keys = await redis.keys('bull:webhooks:*')
    const found = await Promise.all(keys.map((key) => redis.hgetall(key).catch(() => ({}))))
    const jobs = found.filter((job) => JSON.stringify(job).includes(endpoint.id))
    expect(jobs.length).toBeGreaterThan(0)
    for (const job of jobs) expect(job).toMatchObject({ name: 'deliveries.due', data: `{"about":["${endpoint.id}"]}` })
  } finally {
    redis.disconnect()
  }
})

describe('rows', () => {
  it('A07 of one organization that name an event of another send nothing of it', async () => {
    const endpoint = await endpointOf(acme, 'own')
    const foreign = await happen(umbrella)
    await addDelivery(acme, endpoint.id, foreign)
    const loaded: unknown[] = []
    // The database rounds times to milliseconds: what is due now may be due half of one later.
    await waitFor(async () => {
      loaded.push(...(await loadDueDeliveries(pool, [{ endpointId: endpoint.id, limit: 10 }])))
      return loaded.length > 0
    })
    expect(loaded).toMatchObject([{ eventId: foreign, event: null }])
    start(undefined, 50)
    await waitFor(async () => (await pool.query('SELECT 1 FROM webhook_attempts')).rowCount === 1)
    const { rows } = await pool.query('SELECT error, request_headers AS headers FROM webhook_attempts')
    expect(rows).toEqual([{ error: 'event_forgotten', headers: {} }])
    expect(receiver.received).toEqual([])
  })

  it('A07 of one organization for an endpoint of another cannot be there', async () => {
    const endpoint = await endpointOf(umbrella, 'foreign')
    await expect(addDelivery(acme, endpoint.id, await happen(acme))).rejects.toThrow(/foreign key/)
  })

  it('A07 with keys that nobody can open (poison) hold up no other endpoint, and nothing unsigned is sent', async () => {
    const [poison, own] = [await endpointOf(acme, 'poison'), await endpointOf(acme, 'own')]
    await pool.query(`UPDATE webhook_keys SET sealed_key = decode('00', 'hex') WHERE endpoint_id = $1`, [poison.id])
    start(undefined, 50)
    await happen(acme)
    await waitFor(async () => (await deliveredOf(own.id)) === 1)
    await waitFor(
      async () => (await pool.query(`SELECT 1 FROM webhook_attempts WHERE error = 'key_unreadable'`)).rowCount === 1,
    )
    expect(receiver.received.map(({ path }) => path)).toEqual(['/own'])
  })

  it('A07 are due by the clock of the database: a worker whose clock jumps sends them, and holds no longer what it had taken', async () => {
    const endpoint = await endpointOf(acme, 'own')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 86_400_000 })
    start(undefined, 50)
    await happen(acme)
    await waitFor(async () => (await deliveredOf(endpoint.id)) === 1)
    vi.setSystemTime(Date.now() - 60 * 86_400_000)
    await happen(acme)
    await waitFor(async () => (await deliveredOf(endpoint.id)) === 2)
    const { rows } = await pool.query<{ far: boolean }>(
      `SELECT bool_or(lease_until > now() + interval '1 minute' OR paused_until IS NOT NULL) AS far FROM webhook_courses`,
    )
    expect(rows[0]?.far).not.toBe(true)
  })
})
