/**
 * strongSwan as a device that proves itself with an EAP method inside IKE_AUTH, our core with `packages/eap` as authenticator.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CertifiedPair, type CoreScene, deviceConf, openCoreScene } from '../../support/core-scene.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import type { ResponderOptions } from '../../support/responder-program.ts'

const USER = 'one.user'
const PASSWORD = 'a pässword of a device'

const missing = await firstMissing('strongswan', 'openssl')

describe.skipIf(missing)(`strongSwan with EAP${noteOf(missing)}`, () => {
  let scene: CoreScene
  let pair: CertifiedPair
  let certificates: NonNullable<ResponderOptions['certificates']>
  beforeAll(async () => {
    scene = await openCoreScene()
    pair = await scene.certified('ecdsa-p256')
    certificates = { ca: pair.ca.certificate, own: pair.concentrator }
  })
  afterAll(() => scene?.close())

  it('EAP-TLS, our own proof a certificate (RFC 7296 2.16)', async () => {
    const responder = await scene.respond({ certificates, eap: { method: 'tls' } })
    const swan = await scene.strongswan(deviceConf({ local: tlsLocal, remote: 'auth = pubkey' }), {
      files: pair.files('device'),
    })
    await swan.initiate({ child: 'net' })
    expect(await responder.expectEvent('established')).toMatchObject({
      proof: 'eap',
      credential: 'crd_eap',
      subject: 'one.devices.example',
    })
    // Ours offers 1.3 as well. strongSwan 5.9.8 does not unless told to, and then dies of the commitment of RFC 9190 2.1.1.
    expect(swan.log()).toContain('negotiated TLS 1.2 using suite')
    expect(swan.log()).toContain('EAP method EAP_TLS succeeded, MSK established')
    expect(swan.log()).toContain("authentication of 'concentrator.example' with EAP successful")
    await rekeyed()
  })

  it('EAP-TLS and nothing else (RFC 5998)', async () => {
    const responder = await scene.respond({ certificates, eap: { method: 'tls' }, withoutOurProof: true })
    const swan = await scene.strongswan(deviceConf({ local: tlsLocal, remote: 'auth = eap-tls' }), {
      files: pair.files('device'),
    })
    await swan.initiate({ child: 'net' })
    expect(await responder.expectEvent('established')).toMatchObject({ proof: 'eap' })
    expect(swan.log()).toContain('N(EAP_ONLY)')
    expect(swan.log()).toMatch(/parsed IKE_AUTH response 1 \[ IDr EAP\/REQ/)
    await rekeyed()
  })

  it('EAP-TLS with an RSA key, in fragments of both layers', async () => {
    const rsa = await scene.certified('rsa-3072')
    const responder = await scene.respond({
      certificates: { ca: rsa.ca.certificate, own: rsa.concentrator },
      eap: { method: 'tls' },
      config: { fragmentBytes: 400 },
    })
    const swan = await scene.strongswan(deviceConf({ local: tlsLocal, remote: 'auth = pubkey' }), {
      files: rsa.files('device'),
      charon: 'fragment_size = 400',
      pluginSettings: 'eap-tls { fragment_size = 700 }',
    })
    await swan.initiate({ child: 'net' })
    expect(await responder.expectEvent('established')).toMatchObject({ proof: 'eap' })
    expect(swan.log()).toMatch(/splitting IKE message/)
    expect(swan.log()).toMatch(/received fragment #1 of/)
  })

  it('EAP-TLS with a certificate of another authority fails, and nothing is attached', async () => {
    const foreign = await scene.certified('ed25519')
    const responder = await scene.respond({ certificates, eap: { method: 'tls' } })
    const files = { ...foreign.files('device'), 'x509ca/other.pem': pair.files('device')['x509ca/ca.pem'] ?? '' }
    const swan = await scene.strongswan(deviceConf({ local: tlsLocal, remote: 'auth = pubkey' }), { files })
    await expect(swan.initiate({ child: 'net' })).rejects.toThrow(/initiate failed|timed out/)
    expect(await responder.expectEvent('attemptFailed')).toMatchObject({ reason: 'authenticationFailed' })
    expect(responder.heard('established')).toEqual([])
  })

  it('EAP-MSCHAPv2', async () => {
    const responder = await scene.respond({ certificates, eap: { method: 'mschapv2', user: USER, password: PASSWORD } })
    const secrets = mschapSecret(PASSWORD)
    const conf = { local: `auth = eap-mschapv2\n eap_id = ${USER}`, remote: 'auth = pubkey', secrets }
    const swan = await scene.strongswan(deviceConf(conf), { files: pair.files('device') })
    await swan.initiate({ child: 'net' })
    expect(await responder.expectEvent('established')).toMatchObject({ proof: 'eap', subject: USER })
    expect(swan.log()).toContain('EAP method EAP_MSCHAPV2 succeeded, MSK established')
    await rekeyed()
  })

  it('EAP-MSCHAPv2 with a wrong password fails, and nothing is attached', async () => {
    const responder = await scene.respond({ certificates, eap: { method: 'mschapv2', user: USER, password: PASSWORD } })
    const secrets = mschapSecret('another password')
    const conf = { local: `auth = eap-mschapv2\n eap_id = ${USER}`, remote: 'auth = pubkey', secrets }
    const swan = await scene.strongswan(deviceConf(conf), { files: pair.files('device') })
    await expect(swan.initiate({ child: 'net' })).rejects.toThrow(/initiate failed|timed out/)
    await responder.expectEvent('attemptFailed')
    expect(responder.heard('established')).toEqual([])
    expect(swan.log()).toContain('EAP_MSCHAPV2 method failed')
  })

  it('a method we do not have is refused with a Nak, ours with another one', async () => {
    const responder = await scene.respond({ certificates, eap: { method: 'mschapv2', user: USER, password: PASSWORD } })
    const swan = await scene.strongswan(deviceConf({ local: tlsLocal, remote: 'auth = pubkey' }), {
      files: pair.files('device'),
    })
    await expect(swan.initiate({ child: 'net' })).rejects.toThrow(/initiate failed|timed out/)
    expect(swan.log()).toContain('requesting EAP_TLS authentication, sending EAP_NAK')
    expect(await responder.expectEvent('attemptFailed')).toMatchObject({ reason: 'authenticationFailed' })
  })

  /** Whether both ends have the same keys: the IKE SA carries a rekey of either SA. */
  async function rekeyed(): Promise<void> {
    await scene.swan.rekey({ child: 'net' })
    await scene.told(/outbound CHILD_SA net\{2\} established/)
    await scene.swan.rekey({ ike: 'one' })
    await scene.told(/IKE_SA one\[2\] rekeyed between/)
  }
})

const tlsLocal = 'auth = eap-tls\n certs = own.pem\n eap_id = one.devices.example'

function mschapSecret(password: string): string {
  return `eap-one { id = ${USER}\n secret = "${password}" }`
}
