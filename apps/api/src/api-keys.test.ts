import { organizationPermissions, type Permission } from '@culvert/contracts'
import { createApiKey, parseApiKey } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice, openHarness, type Answer, type Harness } from './testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())

interface Key {
  readonly id: string
  readonly key: string
  readonly scopes: string[]
  readonly expiresAt: string
  readonly formerSecretUntil: string | null
  readonly lastUsedAt: string | null
  readonly lastUsedAddress: string | null
  readonly version: number
  readonly createdBy: { kind: string; id: string } | null
}
type Problem = { code: string; detail: string; errors?: { pointer: string }[] }

const make = (body: object, key?: string): Promise<Answer<Key & Problem>> =>
  harness.call('POST', '/v1/api-keys', {
    body: { name: 'made', scopes: ['devices:read'], ...body },
    ...(key ? { key } : {}),
  })
const statusWith = async (key: string, url = '/v1/devices'): Promise<number> =>
  (await harness.call('GET', url, { key })).status
const dayMs = 86_400_000

describe('making a key', () => {
  it('shows it once, and it may do what its scopes say', async () => {
    const made = await make({})
    expect(made.status).toBe(201)
    expect(made.headers['cache-control']).toBe('no-store')
    expect(`key_${parseApiKey(made.body.key)?.id}`).toBe(made.body.id)
    expect(await statusWith(made.body.key)).toBe(200)
    expect(await statusWith(made.body.key, '/v1/tunnels')).toBe(403)
    const secret = made.body.key.slice(-36)
    for (const url of [`/v1/api-keys/${made.body.id}`, '/v1/api-keys?limit=200'])
      expect((await harness.call('GET', url)).text).not.toContain(secret)
    const { rows } = await harness.pool.query('SELECT k::text AS row FROM api_keys k')
    expect(JSON.stringify(rows)).not.toContain(secret)
  })

  it('lasts a year unless said, and two years at most', async () => {
    const lifeDays = (key: Key): number => Math.round((Date.parse(key.expiresAt) - Date.now()) / dayMs)
    expect(lifeDays((await make({})).body)).toBe(365)
    const in2Years = new Date(Date.now() + 730 * dayMs).toISOString()
    expect(lifeDays((await make({ expiresAt: in2Years })).body)).toBe(730)
    for (const expiresAt of [new Date(Date.now() + 800 * dayMs), new Date(Date.now() - dayMs)]) {
      const refused = await make({ expiresAt: expiresAt.toISOString() })
      expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, '/expiresAt'])
    }
  })

  it('never gives more than its maker has', async () => {
    const scopes: Permission[] = ['api_keys:write', 'api_keys:read', 'devices:read']
    const maker = (await make({ scopes })).body.key
    expect((await make({ scopes: ['devices:read'] }, maker)).status).toBe(201)
    const refused = await make({ scopes: ['devices:read', 'devices:write'] }, maker)
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    expect(refused.body.detail).toContain('`devices:write`')
  })

  it('refuses scopes that are unknown, none or said twice', async () => {
    for (const scopes of [[], ['devices:fly'], ['devices:read', 'devices:read'], 'devices:read', null])
      expect((await make({ scopes })).status).toBe(400)
  })
})

describe('a key that may do more than the caller', () => {
  let weak = ''
  let strong: Key
  beforeAll(async () => {
    weak = (await make({ scopes: ['api_keys:write', 'devices:read'] })).body.key
    strong = (await make({ scopes: ['devices:read', 'devices:write'] })).body
  })

  it('is not rotated by it: the new secret would be more than it has', async () => {
    const refused = await harness.call<Problem>('POST', `/v1/api-keys/${strong.id}/rotate`, { key: weak, body: {} })
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    expect(refused.text).not.toContain('culvert_')
  })

  it('is not rotated by it either when it may do all', async () => {
    const id = `key_${parseApiKey(harness.organization.key)?.id}`
    expect((await harness.call('POST', `/v1/api-keys/${id}/rotate`, { key: weak, body: {} })).status).toBe(403)
    expect((await harness.call('PATCH', `/v1/api-keys/${id}`, { key: weak, body: { name: 'mine' } })).status).toBe(403)
    const all = (await make({ scopes: [...organizationPermissions] })).body.key
    expect((await harness.call('POST', `/v1/api-keys/${id}/rotate`, { key: all, body: {} })).status).toBe(403)
  })

  it('is not changed by it unless it may do no more afterwards', async () => {
    const patch = (body: object) => harness.call<Key>('PATCH', `/v1/api-keys/${strong.id}`, { key: weak, body })
    expect((await patch({ allowFrom: [] })).status).toBe(403)
    expect((await patch({ scopes: ['devices:read', 'tunnels:write'] })).status).toBe(403)
    expect((await patch({ scopes: ['devices:read'] })).body.scopes).toEqual(['devices:read'])
  })
})

