import { createCredentialCache, DearProofs, type CredentialCache } from '@culvert/concentrator-core'
import { createDecoyKeys, type DecoyKeys } from '@culvert/crypto'
import { createKeyRing } from '@culvert/db'
import type { Answer, Identity, Path, Question } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { newCertificateRequest, type RequestKey } from '@culvert/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createCredentialAnswers, fingerprintOf, type Doubt } from './credential-answers.ts'
import { createCredentialDesk } from './credential-desk.ts'
import type { Realm } from './realm.ts'
import { createDeviceRegistry, type DeviceRegistry, type TestAuthority } from './testing/device-registry.ts'

type CredentialQuestion = Extract<Question, { kind: 'credential' }>
type CredentialAnswer = Extract<Answer, { kind: 'credential' }>

const path: Path = { local: { address: '192.0.2.1', port: 4500 }, remote: { address: '192.0.2.11', port: 4500 } }
const X509_SIGNATURE = 4
const fqdn = (name: string): Identity => ({ type: 2, data: new TextEncoder().encode(name) })

let registry: DeviceRegistry
let cache: CredentialCache
let doubts: (Doubt | null)[]
let dearProofs: DearProofs
/** How often a key of nobody was wanted. */
let pretended = 0

beforeAll(async () => {
  registry = await createDeviceRegistry(inject('databaseUrl'))
})
afterAll(() => registry.close())
beforeEach(() => {
  cache = createCredentialCache({ entries: 100, freshMs: 60_000, staleMs: 60_000, unknownMs: 60_000 })
  doubts = []
  pretended = 0
  dearProofs = new DearProofs()
})

const keys = createDecoyKeys()
const decoys: DecoyKeys = {
  ...keys,
  of(scheme, signatureBytes) {
    pretended++
    return keys.of(scheme, signatureBytes)
  },
}

async function ask(
  identity: string,
  question: Partial<CredentialQuestion>,
  realm: Realm = registry.realm,
): Promise<CredentialAnswer | null> {
  const desk = createCredentialDesk({
    pool: registry.pool,
    cache,
    secrets: createKeyRing([registry.keys.privateKey]),
    log: createLogger('test', 'silent'),
  })
  const onClaim = (_idI: Identity, _device: unknown, doubt: Doubt | null): void => void doubts.push(doubt)
  const stopped: Pick<DearProofs, 'take' | 'claimed'> = {
    take: (address) => dearProofs.take(address, 0),
    claimed: (credential, address) => dearProofs.claimed(credential, address),
  }
  const answers = createCredentialAnswers({ desk, realm, decoys, dearProofs: stopped, onClaim })
  const empty = { idR: null, path, proof: 'psk', certificates: [], eapOnly: false } as const
  return answers.answer({ kind: 'credential', ...empty, idI: fqdn(identity), ...question })
}

const shown = (der: Uint8Array): Partial<CredentialQuestion> => ({
  proof: 'signature',
  certificates: [{ encoding: X509_SIGNATURE, data: der }],
})

describe('shared keys', () => {
  it('gives all valid ones, the newest first, with tiers and the PPK of the device', async () => {
    const device = await registry.addDevice()
    const older = await registry.addSecret(device, 'psk', 'an older secret of this device')
    const newer = await registry.addSecret(device, 'psk', 'a newer secret of this device')
    await registry.addSecret(device, 'ppk', 'a post-quantum secret')
    const answer = await ask(device.identity, {})
    expect(answer?.found).toMatchObject({
      subject: device.deviceId,
      candidates: [
        { kind: 'psk', id: newer, secret: new TextEncoder().encode('a newer secret of this device') },
        { kind: 'psk', id: older },
      ],
      tiers: ['modern', 'standard'],
      ppks: [
        {
          id: Uint8Array.of(2, ...new TextEncoder().encode(`${device.deviceId}.ppk`)),
          secret: new TextEncoder().encode('a post-quantum secret'),
          isRequired: true,
        },
      ],
    })
    expect(answer?.found?.signer).toBeUndefined()
    expect(doubts).toEqual([null])
  })

  it('N26 a device without one looks as nobody does; people hear why', async () => {
    const device = await registry.addDevice()
    await registry.addSecret(device, 'eap', 'a password')
    const [without, nobody] = [await ask(device.identity, {}), await ask('nobody.acme.example', {})]
    expect(without).toEqual({ kind: 'credential', found: null, decoy: { tiers: ['modern', 'standard'] } })
    expect(nobody).toEqual(without)
    expect(doubts).toMatchObject([{ reason: 'no_credential' }])
  })

  it('takes no proof of another kind', async () => {
    const device = await registry.addDevice()
    await registry.addSecret(device, 'psk', 'a secret of this device, long')
    expect(await ask(device.identity, { proof: 'other' })).toMatchObject({ found: null })
  })
})

