import { createCredentialCache, type CredentialCache } from '@culvert/concentrator-core'
import { createKeyRing } from '@culvert/db'
import {
  createEapPeer,
  createMschapPeerMethod,
  createTlsPeerMethod,
  type EapPeer,
  type EapPeerMethod,
} from '@culvert/eap'
import { createSystemRng } from '@culvert/ike-driver'
import type { Answer, EapSession, Path } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createCredentialDesk } from './credential-desk.ts'
import { createEapDesk, type EapDesk } from './eap-desk.ts'
import { createDeviceRegistry, type DeviceRegistry, type TestDevice } from './testing/device-registry.ts'

type EapAnswer = Extract<Answer, { kind: 'eap' }>

const path: Path = { local: { address: '192.0.2.1', port: 4500 }, remote: { address: '192.0.2.11', port: 4500 } }
const PASSWORD = 'correct horse'
const rng = createSystemRng()

let registry: DeviceRegistry
let cache: CredentialCache
let eap: EapDesk
let proven: string[]
let claimed: (string | null)[]
let sessions = 0

beforeAll(async () => {
  registry = await createDeviceRegistry(inject('databaseUrl'))
})
afterAll(() => registry.close())
beforeEach(() => {
  cache = createCredentialCache({ entries: 100, freshMs: 60_000, staleMs: 60_000, unknownMs: 60_000 })
  proven = []
  claimed = []
  const desk = createCredentialDesk({
    pool: registry.pool,
    cache,
    secrets: createKeyRing([registry.keys.privateKey]),
    log: createLogger('test', 'silent'),
  })
  const onProven = ({ deviceId }: { deviceId: string }): void => void proven.push(deviceId)
  const onClaim = (_remote: object, device: { deviceId: string } | null): void => {
    claimed.push(device?.deviceId ?? null)
  }
  eap = createEapDesk({ desk, realm: registry.realm, serverName: 'con.example', rng, onProven, onClaim })
})

interface Conversation {
  readonly last: EapAnswer
  /** What the peer made; null when it failed. */
  readonly msk: Uint8Array | null
}

/** @param before runs before each packet of the peer is handed in */
async function converse(
  methods: readonly EapPeerMethod[],
  more: { identity?: string; idI?: string; withoutOurProof?: boolean; before?: (round: number) => Promise<void> } = {},
): Promise<Conversation> {
  const { identity = 'someone', idI = 'anything.example', withoutOurProof = false, before = async () => {} } = more
  const peer: EapPeer = createEapPeer({ identity, methods, rng })
  const session = ++sessions as EapSession
  const question = {
    kind: 'eap',
    session,
    idI: { type: 2, data: new TextEncoder().encode(idI) },
    path,
    withoutOurProof,
  } as const
  let last = await eap.answer({ ...question, packet: null })
  for (let round = 1; last.outcome === 'continue'; round++) {
    const answer = await peer.next(last.packet)
    if (answer.outcome !== 'continue') break
    await before(round)
    last = await eap.answer({ ...question, packet: answer.packet })
  }
  if (last.outcome !== 'success') return { last, msk: null }
  const msk = last.msk && Uint8Array.from(last.msk)
  const end = await peer.next(last.packet)
  expect(end.outcome === 'success' ? end.msk : null).toEqual(msk)
  return { last, msk }
}

const mschap = ({ identity }: TestDevice, password = PASSWORD, domain = ''): EapPeerMethod[] => [
  createMschapPeerMethod({ userName: `${domain}user.${identity}`, password }),
]

