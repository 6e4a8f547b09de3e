import { createApiKey, verifyAuditChain } from '@culvert/db'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { openHarness, type Harness } from './testing/harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())

async function entries(): Promise<Record<string, unknown>[]> {
  const { rows } = await harness.pool.query<{ entry: string }>(
    `SELECT entry FROM audit_log WHERE organization_id = $1 AND action = 'access.denied' ORDER BY sequence`,
    [harness.organization.id],
  )
  return rows.map(({ entry }) => JSON.parse(entry) as Record<string, unknown>)
}

it('a denial is in the audit log with actor, target and rule before it is answered, and once for many', async () => {
  const { id, key } = await createApiKey(harness.pool, {
    organizationId: harness.organization.id,
    name: 'reader',
    scopes: ['devices:read'],
  })
  const body = { iccid: 'not even looked at' }
  for (const requestId of ['first', 'second'])
    expect(
      (await harness.call('POST', '/v1/devices', { key, body, headers: { 'x-request-id': requestId } })).status,
    ).toBe(403)
  expect(await entries()).toMatchObject([
    {
      actor: { kind: 'api_key', id: `key_${id}`, requestId: 'first', address: '127.0.0.1' },
      target: { type: 'operation', id: 'createDevice' },
      after: { rule: 'permission devices:write' },
    },
  ])
  await harness.call('GET', '/v1/tunnels', { key })
  expect(await entries()).toHaveLength(2)
  expect((await verifyAuditChain(harness.pool, harness.organization.id)).fault).toBeNull()
})

it('whoever is not known, or gets another refusal, leaves no entry', async () => {
  const before = await entries()
  expect((await harness.call('GET', '/v1/devices', { key: null })).status).toBe(401)
  expect((await harness.call('GET', '/v1/devices/dev_aaaaaaaaaaaaaaaaaaaa')).status).toBe(404)
  expect(await entries()).toEqual(before)
})
