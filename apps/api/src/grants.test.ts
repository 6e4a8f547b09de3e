import type { Permission } from '@culvert/contracts'
import { createApiKey, expireTunnels, newId, revokeGrant, systemAuthor } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newGateway,
  newIccid,
  openHarness,
  setAttached,
  type Answer,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

let harness: Harness
let gateway: FakeGateway
beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
})
afterAll(async () => {
  await gateway.close()
  await harness.close()
})

interface Body {
  readonly id: string
  readonly code: string
  readonly detail: string
  readonly state: string
  readonly reason: string | null
  readonly grantId: string | null
  readonly expiresAt: string
  readonly openedBy: { kind: string; id: string }
  readonly errors?: { pointer: string }[]
}

const inSec = (sec: number): string => new Date(Date.now() + sec * 1_000).toISOString()

async function device(tags: string[], lanPrefixes: string[] = []): Promise<string> {
  const { body } = await harness.call<Body>('POST', '/v1/devices', { body: { iccid: newIccid(), tags, lanPrefixes } })
  await setAttached(harness.pool, 'con-1', body.id, 'attached')
  return body.id
}
/** A key that may open what is granted to it, and its id. */
async function holder(
  scopes: readonly Permission[] = ['tunnels:open_granted', 'tunnels:read'],
): Promise<{ key: string; id: string }> {
  const made = await createApiKey(harness.pool, { organizationId: harness.organization.id, name: 'holder', scopes })
  return { key: made.key, id: `key_${made.id}` }
}
const give = (apiKeyId: string, grant: object = {}): Promise<Answer<Body>> =>
  harness.call('POST', '/v1/grants', {
    body: { name: 'g', apiKeyId, allTags: ['site:berlin'], ports: [22], expiresAt: inSec(3_600), ...grant },
  })
const open = (key: string, deviceId: string, tunnel: object = {}): Promise<Answer<Body>> =>
  harness.call('POST', '/v1/tunnels', { key, body: { deviceId, port: 22, ...tunnel } })
const stateOf = async (id: string): Promise<string> => {
  const { body } = await harness.call<Body>('GET', `/v1/tunnels/${id}`)
  return `${body.state} ${body.reason}`
}

