/**
 * Twenty strongSwan devices of two organizations at once, some directly on the internet, some behind two carrier NATs.
 *
 * ```
 *   server ── bridge ──┬── 12 devices
 *                      ├── NAT 192.0.2.71 ── 4 devices, the same inner addresses
 *                      ╰── NAT 192.0.2.72 ── 4 devices    behind both NATs
 * ```
 */
import fs from 'node:fs'
import path from 'node:path'
import { createLab, peer, waitFor, type Lab, type Namespace, type Strongswan } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createClosings, type Closings } from '../../support/closings.ts'
import {
  openTunnel,
  readAttachment,
  registerDevice,
  startPage,
  startStrongswanDevice,
  waitAttached,
  type RegisteredDevice,
  type TunnelAnswer,
} from '../../support/fleet.ts'
import { startInstallation, type Api, type Installation } from '../../support/installation.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'

const DIRECT = 12
const BEHIND_EACH_NAT = 4
const NATS = ['192.0.2.71', '192.0.2.72']
const DEVICE_PORT = 8080

interface Member {
  readonly organization: 'acme' | 'globex'
  readonly nat: string | null
  readonly host: Namespace
  readonly device: RegisteredDevice
  readonly swan: Strongswan
  readonly tunnel: TunnelAnswer
}

const missing = await firstMissing('strongswan', 'nftables', 'curl')

describe.skipIf(missing)(`twenty devices of two organizations${noteOf(missing)}`, () => {
  const closings: Closings = createClosings()
  let lab: Lab
  let culvert: Installation
  let members: readonly Member[]
  let curlEnv: NodeJS.ProcessEnv

  beforeAll(async () => {
    const folder = await closings.folder()
    fs.writeFileSync(path.join(folder, 'file'), 'file')
    curlEnv = (await peer('curl')).env
    lab = await createLab()
    closings.add(() => lab.close())
    culvert = await startInstallation({ lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') })
    closings.add(() => culvert.stop())
    const places = await addPlaces()
    members = await Promise.all(
      places.map(async ({ host, nat }, index): Promise<Member> => {
        const organization = index % 2 === 0 ? 'acme' : 'globex'
        const device = await registerDevice(culvert[organization], `router-${index + 1}`)
        const swan = await startStrongswanDevice(device, host, `dev${index + 1}`)
        closings.add(() => swan.kill())
        await waitAttached(culvert[organization], device.id, 60_000)
        await startPage(host, device.address4, DEVICE_PORT, path.join(folder, 'file'))
        const tunnel = await openTunnel(culvert[organization], device.id, DEVICE_PORT)
        return { organization, nat, host, device, swan, tunnel }
      }),
    )
  })
  afterAll(() => closings.close())

  it('each has an address of its own and is seen where it is', async () => {
    expect(members).toHaveLength(DIRECT + NATS.length * BEHIND_EACH_NAT)
    expect(new Set(members.map(({ device }) => device.address4)).size).toBe(members.length)
    for (const { organization, device, nat, host } of members) {
      const { remoteAddress, remotePort } = await readAttachment(culvert[organization], device.id)
      const own = /inet (192[.\d]+)/.exec((await host.ip('-4', 'addr', 'show', 'eth0')).stdout)?.[1]
      expect(remoteAddress).toBe(nat ?? own)
      // The NATs map to ports of their own; see their default range.
      expect(remotePort >= 20_000).toBe(nat !== null)
    }
    const behindNats = members.filter(({ nat }) => nat !== null)
    expect(behindNats).toHaveLength(NATS.length * BEHIND_EACH_NAT)
  })

  it('each answers through its own tunnel, all at once, over and over', async () => {
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(members.map(({ tunnel }) => curl(tunnel)))
      expect(answers).toEqual(members.map(({ device }) => `hello from the device at ${device.address4}\n`))
    }
  })

  it('each survives rekeys of its IKE and Child SA at the same time as all others', async () => {
    const before = await Promise.all(members.map(({ swan }) => swan.listSas()))
    await Promise.all(
      members.map(async ({ swan }) => {
        await swan.rekey({ child: 'culvert' })
        await swan.rekey({ ike: 'culvert' })
      }),
    )
    for (const [index, { swan }] of members.entries()) {
      await waitFor(
        async () => {
          const sas = await swan.listSas()
          return sas.length === 1 && sas[0]?.spiI !== before[index]?.[0]?.spiI && sas[0]?.children.length === 1
        },
        { timeoutMs: 30_000, message: `the rekeys of device ${index + 1}` },
      )
    }
    const answers = await Promise.all(members.map(({ tunnel }) => curl(tunnel)))
    expect(answers).toEqual(members.map(({ device }) => `hello from the device at ${device.address4}\n`))
  })

  it('no organization sees or reaches a device of the other one', async () => {
    for (const [organization, other] of [
      ['acme', culvert.globex],
      ['globex', culvert.acme],
    ] as const) {
      const own = members.filter((member) => member.organization === organization)
      const listed = await idsOf(other)
      for (const { device, tunnel } of own) {
        expect(listed).not.toContain(device.id)
        expect((await other('GET', `/v1/devices/${device.id}/attachment`)).status).toBe(404)
        expect((await other('GET', `/v1/tunnels/${tunnel.id}`)).status).toBe(404)
        const opened = await other('POST', '/v1/tunnels', { deviceId: device.id, port: DEVICE_PORT, ttlSec: 60 })
        expect([404, 422]).toContain(opened.status)
      }
    }
  })

  async function addPlaces(): Promise<{ host: Namespace; nat: string | null }[]> {
    const places: { host: Namespace; nat: string | null }[] = []
    for (let index = 1; index <= DIRECT; index++) {
      places.push({ host: await lab.addHost(`dev${index}`, `192.0.2.${100 + index}/24`), nat: null })
    }
    for (const [number, outside] of NATS.entries()) {
      const nat = await lab.addNat(`nat${number}`, { outside: `${outside}/24`, inside: '192.168.77.1/24' })
      for (let index = 1; index <= BEHIND_EACH_NAT; index++) {
        const host = await nat.addHost(`n${number}dev${index}`, `192.168.77.${10 + index}/24`)
        places.push({ host, nat: outside })
      }
    }
    return places
  }

  async function curl({ host, port }: TunnelAnswer): Promise<string> {
    const { stdout } = await culvert.customer.exec(
      'curl',
      ['--silent', '--max-time', '20', `http://${host}:${port}/`],
      {
        timeoutMs: 40_000,
        check: false,
        env: curlEnv,
      },
    )
    return stdout
  }
})

async function idsOf(api: Api): Promise<string[]> {
  const { body } = await api<{ data: { id: string }[] }>('GET', '/v1/devices?limit=100')
  return body.data.map(({ id }) => id)
}
