import { addDeviceUsage, createDeviceLookup, readPolicyWork, readTiersInUse } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newConcentrator, newDevice, newIccid, openHarness, setAttached, type Harness } from './testing/harness.ts'

interface Device {
  readonly networkId: string
  readonly ikeIdentity: string
  readonly effectiveTiers: { tiers: string[]; source: string; warning: string | null }
}

let harness: Harness
let deviceId = ''
let networkUrl = ''

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  deviceId = await newDevice(harness.call)
  networkUrl = `/v1/networks/${(await device()).networkId}`
})
afterAll(() => harness.close())

const device = async (): Promise<Device> => (await harness.call<Device>('GET', `/v1/devices/${deviceId}`)).body
const patch = (url: string, body: object, headers = {}) => harness.call('PATCH', url, { body, headers })
const version = async (): Promise<number> => {
  const { rows } = await harness.pool.query('SELECT policy_version FROM devices WHERE id = $1', [deviceId])
  return rows[0].policy_version
}

describe('proposal tiers', () => {
  it('are modern and standard until somebody says otherwise, and nobody uses compat', async () => {
    expect((await device()).effectiveTiers).toEqual({
      tiers: ['modern', 'standard'],
      source: 'default',
      warning: null,
    })
    expect(await readTiersInUse(harness.pool)).toEqual(['modern', 'standard'])
  })

  it('of the device win over those of its network, which win over those of the organization', async () => {
    await patch('/v1/organization', { proposalTiers: ['modern'] })
    expect((await device()).effectiveTiers).toMatchObject({ tiers: ['modern'], source: 'organization' })
    await patch(networkUrl, { proposalTiers: ['standard'] })
    expect((await device()).effectiveTiers).toMatchObject({ tiers: ['standard'], source: 'network' })
    await patch(`/v1/devices/${deviceId}`, { proposalTiers: ['compat', 'modern'] })
    expect((await device()).effectiveTiers).toEqual({
      tiers: ['modern', 'compat'],
      source: 'device',
      warning: expect.stringContaining('SHA-1'),
    })
    const known = await createDeviceLookup(harness.pool).find((await device()).ikeIdentity)
    expect(known?.tiers).toEqual(['modern', 'compat'])
    await patch(`/v1/devices/${deviceId}`, { proposalTiers: null })
    await patch(networkUrl, { proposalTiers: null })
    await patch('/v1/organization', { proposalTiers: null })
    expect((await device()).effectiveTiers).toMatchObject({ source: 'default' })
  })

  it('that anybody uses are known to the concentrators, and not those of a deleted device', async () => {
    const other = await newDevice(harness.call, harness.other.key)
    const url = `/v1/devices/${other}`
    await harness.call('PATCH', url, { body: { proposalTiers: ['compat'] }, key: harness.other.key })
    expect(await readTiersInUse(harness.pool)).toEqual(['modern', 'standard', 'compat'])
    await harness.call('DELETE', url, { key: harness.other.key })
    expect(await readTiersInUse(harness.pool)).toEqual(['modern', 'standard'])
  })

  it.each([[[]], [['modern', 'modern']], [['legacy']], ['modern']])(
    '%j are refused everywhere',
    async (proposalTiers) => {
      for (const url of [`/v1/devices/${deviceId}`, networkUrl, '/v1/organization'])
        expect((await patch(url, { proposalTiers })).status).toBe(400)
    },
  )

  it('once changed make the nodes look at every device concerned', async () => {
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    for (const url of [`/v1/devices/${deviceId}`, networkUrl, '/v1/organization']) {
      const before = await version()
      await patch(url, { proposalTiers: ['modern'] })
      expect(await version()).toBe(before + 1)
      expect(await readPolicyWork(harness.pool, 'con-1')).toMatchObject([{ deviceId, tiers: ['modern'] }])
      await patch(url, { proposalTiers: null })
    }
    const before = await version()
    await patch('/v1/organization', { name: 'Another name' })
    await patch(`/v1/devices/${deviceId}`, { name: 'Another name' })
    expect(await version()).toBe(before)
  })
})

describe('a network', () => {
  it('sets resolvers, domains and the time until authentication, which an attaching device gets', async () => {
    const body = {
      dnsServers: ['10.0.0.53', '2001:db8::53'],
      dnsDomains: ['corp.example', '_tcp.local'],
      reauthenticateAfterSec: 86_400,
    }
    expect((await patch(networkUrl, body)).body).toMatchObject(body)
    expect(await createDeviceLookup(harness.pool).find((await device()).ikeIdentity)).toMatchObject(body)
    const listed = await harness.call('GET', '/v1/networks')
    expect(listed.body).toMatchObject({ data: [{ name: 'default', ...body }], nextCursor: null })
  })

  it.each([
    { dnsServers: ['resolver.example'] },
    { dnsServers: ['fe80::1%eth0'] },
    { dnsServers: ['10.0.0.53', '10.0.0.53'] },
    { dnsDomains: ['a..b'] },
    { dnsDomains: ['corp.example.'] },
    { dnsDomains: [`${'a'.repeat(64)}.example`] },
    { dnsDomains: ['a b'] },
    { reauthenticateAfterSec: 10 },
    { pool: '10.0.0.0/8' },
    {},
  ])('refuses %j', async (body) => {
    expect((await patch(networkUrl, body)).status).toBe(400)
  })

  it('changes only from the version that the caller saw, and says so in an event', async () => {
    const { headers } = await harness.call('GET', networkUrl)
    expect((await patch(networkUrl, { dnsDomains: [] }, { 'if-match': headers['etag'] })).status).toBe(200)
    const late = await patch(networkUrl, { dnsDomains: ['x'] }, { 'if-match': headers['etag'] })
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition_failed' } })
    const { rows } = await harness.pool.query(
      `SELECT data FROM events WHERE type = 'network.updated' ORDER BY sequence DESC LIMIT 1`,
    )
    expect(rows).toEqual([{ data: { changed: ['dnsDomains'] } }])
  })
})