describe('certificates', () => {
  it('gives the key of a chain that leads to the authority, names the device and is a valid credential of it', async () => {
    const device = await registry.addDevice()
    const { der, credentialId } = await registry.addCertificate(device)
    expect(await ask(device.identity, shown(der))).toMatchObject({
      found: {
        subject: device.deviceId,
        candidates: [{ kind: 'publicKey', id: credentialId, key: { kind: 'p256' } }],
        signer: registry.realm.signer,
      },
    })
  })

  it('a good certificate that is no valid credential any more is worth nothing', async () => {
    const device = await registry.addDevice()
    const { der, credentialId } = await registry.addCertificate(device)
    await registry.revoke(credentialId)
    expect(await ask(device.identity, shown(der))).toMatchObject({ found: null, decoy: { key: { kind: 'p256' } } })
    const detail = 'the certificate is not one of its valid credentials'
    expect(doubts).toMatchObject([{ detail, certificate: fingerprintOf(der) }])
  })

  it('a certificate of one device does not speak for another one, whoever it is a credential of', async () => {
    const [device, other] = [await registry.addDevice(), await registry.addDevice()]
    const { der } = await registry.addCertificate(device)
    expect(await ask(other.identity, shown(der))).toMatchObject({ found: null })
    const misnamed = await registry.addCertificate(other, device.identity)
    expect(await ask(other.identity, shown(misnamed.der))).toMatchObject({ found: null })
    expect(await ask(device.identity, shown(misnamed.der))).toMatchObject({ found: null })
  })

  it('the certificate of a concentrator is not one of a device', async () => {
    const device = await registry.addDevice()
    await registry.addCertificate(device)
    const [own = new Uint8Array(0)] = registry.realm.signer?.certificates ?? []
    expect(await ask(device.identity, shown(own))).toMatchObject({ found: null })
  })

  it('N26 strangers and devices with a bad chain get the same: our signer, and the key of what they sent', async () => {
    const device = await registry.addDevice()
    const { der } = await registry.addCertificate(device)
    const { signer, otherSigners, tiers } = registry.realm
    const nobody = await ask('nobody.acme.example', shown(der))
    expect(nobody).toMatchObject({ found: null, decoy: { signer, otherSigners, tiers, key: { kind: 'p256' } } })
    for (const certificates of [[], [{ encoding: X509_SIGNATURE, data: Uint8Array.of(0x30, 3, 1, 2, 3) }]]) {
      const answers = [
        await ask('nobody.acme.example', { proof: 'signature', certificates }),
        await ask(device.identity, { proof: 'signature', certificates }),
      ]
      expect(answers[0]).toEqual({ kind: 'credential', found: null, decoy: { signer, otherSigners, tiers } })
      expect(answers[1]).toEqual(answers[0])
    }
  })

  it('whoever needs our certificate waits while there is none', async () => {
    const device = await registry.addDevice()
    const { der } = await registry.addCertificate(device)
    const bare: Realm = { proofs: null, signer: null, otherSigners: [], trust: null, tiers: ['modern'] }
    expect(await ask(device.identity, shown(der), bare)).toBeNull()
    expect(await ask(device.identity, { proof: 'eap' }, bare)).toBeNull()
  })
})

