import { generateSealingKeyPair, relayEvents } from '@culvert/db'
import { openDoor, waitFor } from '@culvert/testkit'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { buildApi } from './index.ts'
import { newConcentrator, newDevice, newGateway, openHarness, setAttached } from './testing/harness.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

describe('while the database is away', () => {
  it('every call answers 503 with Retry-After, and all is well again when it is back', async () => {
    const harness = await openHarness(inject('databaseUrl'))
    closers.push(() => harness.close())
    const door = await openDoor(harness.databaseUrl)
    const api = await buildApi({ databaseUrl: door.url, sealingPublicKey: harness.sealing.publicKey })
    closers.push(() => api.close())
    const headers = { authorization: `Bearer ${harness.organization.key}` }
    const ready = async (): Promise<number> => (await api.inject('/health/ready')).statusCode
    expect((await api.inject({ url: '/v1/devices', headers })).statusCode).toBe(200)
    expect(await ready()).toBe(200)
    await door.shut()
    for (const url of ['/v1/devices', '/v1/tunnels', '/v1/networks']) {
      const answer = await api.inject({ url, headers })
      expect(answer.statusCode).toBe(503)
      expect(answer.headers).toMatchObject({ 'retry-after': '2', 'content-type': 'application/problem+json' })
      expect(answer.json()).toMatchObject({ code: 'database_unavailable' })
    }
    expect(await ready()).toBe(503)
    expect((await api.inject('/health/live')).statusCode).toBe(200)
    await door.open()
    expect((await api.inject({ url: '/v1/devices', headers })).statusCode).toBe(200)
    expect(await ready()).toBe(200)
  })

  it('a stream of events is kept, and tells what happened meanwhile once it is back: all of it, in order, once', async () => {
    const harness = await openHarness(inject('databaseUrl'))
    closers.push(() => harness.close())
    const door = await openDoor(harness.databaseUrl)
    const api = await buildApi({
      databaseUrl: door.url,
      sealingPublicKey: harness.sealing.publicKey,
      stream: { organization: 4, caller: 3, heartbeatMs: 200, stallMs: 10_000 },
    })
    closers.push(() => api.close())
    const url = await api.listen({ host: '127.0.0.1', port: 0 })
    const relay = () => relayEvents(harness.pool, [])
    const happen = async (): Promise<string> => {
      const id = await newDevice(harness.call)
      await relay()
      return id
    }
    const reader = new AbortController()
    closers.push(() => reader.abort())
    const headers = { authorization: `Bearer ${harness.organization.key}`, accept: 'text/event-stream' }
    const response = await fetch(`${url}/v1/events?types=device.created&since=now`, { headers, signal: reader.signal })
    let said = ''
    const ended = (async () => {
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) said += decoder.decode(chunk, { stream: true })
      return 'ended'
    })().catch(() => 'broken')
    const told = (): string[] => [...said.matchAll(/"resourceId":"(dev_\w+)"/g)].map(([, id]) => id ?? '')

    const devices = [await happen()]
    await waitFor(() => told().length === 1, { message: 'the first event' })
    await door.shut()
    devices.push(await happen(), await happen())
    // It says that it is there, while it can read nothing.
    await waitFor(() => said.endsWith('\n\n:\n\n'), { message: 'a comment while the database is away' })
    expect(told()).toEqual(devices.slice(0, 1))
    await door.open()
    closers.push(() => door.shut())
    devices.push(await happen())
    await waitFor(() => told().length >= devices.length, { timeoutMs: 20_000, message: 'what happened meanwhile' })
    expect(told()).toEqual(devices)
    reader.abort()
    expect(await ended).toBe('broken')
  })

  it('the API can be built, and serves once it is there', async () => {
    const harness = await openHarness(inject('databaseUrl'))
    closers.push(() => harness.close())
    const door = await openDoor(harness.databaseUrl)
    await door.shut()
    const api = await buildApi({ databaseUrl: door.url, sealingPublicKey: harness.sealing.publicKey })
    closers.push(() => api.close())
    const call = () =>
      api.inject({ url: '/v1/devices', headers: { authorization: `Bearer ${harness.organization.key}` } })
    expect((await call()).statusCode).toBe(503)
    await door.open()
    closers.push(() => door.shut())
    expect((await call()).statusCode).toBe(200)
  })
})

