import { hexSecret, markers, renderConfig, usualTiming } from '@culvert/device-config'
import { createLab, findPeer, labMissing, startStrongswan, waitFor, type Lab, type Strongswan } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const psk = 'k7Qd0vZtL2mXr8WpYc5NhA'
const deviceIdentity = 'aaaaaaaaaaaaaaaaaaaa.acme.fleet.culvert.internal'
const concentratorIdentity = 'concentrator.fleet.culvert.internal'

/** Knows the key as the text that the API shows. */
const RESPONDER = `
connections {
  devices {
    version = 2
    proposals = aes256gcm16-prfsha256-x25519
    local_addrs = 192.0.2.1
    pools = vip
    encap = yes
    local { auth = psk
      id = ${concentratorIdentity} }
    remote { auth = psk
      id = ${deviceIdentity} }
    children { net { local_ts = 10.127.0.0/24
      esp_proposals = aes128gcm16 } }
  }
}
pools { vip { addrs = 10.128.0.2/32 } }
secrets { ike-device { id-1 = ${deviceIdentity}
  secret = "${psk}" } }`

const missing = labMissing() ?? (await findPeer('strongswan')).reason

/** responder 192.0.2.1 ── bridge ── device 192.0.2.2, configured by nothing but the pasted text */
describe.skipIf(missing)('the swanctl configuration', () => {
  let lab: Lab
  let responder: Strongswan
  let device: Strongswan

  beforeAll(async () => {
    lab = await createLab()
    const near = await lab.addHost('responder', '192.0.2.1/24')
    await near.ip('addr', 'add', '10.127.0.1/32', 'dev', 'lo')
    const far = await lab.addHost('device', '192.0.2.2/24')
    responder = await startStrongswan({ namespace: near, name: 'responder', swanctlConf: RESPONDER })
    const config = renderConfig('swanctl', {
      device: {
        id: 'dev_aaaaaaaaaaaaaaaaaaaa',
        name: 'Pump "7" {with} # odd = name; \\ include /etc/passwd',
        tags: ['a={', 'secrets {'],
      },
      uuid: '6f1c2b1e-98a4-8d1e-8c55-0b6f3f6b7a10',
      concentrator: { addresses: ['192.0.2.1'], identity: concentratorIdentity },
      identity: deviceIdentity,
      proof: { kind: 'psk' },
      ppk: null,
      tiers: ['modern', 'standard'],
      asksFor: { ip4: true, ip6: true },
      remotePrefixes: ['10.127.0.0/24', 'fd7f::/64'],
      lanPrefixes: [],
      authorities: [],
      timing: usualTiming,
      mobike: true,
      secrets: {},
    })
    const swanctlConf = config.ok ? config.text.replaceAll(markers.psk, hexSecret(psk)) : ''
    device = await startStrongswan({ namespace: far, name: 'device', swanctlConf })
  })
  afterAll(async () => {
    await device?.stop()
    await responder?.stop()
    await lab?.close()
  })

  it('works as pasted: the device attaches by itself and gets its address', async () => {
    const ikeSa = await waitFor(async () => (await device.listSas()).find((sa) => sa.state === 'ESTABLISHED'))
    expect(ikeSa).toMatchObject({
      name: 'culvert',
      initiator: true,
      localId: deviceIdentity,
      remoteId: concentratorIdentity,
      localVips: ['10.128.0.2'],
    })
    const child = await waitFor(async () =>
      (await device.listSas())[0]?.children.find((sa) => sa.state === 'INSTALLED'),
    )
    expect(child).toMatchObject({ name: 'culvert', encap: true, mode: 'TUNNEL', remoteTs: ['10.127.0.0/24'] })
  })

  it('holds no more than one connection and one secret', async () => {
    const { stdout } = await device.swanctl('--list-conns')
    expect(stdout.match(/^\S+: IKEv2/gm)).toEqual(['culvert: IKEv2'])
  })
})