describe('a grant', () => {
  it('opens a tunnel to a device with its tags and one of its ports, and says so', async () => {
    const [{ key, id }, deviceId] = [await holder(), await device(['site:berlin', 'env=test'])]
    const grant = await give(id)
    expect([grant.status, grant.body.state]).toEqual([201, 'active'])
    const tunnel = await open(key, deviceId)
    expect(tunnel.status, tunnel.text).toBe(201)
    expect(tunnel.body).toMatchObject({ grantId: grant.body.id, openedBy: { kind: 'api_key', id } })
  })

  it.each<[rule: string, grant: object, tunnel: object]>([
    ['device tags', { allTags: ['site:berlin', 'env=live'] }, {}],
    ['device tags', { allTags: [], anyTags: ['site:paris', 'env=live'] }, {}],
    ['device tags', { allTags: ['site:berlin'], anyTags: ['env=live'] }, {}],
    ['port', { ports: [443, 2222] }, {}],
    ['host', {}, { host: '192.168.1.5' }],
    ['host', { hosts: ['192.168.2.0/24'] }, { host: '192.168.1.5' }],
  ])('does not when the %s does not fit: %j %j', async (rule, grant, tunnel) => {
    const [{ key, id }, deviceId] = [await holder(), await device(['site:berlin', 'env=test'], ['192.168.1.0/24'])]
    expect((await give(id, grant)).status).toBe(201)
    const refused = await open(key, deviceId, tunnel)
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    const { rows } = await harness.pool.query(
      `SELECT target_type, target_id, entry::json->'after'->>'rule' AS rule FROM audit_log WHERE action = 'access.denied' AND actor_id = $1`,
      [id],
    )
    expect(rows).toEqual([{ target_type: 'device', target_id: deviceId, rule: `grant: ${rule}` }])
  })

  it('opens with any of its tags, every port where it names none, and hosts that it names', async () => {
    const [{ key, id }, deviceId] = [await holder(), await device(['env=test'], ['192.168.1.0/24'])]
    await give(id, { allTags: [], anyTags: ['env=live', 'env=test'], ports: null, hosts: ['192.168.1.4/31'] })
    expect((await open(key, deviceId, { port: 65_535 })).status).toBe(201)
    expect((await open(key, deviceId, { host: '192.168.1.5' })).status).toBe(201)
    expect((await open(key, deviceId, { host: '192.168.1.6' })).status).toBe(403)
  })

  it('is not needed by who may open any tunnel, and is no use to another one', async () => {
    const [mine, theirs] = [await holder(), await holder()]
    const deviceId = await device(['site:berlin'])
    await give(mine.id)
    expect((await open(theirs.key, deviceId)).body.detail).toContain('Nothing is granted')
    const anything = await open(harness.organization.key, deviceId)
    expect(anything.body).toMatchObject({ grantId: null, openedBy: { kind: 'api_key' } })
  })

  it('of a person is found by the membership', async () => {
    const user = newId('usr')
    const member = await harness.call<Body>('POST', '/v1/members', {
      body: { email: `${user}@acme.example`, role: 'viewer' },
    })
    const { status } = await harness.call('POST', '/v1/grants', {
      body: { name: 'g', memberId: member.body.id, anyTags: ['a'], ports: null, expiresAt: inSec(60) },
    })
    expect(status).toBe(201)
    const list = await harness.call<{ data: Body[] }>('GET', `/v1/grants?memberId=${member.body.id}`)
    expect(list.body.data).toHaveLength(1)
  })

  it('never opens a tunnel that outlasts it, nor extends one', async () => {
    const [{ key, id }, deviceId] = [await holder(), await device(['site:berlin'])]
    const until = inSec(120)
    await give(id, { expiresAt: until })
    const tunnel = await open(key, deviceId, { ttlSec: 86_400 })
    expect(tunnel.body.expiresAt).toBe(until)
    const extended = await harness.call<Body>('PATCH', `/v1/tunnels/${tunnel.body.id}`, {
      key,
      body: { ttlSec: 80_000 },
    })
    expect([extended.status, extended.body.expiresAt]).toEqual([200, until])
  })

  it('tells nothing about devices of others: 404 as for one that is not there', async () => {
    const { key, id } = await holder()
    await give(id)
    const foreign = await harness.call<Body>('POST', '/v1/devices', {
      key: harness.other.key,
      body: { iccid: newIccid() },
    })
    for (const deviceId of [foreign.body.id, newId('dev')])
      expect((await open(key, deviceId)).body.code).toBe('not_found')
  })

  it('is for one holder of this organization, names a tag, and lasts a year at most', async () => {
    const { id } = await holder()
    const stranger = await createApiKey(harness.pool, { organizationId: harness.other.id, name: 'x' })
    for (const [grant, status] of [
      [{ memberId: `mem_${'a'.repeat(20)}` }, 400],
      [{ allTags: [] }, 400],
      [{ expiresAt: inSec(-1) }, 400],
      [{ expiresAt: inSec(400 * 86_400) }, 400],
      [{ ports: [] }, 400],
      [{ ports: undefined }, 400],
      [{ apiKeyId: `key_${stranger.id}` }, 404],
    ] as const)
      expect([grant, (await give(id, grant)).status]).toEqual([grant, status])
    const weak = await holder(['grants:write'])
    const body = { name: 'g', apiKeyId: id, allTags: ['a'], ports: null, expiresAt: inSec(60) }
    const refused = await harness.call<Body>('POST', '/v1/grants', { key: weak.key, body })
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('`tunnels:write`')])
  })
})

