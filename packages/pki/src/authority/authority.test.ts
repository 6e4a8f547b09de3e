import { X509Certificate, createPublicKey } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { readCertificate, type Certificate } from '../certificate/read-certificate.ts'
import { trustAnchors, type TrustAnchors } from '../chain/trust-anchors.ts'
import { validateChain } from '../chain/validate-chain.ts'
import { createCrlSet } from '../crl/crl-set.ts'
import { OID } from '../der/object-identifier.ts'
import type { Result } from '../fault.ts'
import { bindIdentity } from '../identity/bind-identity.ts'
import { ascii, bitString, commonName, integer, objectId, sequence, setOf, tlv } from '../testing/der-writer.ts'
import { DAY_MS, NOW_MS, dns, extension, testKey, type TestKey } from '../testing/forge.ts'
import { signingKey } from '@culvert/crypto'
import { makeRoot, openAuthority, type Authority, type AuthorityMaterial } from './authority.ts'
import { checkCertificationRequest } from './certification-request.ts'
import { makeKeyPair } from './key-pair.ts'

const deviceKey = testKey('p256')
const options = { identity: 'dev-1.fleet.example', atMs: NOW_MS, lifetimeMs: 30 * DAY_MS }
const root = { name: 'Culvert devices', atMs: NOW_MS, lifetimeMs: 365 * DAY_MS }

let material: AuthorityMaterial
let ca: Authority
let anchors: TrustAnchors

beforeAll(async () => {
  material = taken(await makeRoot(root))
  ca = taken(await openAuthority(material))
  anchors = taken(trustAnchors([ca.certificate]))
})

