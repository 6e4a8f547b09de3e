import { migrate } from '@culvert/db'
import { scratchFolder, type Service, startPostgres } from '@culvert/services'
import { waitFor } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway } from './gateway.ts'
import { Client, echo, playDevice, settingsOf, silent, visit, World } from './testing/world.ts'

let folder: string
let postgres: Service

const startServer = (): Promise<Service> => startPostgres({ dataDir: path.join(folder, 'postgres') })

beforeAll(async () => {
  folder = await scratchFolder()
  postgres = await startServer()
  await migrate(postgres.url)
})
afterAll(async () => {
  await postgres.stop()
  fs.rmSync(folder, { recursive: true, force: true })
})

test('while Postgres is away tunnels carry bytes and expire, and afterwards everything is made up for', async () => {
  const world = new World(postgres.url)
  await world.lay()
  const deviceId = await world.addDevice('127.0.0.1')
  const device = await playDevice(echo)
  const gateway = await startGateway(settingsOf(postgres.url, { from: 21_300, to: 21_399 }), silent, (error) => {
    throw error
  })
  const lasting = await world.openPort({ deviceId, devicePort: device.port })
  const short = await world.openPort({ deviceId, devicePort: device.port, ttlMs: 2_500 })
  const held = await new Client(lasting.port).greet()
  const cut = await new Client(short.port).greet()

  process.kill(postgres.pid, 'SIGKILL')
  await postgres.ended
  await held.greet()
  expect(await visit(lasting.port, 'nobody is needed')).toEqual({ text: 'nobody is needed', ended: true, error: null })
  expect((await cut.closed).error).toBe('ECONNRESET')
  expect((await visit(short.port, 'x')).error).toBe('ECONNREFUSED')
  await held.greet()

  postgres = await startServer()
  expect(postgres.url).toBe(world.databaseUrl)
  expect(await world.reaches(short.tunnelId, 'expired')).toMatchObject({ reason: 'ttl_elapsed' })
  await held.greet()
  const later = await world.openPort({ deviceId, devicePort: device.port })
  expect((await visit(later.port, 'as before')).text).toBe('as before')
  const rows = await waitFor(async () => {
    const found = await world.connections(lasting.tunnelId)
    return found.some((row) => row['state'] === 'closed') && found
  })
  expect(rows).toContainEqual(expect.objectContaining({ state: 'closed', up: 16, down: 16 }))
  expect((await world.tunnel(lasting.tunnelId))?.state).toBe('open')
  held.socket.end()
  await held.closed
  await gateway.stop()
  await world.pool.end()
  device.server.close()
}, 60_000)
