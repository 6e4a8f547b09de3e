import { createLogger } from '@culvert/observability'
import { createDatabase, waitFor } from '@culvert/testkit'
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startGateway, type Gateway } from './gateway.ts'
import { DIAL_ADDRESS, TestNamespace } from './testing/namespace.ts'
import { Client, settingsOf, visit, World } from './testing/world.ts'

const banner = `220 ready for ${DIAL_ADDRESS}\n`
const namespace = new TestNamespace(`gwtest-${process.pid}`)
const lines: string[] = []
const log = createLogger('gw-1', 'info', { write: (line: string) => void lines.push(line) })
let world: World
let gateway: Gateway
let tunnelId: string
let port: number

/** Pids of the dialers inside the namespace: processes there that were started by this one. */
function dialers(): number[] {
  const pids = execFileSync('ip', ['netns', 'pids', namespace.name], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
  return pids.filter((pid) => pid > 0 && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dialer-process'))
}

beforeAll(async () => {
  namespace.make()
  world = new World(await createDatabase(inject('databaseUrl')))
  await world.lay({ namespace: namespace.name, dialAddress: DIAL_ADDRESS })
  await world.pool.query(`UPDATE networks SET pool4 = '10.128.0.0/20'`)
  const deviceId = await world.addDevice('10.128.0.2')
  gateway = await startGateway(settingsOf(world.databaseUrl, { from: 22_000, to: 22_099 }), log, (error) => {
    throw error
  })
  const opened = await world.openPort({ deviceId, devicePort: await namespace.startDevice() })
  tunnelId = opened.tunnelId
  port = opened.port
})
afterAll(async () => {
  await gateway.stop()
  await world.pool.end()
  await namespace.remove()
})

describe('dialing from the namespace of the TUN', () => {
  test('the device sees the dial address', async () => {
    expect(await visit(port, 'hello')).toEqual({ text: `${banner}hello`, ended: true, error: null })
  })

  test('what the device says first is never lost', async () => {
    for (let round = 0; round < 300; round++) expect((await visit(port, `${round}`)).text).toBe(`${banner}${round}`)
    for (let round = 0; round < 10; round++) {
      const words = Array.from({ length: 100 }, (_, index) => `caller ${index}`)
      const visits = await Promise.all(words.map((word) => visit(port, word)))
      expect(visits.map((one) => one.text)).toEqual(words.map((word) => `${banner}${word}`))
    }
  })

  test('megabytes go through a socket that was handed over', async () => {
    const sent = 'abcdefgh'.repeat(512 * 1024)
    const { text, ended } = await visit(port, sent)
    expect(text.length).toBe(banner.length + sent.length)
    expect(text.endsWith(sent)).toBe(true)
    expect(ended).toBe(true)
  })

  test('a reset of the device reaches the client as a reset', async () => {
    const client = new Client(port)
    await waitFor(() => client.text === banner)
    client.socket.write('bye')
    expect(await client.closed).toMatchObject({ ended: false, error: 'ECONNRESET' })
  })

  test('the dialer process has no environment but its path and keeps no descriptor of a socket', async () => {
    const [pid] = dialers()
    const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    const names = environment.map((entry) => entry.split('=')[0] ?? '').filter((name) => name !== '')
    expect(names.toSorted()).toEqual(['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'PATH'])
    // Nobody, in no group, with no capability: it only connects.
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
    expect(status).toMatch(/^Uid:(\t65534){4}$/m)
    expect(status).toMatch(/^Gid:(\t65534){4}$/m)
    expect(status).toMatch(/^Groups:\s*$/m)
    expect(status).toMatch(/^CapEff:\t0+$/m)
    const client = await new Client(port).greet()
    await waitFor(() => socketsOf(pid ?? 0) <= 2)
    client.socket.destroy()
  })

  test('a killed dialer is replaced, and connections it handed over go on', async () => {
    const held = await new Client(port).greet()
    const [pid] = dialers()
    process.kill(pid ?? 0, 'SIGKILL')
    await waitFor(async () => (await visit(port, 'x')).text === `${banner}x`)
    expect(dialers()).not.toContain(pid)
    await held.greet()
    held.socket.end()
    expect((await held.closed).error).toBeNull()
  })

  test('a dialer ends with the gateway that started it, even when that one is killed', async () => {
    const known = dialers()
    const dialer = new URL('./dial/namespace-dialer.ts', import.meta.url).href
    const program = `const { NamespaceDialer } = await import('${dialer}')
      new NamespaceDialer('${namespace.name}', 1000, console).prepare()`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' })
    const [pid] = await waitFor(() => {
      const fresh = dialers().filter((one) => !known.includes(one))
      return fresh.length > 0 && fresh
    })
    parent.kill('SIGKILL')
    await waitFor(() => !dialers().includes(pid ?? 0))
    expect(dialers()).toEqual(known)
  })

  test('a missing namespace makes devices unreachable until it is there again', async () => {
    await namespace.remove()
    await world.pool.query('DELETE FROM connections')
    await world.change(tunnelId, {})
    await waitFor(async () => (await visit(port, 'x')).error !== null)
    await waitFor(async () => (await world.connections(tunnelId)).some((row) => row['reason'] === 'device_unreachable'))
    const said = await waitFor(() => lines.find((line) => line.includes('Cannot open network namespace')))
    expect(said).toContain('no device of this concentrator can be dialed')
    expect(said).toContain(namespace.name)

    namespace.make()
    await world.pool.query('UPDATE tunnel_ports SET device_port = $1', [await namespace.startDevice()])
    await world.change(tunnelId, {})
    await waitFor(async () => (await visit(port, 'back')).text === `${banner}back`, { timeoutMs: 30_000 })
  })
})

/** IPC channel and standard error are sockets too: two at most when no connection is kept. */
function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return fs.readdirSync(folder).filter((fd) => fs.readlinkSync(`${folder}/${fd}`).startsWith('socket:')).length
}