describe('a key that manages keys', () => {
  const scopes: Permission[] = ['api_keys:write', 'api_keys:read', 'devices:read']
  const soon = new Date(Date.now() + 10 * dayMs).toISOString()
  const later = new Date(Date.now() + 11 * dayMs).toISOString()
  let own: Key
  beforeAll(async () => {
    // Calls of the harness come from 127.0.0.1.
    own = (await make({ scopes, expiresAt: soon, allowFrom: ['127.0.0.0/16', '192.0.2.0/24'] })).body
  })
  const patch = (id: string, body: object): Promise<Answer<Key & Problem>> =>
    harness.call('PATCH', `/v1/api-keys/${id}`, { key: own.key, body })
  const isRefused = ({ status, body }: Answer<Problem>, what: string): void =>
    expect([status, body.code, body.detail]).toEqual([403, 'forbidden', expect.stringContaining(what)])

  it('neither prolongs itself nor widens where it is good from', async () => {
    isRefused(await patch(own.id, { expiresAt: later }), 'expiresAt')
    for (const allowFrom of [[], ['0.0.0.0/0'], ['127.0.0.0/15'], ['127.0.0.1', '198.51.100.1'], ['::1']])
      isRefused(await patch(own.id, { allowFrom }), 'allowFrom')
    expect((await patch(own.id, { name: 'still mine', allowFrom: ['127.0.0.0/16'] })).status).toBe(200)
  })

  it('rotates itself and keeps its end', async () => {
    const rotated = await harness.call<Key & Problem>('POST', `/v1/api-keys/${own.id}/rotate`, {
      key: own.key,
      body: {},
    })
    expect([rotated.status, rotated.body.expiresAt]).toEqual([200, soon])
    isRefused(
      await harness.call('POST', `/v1/api-keys/${own.id}/rotate`, {
        key: rotated.body.key,
        body: { overlapSec: 0, expiresAt: later },
      }),
      'expiresAt',
    )
  })

  it('makes none that lasts longer or is good elsewhere, and by itself one like it', async () => {
    isRefused(await make({ expiresAt: later }, own.key), 'expiresAt')
    isRefused(await make({ allowFrom: [] }, own.key), 'allowFrom')
    isRefused(await make({ allowFrom: ['203.0.113.0/24'] }, own.key), 'allowFrom')
    const { body } = await make({}, own.key)
    expect(body).toMatchObject({ expiresAt: soon, allowFrom: ['127.0.0.0/16'] })
  })

  it('takes over none that lasts longer or is good elsewhere', async () => {
    const longer = (await make({})).body
    isRefused(await harness.call('POST', `/v1/api-keys/${longer.id}/rotate`, { key: own.key, body: {} }), 'allowFrom')
    const elsewhere = (await make({ allowFrom: ['127.0.0.1'], expiresAt: later })).body
    isRefused(await patch(elsewhere.id, { scopes: ['devices:read', 'api_keys:read'] }), 'expiresAt')
    isRefused(await patch(elsewhere.id, { allowFrom: ['127.0.0.2'] }), 'expiresAt')
    expect((await patch(elsewhere.id, { name: 'as little as before' })).status).toBe(200)
    expect((await harness.call('DELETE', `/v1/api-keys/${longer.id}`, { key: own.key })).status).toBe(204)
  })
})

describe('rotation', () => {
  const rotate = (id: string, body: object = {}): Promise<Answer<Key & Problem>> =>
    harness.call('POST', `/v1/api-keys/${id}/rotate`, { body })

  it('keeps both secrets good, then the new one alone', async () => {
    const first = (await make({})).body
    const second = (await rotate(first.id, { overlapSec: 600 })).body
    expect(second.id).toBe(first.id)
    expect(second.key).not.toBe(first.key)
    expect(second.formerSecretUntil).toEqual(expect.any(String))
    expect(await Promise.all([statusWith(first.key), statusWith(second.key)])).toEqual([200, 200])
    await harness.pool.query(`UPDATE api_keys SET former_secret_until = now() - interval '1 ms' WHERE id = $1`, [
      first.id.slice(4),
    ])
    expect(await Promise.all([statusWith(first.key), statusWith(second.key)])).toEqual([401, 200])
  })

  it('is refused while two are good, but not without overlap, which ends both', async () => {
    const first = (await make({})).body
    const second = (await rotate(first.id)).body
    const refused = await rotate(first.id)
    expect([refused.status, refused.body.code]).toEqual([409, 'api_key_rotating'])
    const third = (await rotate(first.id, { overlapSec: 0 })).body
    const statuses = await Promise.all([first, second, third].map(({ key }) => statusWith(key)))
    expect(statuses).toEqual([401, 401, 200])
  })

  it('never makes the former secret outlive its own end', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString()
    const first = (await make({ expiresAt: soon })).body
    const second = (await rotate(first.id)).body
    expect(second.formerSecretUntil).toBe(soon)
    expect(Date.parse(second.expiresAt)).toBeGreaterThan(Date.now() + 300 * dayMs)
  })
})

