import { rolePermissions, type Permission } from '@culvert/contracts'
import { createApiKey, maxSshKeysOfOwner } from '@culvert/db'
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newSshKey, openHarness, type Answer, type Harness } from './testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())

interface Body {
  readonly id: string
  readonly code: string
  readonly detail: string
  readonly memberId: string | null
  readonly apiKeyId: string | null
  readonly state: string
  readonly name: string
  readonly data: { id: string }[]
  readonly errors?: { pointer: string; message: string }[]
}

const add = (body: object, key?: string): Promise<Answer<Body>> =>
  harness.call('POST', '/v1/ssh-keys', { body: { publicKey: newSshKey(), ...body }, ...(key ? { key } : {}) })
async function caller(scopes: readonly Permission[]): Promise<{ key: string; id: string }> {
  const made = await createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'a', scopes })
  return { key: made.key, id: `key_${made.id}` }
}
let people = 0
async function member(role: string): Promise<string> {
  const body = { email: `person-${people++}@acme.example`, role }
  return (await harness.call<Body>('POST', '/v1/members', { body })).body.id
}
const actionsOf = async (id: string): Promise<string[]> => {
  const { rows } = await harness.pool.query<{ action: string }>(
    'SELECT action FROM audit_log WHERE target_id = $1 ORDER BY sequence',
    [id],
  )
  const events = await harness.pool.query<{ type: string }>(
    'SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence',
    [id],
  )
  expect(events.rows.map(({ type }) => type)).toEqual(rows.map(({ action }) => action))
  return rows.map(({ action }) => action)
}

