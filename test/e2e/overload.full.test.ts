import fs from 'node:fs'
import path from 'node:path'
import { createLab, labMissing, peer, type Namespace } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../support/closings.ts'
import { openTunnel, registerDevice, type RegisteredDevice } from '../support/fleet.ts'
import { SERVER_ADDRESS, startInstallation, type Installation } from '../support/installation.ts'
import { startSimulatedDevice } from '../support/simulated-device.ts'

const DATAGRAMS = path.resolve(import.meta.dirname, '../support/datagrams.ts')
const DIAL_ADDRESS = '10.127.0.1'
const FLOOD_MS = 5000
const ECHOES = 80
const GROWTH_LIMIT_KB = 40_000
const missing = labMissing()

describe.skipIf(missing)(`more than can be carried${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const closings = createClosings()
  let culvert: Installation
  let far: Namespace
  let device: RegisteredDevice
  let quiet: RegisteredDevice

  beforeAll(async () => {
    const lab = await createLab()
    closings.add(() => lab.close())
    culvert = await startInstallation({ lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') })
    closings.add(() => culvert.stop())
    const folder = await closings.folder()
    far = await lab.addHost('simulated', '192.0.2.11/24')
    device = await registerDevice(culvert.acme, 'flooded')
    quiet = await registerDevice(culvert.acme, 'quiet')
    const simulated = [
      startSimulatedDevice({ host: far, folder, culvert, closings }, device),
      startSimulatedDevice({ host: await lab.addHost('quiet', '192.0.2.12/24'), folder, culvert, closings }, quiet),
    ]
    // An echo to a device whose end of the tunnel is not up yet would be lost rightly.
    for (const one of simulated) await one.ready()
  })
  afterAll(() => closings.close())

  /** Through the tunnel of the device that is not flooded. @returns how many of them were answered */
  const echoes = async (): Promise<number> => {
    const { env } = await peer('ping')
    const words = ['-n', '-I', DIAL_ADDRESS, '-i', '0.05', '-c', String(ECHOES), '-W', '30', quiet.address4]
    const { stdout } = await culvert.tun.exec('ping', words, { env, check: false, timeoutMs: 60_000 })
    return Number(/(\d+) received/.exec(stdout)?.[1])
  }

  const flood = async (host: Namespace, from: string, to: string, port: number, bytes: number): Promise<void> => {
    const args = ['--conditions=source', DATAGRAMS, from, to, String(port), String(bytes), String(FLOOD_MS)]
    const { stdout } = await host.exec(process.execPath, args, { timeoutMs: FLOOD_MS + 30_000 })
    expect(Number(stdout.split(' ')[0])).toBeGreaterThan(10_000)
  }
  const residentKb = (): number => {
    const status = fs.readFileSync(`/proc/${culvert.process('concentrator').pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
  }
  const page = async (): Promise<string> => {
    const { env } = await peer('curl')
    const tunnel = await openTunnel(culvert.acme, device.id, 8080)
    const url = `http://${tunnel.host}:${tunnel.port}/`
    const { stdout } = await culvert.customer.exec('curl', ['--silent', '--max-time', '20', url], { env, check: false })
    return stdout
  }

  it.each([
    ['into a tunnel', () => flood(culvert.tun, DIAL_ADDRESS, device.address4, 9, 1300)],
    ['out of a tunnel, to where the device may not go', () => flood(far, device.address4, DIAL_ADDRESS, 9, 1300)],
    ['of datagrams that are no ESP of ours', () => flood(culvert.customer, '192.0.2.200', SERVER_ADDRESS, 4500, 1400)],
    ['to a device that does not exist', () => flood(culvert.tun, DIAL_ADDRESS, '10.128.15.77', 9, 64)],
  ])('memory stays flat, another tunnel loses nothing, and the tunnel works after a flood %s', async (_, send) => {
    // The engine's heaps and compilers have their size afterwards.
    const [answered] = await Promise.all([echoes(), send()])
    expect(answered).toBe(ECHOES)
    const before = residentKb()
    await send()
    await send()
    expect(residentKb() - before).toBeLessThan(GROWTH_LIMIT_KB)
    expect(await page()).toContain(device.ikeIdentity)
    expect(culvert.output('concentrator')).not.toContain('"level":"error"')
  })
})