describe('certificates of an authority of the organization', () => {
  const issueOf = async ({ authority }: TestAuthority, kind?: RequestKey): Promise<Uint8Array> => {
    const options = { identity: 'sn-2.factory.example', atMs: Date.now(), lifetimeMs: 86_400_000 }
    const issued = await authority.signDeviceCertificate(newCertificateRequest('x', kind).der, options)
    if (!issued.ok) throw new Error(issued.fault.code)
    return issued.value.certificate
  }

  it('gives the key of exactly the certificate of the credential, which need not name the device', async () => {
    const device = await registry.addDevice()
    const factory = await registry.addAuthority('Factory')
    const { der, credentialId } = await registry.addForeign(device, factory)
    expect(await ask(device.identity, shown(der))).toMatchObject({
      found: {
        subject: device.deviceId,
        candidates: [{ kind: 'publicKey', id: credentialId, key: { kind: 'p256' } }],
        signer: registry.realm.signer,
      },
    })
    const another = await registry.addForeign(await registry.addDevice(), factory)
    expect(await ask(device.identity, shown(another.der))).toMatchObject({ found: null })
    expect(doubts).toMatchObject([null, { reason: 'authentication_failed' }])
  })

  it('N26 whoever claims the device without its certificate gets what a stranger gets', async () => {
    const device = await registry.addDevice()
    const factory = await registry.addAuthority('Factory')
    await registry.addForeign(device, factory)
    const { der } = await registry.addForeign(await registry.addDevice(), factory)
    const { signer, otherSigners, tiers } = registry.realm
    const decoy = { signer, otherSigners, tiers, key: { kind: 'p256' } }
    for (const identity of [device.identity, 'nobody.acme.example'])
      expect(await ask(identity, shown(der))).toMatchObject({ kind: 'credential', found: null, decoy })
  })

  it('N26 it costs the same, for a certificate of another authority, whether it is a credential or not', async () => {
    const device = await registry.addDevice()
    const factory = await registry.addAuthority('Factory')
    const { der, credentialId } = await registry.addForeign(device, factory)
    const withoutAny = await registry.addDevice()
    expect((await ask(device.identity, shown(der)))?.found?.candidates).toMatchObject([{ id: credentialId }])
    expect(pretended, 'its own authority was asked').toBe(0)
    const another = await issueOf(factory)
    for (const [identity, certificate] of [
      [device.identity, another],
      [withoutAny.identity, der],
      ['nobody.acme.example', der],
      ['nobody.acme.example', another],
    ] as const) {
      pretended = 0
      expect(await ask(identity, shown(certificate))).toMatchObject({ found: null })
      expect(pretended).toBe(1)
    }
    pretended = 0
    const others = await Promise.all([1, 2, 3, 4].map(() => issueOf(factory)))
    const certificates = [der, ...others].map((data) => ({ encoding: X509_SIGNATURE, data }))
    expect(await ask(device.identity, { proof: 'signature', certificates })).toMatchObject({ found: null })
    expect(pretended, 'its own authority was not asked').toBe(1)
    pretended = 0
    const ours = await registry.addCertificate(device)
    for (const identity of [device.identity, withoutAny.identity, 'nobody.acme.example'])
      await ask(identity, shown(ours.der))
    expect(pretended, 'our authority was asked, for everybody').toBe(0)
  })

  describe('N26 with a key whose signatures are dear to check', () => {
    const there = { ...path, remote: { address: '198.51.100.7', port: 4500 } }

    it('is looked at a few times for a source, known or not, and devices come in from elsewhere and with other keys', async () => {
      const [device, plain] = [await registry.addDevice(), await registry.addDevice()]
      const factory = await registry.addAuthority('Factory')
      const { der, credentialId } = await registry.addForeign(device, factory, 'ecdsa-p521')
      const other = await registry.addForeign(plain, factory)
      const strange = await issueOf(factory, 'ecdsa-p521')
      const flood = async (identity: string): Promise<number> => {
        const answers = []
        for (let n = 0; n < 30; n++) answers.push(await ask(identity, shown(strange)))
        return answers.filter((answer) => answer !== null).length
      }
      expect([await flood('nobody.acme.example'), await flood(device.identity)]).toEqual([20, 0])
      pretended = 0
      expect([await ask(device.identity, shown(der)), pretended]).toEqual([null, 0])
      const found = { subject: device.deviceId, candidates: [{ id: credentialId, key: { kind: 'p521' } }] }
      expect(await ask(device.identity, { ...shown(der), path: there })).toMatchObject({ found })
      expect(await ask(plain.identity, shown(other.der))).toMatchObject({ found: { subject: plain.deviceId } })
    })

    it('is given back when it turns out good, so many of one source come in', async () => {
      const device = await registry.addDevice()
      const { der, credentialId } = await registry.addForeign(
        device,
        await registry.addAuthority('Factory'),
        'ecdsa-p521',
      )
      for (let n = 0; n < 30; n++) {
        expect(await ask(device.identity, { ...shown(der), path: there })).toMatchObject({ found: {} })
        dearProofs.proven(credentialId, there.remote.address)
      }
    })
  })

  it('ends with its credential, and with its authority', async () => {
    const device = await registry.addDevice()
    const factory = await registry.addAuthority('Factory')
    const [first, second] = [await registry.addForeign(device, factory), await registry.addForeign(device, factory)]
    await registry.revoke(first.credentialId)
    expect(await ask(device.identity, shown(first.der))).toMatchObject({ found: null })
    cache.clear()
    expect((await ask(device.identity, shown(second.der)))?.found).not.toBeNull()
    await registry.pool.query('DELETE FROM device_authorities WHERE id = $1', [factory.id])
    cache.clear()
    expect(await ask(device.identity, shown(second.der))).toMatchObject({ found: null })
  })

  it('property: a chain of one authority never proves a device whose credential names another, whatever else is sent', async () => {
    const device = await registry.addDevice()
    // One name, several keys: a path by names is found each time, and the signature decides.
    const makers = await Promise.all([1, 2, 3].map(() => registry.addAuthority('Maker')))
    const roots = makers.map(({ authority }) => authority.certificate)
    const { credentialId } = await registry.addForeign(device, makers[0] as TestAuthority)
    const issued = await Promise.all(makers.map((maker) => issueOf(maker)))
    const one = fc.constantFrom(0, 1, 2)
    await fc.assert(
      fc.asyncProperty(one, one, one, fc.subarray(roots), async (shows, trusts, pins, more) => {
        await registry.pool.query('UPDATE credentials SET authority_id = $2, fingerprint = $3 WHERE id = $1', [
          credentialId,
          makers[trusts]?.id,
          fingerprintOf(issued[pins] ?? new Uint8Array(0)),
        ])
        cache.clear()
        const sent = [issued[shows] ?? new Uint8Array(0), ...more]
        const certificates = sent.map((data) => ({ encoding: X509_SIGNATURE, data }))
        const answer = await ask(device.identity, { proof: 'signature', certificates })
        expect(answer?.found !== null).toBe(shows === trusts && shows === pins)
      }),
      { numRuns: 80 },
    )
  })

  it('an authority of this installation does not vouch for it, nor one of an organization for a certificate of ours', async () => {
    const device = await registry.addDevice()
    const factory = await registry.addAuthority('Factory')
    const { der } = await registry.addForeign(device, factory)
    const ours = await registry.addCertificate(device)
    expect((await ask(device.identity, shown(ours.der)))?.found).toMatchObject({
      candidates: [{ id: ours.credentialId }],
    })
    const { rows } = await registry.pool.query<{ pem: string }>(
      'SELECT certificate AS pem FROM certificate_authorities LIMIT 1',
    )
    await registry.pool.query('UPDATE device_authorities SET certificate = $2 WHERE id = $1', [
      factory.id,
      rows[0]?.pem,
    ])
    cache.clear()
    expect(await ask(device.identity, shown(der))).toMatchObject({ found: null })
  })
})

it('N26 EAP is spoken with everybody alike, also with those who could do without our proof (RFC 5998)', async () => {
  const device = await registry.addDevice()
  await registry.addSecret(device, 'psk', 'a secret of this device, long')
  const { signer, otherSigners, tiers } = registry.realm
  const candidates = [{ kind: 'eap', id: null, withoutOurProof: false }]
  const alike = { kind: 'credential', found: { subject: null, candidates, signer, otherSigners, tiers } }
  expect(await ask(device.identity, { proof: 'eap' })).toEqual(alike)
  expect(await ask('nobody.acme.example', { proof: 'eap', eapOnly: true })).toEqual(alike)
})