describe('what devices may use', () => {
  const lookUp = async () => createDeviceLookup(harness.pool).find((await device()).ikeIdentity)

  it('is no limit and no neighbour until somebody says otherwise', async () => {
    const nothing = { rateLimit: null, quota: null, usage: { day: 0, month: 0, total: 0 } }
    expect(await device()).toMatchObject(nothing)
    expect((await harness.call('GET', networkUrl)).body).toMatchObject({ deviceToDevice: false })
    expect((await lookUp())?.limits).toMatchObject({ ...nothing, deviceToDevice: false })
  })

  it('is told to attaching devices and, once changed, makes the nodes look', async () => {
    const body = {
      rateLimit: { upBytesPerSec: 100_000, downBytesPerSec: null },
      quota: { bytes: 5_000_000_000, period: 'month' },
    }
    const before = await version()
    expect((await patch(`/v1/devices/${deviceId}`, body)).body).toMatchObject(body)
    await patch(networkUrl, { deviceToDevice: true })
    await addDeviceUsage(harness.pool, [{ deviceId, bytes: 6_000_000_000 }])
    const usage = { day: 6_000_000_000, month: 6_000_000_000, total: 6_000_000_000 }
    expect(await version()).toBe(before + 2)
    expect(await device()).toMatchObject({ ...body, usage })
    const limits = { networkId: (await device()).networkId, deviceToDevice: true, ...body, usage }
    expect(await lookUp()).toMatchObject({
      pools: expect.arrayContaining([expect.stringMatching(/^10\..*\/\d+$/)]),
      limits,
    })
    expect(await readPolicyWork(harness.pool, 'con-1')).toMatchObject([{ deviceId, limits }])
    const config = await harness.call('GET', `/v1/devices/${deviceId}/config?target=swanctl`)
    expect(config.text).toMatch(/remote_ts = 10\.127\.0\.0\/24, .*10\.128\.\d+\.0\/\d+/)
    await patch(`/v1/devices/${deviceId}`, { rateLimit: null, quota: null })
    await patch(networkUrl, { deviceToDevice: false })
    expect((await lookUp())?.limits).toMatchObject({ rateLimit: null, quota: null, deviceToDevice: false })
  })

  it.each([
    { rateLimit: { upBytesPerSec: 0, downBytesPerSec: null } },
    { rateLimit: { upBytesPerSec: 1000 } },
    { rateLimit: 5 },
    { quota: { bytes: -1, period: 'day' } },
    { quota: { bytes: 1, period: 'year' } },
    { quota: { bytes: 1 } },
    { usage: { day: 0, month: 0, total: 0 } },
  ])('refuses %j', async (body) => {
    expect((await patch(`/v1/devices/${deviceId}`, body)).status).toBe(400)
  })
})

describe('the organization', () => {
  it('is the one of the key', async () => {
    const [own, other] = [
      await harness.call('GET', '/v1/organization'),
      await harness.call('GET', '/v1/organization', { key: harness.other.key }),
    ]
    expect([own.body['id'], other.body['id']]).toEqual([harness.organization.id, harness.other.id])
    await patch('/v1/organization', { proposalTiers: ['compat'] })
    const after = await harness.call('GET', '/v1/organization', { key: harness.other.key })
    expect(after.body).toMatchObject({ proposalTiers: null, version: 1 })
    await patch('/v1/organization', { proposalTiers: null })
  })
})

