import { newId, readGatewayPorts, writeConnections } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
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

interface Tunnel {
  id: string
  state: string
  host: string | null
  port: number | null
  expiresAt: string
  allowFrom: string[]
}

let harness: Harness
let gateway: FakeGateway
/** Device ports that the fake gateway treats otherwise. */
const cannotListen = 9
const staysSilent = 7

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1', ({ devicePort }) => {
    if (devicePort === staysSilent) return 'ignore'
    return devicePort === cannotListen ? 'no_free_port' : 'obey'
  })
})
afterAll(async () => {
  await gateway.close()
  await harness.close()
})

async function onlineDevice(): Promise<string> {
  const id = await newDevice(harness.call)
  await setAttached(harness.pool, 'con-1', id, 'attached')
  return id
}

async function addConnection(tunnelId: string, bytes: { bytesUp: number; bytesDown: number }): Promise<void> {
  await harness.pool.query(
    `INSERT INTO connections (id, organization_id, tunnel_id, tunnel_port_id, client_address, client_port, state, opened_at, bytes_up, bytes_down)
     SELECT $2, organization_id, tunnel_id, id, '192.0.2.1', 1, 'open', now(), $3, $4 FROM tunnel_ports WHERE tunnel_id = $1`,
    [tunnelId, newId('con'), bytes.bytesUp, bytes.bytesDown],
  )
}

function open(body: object, query = ''): ReturnType<typeof harness.call<Tunnel>> {
  return harness.call<Tunnel>('POST', `/v1/tunnels${query}`, { body })
}

