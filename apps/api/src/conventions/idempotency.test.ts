import {
  claimKey,
  createApiKey,
  ensureOrganization,
  gatewayChannel,
  inRequestScope,
  inTenantTransaction,
  newId,
  openPool,
  openSecret,
  prune,
  RequestTakenOver,
  type Claim,
  type ClaimResult,
  type KeyHolder,
} from '@culvert/db'
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { buildApi } from '../index.ts'
import {
  newConcentrator,
  newDevice,
  newGateway,
  newIccid,
  openHarness,
  setAttached,
  type Answer,
  type CallOptions,
  type FakeGateway,
  type Harness,
} from '../testing/harness.ts'

let harness: Harness
let gateway: FakeGateway
let deviceId = ''
let gatewayObeys = true

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1', () => (gatewayObeys ? 'obey' : 'ignore'))
  deviceId = await newDevice(harness.call)
})
afterAll(async () => {
  await gateway.close()
  await harness.close()
})
afterEach(async () => {
  gatewayObeys = true
  await harness.pool.query('DROP TRIGGER IF EXISTS lost ON idempotency_keys')
})

interface Thing {
  readonly id: string
  readonly code?: string
  readonly psk?: string
  readonly state?: string
}
const post = (url: string, key: string, options: CallOptions = {}): Promise<Answer<Thing>> =>
  harness.call<Thing>('POST', url, { ...options, headers: { 'idempotency-key': key, ...options.headers } })
const newOwner = async (): Promise<string> =>
  (await ensureOrganization(harness.pool, { name: 'a', slug: newId('org').slice(4) })).id
const newKey = (): string => `"${randomUUID()}"`
const countDevices = async (iccid: string): Promise<number> =>
  (await harness.pool.query('SELECT 1 FROM devices WHERE iccid = $1', [iccid])).rowCount ?? 0
/** The processes that did requests are dead for long. */
const expireLeases = (): Promise<unknown> =>
  harness.pool.query(`UPDATE idempotency_keys SET lease_until = now() - interval '1 second' WHERE status IS NULL`)

describe('A06 the same request with the same Idempotency-Key', () => {
  it('sent 100 times at once has one effect and 100 equal answers', async () => {
    const [iccid, key] = [newIccid(), newKey()]
    const calls = Array.from({ length: 100 }, () => post('/v1/devices', key, { body: { iccid } }))
    const answers = await Promise.all(calls)
    expect(
      new Set(
        answers.map(({ status, text, headers }) =>
          JSON.stringify([status, text, headers['location'], headers['etag']]),
        ),
      ).size,
    ).toBe(1)
    expect(answers[0]).toMatchObject({
      status: 201,
      headers: { etag: expect.any(String), location: expect.stringContaining('/v1/devices/dev_') },
    })
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(99)
    expect(await countDevices(iccid)).toBe(1)
    const { rows } = await harness.pool.query(`SELECT count(*)::int AS n FROM events WHERE resource_id = $1`, [
      answers[0]?.body.id,
    ])
    expect(rows[0].n).toBe(1)
  })

  it('sent 100 times at once to two processes issues one credential, whose secret all are told', async () => {
    const second = await buildApi({
      databaseUrl: harness.databaseUrl,
      sealingPublicKey: harness.sealing.publicKey,
      zone: 'fleet.test',
    })
    const url = `/v1/devices/${await newDevice(harness.call)}/credentials`
    const key = newKey()
    const headers = {
      authorization: `Bearer ${harness.organization.key}`,
      'idempotency-key': key,
      'content-type': 'application/json',
    }
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 === 0 ? harness.api : second).inject({ method: 'POST', url, headers, payload: '{}' }),
      ),
    )
    await second.close()
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1)
    const { id, psk } = answers[0]?.json<Thing>() ?? {}
    expect(await storedSecret(String(id))).toBe(psk)
    expect((await harness.call<{ data: Thing[] }>('GET', url)).body.data.map((credential) => credential.id)).toEqual([
      id,
    ])
  })

  it('is the same with the key in quotes and without', async () => {
    const [iccid, name] = [newIccid(), randomUUID()]
    const [first, second] = [
      await post('/v1/devices', `"${name}"`, { body: { iccid } }),
      await post('/v1/devices', name, { body: { iccid } }),
    ]
    expect([second.status, second.text]).toEqual([201, first.text])
  })

  it('is done anew when the first one was refused and changed nothing', async () => {
    const [url, key] = [`/v1/operations/opn_${'a'.repeat(20)}/cancel`, newKey()]
    for (let time = 0; time < 2; time++) {
      const refused = await post(url, key)
      expect([refused.status, refused.headers['idempotency-replayed']]).toEqual([404, undefined])
    }
  })

  it.each(['', '""', '"', 'a b', '"a', '"a", "b"', 'ä', `"${'x'.repeat(256)}"`, 'x'.repeat(256), '"\\a"', 'a"b'])(
    'is refused when the key is none: %s',
    async (key) => {
      const iccid = newIccid()
      const answer = await post('/v1/devices', key, { body: { iccid } })
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_idempotency_key' } })
      expect(await countDevices(iccid)).toBe(0)
    },
  )

  it.each([`"${'x'.repeat(255)}"`, '"a \\"b\\" \\\\ c"', 'order-17', 'A'])(
    'is done with the key %.20s',
    async (key) => {
      expect((await post('/v1/devices', key, { body: { iccid: newIccid() } })).status).toBe(201)
    },
  )
})