describe('an SSH key', () => {
  it('is registered, read, found, changed and deleted, with events and in the audit log', async () => {
    const { key, id } = await caller(['ssh_keys:read', 'ssh_keys:write'])
    const publicKey = newSshKey()
    const added = await add({ publicKey: `${publicKey} ada@laptop\n` }, key)
    expect(added.status, added.text).toBe(201)
    expect(added.headers['location']).toBe(`/v1/ssh-keys/${added.body.id}`)
    expect(added.body).toMatchObject({
      name: 'ada@laptop',
      comment: 'ada@laptop',
      publicKey,
      type: 'ssh-ed25519',
      bits: 256,
      apiKeyId: id,
      memberId: null,
      state: 'active',
      expiresAt: null,
      lastUsedAt: null,
      createdBy: { kind: 'api_key', id },
    })
    const url = `/v1/ssh-keys/${added.body.id}`
    const read = await harness.call<Body & { fingerprint: string }>('GET', url)
    expect(read.body).toEqual(added.body)
    for (const query of [`apiKeyId=${id}`, `fingerprint=${encodeURIComponent(read.body.fingerprint)}`]) {
      const found = await harness.call<Body>('GET', `/v1/ssh-keys?${query}`)
      expect(found.body.data).toEqual([added.body])
    }
    const changed = await harness.call<Body>('PATCH', url, {
      key,
      body: { name: 'old laptop', expiresAt: new Date(Date.now() + 60_000).toISOString() },
      headers: { 'if-match': String(read.headers['etag']) },
    })
    expect([changed.status, changed.body.name]).toEqual([200, 'old laptop'])
    const late = await harness.call<Body>('DELETE', url, { headers: { 'if-match': String(read.headers['etag']) } })
    expect(late.body.code).toBe('precondition_failed')
    await harness.pool.query(`UPDATE ssh_keys SET expires_at = now() - interval '1 ms' WHERE id = $1`, [added.body.id])
    expect((await harness.call<Body>('GET', url)).body.state).toBe('expired')
    const forever = await harness.call<Body>('PATCH', url, { body: { expiresAt: null } })
    expect(forever.body.state).toBe('active')
    expect((await harness.call('DELETE', url)).status).toBe(204)
    expect((await harness.call('GET', url)).status).toBe(404)
    expect(await actionsOf(added.body.id)).toEqual([
      'ssh_key.created',
      'ssh_key.updated',
      'ssh_key.updated',
      'ssh_key.deleted',
    ])
  })

  it('is there once in an organization, also when two come at the same time, and may be in another one', async () => {
    const publicKey = newSshKey()
    const answers = await Promise.all([1, 2, 3, 4].map((n) => add({ publicKey: `${publicKey} ${n}` })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409])
    expect((await add({ publicKey })).body.code).toBe('ssh_key_exists')
    expect((await add({ publicKey }, harness.other.key)).status).toBe(201)
  })

  it('is no private key: a named refusal, and nothing of it anywhere', async () => {
    const secret = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string
    const marker = secret.split('\n')[3] as string
    for (const publicKey of [secret, `${newSshKey()} ${secret.replaceAll('\n', ' ')}`, `${newSshKey()}\n${secret}`]) {
      const refused = await add({ publicKey })
      expect([refused.status, refused.body.code]).toEqual([400, 'private_key_given'])
      expect(refused.text).not.toContain(marker)
    }
    const { rows } = await harness.pool.query<{ found: string }>(
      `SELECT 'found' AS found FROM ssh_keys WHERE ssh_keys::text LIKE $1 UNION ALL
       SELECT 'found' FROM audit_log WHERE entry LIKE $1 UNION ALL
       SELECT 'found' FROM events WHERE data::text LIKE $1`,
      [`%${marker}%`],
    )
    expect(rows).toEqual([])
    await expect(
      harness.pool.query('UPDATE ssh_keys SET public_key = $1', ['ssh-ed25519 b3BlbnNzaC1rZXktdjEAAAAA']),
    ).rejects.toThrow('ssh_keys_public')
  })

  it.each<[string, object, string]>([
    ['DSA', { publicKey: 'ssh-dss AAAAB3NzaC1kc3MAAACBALTI' }, '/publicKey'],
    ['options', { publicKey: `command="sh" ${newSshKey()}` }, '/publicKey'],
    ['half of it', { publicKey: newSshKey().slice(0, 60) }, '/publicKey'],
    ['a name of two lines', { name: 'a\nb' }, '/name'],
    ['an end that is over', { expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    ['two owners', { memberId: `mem_${'a'.repeat(20)}`, apiKeyId: `key_${'a'.repeat(16)}` }, '/memberId'],
  ])('is refused with %s', async (_, body, pointer) => {
    const refused = await add(body)
    expect([refused.body.code, refused.body.errors?.[0]?.pointer]).toEqual(['validation_failed', pointer])
  })

  it(`has an owner with at most ${maxSshKeysOfOwner}`, async () => {
    const { key } = await caller(['ssh_keys:write'])
    for (let n = 0; n < maxSshKeysOfOwner; n++) expect((await add({}, key)).status).toBe(201)
    expect((await add({}, key)).body.code).toBe('ssh_key_limit')
  })
})

describe('the owner of an SSH key', () => {
  it('may be another one only for who may do all that the owner may', async () => {
    const [viewer, owner] = [await member('viewer'), await member('owner')]
    const operator = await caller(rolePermissions.operator)
    const admin = await caller(rolePermissions.admin)
    const small = await caller(['devices:read'])
    const refused = async (body: object, key: string): Promise<void> => {
      const answer = await add(body, key)
      expect([body, answer.status, answer.body.code]).toEqual([body, 403, 'forbidden'])
    }
    for (const body of [{ memberId: viewer }, { memberId: owner }, { apiKeyId: small.id }])
      await refused(body, operator.key)
    await refused({ memberId: owner }, admin.key)
    const all = await createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'all' })
    await refused({ apiKeyId: `key_${all.id}` }, admin.key)
    const added = await add({ memberId: viewer }, admin.key)
    expect([added.status, added.body.memberId]).toEqual([201, viewer])
    expect((await add({ apiKeyId: small.id }, admin.key)).status).toBe(201)
    await harness.pool.query(`UPDATE memberships SET role = 'owner' WHERE id = $1`, [viewer])
    const prolonged = await harness.call('PATCH', `/v1/ssh-keys/${added.body.id}`, {
      key: admin.key,
      body: { expiresAt: null },
    })
    expect(prolonged.status).toBe(403)
    expect((await harness.call('DELETE', `/v1/ssh-keys/${added.body.id}`, { key: admin.key })).status).toBe(204)
  })

  it('takes its keys along when it goes', async () => {
    const [memberId, apiKey] = [await member('viewer'), await caller(['devices:read'])]
    const [first, second] = [await add({ memberId }), await add({ apiKeyId: apiKey.id })]
    expect((await harness.call('DELETE', `/v1/members/${memberId}`)).status).toBe(204)
    expect((await harness.call('DELETE', `/v1/api-keys/${apiKey.id}`)).status).toBe(204)
    for (const { body } of [first, second]) {
      expect((await harness.call('GET', `/v1/ssh-keys/${body.id}`)).status).toBe(404)
      expect(await actionsOf(body.id)).toEqual(['ssh_key.created', 'ssh_key.deleted'])
    }
  })

  it('is of the same organization', async () => {
    const stranger = await createApiKey(harness.pool, { organizationId: harness.other.id, name: 'x', scopes: [] })
    expect((await add({ apiKeyId: `key_${stranger.id}` })).status).toBe(404)
    const mine = await add({})
    for (const method of ['GET', 'DELETE'])
      expect((await harness.call(method, `/v1/ssh-keys/${mine.body.id}`, { key: harness.other.key })).status).toBe(404)
  })
})