describe('opening a tunnel', () => {
  it.each([`state = 'draining'`, `heartbeat_at = now() - interval '1 hour'`])(
    'is refused while no gateway is ready: %s',
    async (change) => {
      const deviceId = await onlineDevice()
      await harness.pool.query(`UPDATE gateways SET ${change}`)
      const answer = await open({ deviceId, port: 22 })
      await harness.pool.query(`UPDATE gateways SET state = 'ready', heartbeat_at = now()`)
      expect(answer).toMatchObject({ status: 503, body: { code: 'no_gateway' }, headers: { 'retry-after': '5' } })
      expect((await harness.call('GET', `/v1/tunnels?deviceId=${deviceId}`)).body).toMatchObject({ data: [] })
    },
  )

  it('C63 leads to a host on a registered LAN of the device only, and ends when that LAN is taken away', async () => {
    const deviceId = await onlineDevice()
    const wish = { deviceId, port: 80, host: '192.168.1.20' }
    expect(await open(wish)).toMatchObject({
      status: 422,
      body: { code: 'host_outside_lans', errors: [{ in: 'body', pointer: '/host' }] },
    })
    await harness.call('PATCH', `/v1/devices/${deviceId}`, {
      body: { lanPrefixes: ['192.168.1.0/24', '172.20.0.0/16'] },
    })
    for (const host of ['192.168.2.20', '10.128.0.3', '198.18.0.1']) {
      expect((await open({ ...wish, host })).status).toBe(422)
    }
    expect((await open({ ...wish, host: 'router.lan' })).status).toBe(400)
    const toHost = await open(wish)
    expect(toHost).toMatchObject({ status: 201, body: { deviceHost: '192.168.1.20', devicePort: 80 } })
    const toOther = await open({ ...wish, host: '172.20.3.4' })
    const toDevice = await open({ deviceId, port: 80 })
    expect(toDevice).toMatchObject({ status: 201, body: { deviceHost: null } })
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { lanPrefixes: ['172.20.0.0/16'] } })
    await waitFor(async () => {
      const { body } = await harness.call<Tunnel>('GET', `/v1/tunnels/${toHost.body.id}`)
      return body.state === 'closed'
    })
    expect((await harness.call('GET', `/v1/tunnels/${toHost.body.id}`)).body).toMatchObject({ reason: 'lan_removed' })
    for (const { id } of [toOther.body, toDevice.body]) {
      expect((await harness.call('GET', `/v1/tunnels/${id}`)).body).toMatchObject({ state: 'open' })
    }
  })

  it('answers 201 with host and port when the gateway listens, for the caller only', async () => {
    const deviceId = await onlineDevice()
    const answer = await open({ deviceId, port: 22 })
    expect(answer).toMatchObject({
      status: 201,
      headers: { location: `/v1/tunnels/${answer.body.id}` },
      body: {
        deviceId,
        state: 'open',
        reason: null,
        devicePort: 22,
        protocol: 'tcp',
        host: 'gw-1.test',
        port: expect.any(Number),
        allowFrom: ['127.0.0.1/32'],
        ttlSec: 3600,
        openedAt: expect.any(String),
      },
    })
    expect((await harness.call('GET', `/v1/tunnels/${answer.body.id}`)).body).toEqual(answer.body)
    const lifetimeMs = Date.parse(answer.body.expiresAt) - Date.now()
    expect(lifetimeMs).toBeGreaterThan(3_500_000)
    expect(lifetimeMs).toBeLessThanOrEqual(3_600_000)
  })

  it('tells the gateway what it may carry', async () => {
    const deviceId = await onlineDevice()
    const limits = { maxBytes: 5_000_000_000, rateLimit: { upBytesPerSec: 50_000, downBytesPerSec: null } }
    const { body } = await open({ deviceId, port: 22, ...limits })
    expect((await harness.call('GET', `/v1/tunnels/${body.id}`)).body).toMatchObject(limits)
    await addConnection(body.id, { bytesUp: 3_000_000_000, bytesDown: 4 })
    const [port] = (await readGatewayPorts(harness.pool, 'gw-1', true)).filter(({ tunnelId }) => tunnelId === body.id)
    expect(port).toMatchObject({ ...limits, usedBytes: 3_000_000_004 })
    for (const wrong of [{ maxBytes: 0 }, { rateLimit: {} }, { rateLimit: { upBytesPerSec: 1, downBytesPerSec: 1 } }])
      expect((await open({ deviceId, port: 22, ...wrong })).status).toBe(400)
  })

  it('takes prefixes in one spelling, each once', async () => {
    const answer = await open({
      deviceId: await onlineDevice(),
      port: 22,
      allowFrom: ['203.0.113.7', '203.0.113.7/32', '2001:DB8:0::/48'],
    })
    expect(answer.body.allowFrom).toEqual(['203.0.113.7/32', '2001:db8::/48'])
  })

  it('is refused while the device is offline, and leaves nothing behind', async () => {
    const deviceId = await newDevice(harness.call)
    expect(await open({ deviceId, port: 22 })).toMatchObject({ status: 409, body: { code: 'device_offline' } })
    const page = await harness.call<{ data: unknown[] }>('GET', `/v1/tunnels?deviceId=${deviceId}`)
    expect(page.body.data).toEqual([])
  })

  it('answers 202 when it shall wait for the device', async () => {
    const deviceId = await newDevice(harness.call)
    const answer = await open({ deviceId, port: 22, waitForDevice: true }, '?wait=0')
    expect(answer).toMatchObject({
      status: 202,
      body: { state: 'waiting_for_device', reason: 'device_offline', host: null, port: null },
    })
  })

  it('answers 202 at once with Prefer: respond-async, and when the gateway is slow', async () => {
    const deviceId = await onlineDevice()
    const body = { deviceId, port: staysSilent }
    const async = await harness.call('POST', '/v1/tunnels', { body, headers: { prefer: 'respond-async' } })
    expect(async).toMatchObject({ status: 202, body: { state: 'opening', host: null } })
    expect(
      await harness.call('POST', '/v1/tunnels', { body, headers: { prefer: 'handling=strict, wait=1' } }),
    ).toMatchObject({ status: 202 })
  })

  it('tells why it failed', async () => {
    const answer = await open({ deviceId: await onlineDevice(), port: cannotListen })
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'tunnel_failed', detail: expect.stringContaining('no_free_port') },
    })
  })

  it('is refused when tunnels to the device are switched off', async () => {
    const deviceId = await onlineDevice()
    await harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { tunnelable: false } })
    expect(await open({ deviceId, port: 22 })).toMatchObject({ status: 409, body: { code: 'device_not_tunnelable' } })
  })

  it('is bounded for each device', async () => {
    const deviceId = await newDevice(harness.call)
    const body = { deviceId, port: 22, waitForDevice: true }
    for (let n = 0; n < 64; n++) expect((await open(body, '?wait=0')).status).toBe(202)
    expect(await open(body, '?wait=0')).toMatchObject({ status: 409, body: { code: 'tunnel_limit' } })
  })
})