describe('EAP-MSCHAPv2', () => {
  it('proves the device that the user name belongs to, whatever was claimed, and says what holds for it', async () => {
    const device = await registry.addDevice()
    const credential = await registry.addSecret(device, 'eap', PASSWORD)
    await registry.addSecret(device, 'ppk', 'post-quantum')
    const { last, msk } = await converse(mschap(device), { identity: 'nobody', idI: 'other.acme.example' })
    expect(msk).toHaveLength(64)
    expect(last).toMatchObject({
      outcome: 'success',
      subject: device.deviceId,
      credential,
      tiers: ['modern', 'standard'],
      ppks: [{ isRequired: true, secret: new TextEncoder().encode('post-quantum') }],
    })
    expect([proven, eap.size]).toEqual([[device.deviceId], 0])
  })

  it('says whose name was given to it, also with a wrong password and whatever is in IDi', async () => {
    const device = await registry.addDevice()
    await registry.addSecret(device, 'eap', PASSWORD)
    const { last } = await converse(mschap(device, 'wrong'), { identity: 'nobody', idI: '192.0.2.11' })
    expect([last.outcome, claimed]).toEqual(['failure', [null, device.deviceId]])
  })

  it('takes a Windows domain in front of the name', async () => {
    const device = await registry.addDevice()
    await registry.addSecret(device, 'eap', PASSWORD)
    expect((await converse(mschap(device, PASSWORD, 'ACME\\'))).last).toMatchObject({ subject: device.deviceId })
  })

  it('N26 a wrong password, a name of nobody and a revoked one end in the same round with the same packet', async () => {
    const [device, revoked] = [await registry.addDevice(), await registry.addDevice()]
    await registry.addSecret(device, 'eap', PASSWORD)
    await registry.revoke(await registry.addSecret(revoked, 'eap', PASSWORD))
    const nobody = { deviceId: '', identity: 'nobody.acme.example' }
    const ends = []
    for (const methods of [mschap(device, 'wrong'), mschap(nobody), mschap(revoked)]) {
      let rounds = 0
      const { last } = await converse(methods, { before: async (round) => void (rounds = round) })
      ends.push([last.outcome, rounds, last.packet[0], last.packet.length])
    }
    expect(ends[1]).toEqual(ends[0])
    expect(ends[2]).toEqual(ends[0])
    expect(proven).toEqual([])
  })

  it('is not offered where it would have to prove us', async () => {
    const device = await registry.addDevice()
    await registry.addSecret(device, 'eap', PASSWORD)
    const { last } = await converse(mschap(device), { withoutOurProof: true })
    expect(last).toMatchObject({ outcome: 'failure', detail: 'noCommonMethod' })
  })

  it('a credential that is revoked while EAP runs proves nobody', async () => {
    const device = await registry.addDevice()
    const credential = await registry.addSecret(device, 'eap', PASSWORD)
    const { last } = await converse(mschap(device), {
      async before(round) {
        if (round !== 4) return // the peer's acknowledgement of our Success
        await registry.revoke(credential)
        cache.forgetDevice(device.deviceId)
      },
    })
    expect(last).toMatchObject({ outcome: 'failure', detail: 'the credential is not valid any more' })
    expect(proven).toEqual([])
  })
})

describe('EAP-TLS', () => {
  const tls = (certificate: { certificate: string; key: string }): EapPeerMethod[] => [
    createTlsPeerMethod({
      certificate: { chain: certificate.certificate, key: certificate.key },
      verifyChain: async (chain) => chain.length > 0,
    }),
  ]

  it('proves the device of the certificate, also where it has to prove us', async () => {
    const device = await registry.addDevice()
    const certificate = await registry.addCertificate(device)
    for (const withoutOurProof of [false, true]) {
      const { last, msk } = await converse(tls(certificate), { withoutOurProof })
      expect(last).toMatchObject({ outcome: 'success', subject: device.deviceId, credential: certificate.credentialId })
      expect(msk).toHaveLength(64)
    }
  })

  it('refuses what is no valid credential of the device it names', async () => {
    const [device, other] = [await registry.addDevice(), await registry.addDevice()]
    const revoked = await registry.addCertificate(device)
    await registry.revoke(revoked.credentialId)
    for (const certificate of [revoked, await registry.addCertificate(other, device.identity)]) {
      expect((await converse(tls(certificate))).last).toMatchObject({
        outcome: 'failure',
        detail: 'certificateRefused',
      })
    }
    expect(proven).toEqual([])
  })

  it('says whose name is in a certificate, also in one that is no good, and that there is none', async () => {
    const device = await registry.addDevice()
    const revoked = await registry.addCertificate(device)
    await registry.revoke(revoked.credentialId)
    await converse(tls(revoked), { idI: '192.0.2.11' })
    expect(claimed).toEqual([null, device.deviceId])
    const foreign = await registry.foreignCertificate(device.identity)
    expect((await converse(tls(foreign), { idI: '192.0.2.11' })).last).toMatchObject({ outcome: 'failure' })
    expect(claimed).toEqual([null, device.deviceId, null, device.deviceId])
    await converse(tls(await registry.foreignCertificate('nobody.acme.example')))
    expect(claimed.slice(4)).toEqual([null])
    expect(proven).toEqual([])
  })
})

it('forgets a conversation that ends from outside, and fails what comes for it later', async () => {
  const question = { kind: 'eap', idI: { type: 2, data: new Uint8Array(0) }, path, withoutOurProof: false } as const
  await eap.answer({ ...question, session: 9001 as EapSession, packet: null })
  eap.end(9001 as EapSession)
  expect(eap.size).toBe(0)
  const late = await eap.answer({ ...question, session: 9001 as EapSession, packet: Uint8Array.of(2, 1, 0, 5, 1) })
  expect(late).toMatchObject({ outcome: 'failure' })
})

it('holds a bounded number of conversations, the oldest go first', async () => {
  const question = { kind: 'eap', idI: { type: 2, data: new Uint8Array(0) }, path, withoutOurProof: false } as const
  for (let session = 10_000; session < 11_050; session++) {
    await eap.answer({ ...question, session: session as EapSession, packet: null })
  }
  expect(eap.size).toBe(1000)
  eap.stop()
  expect(eap.size).toBe(0)
})
