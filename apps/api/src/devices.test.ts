import { newId, openSecret } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newConcentrator, newDevice, newIccid, openHarness, setAttached, type Harness } from './testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())

describe('devices', () => {
  it('are registered with a stable address and an identity', async () => {
    const iccid = newIccid()
    const made = await harness.call('POST', '/v1/devices', {
      body: { iccid, imsi: '262011234567890', name: 'Pump 7', tags: ['env=test'] },
    })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^dev_[a-z2-7]{20}$/),
      iccid,
      imsi: '262011234567890',
      imei: null,
      name: 'Pump 7',
      tags: ['env=test'],
      tunnelable: true,
      state: 'offline',
      version: 1,
    })
    const { id, address, ikeIdentity } = made.body as { id: string; address: string; ikeIdentity: string }
    expect(address).toMatch(/^10\.(12[89]|1[3-9]\d|2\d\d)\./)
    const { address6, networkId } = made.body as { address6: string; networkId: string }
    const network = await harness.call<{ pool6: string }>('GET', `/v1/networks/${networkId}`)
    expect(network.body.pool6).toMatch(/^fd43:756c:7665:[89a-f][0-9a-f]{3}::\/64$/)
    const host = address.split('.').slice(2).map(Number) as [number, number]
    expect(address6).toBe(network.body.pool6.replace('/64', (((host[0] & 15) << 8) | host[1]).toString(16)))
    expect(ikeIdentity).toBe(`${id.slice(4)}.acme.fleet.test`)
    expect(made.headers).toMatchObject({ location: `/v1/devices/${id}`, etag: expect.stringMatching(/^"1\.[\w-]+"$/) })
    expect((await harness.call('GET', `/v1/devices/${id}`)).body).toEqual(made.body)
  })

  it('C63 have LANs behind them: canonical, bounded, and never an address of the installation', async () => {
    const id = await newDevice(harness.call)
    const set = (lanPrefixes: unknown): ReturnType<typeof harness.call> =>
      harness.call('PATCH', `/v1/devices/${id}`, { body: { lanPrefixes } })
    expect((await harness.call('GET', `/v1/devices/${id}`)).body).toMatchObject({ lanPrefixes: [] })
    expect(await set(['192.168.1.0/24', '172.20.0.7'])).toMatchObject({
      status: 200,
      body: { lanPrefixes: ['192.168.1.0/24', '172.20.0.7/32'] },
    })
    for (const [prefix, message] of [
      ['10.200.0.0/16', '10.128.0.0/9'],
      ['10.127.0.0/25', '10.127.0.0/24'],
      ['198.18.1.0/24', '198.18.0.0/15'],
      ['127.0.0.1', '127.0.0.0/8'],
      ['fd00::/64', 'IPv4'],
    ] as const) {
      expect(await set(['192.168.7.0/24', prefix])).toMatchObject({
        status: 400,
        body: { errors: [{ in: 'body', pointer: '/lanPrefixes/1', message: expect.stringContaining(message) }] },
      })
    }
    expect((await set(['192.168.1.1/24'])).status).toBe(400)
    expect((await set(Array.from({ length: 17 }, (_, i) => `192.168.${i}.0/24`))).status).toBe(400)
    const made = await harness.call('POST', '/v1/devices', {
      body: { iccid: newIccid(), lanPrefixes: ['192.168.1.0/24'] },
    })
    expect(made).toMatchObject({ status: 201, body: { lanPrefixes: ['192.168.1.0/24'] } })
    const bad = await harness.call('POST', '/v1/devices', { body: { iccid: newIccid(), lanPrefixes: ['0.0.0.0/0'] } })
    expect(bad).toMatchObject({ status: 400, body: { code: 'validation_failed' } })
  })

  it('get different addresses when they are registered at the same time, never one that equipment may mistake', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () =>
        harness.call<{ address: string }>('POST', '/v1/devices', { body: { iccid: newIccid() } }),
      ),
    )
    const addresses = answers.map((answer) => answer.body.address)
    expect(new Set(addresses).size).toBe(40)
    for (const address of addresses) expect(address).not.toMatch(/\.(0|255)$/)
  })

  it('are refused when the ICCID is taken, and not for another organization', async () => {
    const iccid = newIccid()
    expect((await harness.call('POST', '/v1/devices', { body: { iccid } })).status).toBe(201)
    const second = await harness.call('POST', '/v1/devices', { body: { iccid } })
    expect(second).toMatchObject({
      status: 409,
      body: { code: 'duplicate_iccid', errors: [{ in: 'body', pointer: '/iccid' }] },
    })
    expect((await harness.call('POST', '/v1/devices', { body: { iccid }, key: harness.other.key })).status).toBe(201)
  })

  it('are listed page by page, each once, newest first', async () => {
    const made = [await newDevice(harness.call), await newDevice(harness.call), await newDevice(harness.call)]
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const url: string = `/v1/devices?limit=7${cursor ? `&cursor=${cursor}` : ''}`
      const page: { body: { data: { id: string }[]; nextCursor: string | null } } = await harness.call('GET', url)
      seen.push(...page.body.data.map((device) => device.id))
      cursor = page.body.nextCursor
    } while (cursor)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.slice(0, 3).toSorted()).toEqual(made.toSorted())
    const { rows } = await harness.pool.query('SELECT count(*)::int AS n FROM devices WHERE organization_id = $1', [
      harness.organization.id,
    ])
    expect(seen).toHaveLength(rows[0].n)
  })

  it('are found by ICCID and by tag', async () => {
    const iccid = newIccid()
    const { body } = await harness.call<{ id: string }>('POST', '/v1/devices', { body: { iccid, tags: ['site=7'] } })
    for (const filter of [`iccid=${iccid}`, 'tag=site%3D7']) {
      const page = await harness.call<{ data: { id: string }[] }>('GET', `/v1/devices?${filter}`)
      expect(page.body.data.map((device) => device.id)).toEqual([body.id])
    }
  })

  it('are changed in the fields that are named, with a version to compare', async () => {
    const id = await newDevice(harness.call)
    const changed = await harness.call('PATCH', `/v1/devices/${id}`, {
      body: { name: 'new', imei: '490154203237518' },
      headers: { 'if-match': '"1"' },
    })
    expect(changed).toMatchObject({
      status: 200,
      body: { name: 'new', imei: '490154203237518', tags: [], version: 2 },
      headers: { etag: expect.stringMatching(/^"2\./) },
    })
    const late = await harness.call('PATCH', `/v1/devices/${id}`, {
      body: { name: 'late' },
      headers: { 'if-match': '"1"' },
    })
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition_failed' } })
    expect((await harness.call('PATCH', `/v1/devices/${id}`, { body: { imei: null } })).body).toMatchObject({
      name: 'new',
      imei: null,
    })
  })

  it('are gone once deleted, with their credentials, and free their ICCID', async () => {
    const iccid = newIccid()
    const { body } = await harness.call<{ id: string }>('POST', '/v1/devices', { body: { iccid } })
    await harness.call('POST', `/v1/devices/${body.id}/credentials`, { body: {} })
    expect((await harness.call('DELETE', `/v1/devices/${body.id}`)).status).toBe(204)
    for (const url of ['', '/credentials', '/attachment', '/config?target=swanctl']) {
      expect((await harness.call('GET', `/v1/devices/${body.id}${url}`)).body).toMatchObject({ code: 'not_found' })
    }
    const { rows } = await harness.pool.query('SELECT revoked_at FROM credentials WHERE device_id = $1', [body.id])
    expect(rows).toEqual([{ revoked_at: expect.any(Date) }])
    expect((await harness.call('DELETE', `/v1/devices/${body.id}`)).status).toBe(404)
    expect((await harness.call('POST', '/v1/devices', { body: { iccid } })).status).toBe(201)
  })

  it('leave numbered events behind', async () => {
    const id = await newDevice(harness.call)
    await harness.call('PATCH', `/v1/devices/${id}`, { body: { name: 'x' } })
    await harness.call('DELETE', `/v1/devices/${id}`)
    const { rows } = await harness.pool.query(
      'SELECT type, sequence FROM events WHERE resource_id = $1 ORDER BY sequence',
      [id],
    )
    expect(rows).toEqual([
      { type: 'device.created', sequence: 1 },
      { type: 'device.updated', sequence: 2 },
      { type: 'device.deleted', sequence: 3 },
    ])
  })
})

