import { createDatabase, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startGateway } from './gateway.ts'
import { Client, echo, playDevice, settingsOf, silent, World } from './testing/world.ts'

const ROUNDS = 10
/** Every kill lets the gateway wait a little longer before it connects again, up to five seconds. */
const TIMEOUT_MS = 120_000
let world: World

beforeAll(async () => {
  world = new World(await createDatabase(inject('databaseUrl')))
  await world.lay()
})
afterAll(() => world.pool.end())

/** Ends every connection to this test's database but the one that asks: idle, listening, waiting, inside a transaction. */
async function killConnections(): Promise<number> {
  const { rowCount } = await world.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
  )
  return rowCount ?? 0
}

// An error event nobody hears, or a rejection nobody catches, would end a gateway; here it fails the run.
test(
  'a gateway whose connections to Postgres are killed again and again carries bytes and does what it is told',
  { timeout: TIMEOUT_MS },
  async () => {
    const device = await playDevice(echo)
    const deviceId = await world.addDevice('127.0.0.1')
    const gateway = await startGateway(settingsOf(world.databaseUrl, { from: 21_400, to: 21_499 }), silent, (error) => {
      throw error
    })
    const held = await world.openPort({ deviceId, devicePort: device.port })
    const client = await new Client(held.port).greet()
    for (let round = 0; round < ROUNDS; round++) {
      const wish = round % 5 === 0 ? world.openTunnel({ deviceId, devicePorts: [device.port] }) : null
      await waitFor(async () => (await killConnections()) > 0)
      await wish?.catch(() => undefined)
    }
    const later = await waitFor(() => world.openTunnel({ deviceId, devicePorts: [device.port] }))
    await world.reaches(later, 'open')
    await client.greet()
    client.socket.end()
    expect(await client.closed).toMatchObject({ text: 'hihi', error: null })
    const stopped = gateway.stop()
    await killConnections()
    await stopped
    expect(gateway.openConnections()).toBe(0)
    device.server.close()
  },
)
