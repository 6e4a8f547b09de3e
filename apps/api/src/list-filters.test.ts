/** Filters and orders of the lists that are short: what is chosen, in which order, page by page, and of nobody else. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newSshKey,
  openHarness,
  setAttached,
  type Answer,
  type Harness,
} from './testing/harness.ts'

interface Listed {
  readonly data: { id: string; deviceId: string }[]
  readonly nextCursor: string | null
}

let harness: Harness
const made: Record<'networks' | 'api-keys' | 'members' | 'grants' | 'ssh-keys', string[]> = {
  networks: [],
  'api-keys': [],
  members: [],
  grants: [],
  'ssh-keys': [],
}

async function make(list: keyof typeof made, bodies: readonly object[]): Promise<void> {
  for (const body of bodies) {
    const answer = await harness.call<{ id: string }>('POST', `/v1/${list}`, { body })
    if (answer.status !== 201) throw new Error(answer.text)
    made[list].push(answer.body.id)
  }
}

const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
const inTwoHours = new Date(Date.now() + 7_200_000).toISOString()
const inAnHour = new Date(Date.now() + 3_600_000).toISOString()

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await make('networks', [{ name: 'Pumps' }, { name: 'meters' }, { name: 'pumps, old' }])
  await make('api-keys', [
    { name: 'Beta', scopes: ['devices:read'], expiresAt: tomorrow },
    { name: 'alpha', scopes: ['devices:read'] },
    { name: 'alphabet', scopes: ['devices:read'] },
  ])
  await make('members', [
    { email: 'b@acme.example', role: 'viewer' },
    { email: 'a@acme.example', role: 'admin' },
    { email: 'c@umbrella.example', role: 'viewer' },
  ])
  const [memberId] = made.members
  const [apiKeyId] = made['api-keys']
  await make('grants', [
    { name: 'Night', memberId, anyTags: ['env=test', 'x'], ports: null, expiresAt: tomorrow },
    { name: 'day', memberId, allTags: ['env=live'], ports: [22], expiresAt: inAnHour },
    { name: 'midnight', apiKeyId, anyTags: ['env=test'], ports: [22], expiresAt: inTwoHours },
  ])
  await harness.call('DELETE', `/v1/grants/${made.grants[2]}`)
  await make('ssh-keys', [
    { publicKey: newSshKey(), name: 'Laptop', apiKeyId },
    { publicKey: newSshKey(), name: 'build', apiKeyId },
  ])
  for (const list of Object.keys(made))
    await harness.call('POST', `/v1/${list}`, { key: harness.other.key, body: { name: 'Pumps' } })
})
afterAll(() => harness.close())

/** Numbers, from 0 in the order they were made in, of what the list shows; two on a page. */
async function listed(list: keyof typeof made, query: string): Promise<number[]> {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const url: string = `/v1/${list}?limit=2&${query}${cursor === null ? '' : `&cursor=${cursor}`}`
    const { status, body, text }: Answer<Listed> = await harness.call<Listed>('GET', url)
    if (status !== 200) throw new Error(text)
    found.push(...body.data.map(({ id }) => id))
    cursor = body.nextCursor
  } while (cursor !== null)
  return found.map((id) => made[list].indexOf(id)).filter((index) => index !== -1)
}

