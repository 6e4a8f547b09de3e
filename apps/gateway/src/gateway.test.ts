/** One gateway over one world, from listening to what ends a connection: the cases share what is costly to start, so it is one file. */
import { gatewayQueue, openQueues } from '@culvert/queue'
import { createDatabase, waitFor } from '@culvert/testkit'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { startGateway, type Gateway } from './gateway.ts'
import type { GatewaySettings } from './settings.ts'
import { Client, echo, playDevice, settingsOf, silent, visit, World } from './testing/world.ts'

let world: World
let gateway: Gateway | null = null
let echoPort: number
let deviceId: string
const range = { from: 21_000, to: 21_199 }

async function start(settings: Partial<GatewaySettings> = {}): Promise<Gateway> {
  gateway = await startGateway({ ...settingsOf(world.databaseUrl, range), ...settings }, silent, (error) => {
    throw error
  })
  return gateway
}

async function stop(): Promise<void> {
  await gateway?.stop()
  gateway = null
}

beforeAll(async () => {
  world = new World(await createDatabase(inject('databaseUrl')))
  await world.lay()
  deviceId = await world.addDevice('127.0.0.1')
  const device = await playDevice(echo)
  device.server.unref()
  echoPort = device.port
})
afterEach(stop)
afterAll(() => world.pool.end())