describe('credentials', () => {
  it('show their secret once, sealed so that only the concentrators can read it', async () => {
    const deviceId = await newDevice(harness.call)
    const issued = await harness.call<{ id: string; psk: string; swanctl: { secret: string } }>(
      'POST',
      `/v1/devices/${deviceId}/credentials`,
      { body: {} },
    )
    expect(issued.status).toBe(201)
    expect(issued.headers['cache-control']).toBe('no-store')
    const { id, psk, swanctl } = issued.body
    expect(Buffer.from(psk, 'base64url')).toHaveLength(32)
    expect(swanctl.secret).toBe(`0x${Buffer.from(psk).toString('hex')}`)
    const { rows } = await harness.pool.query('SELECT * FROM credentials WHERE id = $1', [id])
    expect(Buffer.from(rows[0].sealed_secret).includes(Buffer.from(psk))).toBe(false)
    expect(rows[0].sealing_key_id).toBe(harness.sealing.keyId)
    const binding = { organizationId: harness.organization.id, deviceId, credentialId: id }
    const opened = openSecret(harness.sealing.privateKey, rows[0].sealed_secret, binding)
    expect(Buffer.from(opened ?? []).toString()).toBe(psk)
    const listed = await harness.call('GET', `/v1/devices/${deviceId}/credentials`)
    expect(listed.body).toMatchObject({ data: [{ id, state: 'active', revokedAt: null }] })
    expect(listed.text).not.toContain(psk)
  })

  it.each([
    ['correct horse', 400],
    ['password', 422],
    ['a'.repeat(64), 422],
    ['0123456789'.repeat(6), 422],
    ['abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 422],
    ['1234567890123456789012', 422],
    ['Fx9!bQ2@', 422],
  ])('of the customer are refused when they are weak: %s answers %i', async (psk, status) => {
    const deviceId = await newDevice(harness.call)
    const answer = await harness.call('POST', `/v1/devices/${deviceId}/credentials`, { body: { psk } })
    expect(answer).toMatchObject({ status, body: { errors: [{ in: 'body', pointer: '/psk' }] } })
    expect(answer.text).not.toContain(psk)
  })

  it.each(['k7Qd0vZtL2mXr8WpYc5NhA', '9f86d081884c7d659a2feaa0c55ad015', '0x"quote\\and$%&#{}=3fK9vLq2ZtXw'])(
    'of the customer are taken when they are strong: %s',
    async (psk) => {
      const deviceId = await newDevice(harness.call)
      const answer = await harness.call('POST', `/v1/devices/${deviceId}/credentials`, { body: { psk } })
      const secret = `0x${Buffer.from(psk).toString('hex')}`
      expect(answer).toMatchObject({ status: 201, body: { psk, swanctl: { secret } } })
    },
  )

  it('can be two at a time, revoked once, and raise the policy version', async () => {
    const deviceId = await newDevice(harness.call)
    const issue = () => harness.call<{ id: string }>('POST', `/v1/devices/${deviceId}/credentials`, { body: {} })
    const first = await issue()
    expect((await issue()).status).toBe(201)
    expect(await issue()).toMatchObject({ status: 409, body: { code: 'credential_limit' } })
    const url = `/v1/devices/${deviceId}/credentials/${first.body.id}`
    expect((await harness.call('DELETE', url)).status).toBe(204)
    expect(await harness.call('DELETE', url)).toMatchObject({ status: 409, body: { code: 'credential_revoked' } })
    expect((await issue()).status).toBe(201)
    const { rows } = await harness.pool.query('SELECT policy_version FROM devices WHERE id = $1', [deviceId])
    expect(rows[0].policy_version).toBe(5)
  })

  it('may expire, in the future only', async () => {
    const deviceId = await newDevice(harness.call)
    const url = `/v1/devices/${deviceId}/credentials`
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    expect((await harness.call('POST', url, { body: { expiresAt } })).body).toMatchObject({
      expiresAt,
      state: 'active',
    })
    const past = await harness.call('POST', url, { body: { expiresAt: '2020-01-01T00:00:00Z' } })
    expect(past).toMatchObject({ status: 400, body: { errors: [{ pointer: '/expiresAt' }] } })
  })
})

describe('configuration and attachment', () => {
  it('tell plainly that no concentrator is known yet', async () => {
    const deviceId = await newDevice(harness.call)
    const answer = await harness.call('GET', `/v1/devices/${deviceId}/config?target=swanctl`)
    expect(answer).toMatchObject({ status: 503, body: { code: 'no_concentrator' }, headers: { 'retry-after': '10' } })
  })

  it('give a swanctl configuration whose only gap is the marked secret', async () => {
    await newConcentrator(harness.pool, 'con-1', 1)
    const deviceId = await newDevice(harness.call)
    const device = await harness.call<{ ikeIdentity: string }>('GET', `/v1/devices/${deviceId}`)
    const issued = await harness.call<{ swanctl: { placeholder: string } }>(
      'POST',
      `/v1/devices/${deviceId}/credentials`,
      { body: {} },
    )
    const config = await harness.call('GET', `/v1/devices/${deviceId}/config?target=swanctl`)
    expect(config.status).toBe(200)
    expect(config.headers['content-type']).toBe('text/plain; charset=utf-8')
    for (const line of [
      'version = 2',
      'remote_addrs = 192.0.2.1',
      'vips = 0.0.0.0, ::',
      'encap = yes',
      'fragmentation = yes',
      `id = ${device.body.ikeIdentity}`,
      'id = concentrator.fleet.test',
      'remote_ts = 10.127.0.0/24, fd43:756c:7665:7f00::/64',
      'start_action = start',
      'dpd_action = restart',
      `secret = ${issued.body.swanctl.placeholder}`,
    ]) {
      expect(config.text.split('\n').map((text) => text.trim())).toContain(line)
    }
    expect(config.text.split('{')).toHaveLength(config.text.split('}').length)
  })

  it('show the SAs of an attached device, and the device as online', async () => {
    await newConcentrator(harness.pool, 'con-2', 2)
    const deviceId = await newDevice(harness.call)
    const before = await harness.call('GET', `/v1/devices/${deviceId}/attachment`)
    expect(before).toMatchObject({
      status: 409,
      body: { code: 'device_not_attached', detail: 'The device has never attached.' },
    })
    const nobody = await harness.call('GET', `/v1/devices/${newId('dev')}/attachment`)
    expect(nobody).toMatchObject({ status: 404, body: { code: 'not_found' } })
    await setAttached(harness.pool, 'con-2', deviceId, 'attached')
    expect((await harness.call('GET', `/v1/devices/${deviceId}`)).body).toMatchObject({
      state: 'online',
      lastSeenAt: expect.any(String),
    })
    const attachment = await harness.call('GET', `/v1/devices/${deviceId}/attachment`)
    expect(attachment).toMatchObject({
      status: 200,
      body: {
        state: 'attached',
        concentratorId: 'con-2',
        epoch: 1,
        behindNat: true,
        ikeSas: [
          {
            originalInitiator: 'device',
            encryption: 'AES_GCM_16-256',
            integrity: null,
            prf: 'HMAC_SHA2_256',
            keyExchange: 'CURVE25519',
            ageSec: expect.any(Number),
            childSas: [
              { spiIn: '01000203', spiOut: 'fffffff0', selectorsLocal: ['10.127.0.0-10.127.0.255'], packetsIn: 0 },
            ],
          },
        ],
      },
    })
  })

  it('detach on request: 204 when the concentrator did it in time, 202 when not', async () => {
    await newConcentrator(harness.pool, 'con-3', 3)
    const deviceId = await newDevice(harness.call)
    const url = `/v1/devices/${deviceId}/attachment`
    expect(await harness.call('DELETE', url)).toMatchObject({ status: 409, body: { code: 'device_not_attached' } })
    await setAttached(harness.pool, 'con-3', deviceId, 'attached')
    expect(await harness.call('DELETE', `${url}?wait=0`)).toMatchObject({ status: 202, body: { state: 'attached' } })
    const waiting = harness.call('DELETE', `${url}?wait=30`)
    await waitFor(async () => {
      const { rows } = await harness.pool.query('SELECT detach_desired FROM attachments WHERE device_id = $1', [
        deviceId,
      ])
      return rows[0].detach_desired === 2
    })
    await setAttached(harness.pool, 'con-3', deviceId, 'detached')
    expect((await waiting).status).toBe(204)
  })

  it('list concentrators for who runs them', async () => {
    const answer = await harness.call<{ data: object[] }>('GET', '/v1/concentrators', { key: harness.operatorKey })
    expect(answer.body.data[0]).toEqual({
      id: 'con-1',
      state: 'ready',
      addresses: ['192.0.2.1'],
      ikeIdentity: 'concentrator.fleet.test',
      dataPlane: 'native',
      alive: true,
      attachedDevices: 0,
      startedAt: expect.any(String),
      heartbeatAt: expect.any(String),
    })
  })
})