describe('an authority', () => {
  it('signs for a device: its key, the identity of the registry, and nothing else the request asks for', async () => {
    const wish = extension(OID.subjectAltName, sequence(dns('other.fleet.example')))
    const authorityWish = extension(OID.basicConstraints, sequence(tlv(1, Uint8Array.of(0xff))))
    const request = certificationRequest(deviceKey, { subject: commonName('evil'), wishes: [wish, authorityWish] })
    const issued = taken(await ca.signDeviceCertificate(request, options))
    const chain = taken(validateChain([issued.certificate], { anchors, atMs: NOW_MS, purpose: 'device' }))
    expect(chain.certificate.spki).toEqual(deviceKey.spki)
    expect(chain.certificate.extensions).toMatchObject({
      isAuthority: false,
      extendedKeyUsage: [OID.clientAuth],
      subjectAltNames: [{ kind: 'dns', value: ascii('dev-1.fleet.example') }],
      unknownCritical: [],
    })
    const { subject, subjectAltName: names, serialNumber } = new X509Certificate(issued.certificate)
    expect({ subject, names }).toEqual({ subject: 'CN=dev-1.fleet.example', names: 'DNS:dev-1.fleet.example' })
    expect(BigInt(`0x${serialNumber}`)).toBe(BigInt(`0x${issued.serial}`))
    expect(issued).toMatchObject({ notAfterMs: NOW_MS + 30 * DAY_MS, serial: chain.certificate.serial })
    expect(validateChain([issued.certificate], { anchors, atMs: NOW_MS, purpose: 'gateway' }).ok).toBe(false)
  })

  it.each(['p256', 'p384', 'p521', 'ed25519', 'rsa2048'] as const)('signs for a %s key of a device', async (name) => {
    const issued = taken(await ca.signDeviceCertificate(certificationRequest(testKey(name)), options))
    expect(new X509Certificate(issued.certificate).verify(createPublicKey(pem(ca.certificate)))).toBe(true)
  })

  it.each(['p256', 'p384', 'rsa3072'] as const)('may have a %s key itself', async (keyKind) => {
    const other = taken(await openAuthority(taken(await makeRoot({ ...root, keyKind }))))
    const issued = taken(await other.signDeviceCertificate(certificationRequest(deviceKey), options))
    const own = taken(trustAnchors([other.certificate]))
    expect(validateChain([issued.certificate], { anchors: own, atMs: NOW_MS, purpose: 'device' }).ok).toBe(true)
    expect(validateChain([issued.certificate], { anchors, atMs: NOW_MS, purpose: 'device' }).ok).toBe(false)
    const list = await other.issueCrl({ number: 128, atMs: NOW_MS, lifetimeMs: DAY_MS, revoked: [] })
    expect(createCrlSet().add(list, own.all[0]!.certificate, NOW_MS).ok).toBe(true)
  })

  it.each([
    ['device', 'dev.fleet.example'],
    ['mailbox', 'dev@fleet.example'],
    ['host name longer than a common name', `${'a'.repeat(60)}.${'b'.repeat(60)}.example`],
  ])('names a %s so that it binds', async (_what, identity) => {
    const issued = taken(await ca.signDeviceCertificate(certificationRequest(deviceKey), { ...options, identity }))
    const chain = taken(validateChain([issued.certificate], { anchors, atMs: NOW_MS, purpose: 'device' }))
    const type = identity.includes('@') ? 3 : 2
    expect(bindIdentity(chain.certificate, { type, data: ascii(identity) }).ok).toBe(true)
    expect(bindIdentity(chain.certificate, { type, data: ascii(`x${identity}`) }).ok).toBe(false)
  })

  it('makes no certificate for what no certificate can name', async () => {
    const request = certificationRequest(deviceKey)
    for (const identity of [
      '',
      '*',
      '*.fleet.example',
      'a b',
      'a\0.example',
      'dév.example',
      'a..b',
      '.a',
      'a@',
      '@a',
      'a@b@c',
    ]) {
      const result = await ca.signDeviceCertificate(request, { ...options, identity })
      expect(result, identity).toMatchObject({ fault: { code: 'notOneIdentity' } })
    }
  })

  it('makes no certificate beyond its own end, for its own key, or for no time at all', async () => {
    const request = certificationRequest(deviceKey)
    const codeOf = async (change: Partial<typeof options>) =>
      faultOf(await ca.signDeviceCertificate(request, { ...options, ...change }))
    expect(await codeOf({ lifetimeMs: 366 * DAY_MS })).toBe('outlivesAuthority')
    expect(await codeOf({ lifetimeMs: 0 })).toBe('wrongLifetime')
    expect(await codeOf({ lifetimeMs: -DAY_MS })).toBe('wrongLifetime')
    expect(await codeOf({ lifetimeMs: Number.NaN })).toBe('wrongLifetime')
    const own = { ...deviceKey, pkcs8: material.privateKey, spki: read(material.certificate).spki }
    expect(faultOf(await ca.signDeviceCertificate(certificationRequest(own), options))).toBe('keyOfAuthority')
  })

  it('signs for a gateway: host names and addresses, purposes of a server and of IKE', async () => {
    const { publicKey } = await makeKeyPair('p256')
    const names = ['vpn.example', '192.0.2.1', '2001:db8::1']
    const issued = taken(await ca.issueGatewayCertificate({ publicKey, names, atMs: NOW_MS, lifetimeMs: DAY_MS }))
    const chain = taken(validateChain([issued.certificate], { anchors, atMs: NOW_MS, purpose: 'gateway' }))
    expect(chain.certificate.extensions.extendedKeyUsage).toEqual([OID.serverAuth, OID.ikeIntermediate])
    expect(bindIdentity(chain.certificate, { type: 2, data: ascii('vpn.example') }).ok).toBe(true)
    expect(bindIdentity(chain.certificate, { type: 1, data: Uint8Array.of(192, 0, 2, 1) }).ok).toBe(true)
    const ip6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1)
    expect(bindIdentity(chain.certificate, { type: 5, data: ip6 }).ok).toBe(true)
    for (const wrong of [
      [],
      ['*.example'],
      ['vpn.example', 'a b'],
      Array.from({ length: 33 }, (_, i) => `a${i}.example`),
    ]) {
      const result = await ca.issueGatewayCertificate({ publicKey, names: wrong, atMs: NOW_MS, lifetimeMs: DAY_MS })
      expect(faultOf(result)).toBe('notOneIdentity')
    }
    const weak = { publicKey: testKey('rsa1024').spki, names, atMs: NOW_MS, lifetimeMs: DAY_MS }
    expect(faultOf(await ca.issueGatewayCertificate(weak))).toBe('unusableKey')
  })

  it('gives each certificate a serial number of 128 random bits, or the one it is told', async () => {
    const request = certificationRequest(deviceKey)
    const serials = new Set<string>()
    for (let i = 0; i < 20; i++) serials.add(taken(await ca.signDeviceCertificate(request, options)).serial)
    expect(serials.size).toBe(20)
    for (const serial of serials) expect(serial).toMatch(/^(00[89a-f][0-9a-f]{31}|[0-7][0-9a-f]{31}|[0-9a-f]{2,30})$/)
    expect(taken(await ca.signDeviceCertificate(request, { ...options, serial: '80ff' })).serial).toBe('0080ff')
  })

  it('says what is revoked, each certificate once', async () => {
    const issued = taken(await ca.signDeviceCertificate(certificationRequest(deviceKey), options))
    const entry = { serial: issued.serial, atMs: NOW_MS }
    const revoked = [entry, entry, { serial: '00ff', atMs: NOW_MS }]
    const list = await ca.issueCrl({ number: 7, atMs: NOW_MS, lifetimeMs: DAY_MS, revoked })
    const crls = createCrlSet()
    const crl = taken(crls.add(list, anchors.all[0]!.certificate, NOW_MS))
    expect([...crl.revoked]).toEqual([issued.serial, '00ff'])
    expect(crl.number).toBe(7n)
    const result = validateChain([issued.certificate], { anchors, atMs: NOW_MS, purpose: 'device', crls })
    expect(faultOf(result)).toBe('revoked')
  })

  it('says of thousands that they are revoked', async () => {
    const revoked = Array.from({ length: 20_000 }, (_, index) => ({
      serial: `01${(index + 4096).toString(16).padStart(6, '0')}`,
      atMs: NOW_MS,
    }))
    const list = await ca.issueCrl({ number: 8, atMs: NOW_MS, lifetimeMs: DAY_MS, revoked })
    expect(taken(createCrlSet().add(list, anchors.all[0]!.certificate, NOW_MS)).revoked.size).toBe(20_000)
  })

  it('opens only with its own key, and only as an authority', async () => {
    const other = taken(await makeRoot(root))
    expect(faultOf(await openAuthority({ ...material, privateKey: other.privateKey }))).toBe('keyMismatch')
    expect(faultOf(await openAuthority({ ...material, privateKey: ascii('no key') }))).toBe('unusableKey')
    const { certificate } = taken(await ca.signDeviceCertificate(certificationRequest(deviceKey), options))
    expect(faultOf(await openAuthority({ certificate, privateKey: deviceKey.pkcs8 }))).toBe('notAnAuthority')
  })
})

