/** The SDK against the real API, in this process and over HTTP, and the programs of its documents as a reader has them. */
import { relayEvents } from '@culvert/db'
import { createClient, CulvertError, ifUnchanged, type Culvert } from '@culvert/sdk'
import { codeBlocks, peer, runShell, runTypeScript } from '@culvert/testkit'
import { createHmac, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  newIccid,
  openHarness,
  setAttached,
  type FakeGateway,
  type Harness,
} from './testing/harness.ts'

let harness: Harness
let gateway: FakeGateway
let relaying: NodeJS.Timeout
let url: string

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
  relaying = setInterval(() => void relayEvents(harness.pool, []).catch(() => {}), 100)
  url = await harness.api.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  clearInterval(relaying)
  await gateway?.close()
  await harness?.close()
})

/** A fetch that calls the application itself. */
async function injected(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const answer = await harness.api.inject({
    method: request.method as 'GET',
    url: pathname + search,
    headers: Object.fromEntries(request.headers),
    payload: Buffer.from(await request.arrayBuffer()),
  })
  const body = answer.statusCode === 204 ? null : new Uint8Array(answer.rawPayload)
  return new Response(body, { status: answer.statusCode, headers: answer.headers as Record<string, string> })
}

describe.each(['in this process', 'over HTTP'])('the SDK, %s', (where) => {
  let culvert: Culvert
  const clientOf = (key: string): Culvert =>
    createClient(where === 'over HTTP' ? { baseUrl: url, key } : { baseUrl: 'http://culvert', key, fetch: injected })
  beforeAll(() => void (culvert = clientOf(harness.organization.key)))

  it('registers, reads, changes and deletes a device', async () => {
    const device = await culvert.post('/v1/devices', { body: { iccid: newIccid(), name: 'one' } })
    const path = { deviceId: device.id }
    expect(await culvert.get('/v1/devices/{deviceId}', { params: { path } })).toEqual(device)
    const changed = await culvert.patch('/v1/devices/{deviceId}', {
      params: { path },
      headers: ifUnchanged(device),
      body: { name: 'two' },
    })
    expect([changed.name, changed.version]).toEqual(['two', device.version + 1])
    const late = culvert.patch('/v1/devices/{deviceId}', {
      params: { path },
      headers: ifUnchanged(device),
      body: { name: 'three' },
    })
    await expect(late).rejects.toMatchObject({ code: 'precondition_failed', status: 412 })
    expect(await culvert.delete('/v1/devices/{deviceId}', { params: { path } })).toBeUndefined()
  })

  it('says what is wrong with a call', async () => {
    const error = await culvert.post('/v1/devices', { body: { iccid: '1' } }).catch((fault: unknown) => fault)
    expect(error).toBeInstanceOf(CulvertError)
    expect(error).toMatchObject({ code: 'validation_failed', status: 400, errors: [{ in: 'body', pointer: '/iccid' }] })
    expect((error as CulvertError).requestId).toMatch(/^req_/)
    await expect(clientOf('culvert_nobody').get('/v1/organization')).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('reads every item of a list once, whatever the size of its pages', async () => {
    const tag = `list-${randomBytes(4).toString('hex')}`
    const ids: string[] = []
    for (let index = 0; index < 5; index++)
      ids.push((await culvert.post('/v1/devices', { body: { iccid: newIccid(), tags: [tag] } })).id)
    const read: string[] = []
    for await (const { id } of culvert.list('/v1/devices', { params: { query: { tag, limit: 2 } } })) read.push(id)
    expect(read).toEqual(ids.toReversed())
  })

  it('reads text as text', async () => {
    const deviceId = await newDevice(harness.call)
    const params = { path: { deviceId }, query: { target: 'swanctl' } } as const
    const config: unknown = await culvert.get('/v1/devices/{deviceId}/config', { params })
    expect(config).toContain('connections {')
  })

  it('opens a tunnel, and closes one that does not open in time', async () => {
    const deviceId = await newDevice(harness.call)
    const never = culvert.tunnels.open({ deviceId, port: 22, waitForDevice: true }, { timeoutMs: 300 })
    await expect(never).rejects.toMatchObject({ code: 'timeout' })
    const query = { deviceId, state: 'waiting_for_device' } as const
    expect(await culvert.list('/v1/tunnels', { params: { query } }).toArray({ most: 9 })).toEqual([])
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    const tunnel = await culvert.tunnels.open({ deviceId, port: 22 })
    expect([tunnel.host, tunnel.state]).toEqual(['gw-1.test', 'open'])
  })
})

describe('documents', () => {
  const shell = async (blocks: readonly string[]): Promise<string> => {
    const { env } = await peer('curl')
    const [AUTH, JSON] = [`Authorization: Bearer ${harness.other.key}`, 'Content-Type: application/json']
    return runShell(blocks, { ...env, API: `${url}/v1`, AUTH, JSON })
  }

  it('the guides to repeating and to lists do with curl what they say', async () => {
    const [post = ''] = codeBlocks('docs/guides/idempotency.md', 'sh')
    const answers = (await shell([post, 'echo', post])).split('\n')
    expect(answers[0]).toContain('"iccid":"89490000000000000031"')
    expect(answers[1]).toBe(answers[0])
    const ids = [JSON.parse(answers[0] ?? '').id as string]
    for (let index = 0; index < 4; index++) ids.push(await newDevice(harness.call, harness.other.key))
    const [list = ''] = codeBlocks('docs/guides/paging.md', 'sh')
    expect(list).toContain('limit=200')
    expect((await shell([list.replace('limit=200', 'limit=2')])).trim().split('\n')).toEqual(ids.toReversed())
  })

  it('the README of the SDK runs as one program', async () => {
    const deviceId = await newDevice(harness.call)
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    // The newest device is the one that the README registers: it attaches when its tunnel waits for it.
    const attaching = setInterval(() => void attachNewest(), 100)
    // Something happens while it follows the events.
    let changes = 0
    const happening = setInterval(
      () => void harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { name: `changed-${++changes}` } }),
      200,
    )
    try {
      const blocks = codeBlocks('packages/sdk/README.md', 'ts')
      expect(blocks).toHaveLength(7)
      const said = await runTypeScript(blocks.join('\n'), { CULVERT_URL: url, CULVERT_KEY: harness.organization.key })
      expect(said).toMatch(
        /router-1 (offline|online)\nssh -p \d+ user@gw-1\.test\ndevice\.\w+ dev_\w+ 22\nA device with this ICCID exists/,
      )
    } finally {
      clearInterval(happening)
      clearInterval(attaching)
    }
  })

  async function attachNewest(): Promise<void> {
    const { rows } = await harness.pool.query<{ id: string }>(
      "SELECT id FROM devices WHERE name = 'router-1' AND iccid = '89490000000000000015' AND deleted_at IS NULL",
    )
    if (rows[0]) await setAttached(harness.pool, 'con-1', rows[0].id, 'attached').catch(() => {})
  }

  it('the receiver of the guide to webhooks takes what is signed, once, and nothing else', async () => {
    const secret = randomBytes(32)
    const [receiver = ''] = codeBlocks('docs/guides/webhooks.md', 'ts')
    const [event = ''] = codeBlocks('docs/guides/webhooks.md', 'json')
    const at = Math.floor(Date.now() / 1_000)
    const id = (JSON.parse(event) as { id: string }).id
    const signature = `v1,${createHmac('sha256', secret).update(`${id}.${at}.${event}`).digest('base64')}`
    const headers = { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': signature }
    const sender = `
      import { once } from 'node:events'
      if (!receiver.listening) await once(receiver, 'listening')
      const send = async (body: string) => {
        const { port } = receiver.address() as { port: number }
        return (await fetch(\`http://127.0.0.1:\${port}\`, { method: 'POST', body, headers: ${JSON.stringify(headers)} })).status
      }
      const event = ${JSON.stringify(event)}
      console.log(await send(event), await send(event), await send(event + ' '))
      receiver.close()`
    const keys = `whsec_${randomBytes(32).toString('base64')} whsec_${secret.toString('base64')}`
    const said = await runTypeScript(`${receiver}${sender}`, { WEBHOOK_KEYS: keys, WEBHOOK_PORT: '0' })
    expect(said).toBe('device.online dev_ajaic76ztpqad76h2tn2\n204 204 400\n')
  })
})