describe('opening and closing', () => {
  test('a tunnel opens on a port of the range, carries bytes both ways, and is written down', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort })
    expect(port).toBeGreaterThanOrEqual(range.from)
    expect(port).toBeLessThanOrEqual(range.to)
    expect(await visit(port, 'hello')).toEqual({ text: 'hello', ended: true, error: null })
    const [event] = await world.events(tunnelId)
    expect(event).toMatchObject({
      type: 'tunnel.opened',
      data: { state: 'open', ports: [{ devicePort: echoPort, host: 'gw.example.net', port }] },
    })
    expect((await world.tunnel(tunnelId))?.opened_at).toBeInstanceOf(Date)
    const rows = await waitFor(async () => {
      const found = await world.connections(tunnelId)
      return found[0]?.['state'] === 'closed' && found
    })
    expect(rows).toEqual([{ client: '127.0.0.1', state: 'closed', reason: 'client_closed', up: 5, down: 5 }])
  })

  test('a tunnel to a host on a LAN opens when its concentrator has an address for it, and dials that', async () => {
    await start()
    const host = '192.168.1.20'
    const tunnelId = await world.openTunnel({ deviceId, devicePorts: [echoPort], deviceHost: host })
    const other = await world.openPort({ deviceId, devicePort: echoPort })
    expect((await world.tunnel(tunnelId))?.state).toBe('opening')
    await world.answerHost(deviceId, host, { synthetic: '198.18.0.9' })
    await world.reaches(tunnelId, 'open')
    expect((await world.events(tunnelId))[0]).toMatchObject({ data: { ports: [{ deviceHost: host }] } })
    const [row] = await world.ports(tunnelId)
    // Nobody is at that address here; what counts is that the device itself was not dialed.
    expect((await visit(row?.gateway_port ?? 0, 'hello')).text).toBe('')
    expect((await visit(other.port, 'hello')).text).toBe('hello')
    await world.pool.query(`UPDATE host_mappings SET freed_at = now()`)
    await world.attach(deviceId, '127.0.0.1')
    await waitFor(async () => {
      await visit(row?.gateway_port ?? 0, 'hello')
      return (await world.connections(tunnelId)).some(({ reason }) => reason === 'host_not_reachable')
    })
  })

  test('a tunnel to a host that the device cannot be asked for fails with the reason', async () => {
    await start()
    const host = '192.168.1.21'
    const tunnelId = await world.openTunnel({ deviceId, devicePorts: [echoPort], deviceHost: host })
    await world.answerHost(deviceId, host, { failure: 'lan_not_carried' })
    expect(await world.reaches(tunnelId, 'draining').catch(() => world.tunnel(tunnelId))).toMatchObject({
      reason: 'lan_not_carried',
    })
  })

  test('a tunnel with two ports opens when both listen', async () => {
    await start()
    const tunnelId = await world.openTunnel({ deviceId, devicePorts: [echoPort, echoPort] })
    await world.reaches(tunnelId, 'open')
    const ports = await world.ports(tunnelId)
    expect(new Set(ports.map((port) => port.gateway_port)).size).toBe(2)
    for (const { gateway_port } of ports) expect((await visit(gateway_port ?? 0, 'x')).text).toBe('x')
    expect(await world.events(tunnelId)).toHaveLength(1)
  })

  test('closing resets flows, refuses the next client and keeps the port unused', async () => {
    await start({ portRange: { from: 21_200, to: 21_201 } })
    const first = await world.openPort({ deviceId, devicePort: echoPort })
    const client = await new Client(first.port).greet()
    await world.endTunnel(first.tunnelId)
    expect(await client.closed).toMatchObject({ error: 'ECONNRESET', ended: false })
    const closed = await world.reaches(first.tunnelId, 'closed')
    expect(closed).toMatchObject({ reason: 'requested', closed_at: expect.any(Date) })
    expect(await visit(first.port, 'x')).toMatchObject({ error: 'ECONNREFUSED' })
    const [port] = await world.ports(first.tunnelId)
    expect(Number(port?.quarantine_until) - Date.now()).toBeGreaterThan(30_000)
    expect((await world.events(first.tunnelId)).map((event) => event.type)).toEqual(['tunnel.opened', 'tunnel.closed'])

    const second = await world.openPort({ deviceId, devicePort: echoPort })
    expect(second.port).not.toBe(first.port)
    const third = await world.openTunnel({ deviceId, devicePorts: [echoPort] })
    expect(await world.reaches(third, 'failed')).toMatchObject({ reason: 'no_free_port' })
    await waitFor(async () => (await world.connections(first.tunnelId))[0]?.['reason'] === 'tunnel_closed')
  })

  test('a quarantine of an earlier process counts', async () => {
    const only = { portRange: { from: 21_202, to: 21_202 } }
    await start(only)
    const first = await world.openPort({ deviceId, devicePort: echoPort })
    await world.endTunnel(first.tunnelId)
    await world.reaches(first.tunnelId, 'closed')
    await stop()
    await start(only)
    const second = await world.openTunnel({ deviceId, devicePorts: [echoPort] })
    expect((await world.reaches(second, 'failed')).reason).toBe('no_free_port')
  })

  test('a port is given out again after its quarantine', async () => {
    await start({ portRange: { from: 21_203, to: 21_203 }, quarantineMs: 1 })
    const first = await world.openPort({ deviceId, devicePort: echoPort })
    await world.endTunnel(first.tunnelId)
    await world.reaches(first.tunnelId, 'closed')
    const second = await world.openPort({ deviceId, devicePort: echoPort })
    expect(second.port).toBe(first.port)
  })

  test('a port that something else holds is passed over', async () => {
    const squatter = createServer()
    squatter.listen(21_204, '127.0.0.1')
    await once(squatter, 'listening')
    await start({ portRange: { from: 21_204, to: 21_205 } })
    expect((await world.openPort({ deviceId, devicePort: echoPort })).port).toBe(21_205)
    squatter.close()
  })

  test('closing ends a flow whose client reads nothing', async () => {
    const running = await start()
    const device = await playDevice((socket) => socket.end(Buffer.alloc(32 * 1024 * 1024)))
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: device.port })
    const client = new Client(port)
    client.socket.pause()
    await waitFor(() => running.openConnections() === 1)
    await waitFor(() => client.socket.readyState === 'open')
    await world.endTunnel(tunnelId)
    await world.reaches(tunnelId, 'closed')
    await waitFor(() => running.openConnections() === 0)
    await waitFor(async () => (await world.connections(tunnelId))[0]?.['state'] === 'closed')
    expect(await world.connections(tunnelId)).toEqual([expect.objectContaining({ reason: 'tunnel_closed', up: 0 })])
    client.socket.destroy()
    device.server.close()
  })

  test('time that is up closes the tunnel and every flow', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort, ttlMs: 600 })
    const client = await new Client(port).greet()
    expect((await client.closed).error).toBe('ECONNRESET')
    expect(await world.reaches(tunnelId, 'expired')).toMatchObject({ reason: 'ttl_elapsed' })
    expect((await world.events(tunnelId)).map((event) => event.type)).toEqual([
      'tunnel.opened',
      'tunnel.draining',
      'tunnel.expired',
    ])
    expect((await visit(port, 'x')).error).toBe('ECONNREFUSED')
  })

  test('an extended tunnel outlives its first end of time', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort, ttlMs: 1_000 })
    const client = await new Client(port).greet()
    await world.change(tunnelId, { ttlMs: 3_000_000 })
    const short = await world.openPort({ deviceId, devicePort: echoPort, ttlMs: 1_000 })
    await world.reaches(short.tunnelId, 'expired')
    await client.greet()
    client.socket.end()
    expect(await client.closed).toMatchObject({ text: 'hihi', error: null })
  })
})

