import {
  advanceOperation,
  claimOperation,
  ensureOrganization,
  findOperation,
  inTenantTransaction,
  maxOperations,
  newId,
  openPool,
  OperationLostError,
  startOperation,
  systemAuthor,
  type OperationClaim,
  type OperationRecord,
  type Pool,
} from '@culvert/db'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { runWorker, type RunningWorker } from './index.ts'
import type { OperationHandler } from './operations/operation-handler.ts'

let databaseUrl = ''
let pool: Pool
let acme = ''
let umbrella = ''
const workers: RunningWorker[] = []

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  await pool.query('CREATE TABLE steps (id text, number int, at timestamptz DEFAULT clock_timestamp())')
  await pool.query('GRANT SELECT, INSERT ON steps TO culvert_worker')
  return async () => pool.end()
})
beforeEach(async () => {
  acme = (await ensureOrganization(pool, { name: 'Acme', slug: newId('org').replace('_', '-') })).id
  umbrella = (await ensureOrganization(pool, { name: 'Umbrella', slug: newId('org').replace('_', '-') })).id
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()))
  await pool.query(`DELETE FROM operations`)
})

/** Counts to `request.to`, one row for each number, and says so. */
const counting: OperationHandler = (_claim, environment) => ({ step: (claim) => count(claim, environment.pool) })

async function count(claim: OperationClaim, on: Pool): ReturnType<ReturnType<OperationHandler>['step']> {
  const number = Number(claim.checkpoint['number'] ?? 0) + 1
  if (number > Number(claim.request['to'])) return { state: 'succeeded', result: { counted: claim.processed } }
  return inTenantTransaction(on, claim.organizationId, async (tx) => {
    await tx.query('INSERT INTO steps (id, number) VALUES ($1, $2)', [claim.id, number])
    return advanceOperation(tx, claim, { checkpoint: { number }, processed: 1, succeeded: 1, failed: 0 })
  })
}

function start(handler: OperationHandler = counting, turnMs = 50): RunningWorker {
  const worker = runWorker({
    databaseUrl,
    sweepIntervalMs: 50,
    operationHandlers: new Map([['device_update', handler]]),
    operationTurnMs: turnMs,
  })
  workers.push(worker)
  return worker
}

async function begin(organizationId: string, to: number): Promise<string> {
  const operation = await startOperation(
    pool,
    organizationId,
    {
      kind: 'device_update',
      request: { to },
      validateOnly: false,
    },
    { by: systemAuthor('test') },
  )
  if (typeof operation === 'string') throw new Error(operation)
  return operation.id
}

async function ended(organizationId: string, id: string): Promise<OperationRecord> {
  return waitFor(async () => {
    const operation = await findOperation(pool, organizationId, id)
    return operation?.finishedAt ? operation : null
  })
}

async function stepsOf(id: string): Promise<number[]> {
  const { rows } = await pool.query<{ number: number }>('SELECT number FROM steps WHERE id = $1 ORDER BY at', [id])
  return rows.map(({ number }) => number)
}