describe('certification requests', () => {
  it('prove that who asks holds the private key', () => {
    expect(checkCertificationRequest(certificationRequest(deviceKey)).ok).toBe(true)
    const stolen = certificationRequest({ ...deviceKey, spki: testKey('p256').spki })
    expect(faultOf(checkCertificationRequest(stolen))).toBe('badSignature')
    const changed = certificationRequest(deviceKey).slice()
    changed[changed.length - 1]! ^= 1
    expect(faultOf(checkCertificationRequest(changed))).toBe('badSignature')
  })

  it('N14 with weak keys, weak hashes and octets too many are refused', () => {
    expect(faultOf(checkCertificationRequest(certificationRequest(testKey('rsa1024'))))).toBe('unusableKey')
    const sha1 = { ...deviceKey, algorithm: sequence(objectId(OID.ecdsaWithSha1)) }
    expect(faultOf(checkCertificationRequest(certificationRequest(sha1)))).toBe('weakAlgorithm')
    const request = certificationRequest(deviceKey)
    expect(faultOf(checkCertificationRequest(Uint8Array.of(...request, 0)))).toBe('malformed')
    expect(faultOf(checkCertificationRequest(new Uint8Array(8_193)))).toBe('tooLarge')
    for (let length = 0; length < request.length; length++) {
      expect(faultOf(checkCertificationRequest(request.subarray(0, length)))).toBe('malformed')
    }
  })
})

interface RequestOptions {
  readonly subject?: Uint8Array
  readonly wishes?: readonly Uint8Array[]
}

function certificationRequest(
  key: TestKey,
  { subject = commonName('device'), wishes = [] }: RequestOptions = {},
): Uint8Array {
  const extensionRequest = sequence(objectId('1.2.840.113549.1.9.14'), setOf(sequence(...wishes)))
  const tbs = sequence(integer(0), subject, key.spki, tlv(0xa0, ...(wishes.length > 0 ? [extensionRequest] : [])))
  const signature = signingKey(key.pkcs8)?.sign(key.scheme, tbs) ?? new Uint8Array(128)
  return sequence(tbs, key.algorithm, bitString(signature))
}

function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.code} ${result.fault.detail ?? ''}`)
  return result.value
}

function faultOf(result: Result<unknown>): string {
  return result.ok ? 'ok' : result.fault.code
}

function read(der: Uint8Array): Certificate {
  return taken(readCertificate(der))
}

function pem(der: Uint8Array): string {
  return new X509Certificate(der).toString()
}
