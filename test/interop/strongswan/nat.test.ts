import { scratchFolder } from '@culvert/services'
import { createLab, peer, waitFor, type Lab, type Nat, type Strongswan } from '@culvert/testkit'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  openTunnel,
  registerDevice,
  startPage,
  startStrongswanDevice,
  waitAttached,
  type RegisteredDevice,
  type TunnelAnswer,
} from '../../support/fleet.ts'
import { startInstallation, type Installation } from '../../support/installation.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'

describe.skipIf(swanMissing)(`two devices behind one NAT${skipNote}`, () => {
  let lab: Lab
  let culvert: Installation
  let nat: Nat
  let folder: string
  let curlEnv: NodeJS.ProcessEnv
  const members: { device: RegisteredDevice; swan: Strongswan; tunnel: TunnelAnswer }[] = []

  beforeAll(async () => {
    folder = await scratchFolder()
    fs.writeFileSync(path.join(folder, 'file'), 'file')
    curlEnv = (await peer('curl')).env
    lab = await createLab()
    culvert = await startInstallation({ lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') })
    nat = await lab.addNat('nat', { outside: '192.0.2.77/24', inside: '192.168.77.1/24' })
    for (const number of [1, 2]) {
      const host = await nat.addHost(`dev${number}`, `192.168.77.1${number}/24`)
      const registered = await registerDevice(culvert.acme, `router-${number}`)
      // Short liveness checks on the device's side, as behind a carrier's NAT.
      const device = {
        ...registered,
        swanctlConf: registered.swanctlConf.replace(/dpd_delay *= *\S+/, 'dpd_delay = 5s'),
      }
      const swan = await startStrongswanDevice(device, host, `dev${number}`)
      await waitAttached(culvert.acme, device.id)
      await startPage(host, device.address4, 8080, path.join(folder, 'file'))
      members.push({ device, swan, tunnel: await openTunnel(culvert.acme, device.id, 8080) })
    }
  })
  afterAll(async () => {
    for (const { swan } of members) await swan.stop()
    await culvert?.stop()
    await lab?.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  const reach = async ({ device, tunnel }: (typeof members)[number]): Promise<boolean> => {
    const { stdout } = await culvert.customer.exec(
      'curl',
      ['--silent', '--max-time', '10', `http://${tunnel.host}:${tunnel.port}/`],
      { check: false, env: curlEnv },
    )
    return stdout === `hello from the device at ${device.address4}\n`
  }

  it('both answer through their own tunnels and are seen behind the NAT', async () => {
    for (const member of members) {
      expect(await reach(member)).toBe(true)
      const { body } = await culvert.acme<{ remoteAddress: string; behindNat: boolean }>(
        'GET',
        `/v1/devices/${member.device.id}/attachment`,
      )
      expect(body).toMatchObject({ remoteAddress: '192.0.2.77', behindNat: true })
    }
  })

  it('follows both when the NAT changes their ports (RFC 7296 2.23)', async () => {
    await nat.rebind({ first: 40_000, last: 49_999 })
    for (const member of members) {
      await waitFor(() => reach(member), { timeoutMs: 30_000, message: `${member.device.id} to answer again` })
      const port = await waitFor(() => portAbove(member.device.id, 40_000), { message: 'the API to show the new port' })
      expect(port).toBeLessThan(50_000)
    }
  })

  async function portAbove(deviceId: string, least: number): Promise<number | null> {
    const { body } = await culvert.acme<{ remotePort: number }>('GET', `/v1/devices/${deviceId}/attachment`)
    return body.remotePort >= least ? body.remotePort : null
  }
})
