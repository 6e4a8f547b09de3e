/**
 * What IKEv2 has besides the plain exchanges, between strongSwan and our core, each in either role where strongSwan has both:
 * cookies, childless IKE SAs, post-quantum preshared keys, fragments, IPv6 outside.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CoreScene, deviceConf, gatewayConf, openCoreScene, OURS, SECRET, SWAN } from '../../support/core-scene.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'

const PPK = { name: 'ppk-of-one', secret: 'a post-quantum preshared key of 32+', isRequired: false }
const missing = await firstMissing('strongswan', 'openssl')

describe.skipIf(missing)(`strongSwan and the options of IKEv2${noteOf(missing)}`, () => {
  let scene: CoreScene
  beforeAll(async () => {
    scene = await openCoreScene()
  })
  afterAll(() => scene?.close())

  it('IPv6 outside, in either role', async () => {
    const responder = await scene.respond({ secret: SECRET }, OURS.ip6)
    await scene.strongswan(deviceConf({ to: OURS.ip6 }))
    await scene.swan.initiate({ child: 'net' })
    const established = await responder.expectEvent('established')
    expect(established.ike.path).toMatchObject({ remote: { address: SWAN.ip6, port: 4500 } })
    await responder.stop()
    await scene.strongswan(gatewayConf())
    const initiator = await scene.initiate({ secret: SECRET }, SWAN.ip6)
    expect(await initiator.expectEvent('established')).toMatchObject({
      ike: { path: { remote: { address: SWAN.ip6 } } },
    })
  })

  it('brings the cookie it is asked for (RFC 7296 2.6), also after INVALID_KE_PAYLOAD', async () => {
    const responder = await scene.respond({ secret: SECRET, config: { cookieThreshold: 0 } })
    await scene.strongswan(deviceConf({ ike: 'aes256gcm16-prfsha256-modp1536-x25519' }))
    await scene.swan.initiate({ child: 'net' })
    expect(scene.swan.log()).toMatch(/parsed IKE_SA_INIT response 0 \[ N\(COOKIE\) \]/)
    expect(scene.swan.log()).toMatch(/didn't accept \S+ group MODP_1536/)
    expect(scene.swan.log()).toMatch(/generating IKE_SA_INIT request 0 \[ N\(COOKIE\) SA KE/)
    expect(await responder.expectEvent('established')).toMatchObject({ proof: 'psk' })
  })

  it('childless by force (RFC 6023), and the Child SA follows', async () => {
    const responder = await scene.respond({ secret: SECRET, config: { features: { childless: true } } })
    await scene.strongswan(deviceConf({ connection: 'childless = force' }))
    await scene.swan.initiate({ child: 'net' })
    expect(await responder.expectEvent('childEstablished')).toMatchObject({ children: 1 })
    expect(scene.swan.log()).toMatch(/generating IKE_AUTH request 1 \[ ((?!TSi).)* \]/)
    expect(scene.swan.log()).toMatch(/generating CREATE_CHILD_SA request 2 \[ .*SA No.* TSi TSr \]/)
  })

  it('an IKE SA alone when it is asked for no more, and the Child SA when it is', async () => {
    const responder = await scene.respond({ secret: SECRET, config: { features: { childless: true } } })
    await scene.strongswan(deviceConf())
    await scene.swan.initiate({ ike: 'one' })
    expect(await responder.expectEvent('established')).toMatchObject({ children: 0 })
    await scene.swan.initiate({ child: 'net' })
    expect(await responder.expectEvent('childEstablished')).toMatchObject({ children: 1 })
    expect(await scene.swan.listSas()).toMatchObject([{ children: [{ state: 'INSTALLED' }] }])
  })

  it('a strongSwan that insists on childless is told no when we do not offer it', async () => {
    await scene.respond({ secret: SECRET })
    await scene.strongswan(deviceConf({ connection: 'childless = force' }))
    await expect(scene.swan.initiate({ child: 'net' })).rejects.toThrow(
      'peer does not support childless IKE_SA initiation',
    )
  })

  it('our childless initiator, and the Child SA follows', async () => {
    await scene.strongswan(gatewayConf({ connection: 'childless = allow' }))
    const initiator = await scene.initiate({
      secret: SECRET,
      childless: true,
      config: { features: { childless: true } },
    })
    await initiator.expectEvent('established')
    expect((await scene.swan.listSas())[0]?.children).toEqual([])
    initiator.tell({ kind: 'createChild' })
    expect(await initiator.expectEvent('childEstablished')).toMatchObject({ children: 1 })
    expect((await scene.swan.listSas())[0]?.children).toMatchObject([{ state: 'INSTALLED' }])
  })

  it.each([
    ['optional on both sides', 'no', false],
    ['required by the device', 'yes', false],
    ['required by the concentrator', 'no', true],
    ['required by both', 'yes', true],
  ])('a PPK that both know is used: %s (RFC 8784)', async (_, required, isRequired) => {
    const responder = await scene.respond({
      secret: SECRET,
      ppk: { ...PPK, isRequired },
      config: { features: { ppk: true } },
    })
    await scene.strongswan(ppkDevice(required, PPK.secret))
    await scene.swan.initiate({ child: 'net' })
    await responder.expectEvent('established')
    expect(scene.swan.log()).toMatch(/using PPK for PPK_ID 'ppk-of-one'/)
    await scene.swan.rekey({ child: 'net' })
    expect(await responder.expectEvent('childRekeyed')).toMatchObject({ kind: 'childRekeyed' })
  })

  it('a PPK that only the device has is left out when it is optional', async () => {
    const responder = await scene.respond({ secret: SECRET, config: { features: { ppk: true } } })
    await scene.strongswan(ppkDevice('no', PPK.secret))
    await scene.swan.initiate({ child: 'net' })
    await responder.expectEvent('established')
    expect(scene.swan.log()).toMatch(/NO_PPK/)
    expect(scene.swan.log()).toMatch(/peer didn't use PPK for PPK_ID/)
  })

  it.each([
    ['the device requires it, and we do not have it', 'yes', PPK.secret, null],
    ['we require it, and the device has none', null, PPK.secret, { ...PPK, isRequired: true }],
    ['the two differ', 'yes', 'another post-quantum preshared key', PPK],
    ['the two differ, optional', 'no', 'another post-quantum preshared key', PPK],
    ['another name, required by us', 'no', PPK.secret, { ...PPK, name: 'ppk-of-two', isRequired: true }],
  ])('nothing is attached when %s', async (_, required, secret, ppk) => {
    const responder = await scene.respond({ secret: SECRET, ...(ppk && { ppk }), config: { features: { ppk: true } } })
    await scene.strongswan(required === null ? deviceConf() : ppkDevice(required, secret))
    await expect(scene.swan.initiate({ child: 'net' })).rejects.toThrow('establishing CHILD_SA')
    expect(await responder.expectEvent('attemptFailed')).toMatchObject({ reason: 'authenticationFailed' })
    expect(responder.heard('established')).toEqual([])
  })

  it.each([false, true])('our initiator with a PPK, required: %s', async (isRequired) => {
    await scene.strongswan(ppkGateway(PPK.secret))
    const initiator = await scene.initiate({
      secret: SECRET,
      ppk: { ...PPK, isRequired },
      config: { features: { ppk: true } },
    })
    await initiator.expectEvent('childEstablished')
    expect(scene.swan.log()).toMatch(/using PPK for PPK_ID 'ppk-of-one'/)
    initiator.tell({ kind: 'rekeyIke' })
    expect(await initiator.expectEvent('ikeRekeyed')).toMatchObject({ children: 1 })
  })

  it('our initiator does without an optional PPK that the gateway lacks, and not without a required one', async () => {
    await scene.strongswan(gatewayConf())
    const features = { ppk: true }
    const optional = await scene.initiate({ secret: SECRET, ppk: PPK, config: { features } })
    await optional.expectEvent('childEstablished')
    const required = await scene.initiate({ secret: SECRET, ppk: { ...PPK, isRequired: true }, config: { features } })
    expect(await required.expectEvent('attemptFailed')).toMatchObject({ subject: 'one' })
    expect(required.heard('established')).toEqual([])
  })

  it.each([
    ['as a device', 576],
    ['as a gateway', 576],
  ])('messages with certificates in fragments over a link of small MTU, %s', async (role, mtuBytes) => {
    const pair = await scene.certified('rsa-4096')
    for (const host of [scene.ours, scene.theirs]) await host.ip('link', 'set', 'eth0', 'mtu', String(mtuBytes))
    const certificates = { ca: pair.ca.certificate, own: role === 'as a device' ? pair.concentrator : pair.device }
    const auth = { local: 'auth = pubkey\n certs = own.pem', remote: 'auth = pubkey' }
    const settings = { charon: `fragment_size = ${mtuBytes}` }
    const config = { fragmentBytes: mtuBytes - 28 }
    if (role === 'as a device') {
      const responder = await scene.respond({ certificates, config })
      await scene.strongswan(deviceConf(auth), { ...settings, files: pair.files('device') })
      await scene.swan.initiate({ child: 'net' })
      await responder.expectEvent('established')
    } else {
      await scene.strongswan(gatewayConf(auth), { ...settings, files: pair.files('concentrator') })
      await (await scene.initiate({ certificates, config })).expectEvent('childEstablished')
    }
    for (const host of [scene.ours, scene.theirs]) await host.ip('link', 'set', 'eth0', 'mtu', '1500')
    const log = scene.swan.log()
    expect(log).toMatch(/splitting IKE message \(\d+ bytes\) into [4-9] fragments/)
    expect(log).toMatch(/received fragment #1 of [4-9]/)
    const sizes = [...log.matchAll(/(?:sending|received) packet: .* \((\d+) bytes\)/g)].map((match) => Number(match[1]))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(mtuBytes - 28)
  })
})

function ppkDevice(required: string, secret: string): string {
  return deviceConf({ connection: `ppk_id = ${PPK.name}\n ppk_required = ${required}`, secrets: secretsWith(secret) })
}

function ppkGateway(secret: string): string {
  return gatewayConf({ secrets: secretsWith(secret) })
}

function secretsWith(ppk: string): string {
  return `ike-one { id-1 = one.devices.example
    id-2 = concentrator.example
    secret = "${SECRET}" }
  ppk-one { id-1 = ${PPK.name}
    secret = "${ppk}" }`
}