describe('who may connect', () => {
  test('a client outside the allow list is reset and written down', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort, allowFrom: ['127.0.0.1/32'] })
    expect((await visit(port, 'x', '127.0.0.2')).error).toBe('ECONNRESET')
    expect((await visit(port, 'x', '127.0.0.1')).text).toBe('x')
    await waitFor(async () => (await world.connections(tunnelId)).length === 2)
    expect(await world.connections(tunnelId)).toContainEqual(
      expect.objectContaining({ client: '127.0.0.2', state: 'refused', reason: 'not_allowed' }),
    )
  })

  test('a changed allow list ends only flows that are no longer allowed', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort })
    const stays = await new Client(port, '127.0.0.1').greet()
    const goes = await new Client(port, '127.0.0.2').greet()
    await world.change(tunnelId, { allowFrom: ['127.0.0.1/32', '127.0.0.3/32'] })
    expect((await goes.closed).error).toBe('ECONNRESET')
    await stays.greet()
    stays.socket.destroy()
    expect((await visit(port, 'x', '127.0.0.3')).text).toBe('x')
  })

  test('a scan does not fill the access log', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort, allowFrom: ['192.0.2.0/24'] })
    const visits = await Promise.all(Array.from({ length: 200 }, () => visit(port, 'x')))
    expect(visits.every((one) => one.error !== null)).toBe(true)
    await stop()
    expect(await world.connections(tunnelId)).toHaveLength(20)
  })

  test('connections beyond the limit of a tunnel are refused, and a place comes back', async () => {
    await start({ maxConnectionsPerTunnel: 2 })
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort })
    const first = await new Client(port).greet()
    await new Client(port).greet().then((second) => second.socket.unref())
    expect((await visit(port, 'x')).error).toBe('ECONNRESET')
    await waitFor(async () =>
      (await world.connections(tunnelId)).some((row) => row['reason'] === 'too_many_connections'),
    )
    first.socket.end()
    await first.closed
    await waitFor(async () => (await visit(port, 'again')).text === 'again')
  })
})