/** What the concentrators would read. */
async function storedSecret(credentialId: string): Promise<string> {
  const { rows } = await harness.pool.query(
    'SELECT organization_id, device_id, sealed_secret FROM credentials WHERE id = $1',
    [credentialId],
  )
  const { organization_id: organizationId, device_id, sealed_secret: sealed } = rows[0]
  const secret = openSecret(harness.sealing.privateKey, sealed, { organizationId, deviceId: device_id, credentialId })
  return Buffer.from(secret ?? []).toString()
}

describe('A06 a key that was used', () => {
  it('for another body, query or URL answers 422 and does nothing', async () => {
    const [key, iccid] = [newKey(), newIccid()]
    expect((await post('/v1/devices', key, { body: { iccid: newIccid() } })).status).toBe(201)
    for (const url of ['/v1/devices', '/v1/devices?validateOnly=false', `/v1/devices/${deviceId}/credentials`]) {
      const answer = await post(url, key, { body: url.endsWith('credentials') ? {} : { iccid } })
      expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } })
    }
    expect(await countDevices(iccid)).toBe(0)
  })

  it('by another organization, or by another API key of the same one, is another key', async () => {
    const key = newKey()
    const own = { organizationId: harness.organization.id, name: 'second' }
    const second = (await createApiKey(harness.pool, own)).key
    const ids = new Set<string>()
    for (const apiKey of [harness.organization.key, second, harness.other.key]) {
      const answer = await post('/v1/devices', key, { body: { iccid: newIccid() }, key: apiKey })
      expect(answer.status).toBe(201)
      ids.add(answer.body.id)
    }
    expect(ids.size).toBe(3)
  })

  it('for a request that was refused before it did anything is free again', async () => {
    await setAttached(harness.pool, 'con-1', deviceId, 'detached')
    const key = newKey()
    const open = (port: number): Promise<Answer<Thing>> => post('/v1/tunnels', key, { body: { deviceId, port } })
    expect(await open(22)).toMatchObject({ status: 409, body: { code: 'device_offline' } })
    expect((await open(0)).status).toBe(400)
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    const opened = await open(23)
    expect(opened).toMatchObject({ status: 201, body: { state: 'open' } })
    expect((await open(23)).text).toBe(opened.text)
  })

  it('for a request that a grant refused is free again, though the refusal says more than a word', async () => {
    const holder = await createApiKey(harness.pool, {
      organizationId: harness.organization.id,
      name: 'holder',
      scopes: ['tunnels:open_granted'],
    })
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { tags: ['granted'] } })
    const [key, options] = [newKey(), { key: holder.key, body: { deviceId, port: 22 } }]
    expect((await post('/v1/tunnels', key, options)).status).toBe(403)
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    await harness.call('POST', '/v1/grants', {
      body: { name: 'g', apiKeyId: `key_${holder.id}`, allTags: ['granted'], ports: [22], expiresAt },
    })
    expect((await post('/v1/tunnels', key, options)).status).toBe(201)
  })

  it('is refused when the organization has enough of them, unless it is one of those', async () => {
    const [first, other] = [await newOwner(), await newOwner()]
    const most = 3
    const claim = (organizationId: string, key: string, pool = harness.pool): Promise<ClaimResult> =>
      claimKey(pool, { organizationId, actor: 'api_key:a', key, proof: 'p' }, 'request', most)
    for (let n = 0; n < most + 1; n++) await claim(first, `${n}`)
    const later = openPool(harness.databaseUrl, { max: 1 })
    const kinds = [claim(first, 'new', later), claim(first, '0', later), claim(other, 'new', later)]
    expect((await Promise.all(kinds)).map(({ kind }) => kind)).toEqual(['full', 'running', 'claimed'])
    await later.end()
  })

  it('for a request that is still being done answers 409 to who does not wait', async () => {
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    gatewayObeys = false
    const key = newKey()
    const open = (headers: Record<string, string>): Promise<Answer<Thing>> =>
      post('/v1/tunnels', key, { body: { deviceId, port: 24 }, headers })
    const waiting = open({ prefer: 'wait=20' })
    const rows = (): Promise<{ rowCount: number | null }> =>
      harness.pool.query(`SELECT 1 FROM tunnel_ports WHERE device_port = 24`)
    await expect.poll(async () => (await rows()).rowCount).toBe(1)
    const impatient = await open({ prefer: 'respond-async' })
    expect(impatient).toMatchObject({
      status: 409,
      body: { code: 'idempotency_in_progress' },
      headers: { 'retry-after': '2' },
    })
    const patient = open({ prefer: 'wait=20' })
    gatewayObeys = true
    await harness.pool.query(`SELECT pg_notify($1, '')`, [gatewayChannel(gateway.id)])
    const [first, second] = await Promise.all([waiting, patient])
    expect(first).toMatchObject({ status: 201, body: { state: 'open' } })
    expect(second.text).toBe(first.text)
    expect((await rows()).rowCount).toBe(1)
  })

  it('a day ago is forgotten: the request is done anew, and the worker removes what is left', async () => {
    const [key, iccid] = [newKey(), newIccid()]
    const first = await post('/v1/devices', key, { body: { iccid } })
    await harness.pool.query(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second'`)
    expect(await post('/v1/devices', key, { body: { iccid } })).toMatchObject({
      status: 409,
      body: { code: 'duplicate_iccid' },
    })
    expect((await post('/v1/devices', key, { body: { iccid: newIccid() } })).body.id).not.toBe(first.body.id)
    await harness.pool.query(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second'`)
    await prune(harness.pool)
    expect((await harness.pool.query('SELECT 1 FROM idempotency_keys')).rowCount).toBe(0)
  })

  it('with validateOnly is not used up', async () => {
    const [key, iccid] = [newKey(), newIccid()]
    expect((await post('/v1/devices?validateOnly=true', key, { body: { iccid } })).status).toBe(201)
    expect((await post('/v1/devices', key, { body: { iccid } })).status).toBe(201)
  })
})

