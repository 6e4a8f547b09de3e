import {
  createLab,
  findPeer,
  type Lab,
  labMissing,
  peer,
  startStrongswan,
  type Strongswan,
  waitFor,
} from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const IKE = 'aes128gcm16-prfsha256-x25519'
const ESP = 'aes128gcm16-x25519'

const RESPONDER = `
connections {
  devices {
    version = 2
    proposals = ${IKE}
    local_addrs = 192.0.2.1
    pools = vip
    encap = yes
    local { auth = psk
      id = concentrator.example }
    remote { auth = psk
      id = *.devices.example }
    children { net { local_ts = 10.98.0.0/24
      esp_proposals = ${ESP} } }
  }
}
pools { vip { addrs = 10.99.0.0/16 } }
secrets { ike-one { id-1 = one.devices.example
  secret = "a secret of two strongSwan peers" } }`

const DEVICE = `
connections {
  concentrator {
    version = 2
    proposals = ${IKE}
    remote_addrs = 192.0.2.1
    vips = 0.0.0.0
    encap = yes
    keyingtries = 1
    local { auth = psk
      id = one.devices.example }
    remote { auth = psk
      id = concentrator.example }
    children { net { remote_ts = 10.98.0.0/24
      esp_proposals = ${ESP} } }
  }
}
secrets { ike-one { id-1 = one.devices.example
  secret = "a secret of two strongSwan peers" } }`

const missing = labMissing() ?? (await findPeer('strongswan')).reason

/**
 *   responder 192.0.2.1 ── bridge ── device 192.0.2.11
 *   10.98.0.1 on lo        ESP       10.99.0.1 (virtual)
 */
describe.skipIf(missing)('two strongSwan peers of the test library', () => {
  let lab: Lab
  let responder: Strongswan
  let device: Strongswan
  let ping: () => Promise<string>

  beforeAll(async () => {
    lab = await createLab()
    const near = await lab.addHost('responder', '192.0.2.1/24')
    const far = await lab.addHost('device', '192.0.2.11/24')
    await near.ip('addr', 'add', '10.98.0.1/32', 'dev', 'lo')
    responder = await startStrongswan({ namespace: near, name: 'responder', swanctlConf: RESPONDER })
    device = await startStrongswan({ namespace: far, name: 'device', swanctlConf: DEVICE })
    const { env } = await peer('ping')
    ping = async () => (await far.exec('ping', ['-c', '3', '-i', '0.1', '-W', '2', '10.98.0.1'], { env })).stdout
  })
  afterAll(async () => {
    await device?.stop()
    await responder?.stop()
    await lab?.close()
  })

  test('attach with a PSK, get an address and reach each other through ESP', async () => {
    await device.initiate({ child: 'net' })
    const [ikeSa] = await device.listSas()
    expect(ikeSa).toMatchObject({
      name: 'concentrator',
      state: 'ESTABLISHED',
      initiator: true,
      localId: 'one.devices.example',
      remoteId: 'concentrator.example',
      remoteHost: '192.0.2.1',
      encryption: 'AES_GCM_16-128',
      prf: 'PRF_HMAC_SHA2_256',
      keyExchange: 'CURVE_25519',
      localVips: ['10.99.0.1'],
    })
    expect(ikeSa!.children).toHaveLength(1)
    expect(ikeSa!.children[0]).toMatchObject({ state: 'INSTALLED', protocol: 'ESP', encap: true, mode: 'TUNNEL' })
    expect(ikeSa!.children[0]!.remoteTs).toEqual(['10.98.0.0/24'])

    expect(await ping()).toContain('3 received')
    const [after] = await device.listSas()
    expect(after!.children[0]!.packetsOut).toBe(3)
    expect(after!.children[0]!.packetsIn).toBe(3)
  })

  test('rekey the Child SA and then the IKE SA, and still reach each other', async () => {
    const [before] = await device.listSas()
    await device.rekey({ child: 'net' })
    await waitFor(async () => {
      const installed = (await device.listSas())[0]!.children.filter(({ state }) => state === 'INSTALLED')
      return installed.length === 1 && installed[0]!.spiIn !== before!.children[0]!.spiIn
    })
    await device.rekey({ ike: 'concentrator' })
    await waitFor(async () => {
      const sas = (await device.listSas()).filter(({ state }) => state === 'ESTABLISHED')
      return sas.length === 1 && sas[0]!.spiI !== before!.spiI
    })
    expect(await ping()).toContain('3 received')
  })

  test('terminate: both ends forget the SA, and the log tells it', async () => {
    await device.terminate({ ike: 'concentrator' })
    expect(await device.listSas()).toEqual([])
    await waitFor(async () => (await responder.listSas()).length === 0)
    expect(responder.log()).toContain('received DELETE for IKE_SA')
  })

  test('a wrong secret is refused and the reason can be read', async () => {
    await device.reload(DEVICE.replace('a secret', 'another secret'))
    await expect(device.initiate({ child: 'net' }, 5)).rejects.toThrow('AUTHENTICATION_FAILED')
    expect(await responder.listSas()).toEqual([])
  })
})