describe('while the job queue is away', () => {
  it('tunnels open all the same, because the gateway hears the notice', async () => {
    const harness = await openHarness(inject('databaseUrl'), { redisUrl: 'redis://127.0.0.1:1' })
    closers.push(() => harness.close())
    await newConcentrator(harness.pool, 'con-1', 1)
    const gateway = await newGateway(harness, 'gw-1')
    closers.push(() => gateway.close())
    const deviceId = await newDevice(harness.call)
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    const opened = await harness.call<{ id: string }>('POST', '/v1/tunnels', { body: { deviceId, port: 22 } })
    expect(opened).toMatchObject({ status: 201, body: { state: 'open' } })
    expect((await harness.call('DELETE', `/v1/tunnels/${opened.body.id}`)).status).toBe(204)
  })
})

describe('a call that waits', () => {
  it('goes on waiting when the connection that hears notices breaks', async () => {
    const harness = await openHarness(inject('databaseUrl'))
    closers.push(() => harness.close())
    await newConcentrator(harness.pool, 'con-1', 1)
    let silent = true
    const gateway = await newGateway(harness, 'gw-1', () => (silent ? 'ignore' : 'obey'))
    closers.push(() => gateway.close())
    const deviceId = await newDevice(harness.call)
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    const waiting = harness.call('POST', '/v1/tunnels?wait=30', { body: { deviceId, port: 22 } })
    await waitFor(
      async () => (await harness.pool.query(`SELECT 1 FROM tunnels WHERE device_id = $1`, [deviceId])).rowCount === 1,
    )
    await harness.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'culvert-api-listen' AND datname = current_database()`,
    )
    silent = false
    await harness.pool.query(`SELECT pg_notify('gateway_gw-1', '')`)
    expect(await waiting).toMatchObject({ status: 201, body: { state: 'open' } })
  })

  it('answers with what it has when the API closes', async () => {
    const harness = await openHarness(inject('databaseUrl'))
    await newConcentrator(harness.pool, 'con-1', 1)
    const gateway = await newGateway(harness, 'gw-1', () => 'ignore')
    const deviceId = await newDevice(harness.call)
    await setAttached(harness.pool, 'con-1', deviceId, 'attached')
    const url = await harness.api.listen({ host: '127.0.0.1', port: 0 })
    const waiting = fetch(`${url}/v1/tunnels?wait=30`, {
      method: 'POST',
      headers: { authorization: `Bearer ${harness.organization.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ deviceId, port: 22 }),
    })
    await waitFor(
      async () => (await harness.pool.query(`SELECT 1 FROM tunnels WHERE device_id = $1`, [deviceId])).rowCount === 1,
    )
    await gateway.close()
    await harness.close()
    expect((await waiting).status).toBe(202)
  })
})

describe('the API process', () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const run = async (env: Record<string, string>): Promise<{ code: number | null; text: string }> => {
    const child = spawn(process.execPath, ['--conditions=source', main], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    closers.push(() => void child.kill('SIGKILL'))
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const code = await new Promise<number | null>((done) => child.on('close', done))
    return { code, text }
  }

  it('ends with one sentence when PostgreSQL cannot be reached', async () => {
    const { publicKey } = await generateSealingKeyPair()
    const ended = await run({
      DATABASE_URL: 'postgresql://culvert:hunter2@127.0.0.1:1/culvert',
      SEALING_PUBLIC_KEY: publicKey,
    })
    expect(ended).toEqual({
      code: 1,
      text: 'The API cannot reach PostgreSQL at 127.0.0.1:1: check DATABASE_URL and that the server runs.\n',
    })
  })

  it('ends with one sentence that names a setting that is missing', async () => {
    const ended = await run({ DATABASE_URL: 'postgresql://culvert@127.0.0.1:1/culvert' })
    expect(ended.code).toBe(1)
    expect(ended.text).toMatch(/^The environment variable SEALING_PUBLIC_KEY .* is not set\.\n$/)
  })
})
