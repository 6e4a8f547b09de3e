/**
 * strongSwan devices that are sent to another concentrator (RFC 5685) and that get another address (RFC 4555); and our own device at
 * a strongSwan gateway.
 */
import type { GatewayIdentity } from '@culvert/ikev2'
import { waitFor } from '@culvert/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type CoreScene, deviceConf, gatewayConf, openCoreScene, OURS, SECRET, SWAN } from '../../support/core-scene.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'

const REDIRECT = { config: { features: { redirect: true } } }
const MOBIKE = { config: { features: { mobike: true } } }
const ELSEWHERE: GatewayIdentity = { kind: 'ip4', address: OURS.other4 }
const missing = await firstMissing('strongswan')

describe.skipIf(missing)(`strongSwan that moves${noteOf(missing)}`, () => {
  let scene: CoreScene
  beforeAll(async () => {
    scene = await openCoreScene()
  })
  afterAll(() => scene?.close())

  describe('to another concentrator', () => {
    it('in IKE_SA_INIT', async () => {
      const first = await scene.respond({ secret: SECRET, redirect: { at: 'init', to: ELSEWHERE }, ...REDIRECT })
      const second = await scene.respond({ secret: SECRET, ...REDIRECT }, OURS.other4)
      await scene.strongswan(deviceConf())
      await scene.swan.initiate({ child: 'net' })
      await second.expectEvent('childEstablished')
      expect(first.heard('childEstablished')).toEqual([])
      await waitFor(async () => (await scene.swan.listSas()).length === 1, { message: 'one IKE SA' })
      expect(await scene.swan.listSas()).toMatchObject([{ remoteHost: OURS.other4, state: 'ESTABLISHED' }])
      expect(scene.swan.log()).toMatch(new RegExp(`redirected to ${OURS.other4}`))
    })

    it('in IKE_AUTH', async () => {
      const first = await scene.respond({ secret: SECRET, redirect: { at: 'attach', to: ELSEWHERE }, ...REDIRECT })
      await scene.strongswan(deviceConf())
      const initiating = scene.swan.swanctl('--initiate', ['--child', 'net', '--timeout', '3'], { check: false })
      // strongSwan 5.9.8 believes it and turns to the other one, to which it then sends nothing.
      await scene.told(/received packet: from 192.0.2.1\S* [^]*authentication of 'concentrator.example' .* successful/)
      await scene.told(new RegExp(`redirected to ${OURS.other4}\n.*initiating IKE_SA one\\[1\\] to ${OURS.other4}`))
      expect(first.heard('childEstablished')).toEqual([])
      await initiating
    })

    it('in INFORMATIONAL, while it is attached', async () => {
      const first = await scene.respond({ secret: SECRET, ...REDIRECT })
      const second = await scene.respond({ secret: SECRET, ...REDIRECT }, OURS.other4)
      await scene.strongswan(deviceConf())
      await scene.swan.initiate({ child: 'net' })
      await first.expectEvent('childEstablished')
      first.tell({ kind: 'redirect', to: ELSEWHERE })
      await second.expectEvent('childEstablished')
      expect(await first.expectEvent('closed')).toMatchObject({ children: 0 })
      expect(await scene.swan.listSas()).toMatchObject([{ remoteHost: OURS.other4, state: 'ESTABLISHED' }])
    })

    it('not when it does not follow redirects: it is served where it is', async () => {
      const first = await scene.respond({ secret: SECRET, redirect: { at: 'init', to: ELSEWHERE }, ...REDIRECT })
      await scene.strongswan(deviceConf(), { charon: 'follow_redirects = no' })
      await scene.swan.initiate({ child: 'net' })
      expect(await first.expectEvent('established')).toMatchObject({ subject: 'one.devices.example' })
    })
  })

  describe('to another address', () => {
    afterEach(async () => {
      await scene.theirs.ip('addr', 'replace', `${SWAN.ip4}/24`, 'dev', 'eth0')
    })

    it('takes its SAs along, and they carry rekeys of both ends (RFC 4555 3.5)', async () => {
      const responder = await scene.respond({ secret: SECRET, ...MOBIKE })
      await scene.strongswan(deviceConf())
      await scene.swan.initiate({ child: 'net' })
      const { ike } = await responder.expectEvent('established')
      expect(ike.path.remote.address).toBe(SWAN.ip4)
      await scene.theirs.ip('addr', 'del', `${SWAN.ip4}/24`, 'dev', 'eth0')
      await scene.theirs.ip('addr', 'add', `${SWAN.other4}/24`, 'dev', 'eth0')
      expect(await responder.expectEvent('moved')).toMatchObject({ remote: { address: SWAN.other4, port: 4500 } })
      // libipsec cannot move an SA in place: strongSwan replaces it at once.
      await responder.expectEvent('childRekeyed')
      await waitFor(async () => (await scene.swan.listSas())[0]?.children.length === 1, { message: 'one Child SA' })
      expect(await scene.swan.listSas()).toMatchObject([
        { localHost: SWAN.other4, spiI: ike.spiI, children: [{ state: 'INSTALLED' }] },
      ])
      await scene.swan.rekey({ child: 'net' })
      await responder.expectEvent('childRekeyed', 2)
      responder.tell({ kind: 'rekeyIke' })
      await responder.expectEvent('ikeRekeyed')
      responder.tell({ kind: 'rekeyChild' })
      expect(await responder.expectEvent('childRekeyed', 3)).toMatchObject({ kind: 'childRekeyed' })
      expect(responder.heard('closed')).toEqual([])
      await scene.theirs.ip('addr', 'del', `${SWAN.other4}/24`, 'dev', 'eth0')
      await scene.theirs.ip('addr', 'add', `${SWAN.ip4}/24`, 'dev', 'eth0')
      expect(await responder.expectEvent('moved', 2)).toMatchObject({ remote: { address: SWAN.ip4 } })
    })

    it('our device takes its SAs along at a strongSwan gateway', async () => {
      await scene.strongswan(gatewayConf({ connection: 'mobike = yes' }))
      const initiator = await scene.initiate({ secret: SECRET, ...MOBIKE })
      await initiator.expectEvent('childEstablished')
      initiator.tell({ kind: 'moveTo', address: OURS.other4 })
      await waitFor(async () => (await scene.swan.listSas())[0]?.remoteHost === OURS.other4, {
        message: 'strongSwan to follow',
      })
      await initiator.expectEvent('childRekeyed') // in place of moving it, see above
      initiator.tell({ kind: 'rekeyIke' })
      await initiator.expectEvent('ikeRekeyed')
      await waitFor(async () => (await scene.swan.listSas())[0]?.children.length === 1, { message: 'one Child SA' })
      expect(await scene.swan.listSas()).toMatchObject([
        { remoteHost: OURS.other4, children: [{ state: 'INSTALLED' }] },
      ])
    })
  })
})
