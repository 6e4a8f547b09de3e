/**
 * strongSwan and our core with certificates of an authority made by OpenSSL, each in either role: every kind of key, both paddings
 * of RSA, and what peers did before RFC 7427.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CoreScene, deviceConf, gatewayConf, openCoreScene } from '../../support/core-scene.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'
import type { OpensslKey } from '../../support/openssl-ca.ts'

/** Key, authentication of strongSwan as swanctl.conf writes it, what it calls its signature and what ours as a responder. */
const ROWS: readonly (readonly [OpensslKey, string, string, string])[] = [
  ['ecdsa-p256', 'pubkey', 'ECDSA_WITH_SHA256_DER', 'ECDSA_WITH_SHA256_DER'],
  ['ecdsa-p384', 'pubkey', 'ECDSA_WITH_SHA384_DER', 'ECDSA_WITH_SHA384_DER'],
  ['ecdsa-p521', 'pubkey', 'ECDSA_WITH_SHA512_DER', 'ECDSA_WITH_SHA512_DER'],
  ['ed25519', 'pubkey', 'ED25519', 'ED25519'],
  ['rsa-2048', 'ike:rsa/pss-sha256', 'RSA_EMSA_PSS_SHA2_256', 'RSA_EMSA_PSS_SHA2_256'],
  ['rsa-3072', 'ike:rsa/pss-sha384', 'RSA_EMSA_PSS_SHA2_384', 'RSA_EMSA_PSS_SHA2_256'],
  ['rsa-4096', 'ike:rsa/pss-sha512', 'RSA_EMSA_PSS_SHA2_512', 'RSA_EMSA_PSS_SHA2_256'],
  ['rsa-2048', 'ike:rsa-sha256', 'RSA_EMSA_PKCS1_SHA2_256', 'RSA_EMSA_PKCS1_SHA2_256'],
  ['rsa-3072', 'ike:rsa-sha384', 'RSA_EMSA_PKCS1_SHA2_384', 'RSA_EMSA_PKCS1_SHA2_256'],
  ['rsa-4096', 'ike:rsa-sha512', 'RSA_EMSA_PKCS1_SHA2_512', 'RSA_EMSA_PKCS1_SHA2_256'],
]

/** What is said without SIGNATURE_HASH_ALGORITHMS (RFC 7296 3.8, RFC 4754). */
const LEGACY: readonly (readonly [OpensslKey, string])[] = [
  ['rsa-2048', 'RSA signature'],
  ['ecdsa-p256', 'ECDSA-256 signature'],
  ['ecdsa-p384', 'ECDSA-384 signature'],
  ['ecdsa-p521', 'ECDSA-521 signature'],
]
const BEFORE_RFC_7427 = 'signature_authentication = no'

const missing = await firstMissing('strongswan', 'openssl')

describe.skipIf(missing)(`strongSwan and certificates${noteOf(missing)}`, () => {
  let scene: CoreScene
  beforeAll(async () => {
    scene = await openCoreScene()
  })
  afterAll(() => scene?.close())

  it.each(ROWS)('as a device: %s, %s', async (kind, auth, theirs, ours) => {
    const log = await attachAsDevice(kind, auth)
    expect(log).toContain(`authentication of 'one.devices.example' (myself) with ${theirs}`)
    expect(log).toMatch(successful('concentrator.example', ours))
  })

  it.each(LEGACY)('as a device before RFC 7427: %s with %s', async (kind, name) => {
    const log = await attachAsDevice(kind, 'pubkey', BEFORE_RFC_7427)
    expect(log).toContain(`authentication of 'one.devices.example' (myself) with ${name}`)
    expect(log).toMatch(successful('concentrator.example', name))
  })

  it.each(ROWS)('as a gateway: %s, %s', async (kind, auth, theirs) => {
    const pair = await scene.certified(kind)
    const conf = gatewayConf({ local: `auth = ${auth}\n certs = own.pem`, remote: 'auth = pubkey' })
    const swan = await scene.strongswan(conf, { files: pair.files('concentrator') })
    const initiator = await scene.initiate({ certificates: { ca: pair.ca.certificate, own: pair.device } })
    await initiator.expectEvent('childEstablished')
    const ours = kind.startsWith('rsa') ? 'RSA_EMSA_PSS_SHA2_256' : theirs
    expect(swan.log()).toContain(`authentication of 'concentrator.example' (myself) with ${theirs}`)
    expect(swan.log()).toMatch(successful('one.devices.example', ours))
  })

  it.each(LEGACY.slice(1))('as a gateway before RFC 7427: %s with %s', async (kind, name) => {
    const pair = await scene.certified(kind)
    const conf = gatewayConf({ local: 'auth = pubkey\n certs = own.pem', remote: 'auth = pubkey' })
    const swan = await scene.strongswan(conf, { files: pair.files('concentrator'), charon: BEFORE_RFC_7427 })
    const initiator = await scene.initiate({ certificates: { ca: pair.ca.certificate, own: pair.device } })
    await initiator.expectEvent('childEstablished')
    expect(swan.log()).toMatch(successful('one.devices.example', name))
  })

  it('a certificate of another authority is refused, by either end', async () => {
    const pair = await scene.certified('ecdsa-p256')
    const foreign = await scene.certified('ecdsa-p384')
    const conf = deviceConf({ local: 'auth = pubkey\n certs = own.pem', remote: 'auth = pubkey' })
    const responder = await scene.respond({ certificates: { ca: pair.ca.certificate, own: pair.concentrator } })
    const files = { ...foreign.files('device'), 'x509ca/other.pem': pair.files('device')['x509ca/ca.pem'] ?? '' }
    const swan = await scene.strongswan(conf, { files })
    await expect(swan.initiate({ child: 'net' })).rejects.toThrow('establishing CHILD_SA')
    expect(swan.log()).toContain('received AUTHENTICATION_FAILED notify error')
    expect(await responder.expectEvent('attemptFailed')).toMatchObject({ reason: 'authenticationFailed' })
    await scene.strongswan(conf, { files: foreign.files('device') })
    await scene.respond({ certificates: { ca: foreign.ca.certificate, own: pair.concentrator } })
    await expect(scene.swan.initiate({ child: 'net' })).rejects.toThrow('establishing CHILD_SA')
    expect(scene.swan.log()).toContain("no trusted ECDSA public key found for 'concentrator.example'")
  })

  /** @returns charon's log */
  async function attachAsDevice(kind: OpensslKey, auth: string, charon = ''): Promise<string> {
    const pair = await scene.certified(kind)
    const responder = await scene.respond({ certificates: { ca: pair.ca.certificate, own: pair.concentrator } })
    const conf = deviceConf({ local: `auth = ${auth}\n certs = own.pem`, remote: 'auth = pubkey' })
    const swan = await scene.strongswan(conf, { files: pair.files('device'), charon })
    await swan.initiate({ child: 'net' })
    const established = await responder.expectEvent('established')
    expect(established).toMatchObject({ proof: 'signature', credential: 'crd_certificate' })
    return swan.log()
  }
})

function successful(who: string, name: string): RegExp {
  return new RegExp(`authentication of '${who}' with ${name}\\S* successful`)
}