describe('an open tunnel', () => {
  it('closes on request, and closing again is no error', async () => {
    const { body } = await open({ deviceId: await onlineDevice(), port: 22 })
    expect((await harness.call('DELETE', `/v1/tunnels/${body.id}`)).status).toBe(204)
    const closed = await harness.call('GET', `/v1/tunnels/${body.id}`)
    expect(closed.body).toMatchObject({
      state: 'closed',
      reason: 'requested',
      host: null,
      port: null,
      closedAt: expect.any(String),
    })
    expect((await harness.call('DELETE', `/v1/tunnels/${body.id}`)).status).toBe(204)
  })

  it('is draining while the gateway has not closed it', async () => {
    const { body } = await open({ deviceId: await onlineDevice(), port: staysSilent }, '?wait=0')
    const closing = await harness.call('DELETE', `/v1/tunnels/${body.id}?wait=0`)
    expect(closing).toMatchObject({ status: 202, body: { state: 'draining', reason: 'requested' } })
  })

  it('is extended and opened to others without a new port', async () => {
    const { body } = await open({ deviceId: await onlineDevice(), port: 22 })
    const changed = await harness.call<Tunnel>('PATCH', `/v1/tunnels/${body.id}`, {
      body: { ttlSec: 86_400, allowFrom: ['0.0.0.0/0'] },
    })
    expect(changed).toMatchObject({
      status: 200,
      body: { state: 'open', port: body.port, ttlSec: 86_400, allowFrom: ['0.0.0.0/0'] },
    })
    expect(Date.parse(changed.body.expiresAt)).toBeGreaterThan(Date.parse(body.expiresAt))
    const late = await harness.call('PATCH', `/v1/tunnels/${body.id}`, {
      body: { ttlSec: 60 },
      headers: { 'if-match': '"1"' },
    })
    expect(late.status).toBe(412)
  })

  it('cannot be changed once it has ended', async () => {
    const { body } = await open({ deviceId: await onlineDevice(), port: 22 })
    await harness.call('DELETE', `/v1/tunnels/${body.id}`)
    const answer = await harness.call('PATCH', `/v1/tunnels/${body.id}`, { body: { ttlSec: 60 } })
    expect(answer).toMatchObject({ status: 409, body: { code: 'tunnel_not_active' } })
  })

  it('ends with its device', async () => {
    const deviceId = await onlineDevice()
    const { body } = await open({ deviceId, port: 22 })
    await harness.call('DELETE', `/v1/devices/${deviceId}`)
    const ended = await waitFor(async () => {
      const tunnel = await harness.call<Tunnel>('GET', `/v1/tunnels/${body.id}`)
      return tunnel.body.state === 'closed' ? tunnel.body : null
    })
    expect(ended).toMatchObject({ reason: 'device_deleted' })
  })

  it('ends with the last credential of its device, not before', async () => {
    const deviceId = await onlineDevice()
    const issue = () => harness.call<{ id: string }>('POST', `/v1/devices/${deviceId}/credentials`, { body: {} })
    const [first, second] = [await issue(), await issue()]
    const { body } = await open({ deviceId, port: 22 })
    await harness.call('DELETE', `/v1/devices/${deviceId}/credentials/${first.body.id}`)
    expect((await harness.call('GET', `/v1/tunnels/${body.id}`)).body).toMatchObject({ state: 'open' })
    await harness.call('DELETE', `/v1/devices/${deviceId}/credentials/${second.body.id}`)
    const ended = await waitFor(async () => {
      const tunnel = await harness.call<Tunnel>('GET', `/v1/tunnels/${body.id}`)
      return tunnel.body.state === 'closed' ? tunnel.body : null
    })
    expect(ended).toMatchObject({ reason: 'credential_revoked' })
  })

  it('shows its access log page by page', async () => {
    const { body } = await open({ deviceId: await onlineDevice(), port: 22 })
    const { rows } = await harness.pool.query('SELECT id FROM tunnel_ports WHERE tunnel_id = $1', [body.id])
    await writeConnections(
      harness.pool,
      Array.from({ length: 5 }, (_, n) => ({
        id: newId('con'),
        organizationId: harness.organization.id,
        tunnelId: body.id,
        tunnelPortId: rows[0].id,
        clientAddress: '203.0.113.7',
        clientPort: 40_000 + n,
        state: n === 0 ? ('refused' as const) : ('closed' as const),
        reason: n === 0 ? 'not_allowed' : null,
        openedAt: new Date(1_700_000_000_000 + n),
        closedAt: new Date(1_700_000_001_000),
        bytesUp: n,
        bytesDown: 2 ** 40,
      })),
    )
    const url = `/v1/tunnels/${body.id}/connections`
    const first = await harness.call<{ data: object[]; nextCursor: string }>('GET', `${url}?limit=4`)
    expect(first.body.data).toHaveLength(4)
    expect(first.body.data[0]).toMatchObject({
      clientAddress: '203.0.113.7',
      clientPort: 40_004,
      state: 'closed',
      bytesDown: 2 ** 40,
    })
    const last = await harness.call('GET', `${url}?limit=4&cursor=${first.body.nextCursor}`)
    expect(last.body).toMatchObject({ data: [{ state: 'refused', reason: 'not_allowed' }], nextCursor: null })
  })

  it('is listed by device and by state', async () => {
    const deviceId = await onlineDevice()
    const { body } = await open({ deviceId, port: 22 })
    const found = await harness.call<{ data: Tunnel[] }>('GET', `/v1/tunnels?deviceId=${deviceId}&state=open`)
    expect(found.body.data.map((tunnel) => tunnel.id)).toEqual([body.id])
    expect((await harness.call('GET', `/v1/tunnels?deviceId=${deviceId}&state=closed`)).body).toMatchObject({
      data: [],
    })
  })
})
