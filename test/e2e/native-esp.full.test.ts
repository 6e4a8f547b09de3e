/**
 * ESP as an IP protocol of its own, from end to end: a device in the open sends no UDP but IKE, one behind a NAT sends ESP in UDP.
 */
import { createLab, labMissing, peer, type Lab, type Namespace } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../support/closings.ts'
import { openTunnel, readAttachment, registerDevice } from '../support/fleet.ts'
import { startInstallation, type Installation } from '../support/installation.ts'
import { startSimulatedDevice } from '../support/simulated-device.ts'

const PAGES = 40
const missing = labMissing()

describe.skipIf(missing)(`ESP without UDP${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const closings = createClosings()
  let lab: Lab
  let culvert: Installation
  let folder: string

  beforeAll(async () => {
    folder = await closings.folder()
    lab = await createLab()
    closings.add(() => lab.close())
    const servers = { serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') }
    const env = { CONCENTRATOR_NATIVE_ESP: 'true', CONCENTRATOR_CHILD_REKEY_SEC: '2' }
    culvert = await startInstallation({ lab, ...servers, rung: 'native', env })
    closings.add(() => culvert.stop())
  })
  afterAll(() => closings.close())

  /** Attaches a device and fetches its page through a tunnel. @returns what its host counted meanwhile */
  async function visit(name: string, host: Namespace, settings: Readonly<Record<string, string>>): Promise<Visit> {
    const device = await registerDevice(culvert.acme, name)
    await startSimulatedDevice({ host, folder, culvert, closings }, device, settings).ready()
    const tunnel = await openTunnel(culvert.acme, device.id, 8080)
    const { env } = await peer('curl')
    const before = await datagramsOf(host)
    const url = `http://${tunnel.host}:${tunnel.port}/[1-${PAGES}]`
    const words = ['--silent', '--show-error', '--fail', '--max-time', '60', url]
    const { stdout } = await culvert.customer.exec('curl', words, { env, timeoutMs: 70_000 })
    const pages = stdout.split(device.ikeIdentity).length - 1
    const { behindNat } = await readAttachment(culvert.acme, device.id)
    return { pages, datagrams: (await datagramsOf(host)) - before, behindNat }
  }

  it('RFC 7296 2.23 a device in the open is reached without a datagram of ESP', async () => {
    const host = await lab.addHost('open', '192.0.2.11/24')
    const { pages, datagrams, behindNat } = await visit('open', host, {
      DEVICE_NATIVE_ESP: 'true',
      DEVICE_LOCAL: '192.0.2.11',
    })
    expect({ pages, behindNat }).toEqual({ pages: PAGES, behindNat: false })
    expect(datagrams).toBeLessThan(PAGES / 2) // a few are of IKE
  })

  it('RFC 7296 2.23 a device behind a NAT is reached by ESP in UDP', async () => {
    const nat = await lab.addNat('nat', { outside: '192.0.2.9/24', inside: '10.0.0.1/24' })
    const host = await nat.addHost('inner', '10.0.0.2/24')
    const { pages, datagrams, behindNat } = await visit('inner', host, {
      DEVICE_NATIVE_ESP: 'true',
      DEVICE_LOCAL: '10.0.0.2',
    })
    expect({ pages, behindNat }).toEqual({ pages: PAGES, behindNat: true })
    expect(datagrams).toBeGreaterThanOrEqual(PAGES)
  })

  it('RFC 7296 2.23 a device that sends nothing but UDP is answered in UDP', async () => {
    const host = await lab.addHost('plain', '192.0.2.12/24')
    const { pages, datagrams } = await visit('plain', host, { DEVICE_RUNG: 'portable' })
    expect(pages).toBe(PAGES)
    expect(datagrams).toBeGreaterThanOrEqual(PAGES)
  })
})

interface Visit {
  readonly pages: number
  /** UDP datagrams that the host of the device received. */
  readonly datagrams: number
  readonly behindNat: boolean
}

async function datagramsOf(host: Namespace): Promise<number> {
  const { stdout } = await host.exec('cat', ['/proc/net/snmp'])
  return Number(/^Udp: (\d+)/mu.exec(stdout)?.[1])
}