describe('an operation', () => {
  it('is done step by step, and tells how far it is', async () => {
    start()
    const id = await begin(acme, 5)
    expect(await ended(acme, id)).toMatchObject({
      state: 'succeeded',
      result: { counted: 5 },
      error: null,
      processed: 5,
      succeeded: 5,
      failed: 0,
    })
    expect(await stepsOf(id)).toEqual([1, 2, 3, 4, 5])
  })

  it('of a worker that was killed is gone on with by another one, and no step is done twice', async () => {
    const id = await begin(acme, 4)
    const killed = (await claimOperation(pool, 'killed')) as OperationClaim
    const further = await count(killed, pool)
    expect(further).toMatchObject({ processed: 1 })
    start()
    expect(await findOperation(pool, acme, id)).toMatchObject({ state: 'running', processed: 1 })
    await pool.query(`UPDATE operations SET lease_until = now() - interval '1 ms' WHERE id = $1`, [id])
    expect(await ended(acme, id)).toMatchObject({ state: 'succeeded', processed: 4 })
    expect(await stepsOf(id)).toEqual([1, 2, 3, 4])
  })

  it('is lost to a worker that was slow: what it does after that is rolled back', async () => {
    const id = await begin(acme, 3)
    const slow = (await claimOperation(pool, 'slow')) as OperationClaim
    await pool.query(`UPDATE operations SET lease_until = now() - interval '1 ms' WHERE id = $1`, [id])
    expect(await claimOperation(pool, 'quick')).toMatchObject({ id, runner: 'quick' })
    await expect(count(slow, pool)).rejects.toBeInstanceOf(OperationLostError)
    expect(await stepsOf(id)).toEqual([])
  })

  it('that fails again and again ends with an error, without what the failure said', async () => {
    const id = await begin(acme, 1)
    await pool.query('UPDATE operations SET attempts = 5 WHERE id = $1', [id])
    let tries = 0
    start(() => ({
      step: async () => {
        tries += 1
        await pool.query(`UPDATE operations SET lease_until = now() - interval '1 ms' WHERE id = $1`, [id])
        throw new Error('a secret of the inside')
      },
    }))
    await waitFor(() => tries > 0)
    await waitFor(async () => {
      await pool.query(
        `UPDATE operations SET lease_until = now() - interval '1 ms' WHERE id = $1 AND lease_until > now()`,
        [id],
      )
      return (await findOperation(pool, acme, id))?.finishedAt ?? null
    })
    const failed = await findOperation(pool, acme, id)
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'internal_error' } })
    expect(JSON.stringify(failed)).not.toContain('secret')
    expect(tries).toBe(1)
  })

  it('of a kind nobody knows holds up no other organization', async () => {
    const strange = await startOperation(
      pool,
      acme,
      { kind: 'strange', request: {}, validateOnly: false },
      { by: systemAuthor('test') },
    )
    start()
    expect(await ended(umbrella, await begin(umbrella, 2))).toMatchObject({ state: 'succeeded' })
    expect(typeof strange === 'string' ? null : await findOperation(pool, acme, strange.id)).toMatchObject({
      state: 'running',
    })
  })

  it('waits for the one of its organization before it, and takes turns with those of others', async () => {
    const first = await begin(acme, 30)
    const second = await begin(acme, 2)
    const others = await begin(umbrella, 2)
    start(counting, 1)
    await ended(acme, second)
    await ended(umbrella, others)
    const { rows } = await pool.query<{ id: string }>(
      'SELECT id FROM (SELECT id, max(at) AS at FROM steps WHERE id = ANY($1) GROUP BY id) AS last ORDER BY at',
      [[first, second, others]],
    )
    expect(rows.map(({ id }) => id)).toEqual([others, first, second])
  })

  it('is gone on with at once when its worker ends by itself', async () => {
    const id = await begin(acme, 1_000_000)
    start(counting, 60_000)
    await waitFor(async () => (await stepsOf(id)).length > 3)
    await Promise.all(workers.splice(0).map((worker) => worker.close()))
    expect((await claimOperation(pool, 'next'))?.id).toBe(id)
  })
})

describe('an organization', () => {
  it('may not have more than a few unfinished operations, also when it asks for many at once', async () => {
    const tried = await Promise.all(
      Array.from({ length: 2 * maxOperations }, () =>
        startOperation(
          pool,
          acme,
          { kind: 'device_update', request: {}, validateOnly: false },
          { by: systemAuthor('test') },
        ),
      ),
    )
    expect(tried.filter((one) => typeof one !== 'string')).toHaveLength(maxOperations)
    expect(
      typeof (await startOperation(
        pool,
        umbrella,
        {
          kind: 'device_update',
          request: {},
          validateOnly: false,
        },
        { by: systemAuthor('test') },
      )),
    ).toBe('object')
  })
})
