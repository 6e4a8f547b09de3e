/**
 * AH from end to end: a device that may use the tier `compat`, in the open, is reached without a packet of ESP; one that may not gets
 * no Child SA.
 */
import { createLab, labMissing, peer, waitFor, type Lab, type Namespace } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings } from '../support/closings.ts'
import { openTunnel, registerDevice } from '../support/fleet.ts'
import { startInstallation, type Installation } from '../support/installation.ts'
import { startSimulatedDevice, type SimulatedDevice } from '../support/simulated-device.ts'

const PAGES = 20
const COUNTERS = `table ip seen {
  counter authentic { }
  counter encrypted { }
  chain input {
    type filter hook input priority 0
    ip protocol ah counter name authentic
    ip protocol esp counter name encrypted
    udp sport 4500 udp length > 200 counter name encrypted
  }
}`
const missing = labMissing()

describe.skipIf(missing)(`AH by policy${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const closings = createClosings()
  let lab: Lab
  let culvert: Installation
  let folder: string

  beforeAll(async () => {
    folder = await closings.folder()
    lab = await createLab()
    closings.add(() => lab.close())
    const servers = { serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') }
    const env = { CONCENTRATOR_NATIVE_ESP: 'true', CONCENTRATOR_AH: 'true', CONCENTRATOR_CHILD_REKEY_SEC: '2' }
    culvert = await startInstallation({ lab, ...servers, rung: 'native', env })
    closings.add(() => culvert.stop())
  })
  afterAll(() => closings.close())

  async function start(name: string, address: string, more: object): Promise<Started> {
    const host = await lab.addHost(name, `${address}/24`)
    const device = await registerDevice(culvert.acme, name, more)
    const simulated = startSimulatedDevice({ host, folder, culvert, closings }, device, {
      DEVICE_NATIVE_ESP: 'true',
      DEVICE_AH: 'true',
      DEVICE_LOCAL: address,
    })
    return { host, deviceId: device.id, identity: device.ikeIdentity, simulated }
  }

  it('RFC 4302 carries a device of the tier compat, through rekeys, and nothing of it is ESP', async () => {
    const { host, deviceId, identity, simulated } = await start('open', '192.0.2.11', {
      proposalTiers: ['modern', 'standard', 'compat'],
    })
    const { env } = await peer('nftables')
    await host.exec('nft', [COUNTERS], { env })
    await simulated.ready()
    const tunnel = await openTunnel(culvert.acme, deviceId, 8080)
    const curl = await peer('curl')
    const url = `http://${tunnel.host}:${tunnel.port}/[1-${PAGES}]`
    const words = ['--silent', '--show-error', '--fail', '--max-time', '60', '--rate', '4/s', url]
    const { stdout } = await culvert.customer.exec('curl', words, { env: curl.env, timeoutMs: 70_000 })
    expect(stdout.split(identity).length - 1).toBe(PAGES)
    const counted = (await host.exec('nft', ['list counters'], { env })).stdout
    const packetsOf = (name: string): number =>
      Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+)`).exec(counted)?.[1])
    expect(packetsOf('encrypted')).toBe(0)
    expect(packetsOf('authentic')).toBeGreaterThan(PAGES)
  })

  it('RFC 7296 2.7 a device without that tier has no Child SA', async () => {
    const { simulated } = await start('modern', '192.0.2.12', { proposalTiers: ['modern'] })
    // It has an IKE SA each time, and gives it up for want of a Child SA.
    await waitFor(() => simulated.output().split('"reason":"deletedLocally"').length > 3, { message: 'the refusals' })
    expect(simulated.output()).not.toContain('"msg":"attached"')
  })
})

interface Started {
  readonly host: Namespace
  readonly deviceId: string
  readonly identity: string
  readonly simulated: SimulatedDevice
}