describe('what ends', () => {
  async function opened(
    grant: object = {},
  ): Promise<{ key: string; id: string; grantId: string; tunnelId: string; deviceId: string }> {
    const [{ key, id }, deviceId] = [await holder(), await device(['site:berlin'])]
    const given = await give(id, grant)
    const tunnel = await open(key, deviceId)
    if (tunnel.status !== 201) throw new Error(tunnel.text)
    return { key, id, grantId: given.body.id, tunnelId: tunnel.body.id, deviceId }
  }
  const isClosed = (tunnelId: string): Promise<unknown> =>
    waitFor(async () => /^(draining|closed) grant_ended$/.test(await stateOf(tunnelId)))

  it('with a grant that is revoked are its tunnels and no others', async () => {
    const { key, id, grantId, tunnelId, deviceId } = await opened()
    const own = await open(harness.organization.key, deviceId)
    expect((await harness.call('DELETE', `/v1/grants/${grantId}`)).status).toBe(204)
    await isClosed(tunnelId)
    expect(await stateOf(own.body.id)).toBe('open null')
    expect((await open(key, deviceId)).body.detail).toContain('has ended')
    expect((await harness.call('DELETE', `/v1/grants/${grantId}`)).status).toBe(204)
    expect((await harness.call<Body>('GET', `/v1/grants/${grantId}`)).body.state).toBe('revoked')
    const { rows } = await harness.pool.query(`SELECT action FROM audit_log WHERE target_id = $1 ORDER BY sequence`, [
      grantId,
    ])
    expect(rows.map(({ action }) => action)).toEqual(['grant.created', 'grant.revoked'])
    expect(id).toMatch(/^key_/)
  })

  it('with a key that is revoked is what was granted to it', async () => {
    const { id, tunnelId } = await opened()
    expect((await harness.call('DELETE', `/v1/api-keys/${id}`)).status).toBe(204)
    await isClosed(tunnelId)
  })

  it('with the time of a grant are its tunnels', async () => {
    const { grantId, tunnelId } = await opened()
    await harness.pool.query(`UPDATE grants SET expires_at = now() - interval '1 ms' WHERE id = $1`, [grantId])
    await harness.pool.query(`UPDATE tunnels SET expires_at = now() - interval '1 ms' WHERE id = $1`, [tunnelId])
    expect(await expireTunnels(harness.pool)).toEqual(['gw-1'])
    await isClosed(tunnelId)
  })

  it('while a tunnel is being opened either refuses it or closes it', async () => {
    for (let round = 0; round < 8; round++) {
      const [{ key, id }, deviceId] = [await holder(), await device(['site:berlin'])]
      const grant = await give(id)
      const by = systemAuthor('test')
      const [tunnel] = await Promise.all([
        open(key, deviceId),
        revokeGrant(harness.pool, harness.organization.id, grant.body.id, { by }),
      ])
      if (tunnel.status === 403) continue
      const { rows } = await harness.pool.query(
        `SELECT state, reason FROM tunnels WHERE device_id = $1 AND state NOT IN ('closed', 'draining')`,
        [deviceId],
      )
      expect(rows).toEqual([])
    }
  })
})

describe('tunnels of who is no longer good', () => {
  const isEnded = (tunnelId: string): Promise<unknown> =>
    waitFor(async () => /^(draining|closed) opener_revoked$/.test(await stateOf(tunnelId)))

  it('end with the key that opened them, also without a grant, and no others', async () => {
    const [mine, other, deviceId] = [await holder(['tunnels:write']), await holder(['tunnels:write']), await device([])]
    const [own, others] = [await open(mine.key, deviceId), await open(other.key, deviceId)]
    expect((await harness.call('DELETE', `/v1/api-keys/${mine.id}`)).status).toBe(204)
    await isEnded(own.body.id)
    expect(await stateOf(others.body.id)).toBe('open null')
  })

  it('are refused or ended when it goes while they are being opened', async () => {
    for (let round = 0; round < 8; round++) {
      const [{ key, id }, deviceId] = [await holder(['tunnels:write']), await device([])]
      const [tunnel] = await Promise.all([open(key, deviceId), harness.call('DELETE', `/v1/api-keys/${id}`)])
      if (tunnel.status === 401) continue
      const { rows } = await harness.pool.query(
        `SELECT state FROM tunnels WHERE device_id = $1 AND state NOT IN ('closed', 'draining')`,
        [deviceId],
      )
      expect(rows).toEqual([])
    }
  })

  it.each(['removed', 'locked'])('end with the member that is %s', async (how) => {
    const [userId, deviceId] = [newId('usr'), await device([])]
    const body = { email: `${userId}@acme.example`, role: 'operator' }
    const member = await harness.call<Body>('POST', '/v1/members', { body })
    await harness.pool.query(`INSERT INTO users (id, issuer, subject, email) VALUES ($1, 'i', $1, $1)`, [userId])
    await harness.pool.query('UPDATE memberships SET user_id = $1, invitation_expires_at = NULL WHERE id = $2', [
      userId,
      member.body.id,
    ])
    const tunnel = await open(harness.organization.key, deviceId)
    await harness.pool.query(`UPDATE tunnels SET opened_by_kind = 'user', opened_by_id = $1 WHERE id = $2`, [
      userId,
      tunnel.body.id,
    ])
    const url = `/v1/members/${member.body.id}`
    const ended =
      how === 'removed'
        ? await harness.call('DELETE', url)
        : await harness.call('PATCH', url, { body: { locked: true } })
    expect(ended.status).toBe(how === 'removed' ? 204 : 200)
    await isEnded(tunnel.body.id)
  })
})

