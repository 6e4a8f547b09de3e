/** Lists across devices and tunnels, and the nodes: attachments, SAs, the access log, concentrators, gateways. */
import { createApiKey, newId } from '@culvert/db'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  openHarness,
  setAttached,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

interface Listed {
  readonly data: { deviceId: string; id: string; tunnelId: string; state: string }[]
  readonly nextCursor: string | null
}

let harness: Harness
let gateway: FakeGateway
const devices: string[] = []

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  await newConcentrator(harness.pool, 'con-2', 2)
  gateway = await newGateway(harness, 'gw-1')
  for (const [index, node] of ['con-1', 'con-2', 'con-1', 'con-2', 'con-1'].entries()) {
    const id = await newDevice(harness.call)
    devices.push(id)
    await setAttached(harness.pool, node, id, index === 4 ? 'detached' : 'attached')
  }
  const foreign = await newDevice(harness.call, harness.other.key)
  await setAttached(harness.pool, 'con-1', foreign, 'attached')
})
afterAll(async () => {
  await gateway?.close()
  await harness?.close()
})

const list = async (url: string, key?: string): Promise<Listed> =>
  (await harness.call<Listed>('GET', url, key ? { key } : {})).body

async function everyPage(url: string): Promise<string[]> {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const page: Listed = await list(`${url}&limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)
    found.push(...page.data.map((row) => row.id ?? row.deviceId))
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
}

describe('attachments', () => {
  it('of all devices come page by page, each once, by state and concentrator', async () => {
    const ids = (indexes: number[]): string[] => indexes.map((index) => devices[index]!).toSorted()
    expect(await everyPage('/v1/attachments?')).toEqual(ids([0, 1, 2, 3, 4]))
    expect(await everyPage('/v1/attachments?state=attached')).toEqual(ids([0, 1, 2, 3]))
    expect(await everyPage('/v1/attachments?state=attached&concentratorId=con-1')).toEqual(ids([0, 2]))
    expect(await everyPage('/v1/attachments?concentratorId=con-9')).toEqual([])
    expect((await list('/v1/attachments', harness.other.key)).data).toHaveLength(1)
    const first = await list('/v1/attachments?limit=2')
    const stolen = await harness.call('GET', `/v1/attachments?state=attached&cursor=${first.nextCursor}`)
    expect(stolen).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
  })

  it('leave the list with their device', async () => {
    const id = await newDevice(harness.call)
    await setAttached(harness.pool, 'con-1', id, 'attached')
    await harness.call('DELETE', `/v1/devices/${id}`)
    expect(await everyPage('/v1/attachments?')).not.toContain(id)
  })

  it('have the SAs of a device apart: what was negotiated, counters, age', async () => {
    const sas = await harness.call<{ data: { ageSec: number }[] }>('GET', `/v1/devices/${devices[0]}/sas`)
    expect(sas).toMatchObject({
      status: 200,
      body: { data: [{ keyExchange: 'CURVE25519', tier: 'modern', childSas: [{ esn: false, bytesIn: 0 }] }] },
    })
    expect(sas.body.data[0]?.ageSec).toBeGreaterThanOrEqual(0)
    expect((await harness.call('GET', `/v1/devices/${devices[4]}/sas`)).body).toEqual({ data: [] })
    expect((await harness.call('GET', `/v1/devices/${devices[0]}/sas`, { key: harness.other.key })).status).toBe(404)
  })
})

describe('connections of all tunnels', () => {
  const openTunnel = async (deviceId: string): Promise<string> => {
    const body = { deviceId, port: 22, maxBytes: 5_000 }
    return (await harness.call<{ id: string }>('POST', '/v1/tunnels', { body })).body.id
  }
  const connect = async (tunnelId: string, state: string, openedAt: string): Promise<string> => {
    const id = newId('con')
    await harness.pool.query(
      `INSERT INTO connections (id, organization_id, tunnel_id, tunnel_port_id, client_address, client_port, state, opened_at)
       SELECT $1, organization_id, tunnel_id, id, '198.51.100.9', 40000, $3, $4 FROM tunnel_ports WHERE tunnel_id = $2`,
      [id, tunnelId, state, openedAt],
    )
    return id
  }

  it('come newest first, by device, tunnel, state and time, and none of other organizations', async () => {
    const [one, two] = [await openTunnel(devices[0]!), await openTunnel(devices[1]!)]
    const a = await connect(one, 'refused', '2026-11-01T00:00:00Z')
    const b = await connect(two, 'closed', '2026-11-02T00:00:00Z')
    const c = await connect(one, 'open', '2026-11-03T00:00:00Z')
    expect(await everyPage('/v1/connections?')).toEqual([c, b, a])
    expect(await everyPage(`/v1/connections?deviceId=${devices[0]}`)).toEqual([c, a])
    expect(await everyPage(`/v1/connections?tunnelId=${two}`)).toEqual([b])
    expect(await everyPage('/v1/connections?state=refused')).toEqual([a])
    const span = 'openedFrom=2026-11-02T00:00:00Z&openedBefore=2026-11-03T00:00:00Z'
    expect(await everyPage(`/v1/connections?${span}`)).toEqual([b])
    expect(await list(`/v1/connections?deviceId=${devices[0]}`, harness.other.key)).toEqual({
      data: [],
      nextCursor: null,
    })
    expect((await harness.call('GET', '/v1/connections?openedFrom=yesterday')).status).toBe(400)
  })

  it('are held to limits that are changed while their tunnel is open', async () => {
    const id = await openTunnel(devices[2]!)
    const patch = (body: object) => harness.call('PATCH', `/v1/tunnels/${id}`, { body })
    const rateLimit = { upBytesPerSec: 10_000, downBytesPerSec: null }
    expect(await patch({ rateLimit })).toMatchObject({ status: 200, body: { rateLimit, maxBytes: 5_000 } })
    expect(await patch({ maxBytes: null })).toMatchObject({ status: 200, body: { rateLimit, maxBytes: null } })
    expect(await patch({ maxBytes: 7, rateLimit: null })).toMatchObject({ body: { rateLimit: null, maxBytes: 7 } })
    expect(await patch({ ttlSec: 60 })).toMatchObject({ body: { rateLimit: null, maxBytes: 7 } })
  })
})

describe('nodes', () => {
  it('are shown to keys of who runs the installation alone, with state, heartbeat and load', async () => {
    const keyWith = async (...scopes: string[]): Promise<string> =>
      (
        await createApiKey(harness.pool, {
          organizationId: harness.organization.id,
          name: 'a',
          scopes: scopes as never,
        })
      ).key
    const operator = await keyWith('installation:read')
    const see = (url: string, key = operator) => harness.call('GET', url, { key })
    expect(await see('/v1/concentrators/con-1')).toMatchObject({
      status: 200,
      body: { id: 'con-1', state: 'ready', alive: true, attachedDevices: 0 },
    })
    expect((await see('/v1/gateways')).body).toMatchObject({ data: [{ id: 'gw-1', state: 'ready', alive: true }] })
    expect((await see('/v1/gateways/gw-1')).body).toMatchObject({
      portFrom: 20_000,
      listeningPorts: 3,
      openConnections: 1,
    })
    for (const url of ['/v1/concentrators/con-9', '/v1/gateways/gw-9']) expect((await see(url)).status).toBe(404)
    await harness.pool.query(`UPDATE gateways SET heartbeat_at = now() - interval '1 hour'`)
    expect((await see('/v1/gateways/gw-1')).body).toMatchObject({ alive: false })
    const tenant = await keyWith('devices:read', 'tunnels:write')
    for (const url of ['/v1/concentrators', '/v1/concentrators/con-1', '/v1/gateways', '/v1/gateways/gw-1'])
      expect((await see(url, tenant)).status).toBe(403)
  })
})
