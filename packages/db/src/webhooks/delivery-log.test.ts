/** How much of deliveries is kept, and how long. */
import { createDatabase } from '@culvert/testkit'
import type pg from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ensureOrganization, newId, openPool, prune, recordAttempts, startOperation, systemAuthor } from '../index.ts'

let pool: pg.Pool
let organizationId = ''
const endpointId = newId('whe')
beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  await pool.query(
    `INSERT INTO webhook_endpoints (id, organization_id, name, url) VALUES ($1, $2, 'x', 'https://x.example/')`,
    [endpointId, organizationId],
  )
})
afterAll(() => pool.end())

async function newDelivery(state: 'pending' | 'delivered' = 'pending', daysAgo = 0): Promise<string> {
  const id = newId('whd')
  await pool.query(
    `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, resource_id, state, next_attempt_at, created_at, finished_at)
     VALUES ($1, $2, $3, $1, 'network.created', 'net_1', $4, CASE WHEN $4 = 'pending' THEN now() END, now() - $5::int * interval '1 day',
       CASE WHEN $4 <> 'pending' THEN now() END)`,
    [id, organizationId, endpointId, state, daysAgo],
  )
  return id
}
const attemptOf = (deliveryId: string) => ({
  deliveryId,
  organizationId,
  state: 'pending' as const,
  nextMs: 0,
  at: new Date(),
  durationMs: 1,
  requestHeaders: {},
  status: 500,
  responseHeaders: {},
  responseBody: 'x'.repeat(100),
  responseTruncated: false,
  error: null,
  errorDetail: null,
})
const numbersOf = async (deliveryId: string): Promise<number[]> =>
  (
    await pool.query<{ number: number }>('SELECT number FROM webhook_attempts WHERE delivery_id = $1 ORDER BY number', [
      deliveryId,
    ])
  ).rows.map(({ number }) => number)

it('a delivery keeps its latest 20 attempts, however often it is made again', async () => {
  const [busy, other] = [await newDelivery(), await newDelivery()]
  await recordAttempts(pool, [attemptOf(busy), attemptOf(other)])
  for (let i = 0; i < 24; i++) await recordAttempts(pool, [attemptOf(busy)])
  expect(await numbersOf(busy)).toEqual(Array.from({ length: 20 }, (_, i) => i + 6))
  expect(await numbersOf(other)).toEqual([1])
})

it('what is old and done is forgotten; what was begun again is kept until it is done, though not forever', async () => {
  const kept = [await newDelivery('pending', 31), await newDelivery('delivered', 29)]
  const gone = [await newDelivery('delivered', 31), await newDelivery('pending', 61)]
  await prune(pool)
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM webhook_deliveries WHERE id = ANY ($1)', [
    [...kept, ...gone],
  ])
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(kept))
})

it('an endpoint has one replay under way', async () => {
  const start = (id: string) =>
    startOperation(
      pool,
      organizationId,
      { kind: 'webhook_replay', request: { endpointId: id }, validateOnly: false, onePer: 'endpointId' },
      { by: systemAuthor('test') },
    )
  const begun = await Promise.all([start(endpointId), start(endpointId), start('whe_other')])
  expect(begun.map((operation) => typeof operation).toSorted()).toEqual(['object', 'object', 'string'])
  await pool.query(`UPDATE operations SET state = 'succeeded', finished_at = now(), result = '{}'`)
  expect(typeof (await start(endpointId))).toBe('object')
})
