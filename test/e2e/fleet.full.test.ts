import fs from 'node:fs'
import path from 'node:path'
import { createLab, labMissing, peer, waitFor, type Lab, type LabProcess, type Namespace } from '@culvert/testkit'
import { scratchFolder } from '@culvert/services'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTunnel, registerDevice, waitAttached, type RegisteredDevice } from '../support/fleet.ts'
import { SERVER_ADDRESS, startInstallation, type Installation } from '../support/installation.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const DEVICES = 8
const missing = labMissing()

describe.skipIf(missing)(`many simulated devices in one process${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let lab: Lab
  let culvert: Installation
  let host: Namespace
  let folder: string
  let simulated: LabProcess
  let fleet: RegisteredDevice[]

  beforeAll(async () => {
    folder = await scratchFolder()
    lab = await createLab()
    culvert = await startInstallation({ lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') })
    host = await lab.addHost('fleet', '192.0.2.11/24')
    const half = DEVICES / 2
    const names = Array.from({ length: half }, (_, index) => `sim-${index}`)
    fleet = []
    for (const api of [culvert.acme, culvert.globex])
      for (const name of names) fleet.push(await registerDevice(api, name))
    const file = path.join(folder, 'fleet.json')
    const members = fleet.map(({ ikeIdentity: identity, psk }) => ({ identity, psk }))
    fs.writeFileSync(file, JSON.stringify(members), { mode: 0o600 })
    simulated = host.spawn(process.execPath, ['--conditions=source', path.join(ROOT, 'apps/device-sim/src/main.ts')], {
      env: {
        ...process.env,
        DEVICE_REMOTE: SERVER_ADDRESS,
        DEVICE_REMOTE_IDENTITY: 'concentrator.fleet.culvert.internal',
        DEVICE_FLEET_FILE: file,
        DEVICE_HTTP_PORT: '8080',
      },
    })
  })
  afterAll(async () => {
    await simulated?.stop()
    await culvert?.stop()
    await lab?.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  const apiOf = (index: number): Installation['acme'] => (index < DEVICES / 2 ? culvert.acme : culvert.globex)
  const pageOf = async (index: number): Promise<string> => {
    const { env } = await peer('curl')
    const tunnel = await openTunnel(apiOf(index), fleet[index]?.id ?? '', 8080)
    const url = `http://${tunnel.host}:${tunnel.port}/`
    const { stdout } = await culvert.customer.exec('curl', ['--silent', '--max-time', '10', url], { env, check: false })
    return stdout
  }

  it('all attach over one socket and TUN, and each answers through its own tunnel', async () => {
    for (const [index, device] of fleet.entries()) {
      await waitAttached(apiOf(index), device.id).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${simulated.output()}`)
      })
    }
    await waitFor(
      () => fleet.every(({ address4 }) => simulated.output().includes(`"address":"${address4}","port":8080`)),
      {
        message: `every page to be up: ${simulated.output()}`,
      },
    )
    for (const [index, { ikeIdentity, address4 }] of fleet.entries()) {
      expect(await pageOf(index)).toContain(`Hello from ${ikeIdentity} at ${address4}`)
    }
  })

  it('all have IPv6 inside as well, each its own address', async () => {
    const { env } = await peer('curl')
    for (const { ikeIdentity, address6 } of fleet) {
      await waitFor(() => simulated.output().includes(`"address":"${address6}","port":8080`), {
        message: `the page of ${address6}`,
      })
      const url = `http://[${address6}]:8080/`
      const { stdout } = await culvert.tun.exec('curl', ['--silent', '--max-time', '10', url], { env, check: false })
      expect(stdout).toContain(`Hello from ${ikeIdentity} at ${address6}`)
    }
  })

  it('one that is detached comes back by itself, the others do not notice', async () => {
    const [first] = fleet
    const epochOf = async (device: RegisteredDevice | undefined): Promise<number> =>
      (await culvert.acme<{ epoch: number }>('GET', `/v1/devices/${device?.id}/attachment`)).body.epoch
    const before = await Promise.all([epochOf(first), epochOf(fleet[1])])
    expect((await culvert.acme('DELETE', `/v1/devices/${first?.id}/attachment`)).status).toBe(204)
    await waitFor(async () => (await epochOf(first)) > (before[0] ?? 0), { message: 'the device to be back' })
    expect(await epochOf(fleet[1])).toBe(before[1])
    expect(await pageOf(0)).toContain(`at ${first?.address4}`)
  })
})