/** From now on a process dies when it has written what was asked for and before the answer is recorded. */
async function loseAnswers(): Promise<void> {
  await harness.pool.query(
    `CREATE OR REPLACE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lost'; END $$`,
  )
  await harness.pool.query(
    `CREATE TRIGGER lost BEFORE UPDATE ON idempotency_keys FOR EACH ROW WHEN (NEW.status IS NOT NULL) EXECUTE FUNCTION lose()`,
  )
}
const rememberAgain = (): Promise<unknown> => harness.pool.query('DROP TRIGGER lost ON idempotency_keys')

describe('A06 a crash between the effect and its record', () => {
  it('leaves one device, which the same request gets when it is sent again', async () => {
    const [key, iccid] = [newKey(), newIccid()]
    await loseAnswers()
    const lost = await post('/v1/devices', key, { body: { iccid } })
    await rememberAgain()
    expect(await post('/v1/devices', key, { body: { iccid }, headers: { prefer: 'respond-async' } })).toMatchObject({
      status: 409,
    })
    await expireLeases()
    const again = await post('/v1/devices', key, { body: { iccid } })
    expect([again.status, again.text, again.headers['etag']]).toEqual([201, lost.text, lost.headers['etag']])
    expect((await post('/v1/devices', key, { body: { iccid } })).text).toBe(lost.text)
    expect(await countDevices(iccid)).toBe(1)
  })

  it.each(['psk', 'eap', 'ppk'])(
    'leaves one credential of kind %s, whose secret is told again and is the right one',
    async (kind) => {
      const url = `/v1/devices/${await newDevice(harness.call)}/credentials`
      const key = newKey()
      await loseAnswers()
      const lost = await post(url, key, { body: { kind } })
      await rememberAgain()
      await expireLeases()
      const again = await post(url, key, { body: { kind } })
      expect([again.status, again.text]).toEqual([201, lost.text])
      const { psk, password, ppk } = again.body as { psk?: string; password?: string; ppk?: string }
      expect(await storedSecret(again.body.id)).toBe(psk ?? password ?? ppk)
      expect((await harness.call<{ data: Thing[] }>('GET', url)).body.data).toHaveLength(1)
    },
  )

  it('leaves one tunnel, for which the same request goes on waiting', async () => {
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    gatewayObeys = false
    const key = newKey()
    const open = (wait: number): Promise<Answer<Thing>> =>
      post('/v1/tunnels', key, { body: { deviceId, port: 25 }, headers: { prefer: `wait=${wait}` } })
    await loseAnswers()
    const lost = await open(0)
    expect(lost).toMatchObject({ status: 202, body: { state: 'opening' } })
    await rememberAgain()
    await expireLeases()
    gatewayObeys = true
    await harness.pool.query(`SELECT pg_notify('gateway_gw-1', '')`)
    expect(await open(20)).toMatchObject({ status: 201, body: { id: lost.body.id, state: 'open' } })
  })

  it('of which the process knows nothing costs it its right: what was taken over is not written twice', async () => {
    const organizationId = harness.organization.id
    const holder: KeyHolder = { organizationId, actor: 'api_key:test', key: randomUUID(), proof: 'x' }
    const mark = (claim: Claim, text: string): Promise<string> =>
      inRequestScope({ kind: 'kept', effects: claim.effects, drawing: claim.drawing }, () =>
        inTenantTransaction(harness.pool, organizationId, async (tx) => {
          await tx.query('UPDATE organizations SET name = $2 WHERE id = $1', [organizationId, text])
          return newId('evt')
        }),
      )
    const stalled = claimOf(await claimKey(harness.pool, holder, 'request'))
    await expireLeases()
    const successor = claimOf(await claimKey(harness.pool, holder, 'request'))
    const results = await Promise.allSettled([mark(stalled, 'stalled'), mark(successor, 'successor')])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(results[0]).toMatchObject({ reason: expect.any(RequestTakenOver) })
    await stalled.finish({ status: 201, headers: {}, body: 'wrong' })
    await expireLeases()
    const third = claimOf(await claimKey(harness.pool, holder, 'request'))
    expect(await mark(third, 'third')).toBe((results[1] as PromiseFulfilledResult<string>).value)
    const { rows } = await harness.pool.query('SELECT name FROM organizations WHERE id = $1', [organizationId])
    expect(rows[0].name).toBe('successor')
  })
})