describe('a key', () => {
  it('is refused at once when it is revoked, with both secrets, and is not found any more', async () => {
    const first = (await make({})).body
    const second = (await harness.call<Key>('POST', `/v1/api-keys/${first.id}/rotate`, { body: {} })).body
    expect((await harness.call('DELETE', `/v1/api-keys/${first.id}`)).status).toBe(204)
    expect(await Promise.all([statusWith(first.key), statusWith(second.key)])).toEqual([401, 401])
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { name: 'x' }]] as const)
      expect((await harness.call(method, `/v1/api-keys/${first.id}`, { body })).status).toBe(404)
    expect((await harness.call('GET', '/v1/api-keys?limit=200')).text).not.toContain(first.id)
  })

  it('works only from where it may, and answers elsewhere like a wrong one', async () => {
    const { body } = await make({ allowFrom: ['203.0.113.0/24', '2001:db8::/32'] })
    const from = async (remoteAddress: string): Promise<[number, unknown]> => {
      const headers = { authorization: `Bearer ${body.key}` }
      const answer = await harness.api.inject({ url: '/v1/devices', headers, remoteAddress })
      return [answer.statusCode, answer.statusCode === 200 ? null : answer.json<Problem>().detail]
    }
    expect((await from('203.0.113.9'))[0]).toBe(200)
    expect((await from('::ffff:203.0.113.9'))[0]).toBe(200)
    expect((await from('2001:db8::1'))[0]).toBe(200)
    const wrong = await harness.call<Problem>('GET', '/v1/devices', { key: `${body.key.slice(0, -1)}_` })
    expect(await from('198.51.100.1')).toEqual([401, wrong.body.detail])
    expect((await from('2001:db9::1'))[0]).toBe(401)
    const changed = await harness.call('PATCH', `/v1/api-keys/${body.id}`, { body: { allowFrom: [] } })
    expect(changed.status).toBe(200)
    expect((await from('198.51.100.1'))[0]).toBe(200)
  })

  it('tells when and from where it was used last', async () => {
    const { body } = await make({})
    expect([body.lastUsedAt, body.lastUsedAddress]).toEqual([null, null])
    await statusWith(body.key)
    await expect
      .poll(async () => (await harness.call<Key>('GET', `/v1/api-keys/${body.id}`)).body)
      .toMatchObject({ lastUsedAt: expect.any(String), lastUsedAddress: '127.0.0.1' })
  })

  it('names its maker, and is changed only from the version that the caller saw', async () => {
    const maker = await make({ scopes: ['api_keys:write', 'devices:read'] })
    const { body } = await make({}, maker.body.key)
    expect(body.createdBy).toEqual({ kind: 'api_key', id: maker.body.id })
    const url = `/v1/api-keys/${body.id}`
    expect((await harness.call('PATCH', url, { body: { name: 'b' }, headers: { 'if-match': '"9"' } })).status).toBe(412)
    const changed = await harness.call<Key>('PATCH', url, { body: { name: 'b' }, headers: { 'if-match': '"1"' } })
    expect([changed.status, changed.headers['etag']]).toEqual([200, expect.stringMatching(/^"2\./)])
  })

  it('without scopes may do all in its organization, and nothing of the installation', async () => {
    const { key } = await createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'old' })
    expect(await newDevice(harness.call, key)).toMatch(/^dev_/)
    expect(await statusWith(key, '/v1/concentrators')).toBe(403)
    const refused = await make({ scopes: ['installation:read'] }, key)
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('`installation:read`')])
    const changed = await harness.call('PATCH', `/v1/api-keys/${(await make({}, key)).body.id}`, {
      key,
      body: { scopes: ['installation:read'] },
    })
    expect(changed.status).toBe(403)
    const me = await harness.call<{ permissions: string[] }>('GET', '/v1/me', { key })
    expect(me.body.permissions).toEqual(organizationPermissions)
  })

  it('is listed page by page', async () => {
    const seen = new Set<string>()
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: Answer<{ data: Key[]; nextCursor: string | null }> = await harness.call(
        'GET',
        `/v1/api-keys?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      for (const { id } of page.body.data) expect(seen.has(id)).toBe(false)
      for (const { id } of page.body.data) seen.add(id)
      cursor = page.body.nextCursor
    }
    const { rows } = await harness.pool.query(
      'SELECT count(*)::int AS n FROM api_keys WHERE organization_id = $1 AND revoked_at IS NULL',
      [harness.organization.id],
    )
    expect(seen.size).toBe(rows[0].n)
  })

  it('is in the audit log with who made, changed, rotated and revoked it, and never with a secret', async () => {
    const { body } = await make({})
    await harness.call('PATCH', `/v1/api-keys/${body.id}`, { body: { name: 'renamed' } })
    await harness.call('POST', `/v1/api-keys/${body.id}/rotate`, { body: {} })
    await harness.call('DELETE', `/v1/api-keys/${body.id}`)
    const { rows } = await harness.pool.query(
      'SELECT action, actor_id, entry FROM audit_log WHERE target_id = $1 ORDER BY sequence',
      [body.id],
    )
    const actor = `key_${parseApiKey(harness.organization.key)?.id}`
    expect(rows.map((row) => [row.action, row.actor_id])).toEqual(
      ['created', 'updated', 'rotated', 'revoked'].map((what) => [`api_key.${what}`, actor]),
    )
    expect(JSON.stringify(rows)).not.toContain(body.key.slice(-36))
  })
})
