import {
  createDevice,
  ensureOrganization,
  findOperation,
  newId,
  openPool,
  startOperation,
  systemAuthor,
  verifyAuditChain,
  type OperationRecord,
  type Pool,
} from '@culvert/db'
import { luhnCheckDigit } from '@culvert/lifecycle'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { runWorker, type RunningWorker } from '../index.ts'

let pool: Pool
let worker: RunningWorker
let organizationId = ''
let other = ''
const by = systemAuthor('test')

beforeAll(async () => {
  const databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  worker = runWorker({ databaseUrl, sweepIntervalMs: 50 })
})
afterAll(async () => {
  await worker.close()
  await pool.end()
})
beforeEach(async () => {
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: newId('org').replace('_', '-') })).id
  other = (await ensureOrganization(pool, { name: 'Other', slug: newId('org').replace('_', '-') })).id
  for (const [number, tags] of [['old'], ['old', 'kept'], ['kept']].entries()) {
    await register(organizationId, number, tags)
    await register(other, number, tags)
  }
})

async function register(organization: string, number: number, tags: string[]): Promise<void> {
  const digits = `8944${String(number).padStart(15, '0')}`
  const numbers = { iccid: digits + luhnCheckDigit(digits), imsi: null, imei: null, eid: null }
  const rest = { name: null, tunnelable: true, lanPrefixes: [], proposalTiers: null }
  await createDevice(pool, { organizationId: organization, zone: 'test', ...numbers, ...rest, tags }, { by })
}

async function run(kind: string, request: object, validateOnly = false): Promise<OperationRecord> {
  const operation = await startOperation(pool, organizationId, { kind, request, validateOnly }, { by })
  if (typeof operation === 'string') throw new Error(operation)
  return waitFor(async () => {
    const found = await findOperation(pool, organizationId, operation.id)
    return found?.finishedAt ? found : null
  })
}

async function tagsOf(organization = organizationId): Promise<string[][]> {
  const { rows } = await pool.query<{ tags: string[] }>(
    'SELECT tags FROM devices WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY iccid',
    [organization],
  )
  return rows.map(({ tags }) => tags)
}

const change = { addTags: ['new'], removeTags: ['old'] }

describe('a change of many devices', () => {
  it('concerns those the filter chooses, writes events and audit, and no other organization', async () => {
    const operation = await run('device_update', { filter: { tagsAll: ['old'] }, change })
    expect(operation).toMatchObject({ state: 'succeeded', result: { matched: 2, updated: 2 } })
    expect(await tagsOf()).toEqual([['new'], ['kept', 'new'], ['kept']])
    expect(await tagsOf(other)).toEqual([['old'], ['old', 'kept'], ['kept']])
    const { rows } = await pool.query(
      `SELECT count(*)::int AS events FROM events WHERE organization_id = $1 AND type = 'device.updated' AND data = '{"changed":["tags"]}'`,
      [organizationId],
    )
    expect(rows[0]).toEqual({ events: 2 })
    expect((await verifyAuditChain(pool, organizationId)).fault).toBeNull()
  })

  it('touches nothing that is as it shall be, and counts in a rehearsal', async () => {
    expect(await run('device_update', { filter: {}, change }, true)).toMatchObject({
      result: { matched: 3, updated: 0 },
    })
    expect(await tagsOf()).toEqual([['old'], ['old', 'kept'], ['kept']])
    expect(await run('device_update', { filter: {}, change: { tunnelable: true } })).toMatchObject({
      result: { matched: 3, updated: 0 },
    })
  })
})

describe('a deletion of many devices', () => {
  it('deletes those the filter chooses, with their credentials, and frees their ICCIDs', async () => {
    await pool.query(
      `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id)
       SELECT 'crd_' || id, organization_id, id, 'psk', 'x', 'k' FROM devices WHERE organization_id = $1`,
      [organizationId],
    )
    const operation = await run('device_delete', { filter: { tagsAny: ['kept'] } })
    expect(operation).toMatchObject({ state: 'succeeded', result: { matched: 2, deleted: 2 } })
    expect(await tagsOf()).toEqual([['old']])
    expect(await tagsOf(other)).toHaveLength(3)
    const { rows } = await pool.query(
      'SELECT count(*)::int AS revoked FROM credentials WHERE organization_id = $1 AND revoked_at IS NOT NULL',
      [organizationId],
    )
    expect(rows[0]).toEqual({ revoked: 2 })
    await register(organizationId, 2, ['again'])
    expect(await tagsOf()).toEqual([['old'], ['again']])
  })
})