describe('reaching the device', () => {
  test('a device that is away is refused at once, and reached as soon as it is back', async () => {
    await start()
    const away = await world.addDevice('127.0.0.9', false)
    const device = await playDevice(echo, '127.0.0.9')
    const { tunnelId, port } = await world.openPort({ deviceId: away, devicePort: device.port })
    expect((await visit(port, 'x')).error).toBe('ECONNRESET')
    await waitFor(async () => (await world.connections(tunnelId))[0]?.['reason'] === 'device_offline')
    await world.attach(away, '127.0.0.9')
    await waitFor(async () => (await visit(port, 'back')).text === 'back')
    await world.detach(away)
    await waitFor(async () => (await visit(port, 'gone')).text === '')
    device.server.close()
  })

  test('a closed port of the device is told from silence', async () => {
    await start({ dialTimeoutMs: 300 })
    const { port: closedPort, server } = await playDevice(echo)
    server.close()
    const refusing = await world.openPort({ deviceId, devicePort: closedPort })
    expect((await visit(refusing.port, 'x')).error).toBe('ECONNRESET')
    const silentDevice = await world.addDevice('192.0.2.77')
    const unreachable = await world.openPort({ deviceId: silentDevice, devicePort: 7 })
    expect((await visit(unreachable.port, 'x')).error).toBe('ECONNRESET')
    await waitFor(async () => (await world.connections(refusing.tunnelId))[0]?.['reason'] === 'refused')
    await waitFor(async () => (await world.connections(unreachable.tunnelId))[0]?.['reason'] === 'device_unreachable')
  })

  test('a concentrator that says nonsense about its dial address harms only its own devices', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort })
    await world.pool.query(`UPDATE concentrators SET dial_address = 'nonsense'`)
    await world.change(tunnelId, {})
    expect((await visit(port, 'x')).error).toBe('ECONNRESET')
    await waitFor(async () => (await world.connections(tunnelId))[0]?.['reason'] === 'device_unreachable')
    await world.pool.query(`UPDATE concentrators SET dial_address = '127.0.0.1'`)
    await world.change(tunnelId, {})
    expect((await visit(port, 'well')).text).toBe('well')
  })

  test('the end of one direction is forwarded and the other goes on', async () => {
    await start()
    const device = await playDevice((socket) => {
      let said = ''
      socket.on('data', (data) => (said += data.toString()))
      socket.on('end', () => socket.end(`heard ${said}`))
    })
    const fromClient = await world.openPort({ deviceId, devicePort: device.port })
    expect(await visit(fromClient.port, 'question')).toEqual({ text: 'heard question', ended: true, error: null })

    let heard = ''
    const talker = await playDevice((socket) => {
      socket.end('all I have')
      socket.on('data', (data) => (heard += data.toString()))
    })
    const fromDevice = await world.openPort({ deviceId, devicePort: talker.port })
    const client = new Client(fromDevice.port)
    await waitFor(() => client.ended)
    client.socket.end('still talking')
    expect(await client.closed).toEqual({ text: 'all I have', ended: true, error: null })
    await waitFor(() => heard === 'still talking')
    device.server.close()
    talker.server.close()
  })

  test('a reset of the device reaches the client as a reset', async () => {
    await start()
    const device = await playDevice((socket) => {
      socket.once('data', () => socket.resetAndDestroy())
    })
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: device.port })
    const client = new Client(port)
    client.socket.write('x')
    expect(await client.closed).toMatchObject({ ended: false, error: 'ECONNRESET' })
    await waitFor(async () => (await world.connections(tunnelId))[0]?.['reason'] === 'device_reset')
    device.server.close()
  })

  test('a slow reader holds the sender back, and nothing is lost', async () => {
    await start()
    const size = 24 * 1024 * 1024
    let sent = 0
    const device = await playDevice((socket) => {
      const chunk = Buffer.alloc(64 * 1024, 'z')
      const push = (): void => {
        while (sent < size) {
          sent += chunk.length
          if (!socket.write(chunk)) return void socket.once('drain', push)
        }
        socket.end()
      }
      push()
    })
    const { port } = await world.openPort({ deviceId, devicePort: device.port })
    const client = new Client(port)
    client.socket.pause()
    await waitFor(() => sent > 0)
    // Reading nothing: the kernel's buffers fill, then the device must wait.
    let before = -1
    await waitFor(
      () => {
        const still = sent === before
        before = sent
        return still
      },
      { intervalMs: 200 },
    )
    expect(sent).toBeLessThan(size)
    client.socket.resume()
    client.socket.end()
    expect((await client.closed).text.length).toBe(size)
    device.server.close()
  })

  test('a hundred connections at once each get their own echo', async () => {
    await start()
    const { port } = await world.openPort({ deviceId, devicePort: echoPort })
    const words = Array.from({ length: 100 }, (_, index) => `word ${index} `.repeat(200))
    const visits = await Promise.all(words.map((word) => visit(port, word)))
    expect(visits.map((one) => one.text)).toEqual(words)
    expect(visits.every((one) => one.ended && one.error === null)).toBe(true)
  })
})