describe('making and deleting networks', () => {
  const make = (body: object, key?: string) =>
    harness.call<{ id: string; pool: string; version: number; code: string }>('POST', '/v1/networks', {
      body,
      ...(key ? { key } : {}),
    })

  it('allots a pool, or takes the one that is chosen, and sets what is asked', async () => {
    const allotted = await make({ name: 'allotted', poolBits: 24 })
    expect([allotted.status, allotted.body.pool]).toEqual([201, expect.stringMatching(/^10\.\d+\.\d+\.0\/24$/)])
    const rateLimit = { upBytesPerSec: 10_000, downBytesPerSec: null }
    const body = { name: 'chosen', pool: '10.240.16.0/22', deviceToDevice: true, proposalTiers: ['modern'], rateLimit }
    const chosen = await make(body)
    expect(chosen).toMatchObject({ status: 201, body })
    expect(chosen.headers['location']).toBe(`/v1/networks/${chosen.body.id}`)
    expect((await harness.call('GET', `/v1/networks/${chosen.body.id}`)).body).toEqual(chosen.body)
  })

  it('never gives an address to two networks, nor a name twice to one organization', async () => {
    expect((await make({ name: 'first', pool: '10.241.0.0/20' })).status).toBe(201)
    for (const key of [harness.organization.key, harness.other.key])
      for (const pool of ['10.241.0.0/20', '10.241.8.0/24', '10.241.0.0/16'])
        expect((await make({ name: `x ${pool}`, pool }, key)).body.code).toBe('pool_taken')
    expect((await make({ name: 'first' })).body.code).toBe('duplicate_network')
    expect((await make({ name: 'first' }, harness.other.key)).status).toBe(201)
    const racing = await Promise.all([1, 2, 3, 4].map((n) => make({ name: `racing ${n}`, pool: '10.242.0.0/20' })))
    expect(racing.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409])
  })

  it('leaves addresses to others: nobody gets more than a quarter of the range of all', async () => {
    await make({ name: 'small', poolBits: 28 }, harness.other.key)
    const statuses: unknown[] = []
    for (let number = 0; number < 8; number++) {
      const { status, body } = await make({ name: `large ${number}`, poolBits: 14 }, harness.other.key)
      statuses.push(body.code ?? status)
    }
    expect(statuses).toEqual([...Array.from({ length: 7 }, () => 201), 'network_limit'])
    const chosen = { name: 'chosen', pool: '10.252.0.0/14' }
    expect((await make(chosen, harness.other.key)).body.code).toBe('network_limit')
    expect((await make({ name: 'of another', poolBits: 14 })).status).toBe(201)
  })

  it.each([
    [{ name: 'x', pool: '192.168.0.0/20' }, '/pool'],
    [{ name: 'x', pool: '10.128.0.0/9' }, '/pool'],
    [{ name: 'x', pool: '10.243.0.0/30' }, '/pool'],
    [{ name: 'x', pool: '10.243.0.0/20', poolBits: 20 }, '/poolBits'],
    [{ name: 'x', pool: 'fd00::/64' }, '/pool'],
    [{ name: '' }, '/name'],
  ])('refuses %j at %s', async (body, pointer) => {
    expect(await make(body)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } })
  })

  it('takes devices, which have its addresses and what it sets', async () => {
    const network = await make({ name: 'for devices', pool: '10.244.0.0/24' })
    const register = (networkId: string, key?: string) =>
      harness.call<{ id: string; address: string }>('POST', '/v1/devices', {
        body: { iccid: newIccid(), networkId },
        ...(key ? { key } : {}),
      })
    const device = await register(network.body.id)
    expect(device).toMatchObject({ status: 201, body: { networkId: network.body.id, address: '10.244.0.2' } })
    const unknown = { status: 400, body: { errors: [{ pointer: '/networkId' }] } }
    expect(await register(`net_${'a'.repeat(20)}`)).toMatchObject(unknown)
    expect(await register(network.body.id, harness.other.key)).toMatchObject(unknown)
    const url = `/v1/networks/${network.body.id}`
    expect(await harness.call('DELETE', url)).toMatchObject({ status: 409, body: { code: 'network_in_use' } })
    await harness.call('DELETE', `/v1/devices/${device.body.id}`)
    const resting = await harness.call<{ detail: string }>('DELETE', url)
    expect([resting.status, resting.body.detail]).toEqual([409, expect.stringContaining('1 deleted')])
  })

  it('is deleted when it is empty, and its pool is free again', async () => {
    const network = await make({ name: 'short', pool: '10.245.0.0/24' })
    const url = `/v1/networks/${network.body.id}`
    expect((await harness.call('DELETE', url, { key: harness.other.key })).status).toBe(404)
    expect((await harness.call('DELETE', url, { headers: { 'if-match': '"77"' } })).status).toBe(412)
    expect((await harness.call('DELETE', url)).status).toBe(204)
    expect((await harness.call('GET', url)).status).toBe(404)
    expect((await make({ name: 'short', pool: '10.245.0.0/24' })).status).toBe(201)
  })

  it('sets the rates of devices that have none themselves', async () => {
    const networkLimit = { upBytesPerSec: 20_000, downBytesPerSec: 30_000 }
    const network = await make({ name: 'slow', rateLimit: networkLimit })
    const device = await harness.call<{ id: string; ikeIdentity: string }>('POST', '/v1/devices', {
      body: { iccid: newIccid(), networkId: network.body.id },
    })
    await harness.call('POST', `/v1/devices/${device.body.id}/credentials`, { body: {} })
    const lookup = createDeviceLookup(harness.pool)
    const limit = async () => (await lookup.find(device.body.ikeIdentity))?.limits.rateLimit
    expect(await limit()).toEqual(networkLimit)
    const own = { upBytesPerSec: 40_000, downBytesPerSec: null }
    await harness.call('PATCH', `/v1/devices/${device.body.id}`, { body: { rateLimit: own } })
    expect(await limit()).toEqual(own)
  })
})