function claimOf(result: ClaimResult): Claim {
  if (result.kind !== 'claimed') throw new Error(`the key is ${result.kind}`)
  return result.claim
}

describe('A06 what is kept', () => {
  it('holds neither key nor secret nor answer in the clear, before the answer and after it', async () => {
    const url = `/v1/devices/${await newDevice(harness.call)}/credentials`
    const rows: string[] = []
    const name = randomUUID()
    const keep = async (): Promise<void> => {
      const { rows: found } = await harness.pool.query('SELECT k FROM idempotency_keys k')
      rows.push(JSON.stringify(found))
    }
    await loseAnswers()
    await post(url, name, { body: {} })
    await keep()
    await rememberAgain()
    await expireLeases()
    const { psk = '' } = (await post(url, name, { body: {} })).body
    await keep()
    expect(psk.length).toBeGreaterThan(40)
    for (const text of rows) {
      for (const secret of [psk, name, 'ikeIdentity', harness.organization.key]) {
        expect(text).not.toContain(secret)
        expect(text).not.toContain(Buffer.from(secret).toString('hex'))
      }
    }
  })

  it('opens only for who has the key: a hash of it and the row are not enough', async () => {
    const name = randomUUID()
    await post('/v1/devices', name, { body: { iccid: newIccid() } })
    const { rows } = await harness.pool.query(
      `SELECT encode(key_hash, 'hex') AS hash FROM idempotency_keys ORDER BY created_at DESC LIMIT 1`,
    )
    const answer = await post('/v1/devices', rows[0].hash, { body: { iccid: newIccid() } })
    expect(answer.headers['idempotency-replayed']).toBeUndefined()
  })
})
