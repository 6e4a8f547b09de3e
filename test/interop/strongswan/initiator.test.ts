/**
 * Our initiator against a strongSwan responder, IKE alone:
 *
 *   responder 192.0.2.1 ── bridge ── initiator-program.ts 192.0.2.12
 */
import { createLab, findPeer, type Lab, labMissing, startStrongswan, type Strongswan, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type IkeProgram, startIkeProgram } from '../../support/ike-program.ts'

const SECRET = 'a secret of two peers'

const RESPONDER = (ike: string, esp: string): string => `
connections {
  devices {
    version = 2
    proposals = ${ike}
    local_addrs = 192.0.2.1
    pools = vip
    encap = yes
    unique = replace
    local { auth = psk
      id = concentrator.example }
    remote { auth = psk
      id = one.devices.example }
    children { net { local_ts = 10.98.0.0/24
      esp_proposals = ${esp} } }
  }
}
pools { vip { addrs = 10.99.0.0/16 } }
secrets { ike-one { id-1 = one.devices.example
  secret = "${SECRET}" } }`

const missing = labMissing() ?? (await findPeer('strongswan')).reason

describe.skipIf(missing).each([
  ['the same first group, with PFS', 'aes256gcm16-prfsha256-x25519', 'aes256gcm16-x25519'],
  ['another group, CBC, without PFS', 'aes256-sha256-ecp384', 'aes256-sha256'],
])('our initiator and a strongSwan responder: %s', (_name, ike, esp) => {
  let lab: Lab
  let responder: Strongswan
  let initiator: IkeProgram

  beforeAll(async () => {
    lab = await createLab()
    const near = await lab.addHost('responder', '192.0.2.1/24')
    const far = await lab.addHost('initiator', '192.0.2.12/24')
    await near.ip('addr', 'add', '10.98.0.1/32', 'dev', 'lo')
    responder = await startStrongswan({ namespace: near, name: 'responder', swanctlConf: RESPONDER(ike, esp) })
    initiator = await startIkeProgram(far, 'initiator-program', [
      '192.0.2.12',
      '192.0.2.1',
      JSON.stringify({ secret: SECRET }),
    ])
  })
  afterAll(async () => {
    await initiator?.stop()
    await responder?.stop()
    await lab?.close()
  })

  test('attach, with an address', async () => {
    expect(await initiator.expectEvent('childEstablished')).toMatchObject({ children: 1 })
    const [sa] = await responder.listSas()
    expect(sa).toMatchObject({ state: 'ESTABLISHED', initiator: false, remoteId: 'one.devices.example' })
    expect(sa?.children).toHaveLength(1)
  })

  test('rekey a Child SA from either end', async () => {
    initiator.tell({ kind: 'rekeyChild' })
    expect(await initiator.expectEvent('childRekeyed')).toMatchObject({ children: 2 })
    await initiator.expectEvent('childClosed')
    await responder.rekey({ child: 'net' })
    await initiator.expectEvent('childClosed', 2)
    const [sa] = await responder.listSas()
    expect(sa?.children.filter(({ state }) => state === 'INSTALLED')).toHaveLength(1)
  })

  test('rekey the IKE SA from either end, and go on', async () => {
    initiator.tell({ kind: 'rekeyIke' })
    await initiator.expectEvent('ikeRekeyed')
    await responder.rekey({ ike: 'devices' })
    await initiator.expectEvent('ikeRekeyed', 2)
    initiator.tell({ kind: 'rekeyChild' })
    await initiator.expectEvent('childClosed', 3)
    expect(await responder.listSas()).toHaveLength(1)
  })

  test('end by our Delete', async () => {
    initiator.tell({ kind: 'deleteIke' })
    expect(await initiator.expectEvent('closed')).toMatchObject({ reason: 'shutdown', children: 0 })
    await waitFor(async () => (await responder.listSas()).length === 0, { timeoutMs: 5_000, message: 'SAs gone' })
    expect(responder.log()).toContain('received DELETE for IKE_SA')
  })
})
