import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { peer } from './debian-peer.ts'
import { createLab, type Lab, labMissing } from './lab.ts'
import type { Namespace } from './namespace.ts'
import { waitFor } from './wait-for.ts'

const ECHO = `
  import dgram from 'node:dgram'
  const socket = dgram.createSocket('udp4')
  socket.on('message', (_, from) => socket.send(from.address + ':' + from.port, from.port, from.address))
  socket.bind(7, () => console.log('ready'))`

const ASK = (port: number): string => `
  import dgram from 'node:dgram'
  const socket = dgram.createSocket('udp4')
  socket.on('message', (answer) => { console.log(String(answer)); socket.close() })
  socket.bind(${port}, () => socket.send('who am I', 7, '192.0.2.1'))`

describe.skipIf(labMissing())('a lab', () => {
  let lab: Lab

  beforeEach(async () => {
    lab = await createLab()
  })
  afterEach(async () => {
    await lab.close()
  })

  test('joins hosts by their bridge and shows nothing in the namespace of the host', async () => {
    const before = fs.readdirSync('/sys/class/net')
    const one = await lab.addHost('one', '192.0.2.1/24')
    await lab.addHost('two', '192.0.2.2/24', { mtuBytes: 1400 })
    const { env } = await peer('ping')
    const { stdout } = await one.exec('ping', ['-c', '1', '-W', '2', '192.0.2.2'], { env })
    expect(stdout).toContain('1 received')
    expect(fs.readdirSync('/sys/class/net')).toEqual(before)
  })

  test('a NAT shows its own address, and another port after it forgot its mappings', async () => {
    const server = await lab.addHost('server', '192.0.2.1/24')
    await echo(server)
    const nat = await lab.addNat('nat', { outside: '192.0.2.9/24', inside: '10.0.0.1/24' })
    const device = await nat.addHost('device', '10.0.0.2/24')

    expect(portSeen(await ask(device))).toBeGreaterThanOrEqual(20_000)
    expect(portSeen(await ask(device))).toBeLessThan(30_000)
    await nat.rebind({ first: 40_000, last: 49_999 })
    expect(portSeen(await ask(device))).toBeGreaterThanOrEqual(40_000)
  })

  test('close ends every program and removes every namespace', async () => {
    const host = await lab.addHost('host', '192.0.2.1/24')
    const program = host.spawn('sh', ['-c', 'sleep 1000 & sleep 1000'])
    await lab.close()
    expect(await program.ended).toBe('SIGTERM')
    expect(fs.existsSync(`/run/netns/${host.name}`)).toBe(false)
  })

  test('the next lab removes what a killed run left behind', async () => {
    const script = `
      import { createLab } from ${JSON.stringify(`${import.meta.dirname}/lab.ts`)}
      const lab = await createLab()
      const host = await lab.addHost('orphan', '192.0.2.1/24')
      host.spawn('sleep', ['1000'])
      console.log(host.name)
      process.kill(process.pid, 'SIGKILL')`
    const killed = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    const orphan = killed.stdout.trim()
    expect(fs.existsSync(`/run/netns/${orphan}`)).toBe(true)
    const next = await createLab()
    expect(fs.existsSync(`/run/netns/${orphan}`)).toBe(false)
    await next.close()
  })

  test('a program that does not end in time is ended, and one that fails tells its output', async () => {
    const host = await lab.addNamespace('bare')
    await expect(host.exec('sleep', ['1000'], { timeoutMs: 200 })).rejects.toThrow('no end within 200 ms')
    await expect(host.exec('sh', ['-c', 'echo oops >&2; exit 3'])).rejects.toThrow(/exit code 3\noops/)
    expect(await host.exec('sh', ['-c', 'exit 3'], { check: false })).toMatchObject({ code: 3 })
  })
})

async function echo(server: Namespace): Promise<void> {
  const program = server.spawn(process.execPath, ['--input-type=module', '-e', ECHO])
  await waitFor(() => program.output().includes('ready'), { message: 'the echo server' })
}

/** Sends from a fixed port, so that only a forgotten mapping can change what the server sees. */
async function ask(device: Namespace): Promise<string> {
  const { stdout } = await device.exec(process.execPath, ['--input-type=module', '-e', ASK(500)])
  return stdout.trim()
}

function portSeen(answer: string): number {
  expect(answer).toMatch(/^192\.0\.2\.9:\d+$/)
  return Number(answer.split(':')[1])
}