describe('lists', () => {
  it.each<[keyof typeof made, string, number[]]>([
    ['networks', '', [2, 1, 0]],
    ['networks', 'sort=createdAt', [0, 1, 2]],
    ['networks', 'sort=name', [1, 0, 2]],
    ['networks', 'sort=-name&name=PUMP', [2, 0]],
    ['networks', 'name=%25', []],
    ['api-keys', '', [2, 1, 0]],
    ['api-keys', 'sort=name', [1, 2, 0]],
    ['api-keys', 'name=ALPHA&sort=createdAt', [1, 2]],
    ['api-keys', `expiresBefore=${new Date(Date.now() + 2 * 86_400_000).toISOString()}`, [0]],
    ['api-keys', 'unusedSince=2026-01-01T00:00:00Z', [2, 1, 0]],
    ['members', '', [2, 1, 0]],
    ['members', 'sort=email', [1, 0, 2]],
    ['members', 'role=viewer&sort=-email', [2, 0]],
    ['members', 'email=ACME', [1, 0]],
    ['members', 'state=invited', [2, 1, 0]],
    ['members', 'state=locked', []],
    ['grants', '', [2, 1, 0]],
    ['grants', 'sort=-expiresAt', [0, 2, 1]],
    ['grants', 'tag=env=test', [2, 0]],
    ['grants', 'active=true', [1, 0]],
    ['grants', 'active=false', [2]],
    ['grants', 'name=NIGHT&sort=createdAt', [0, 2]],
    ['ssh-keys', 'sort=name', [1, 0]],
    ['ssh-keys', 'name=lap', [0]],
  ])('%s by "%s" are %j', async (list, query, expected) => {
    expect(await listed(list, query)).toEqual(expected)
  })

  it('of keys know who made them and when they were used', async () => {
    const { body: me } = await harness.call<{ id: string }>('GET', '/v1/me')
    expect(await listed('api-keys', `createdBy=${me.id}`)).toEqual([2, 1, 0])
    const nobody = `key_${'a'.repeat(16)}`
    expect(await listed('api-keys', `createdBy=${nobody}`)).toEqual([])
    const { body } = await harness.call<Listed>('GET', `/v1/api-keys?unusedSince=${new Date(0).toISOString()}`)
    expect(body.data.map(({ id }) => id)).not.toContain(me.id)
  })

  it.each([
    ['networks', 'sort=pool'],
    ['networks', 'sort=--name'],
    ['tunnels', 'state=open,gone'],
    ['tunnels', 'sort=name'],
    ['connections', 'clientAddress=here'],
    ['members', 'state=gone'],
    ['attachments', 'sort=state'],
    ['grants', 'active=perhaps'],
  ])('%s refuse "%s"', async (list, query) => {
    expect((await harness.call('GET', `/v1/${list}?${query}`)).body).toMatchObject({ code: 'validation_failed' })
  })

  it.each([
    ['members?sort=createdAt', ['soon', -1, 1.5, null]],
    ['grants?sort=expiresAt', ['infinity', { a: 1 }]],
    ['members?sort=email', [1, null, ['x'], 'a'.repeat(401), '\0']],
  ])('%s refuse a cursor that somebody wrote who knows how', async (list, keys) => {
    const { body } = await harness.call<Listed>('GET', `/v1/${list}&limit=1`)
    const [print] = JSON.parse(Buffer.from(body.nextCursor ?? '', 'base64url').toString()) as unknown[]
    for (const key of keys) {
      const forged = Buffer.from(JSON.stringify([print, key, 'mem_a'])).toString('base64url')
      const answer = await harness.call('GET', `/v1/${list}&cursor=${forged}`)
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
    }
  })

  it('refuse the cursor of another order or filter', async () => {
    const { body } = await harness.call<Listed>('GET', '/v1/networks?limit=1&sort=name')
    for (const query of ['sort=-name', '', 'sort=name&name=p'])
      expect((await harness.call('GET', `/v1/networks?cursor=${body.nextCursor}&${query}`)).body).toMatchObject({
        code: 'invalid_cursor',
      })
  })
})

it('credentials of a device are chosen by kind and state', async () => {
  const deviceId = await newDevice(harness.call)
  const url = `/v1/devices/${deviceId}/credentials`
  const ids: string[] = []
  for (const kind of ['psk', 'eap', 'psk'])
    ids.push((await harness.call<{ id: string }>('POST', url, { body: { kind } })).body.id)
  await harness.call('DELETE', `${url}/${ids[0]}`)
  const chosen = async (query: string): Promise<number[]> =>
    (await harness.call<Listed>('GET', `${url}?${query}`)).body.data.map(({ id }) => ids.indexOf(id))
  expect(await chosen('')).toEqual([2, 1, 0])
  expect(await chosen('kind=psk')).toEqual([2, 0])
  expect(await chosen('kind=psk&state=active')).toEqual([2])
  expect(await chosen('state=revoked')).toEqual([0])
})

it('attachments are chosen by device and address', async () => {
  await newConcentrator(harness.pool, 'con-1', 1)
  const [one, two] = [await newDevice(harness.call), await newDevice(harness.call)]
  await harness.call('PATCH', `/v1/devices/${one}`, { body: { tags: ['site:berlin'] } })
  await setAttached(harness.pool, 'con-1', one, 'attached', { remoteAddress: '198.51.100.1' })
  await setAttached(harness.pool, 'con-1', two, 'attached', { remoteAddress: '198.51.100.2' })
  const chosen = async (query: string): Promise<string[]> =>
    (await harness.call<Listed>('GET', `/v1/attachments?${query}`)).body.data.map(({ deviceId }) => deviceId)
  expect(await chosen('tag=site:berlin')).toEqual([one])
  expect(await chosen('remoteAddress=198.51.100.2')).toEqual([two])
  expect(await chosen('sort=-deviceId')).toEqual([one, two].toSorted().toReversed())
  expect(await chosen('seenBefore=2026-01-01T00:00:00Z')).toEqual([])
})

describe('a network', () => {
  it('gets another name, which no other one has, and its devices are left alone', async () => {
    const [id] = made.networks
    const rename = (body: object): ReturnType<Harness['call']> => harness.call('PATCH', `/v1/networks/${id}`, { body })
    const { body: device } = await harness.call<{ id: string }>('POST', '/v1/devices', {
      body: { iccid: '89490000000000000015', networkId: id },
    })
    const policyOf = async (): Promise<number> =>
      (await harness.pool.query('SELECT policy_version AS v FROM devices WHERE id = $1', [device.id])).rows[0].v
    const before = await policyOf()
    expect(await rename({ name: 'Wells' })).toMatchObject({ status: 200, body: { name: 'Wells', version: 2 } })
    expect(await rename({ name: 'meters' })).toMatchObject({ status: 409, body: { code: 'duplicate_network' } })
    expect(await policyOf()).toBe(before)
    const entry = await harness.call<{ data: { action: string; before: object; after: object }[] }>(
      'GET',
      `/v1/audit-log?targetId=${id}&limit=1`,
    )
    expect(entry.body.data[0]).toMatchObject({
      action: 'network.updated',
      before: { name: 'Pumps' },
      after: { name: 'Wells' },
    })
    await rename({ name: 'Pumps' })
  })
})