describe('healing', () => {
  test('a wish that nobody told the gateway about is found by the timer', async () => {
    await start()
    const tunnelId = await world.openTunnel({ deviceId, devicePorts: [echoPort], tell: false })
    await world.reaches(tunnelId, 'open')
    await world.endTunnel(tunnelId, false)
    expect((await world.reaches(tunnelId, 'closed')).reason).toBe('requested')
  }, 60_000)

  const stores = inject('redisUrl') === null ? ['postgres'] : ['postgres', 'redis']
  test.each(stores)('a job on %s is enough, and doubled ones change nothing', async (store) => {
    const redisUrl = store === 'redis' ? inject('redisUrl') : null
    await start({ redisUrl })
    const queues = openQueues({ databaseUrl: world.databaseUrl, redisUrl: redisUrl ?? undefined, logger: silent })
    const tunnelId = await world.openTunnel({ deviceId, devicePorts: [echoPort], tell: false })
    const hints = Array.from({ length: 5 }, (_, index) =>
      queues.hint(gatewayQueue('gw-1'), 'listeners.changed', { dedup: `${index}` }),
    )
    await Promise.all([...hints, world.tellGateway(), world.tellGateway()])
    const opened = await world.reaches(tunnelId, 'open')
    expect(opened.version).toBe(2)
    expect(await world.events(tunnelId)).toHaveLength(1)
    await queues.close()
  })

  test('a restarted gateway listens on the same port again, and connections it lost are closed in the log', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort })
    await world.pool.query(
      `INSERT INTO connections (id, organization_id, tunnel_id, tunnel_port_id, client_address, client_port, state, opened_at)
       SELECT 'con_lost', 'org_a', tunnel_id, id, '127.0.0.1', 1, 'open', now() - interval '1 minute' FROM tunnel_ports WHERE tunnel_id = $1`,
      [tunnelId],
    )
    await stop()
    expect((await visit(port, 'x')).error).toBe('ECONNREFUSED')
    await start()
    expect((await visit(port, 'again')).text).toBe('again')
    expect((await world.ports(tunnelId))[0]?.gateway_port).toBe(port)
    await waitFor(async () => (await world.connections(tunnelId))[0]?.['reason'] === 'gateway_restarted')
  })

  test('an open tunnel whose port is gone after a restart fails and says why', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort })
    await stop()
    const squatter = createServer()
    squatter.listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    await start()
    expect(await world.reaches(tunnelId, 'failed')).toMatchObject({ reason: 'listen_failed' })
    expect((await world.ports(tunnelId))[0]?.failure).toBe('listen_failed')
    squatter.close()
  })

  test('a restarted gateway gives nobody the number of a tunnel that was open', async () => {
    const only = { portRange: { from: 21_206, to: 21_206 } }
    await start(only)
    const older = await world.openPort({ deviceId, devicePort: echoPort })
    await stop()
    const newer = await world.openTunnel({ deviceId, devicePorts: [echoPort], tell: false })
    await start(only)
    expect(await world.reaches(newer, 'failed')).toMatchObject({ reason: 'no_free_port' })
    expect((await visit(older.port, 'mine')).text).toBe('mine')
    expect((await world.tunnel(older.tunnelId))?.state).toBe('open')
  })

  test('a tunnel that was closed while the gateway was away ends when it is back', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort })
    await stop()
    await world.endTunnel(tunnelId)
    await start()
    await world.reaches(tunnelId, 'closed')
    expect((await visit(port, 'x')).error).toBe('ECONNREFUSED')
    expect((await world.ports(tunnelId))[0]?.quarantine_until).toBeInstanceOf(Date)
  })

  test('stopping marks the gateway stopped and lets a flow end', async () => {
    const running = await start({ drainMs: 5_000 })
    const { port } = await world.openPort({ deviceId, devicePort: echoPort })
    const client = await new Client(port).greet()
    const stopped = stop()
    await waitFor(async () => (await visit(port, 'x')).error === 'ECONNREFUSED')
    await client.greet()
    client.socket.end()
    expect(await client.closed).toMatchObject({ error: null, ended: true })
    await stopped
    expect(running.openConnections()).toBe(0)
    const { rows } = await world.pool.query(`SELECT state FROM gateways WHERE id = 'gw-1'`)
    expect(rows).toEqual([{ state: 'stopped' }])
  })
})

describe('what a tunnel may carry', () => {
  test('it ends with the reason quota when it is used up, whoever used it, and no client comes in any more', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort, maxBytes: 100 })
    expect((await visit(port, 'x'.repeat(40))).text).toHaveLength(40)
    const client = await new Client(port).greet('y'.repeat(9))
    client.socket.write('z'.repeat(9))
    expect(await client.closed).toMatchObject({ error: 'ECONNRESET' })
    expect(await world.reaches(tunnelId, 'expired')).toMatchObject({ reason: 'quota' })
    expect(await visit(port, 'x')).toMatchObject({ error: 'ECONNREFUSED' })
    expect((await world.events(tunnelId)).map((event) => event.type)).toEqual([
      'tunnel.opened',
      'tunnel.draining',
      'tunnel.expired',
    ])
    await waitFor(async () => (await world.connections(tunnelId)).some(({ reason }) => reason === 'quota'))
  })

  test('what it carried before a restart counts', async () => {
    await start()
    const { tunnelId, port } = await world.openPort({ deviceId, devicePort: echoPort, maxBytes: 100 })
    expect((await visit(port, 'x'.repeat(40))).text).toHaveLength(40)
    await waitFor(async () => (await world.connections(tunnelId))[0]?.['up'] === 40)
    await stop()
    await start()
    const client = new Client(port)
    client.socket.write('y'.repeat(11))
    expect(await client.closed).toMatchObject({ error: 'ECONNRESET' })
    expect(await world.reaches(tunnelId, 'expired')).toMatchObject({ reason: 'quota' })
  })

  test('a rate loses nothing', async () => {
    await start()
    const rateLimit = { upBytesPerSec: 100_000, downBytesPerSec: null }
    const { port } = await world.openPort({ deviceId, devicePort: echoPort, rateLimit })
    const text = 'abcdefghij'.repeat(6000)
    expect(await visit(port, text)).toEqual({ text, ended: true, error: null })
  })
})
