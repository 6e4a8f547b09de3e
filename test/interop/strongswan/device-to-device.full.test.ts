/**
 * Two strongSwan devices of one network reach each other through the concentrator while their network says so, and a device of
 * another organization reaches neither.
 */
import { createLab, peer, waitFor, type Lab, type Namespace, type Strongswan } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { registerDevice, startStrongswanDevice, waitAttached, type RegisteredDevice } from '../../support/fleet.ts'
import { startInstallation, type Api, type Installation } from '../../support/installation.ts'
import { skipNote, swanMissing } from '../../support/missing.ts'

interface Member {
  readonly device: RegisteredDevice
  readonly host: Namespace
  readonly swan: Strongswan
}

describe.skipIf(swanMissing)(`devices of one network${skipNote}`, () => {
  let lab: Lab
  let culvert: Installation
  let pingEnv: NodeJS.ProcessEnv
  const members: Member[] = []
  const url = new Map<Api, string>()

  beforeAll(async () => {
    pingEnv = (await peer('ping')).env
    lab = await createLab()
    culvert = await startInstallation({ lab, serverUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') })
    for (const [number, api] of [culvert.acme, culvert.acme, culvert.globex].entries()) {
      if (!url.has(api)) await openNetwork(api)
      const host = await lab.addHost(`dev${number}`, `192.0.2.${11 + number}/24`)
      const registered = await registerDevice(api, `router-${number}`)
      // It asks for more than it may have; what it gets is narrowed.
      const swanctlConf = registered.swanctlConf.replace(/remote_ts *= *.+/, 'remote_ts = 10.0.0.0/8')
      const device = { ...registered, swanctlConf: swanctlConf.replace(/vips *= *.+/, 'vips = 0.0.0.0') }
      const swan = await startStrongswanDevice(device, host, `dev${number}`)
      await waitAttached(api, device.id)
      members.push({ device, host, swan })
    }
  })
  afterAll(async () => {
    for (const { swan } of members) await swan.stop()
    await culvert?.stop()
    await lab?.close()
  })

  /** A network is made with its first device. */
  async function openNetwork(api: Api): Promise<void> {
    const { id } = await registerDevice(api, 'first')
    const { body } = await api<{ networkId: string }>('GET', `/v1/devices/${id}`)
    url.set(api, `/v1/networks/${body.networkId}`)
    if (api === culvert.globex) await setDeviceToDevice(api, true)
  }

  async function remoteSelectors(member: number): Promise<string[]> {
    const [ike] = await members[member]!.swan.listSas()
    const installed = ike?.children.filter(({ state }) => state === 'INSTALLED') ?? []
    return installed.flatMap(({ remoteTs }) => remoteTs).toSorted()
  }

  async function setDeviceToDevice(api: Api, deviceToDevice: boolean): Promise<void> {
    expect(await api('PATCH', url.get(api)!, { deviceToDevice })).toMatchObject({ status: 200 })
  }

  async function pings(from: number, to: number, count = '3'): Promise<string> {
    const [source, target] = [members[from]!, members[to]!]
    const words = [
      '-c',
      count,
      '-i',
      '0.2',
      '-W',
      '1',
      '-s',
      '1200',
      '-I',
      source.device.address4,
      target.device.address4,
    ]
    return (await source.host.exec('ping', words, { check: false, env: pingEnv })).stdout
  }

  it('RFC 7296 2.9: narrows what they ask for to the service prefix, and to the pool of their network once it is open', async () => {
    expect(await remoteSelectors(0)).toEqual(['10.127.0.0/24'])
    expect(await pings(0, 1)).toContain('100% packet loss')
    const uniqueIds = async (): Promise<unknown[]> =>
      (await Promise.all(members.map(({ swan }) => swan.listSas()))).map(([ike]) => ike?.uniqueId)
    const before = await uniqueIds()
    await setDeviceToDevice(culvert.acme, true)
    const { body } = await culvert.acme<{ pool: string }>('GET', url.get(culvert.acme)!)
    const wanted = ['10.127.0.0/24', body.pool].toSorted()
    // RFC 7296 2.9.2: by a rekey; the IKE SA stays.
    for (const member of [0, 1]) {
      await waitFor(async () => (await remoteSelectors(member)).join() === wanted.join(), { message: 'the pool' })
    }
    expect(await uniqueIds()).toEqual(before)
  })

  it('reach each other both ways, one hop away', async () => {
    const [there, back] = [await pings(0, 1), await pings(1, 0)]
    expect([there, back]).toEqual([
      expect.stringContaining(' 0% packet loss'),
      expect.stringContaining(' 0% packet loss'),
    ])
    expect(there).toContain('ttl=63')
  })

  it('reach nobody of another organization, whose network is open as well', async () => {
    expect(await pings(0, 2)).toContain('100% packet loss')
    expect(await pings(2, 0)).toContain('100% packet loss')
  })

  it('are apart as soon as their network says so, and together again, without attaching anew', async () => {
    const [before] = await members[0]!.swan.listSas()
    await setDeviceToDevice(culvert.acme, false)
    await waitFor(async () => (await pings(0, 1, '1')).includes('100% packet loss'), { message: 'silence' })
    await setDeviceToDevice(culvert.acme, true)
    await waitFor(async () => (await pings(0, 1, '1')).includes(' 0% packet loss'), { message: 'an answer' })
    const [after] = await members[0]!.swan.listSas()
    expect(after).toMatchObject({ uniqueId: before?.uniqueId, state: 'ESTABLISHED' })
  })
})