describe('a tag of a grant', () => {
  it('is put on no device by its holder, by any route', async () => {
    const { key, id } = await holder(['tunnels:open_granted', 'devices:write', 'devices:read', 'operations:read'])
    await give(id)
    const [deviceId, inside] = [await device([]), await device(['site:berlin', 'old'])]
    const refusals = await Promise.all([
      harness.call<Body>('PATCH', `/v1/devices/${deviceId}`, { key, body: { tags: ['site:berlin'] } }),
      harness.call<Body>('POST', '/v1/devices', { key, body: { iccid: newIccid(), tags: ['site:berlin'] } }),
      harness.call<Body>('POST', '/v1/devices/batch-update', {
        key,
        body: { all: true, change: { addTags: ['site:berlin'] } },
      }),
    ])
    for (const { status, body } of refusals)
      expect([status, body.detail]).toEqual([403, expect.stringContaining('`site:berlin`')])
    expect((await open(key, deviceId)).status).toBe(403)
    const { rows } = await harness.pool.query(
      `SELECT entry::json->'after'->>'rule' AS rule FROM audit_log WHERE action = 'access.denied' AND actor_id = $1 AND target_id = $2 ORDER BY sequence LIMIT 1`,
      [id, deviceId],
    )
    expect(rows).toEqual([{ rule: 'nobody tags a device into its own grant' }])
    const kept = await harness.call('PATCH', `/v1/devices/${inside}`, { key, body: { tags: ['site:berlin'] } })
    expect(kept.status).toBe(200)
    const other = await harness.call('PATCH', `/v1/devices/${deviceId}`, { key, body: { tags: ['site:paris'] } })
    expect(other.status).toBe(200)
    const imported = await harness.call<Body>('POST', '/v1/devices/import', {
      key,
      raw: `{"iccid":"${newIccid()}"}\n`,
      headers: { 'content-type': 'application/x-ndjson' },
    })
    const wanted = await harness.pool.query(`SELECT request->'withheldTags' AS tags FROM operations WHERE id = $1`, [
      imported.body.id,
    ])
    expect(wanted.rows).toEqual([{ tags: ['site:berlin'] }])
  })

  it('is put on a device by who may open any tunnel, or has no grant with it', async () => {
    const { id } = await holder()
    await give(id)
    const deviceId = await device([])
    const { key } = await holder(['devices:write'])
    for (const one of [key, harness.organization.key])
      expect(
        (await harness.call('PATCH', `/v1/devices/${deviceId}`, { key: one, body: { tags: ['site:berlin'] } })).status,
      ).toBe(200)
  })
})

describe('a holder', () => {
  it('changes and closes its own tunnels alone', async () => {
    const [mine, theirs] = [await holder(), await holder()]
    const deviceId = await device(['site:berlin'])
    await Promise.all([give(mine.id), give(theirs.id)])
    const [own, other] = [await open(mine.key, deviceId), await open(theirs.key, deviceId)]
    for (const [method, body] of [['PATCH', { ttlSec: 60 }], ['DELETE']] as const) {
      const refused = await harness.call<Body>(method, `/v1/tunnels/${other.body.id}`, { key: mine.key, body })
      expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('somebody else')])
    }
    expect(await stateOf(other.body.id)).toBe('open null')
    const changed = await harness.call('PATCH', `/v1/tunnels/${own.body.id}`, { key: mine.key, body: { ttlSec: 60 } })
    expect(changed.status).toBe(200)
    expect((await harness.call('DELETE', `/v1/tunnels/${own.body.id}`, { key: mine.key })).status).toBe(204)
  })

  it('does not extend what no grant allows any more, as when the device has other tags', async () => {
    const [{ key, id }, deviceId] = [await holder(), await device(['site:berlin'])]
    await give(id)
    const tunnel = await open(key, deviceId)
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { tags: ['site:paris'] } })
    const refused = await harness.call<Body>('PATCH', `/v1/tunnels/${tunnel.body.id}`, { key, body: { ttlSec: 60 } })
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('these tags')])
  })
})
