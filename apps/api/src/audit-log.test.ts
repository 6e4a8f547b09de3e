import { createHash } from 'node:crypto'
import type { AuditEntry } from '@culvert/contracts'
import { canonicalJson, createApiKey, verifyAuditChain } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice, openHarness, type Harness } from './testing/harness.ts'

interface Page {
  readonly data: AuditEntry[]
  readonly nextCursor: string | null
}

let harness: Harness
let deviceId = ''

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  deviceId = await newDevice(harness.call)
  await harness.call('PATCH', `/v1/devices/${deviceId}`, {
    body: { name: 'Pump 7', tags: ['a'] },
    headers: { 'x-request-id': 'renamed' },
  })
  await harness.call('POST', `/v1/devices/${deviceId}/credentials`, { body: {} })
  await newDevice(harness.call, harness.other.key)
})
afterAll(() => harness.close())

const read = async (query = '', key?: string): Promise<Page> =>
  (await harness.call<Page>('GET', `/v1/audit-log${query}`, key ? { key } : {})).body

describe('the audit log', () => {
  it('tells every write, newest first, with who asked and what changed', async () => {
    const { data } = await read()
    expect(data.map(({ action }) => action)).toEqual([
      'credential.created',
      'device.updated',
      'device.created',
      'network.created',
    ])
    expect(data[1]).toMatchObject({
      sequence: 3,
      actor: { kind: 'api_key', requestId: 'renamed', address: '127.0.0.1' },
      target: { type: 'device', id: deviceId },
      before: { tags: [] },
      after: { name: 'Pump 7', tags: ['a'] },
    })
  })

  it('lets whoever reads it compute the chain again', async () => {
    const entries = (await read()).data.toReversed()
    let previous = '00'.repeat(32)
    for (const { id, sequence, at, actor, action, target, before, after, previousHash, hash } of entries) {
      const said = { id, organizationId: harness.organization.id, actor, action, target }
      const entry = { ...said, ...(before ? { before } : {}), ...(after ? { after } : {}) }
      expect(previousHash).toBe(previous)
      expect(createHash('sha256').update(canonicalJson({ at, entry, previous, sequence })).digest('hex')).toBe(hash)
      previous = hash
    }
    expect((await verifyAuditChain(harness.pool, harness.organization.id)).head.hash).toBe(previous)
  })

  it('is read page by page and by actor, target, action and time', async () => {
    const seen: number[] = []
    let cursor: string | null = null
    do {
      const page: Page = await read(`?limit=3${cursor ? `&cursor=${cursor}` : ''}`)
      seen.push(...page.data.map(({ sequence }) => sequence))
      cursor = page.nextCursor
    } while (cursor)
    expect(seen).toEqual([4, 3, 2, 1])
    const { data } = await read()
    const sequences = async (query: string): Promise<number[]> =>
      (await read(query)).data.map(({ sequence }) => sequence)
    expect(await sequences(`?targetId=${deviceId}`)).toEqual([3, 2])
    expect(await sequences('?action=network.created')).toEqual([1])
    expect(await sequences(`?actorId=${data[0]?.actor.id}`)).toEqual([4, 3, 2, 1])
    expect(await sequences('?actorId=key_nobody')).toEqual([])
    expect(await sequences(`?from=${data[0]?.at}`)).toEqual(
      data.filter(({ at }) => at === data[0]?.at).map((one) => one.sequence),
    )
    expect(await sequences(`?before=${data[2]?.at}`)).toEqual(
      data.filter(({ at }) => at < (data[2]?.at ?? '')).map((one) => one.sequence),
    )
    expect(await sequences('?from=2099-01-01T00:00:00Z')).toEqual([])
    expect(await sequences('?before=2099-01-01T00:00:00Z')).toEqual([4, 3, 2, 1])
  })

  it('A03 shows nothing of another organization, not even with its cursor or an id of it', async () => {
    const mine = await read('?limit=1')
    expect((await read(`?targetId=${deviceId}`, harness.other.key)).data).toEqual([])
    const answer = await harness.call('GET', `/v1/audit-log?limit=1&cursor=${mine.nextCursor}`, {
      key: harness.other.key,
    })
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_cursor'])
    const { key } = await createApiKey(harness.pool, {
      organizationId: harness.organization.id,
      name: 'no auditor',
      scopes: ['devices:write'],
    })
    expect((await harness.call('GET', '/v1/audit-log', { key })).status).toBe(403)
  })
})
