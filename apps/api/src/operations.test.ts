import {
  addOperationFaults,
  claimOperation,
  finishOperation,
  inTenantTransaction,
  startOperation,
  systemAuthor,
} from '@culvert/db'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { openHarness, type Harness } from './testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())
beforeEach(async () => void (await harness.pool.query('DELETE FROM operations')))

interface Operation {
  readonly id: string
  readonly state: string
  readonly done: boolean
  readonly error: { readonly code: string } | null
}

async function begin(kind = 'device_update'): Promise<string> {
  const operation = await startOperation(
    harness.pool,
    harness.organization.id,
    {
      kind,
      request: { secretly: 'nothing' },
      validateOnly: true,
    },
    { by: systemAuthor('test') },
  )
  if (typeof operation === 'string') throw new Error(operation)
  return operation.id
}

describe('GET /v1/operations', () => {
  it('lists those of the organization, newest first, by kind and whether they are done, page by page', async () => {
    const ids = [await begin(), await begin('device_import'), await begin()]
    await harness.call('POST', `/v1/operations/${ids[0]}/cancel`)
    const list = async (query: string): Promise<string[]> =>
      (await harness.call<{ data: Operation[] }>('GET', `/v1/operations${query}`)).body.data.map(({ id }) => id)
    expect(await list('')).toEqual(ids.toReversed())
    expect(await list('?kind=device_import')).toEqual([ids[1]])
    expect(await list('?done=true')).toEqual([ids[0]])
    expect(await list('?done=false')).toEqual([ids[2], ids[1]])
    const page = await harness.call<{ nextCursor: string }>('GET', '/v1/operations?limit=2')
    expect(await list(`?limit=2&cursor=${page.body.nextCursor}`)).toEqual([ids[0]])
    const wrong = await harness.call('GET', `/v1/operations?done=true&cursor=${page.body.nextCursor}`)
    expect([wrong.status, wrong.body['code']]).toEqual([400, 'invalid_cursor'])
  })
})

describe('GET /v1/operations/{id}', () => {
  it('tells what is under way, and nothing of how', async () => {
    const answer = await harness.call('GET', `/v1/operations/${await begin()}`)
    expect(answer.body).toMatchObject({
      kind: 'device_update',
      state: 'waiting',
      done: false,
      validateOnly: true,
      result: null,
      error: null,
      metadata: { progress: { total: null, processed: 0, succeeded: 0, failed: 0 }, cancelRequested: false },
    })
    expect(answer.text).not.toContain('secretly')
  })

  it('waits for the end', async () => {
    const id = await begin()
    const waiting = harness.call<Operation>('GET', `/v1/operations/${id}?wait=30`)
    const claim = await claimOperation(harness.pool, 'test')
    if (claim?.id !== id) throw new Error('another operation')
    await finishOperation(harness.pool, claim, { state: 'succeeded', result: { devices: 3 } })
    expect((await waiting).body).toMatchObject({ done: true, state: 'succeeded', result: { devices: 3 } })
  })
})

describe('POST /v1/operations/{id}/cancel', () => {
  it('ends what nobody has begun', async () => {
    const id = await begin()
    const answer = await harness.call<Operation>('POST', `/v1/operations/${id}/cancel`)
    expect(answer.body).toMatchObject({
      done: true,
      state: 'cancelled',
      error: { code: 'operation_cancelled', status: 409 },
    })
    expect(await claimOperation(harness.pool, 'test')).toBeNull()
    const again = await harness.call('POST', `/v1/operations/${id}/cancel`)
    expect([again.status, again.body['code']]).toEqual([409, 'operation_done'])
  })

  it('asks the worker to end what it has begun', async () => {
    const id = await begin()
    const claim = await claimOperation(harness.pool, 'test')
    if (claim?.id !== id) throw new Error('another operation')
    const answer = await harness.call<Operation>('POST', `/v1/operations/${id}/cancel`)
    expect(answer.body).toMatchObject({ done: false, state: 'running', metadata: { cancelRequested: true } })
    await finishOperation(harness.pool, claim, { state: 'cancelled' })
    expect((await harness.call<Operation>('GET', `/v1/operations/${id}`)).body).toMatchObject({ state: 'cancelled' })
  })
})

describe('GET /v1/operations/{id}/errors', () => {
  it('has a line for each fault, in order of rows, also many', async () => {
    const id = await begin()
    const claim = await claimOperation(harness.pool, 'test')
    if (claim?.id !== id) throw new Error('another operation')
    const faults = Array.from({ length: 2_500 }, (_, index) => ({
      row: 2_500 - index,
      pointer: '/iccid',
      message: 'is "wrong"',
    }))
    await inTenantTransaction(harness.pool, harness.organization.id, (tx) => addOperationFaults(tx, claim, 0, faults))
    const answer = await harness.call('GET', `/v1/operations/${id}/errors`)
    expect(answer.headers['content-type']).toBe('application/x-ndjson')
    const lines = answer.text.trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual(
      Array.from({ length: 2_500 }, (_, index) => index + 1),
    )
    expect(JSON.parse(lines[0] ?? '')).toEqual({ row: 1, pointer: '/iccid', message: 'is "wrong"' })
  })
})
