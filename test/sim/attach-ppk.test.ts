/**
 * Post-quantum preshared keys, both ends (RFC 8784): every row of the table in its section 3, with shared keys, signatures and EAP.
 */
import {
  type Answer,
  defaultEspSuites,
  defaultIkeSuites,
  EXCHANGE,
  type FoundCredential,
  type InitiatorConfig,
  KE,
  NOTIFY,
  type Payload,
  type ProposalPolicy,
  sharedKeyAuth,
  TRANSFORM_TYPE,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { EapScript, eapResponse, MSK } from './eap-script.ts'
import { notify } from './forge.ts'
import { HandPeer, kindsOf, payloadOf } from './hand-peer.ts'
import { Network } from './network.ts'
import { fqdn, Node } from './node.ts'
import { createPair, grantEverything, initiate, type Pair, PSK } from './pair.ts'
import { keyPair, signer } from './signers.ts'

const ID = Uint8Array.of(2, ...new TextEncoder().encode('ppk1@dev.test'))
const OTHER_ID = Uint8Array.of(2, ...new TextEncoder().encode('ppk2@dev.test'))
const SECRET = new Uint8Array(32).fill(0x77)
const USE_PPK = 'N(USE_PPK)'
const FAILED = 'con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}'

type Known = NonNullable<FoundCredential['ppks']>[number] | undefined

interface Scene {
  /** What the device mixes in. */
  readonly device?: InitiatorConfig['ppk']
  /** What the concentrator knows for it. */
  readonly known?: Known
  readonly isOn?: boolean
  readonly found?: Partial<FoundCredential>
  readonly proof?: InitiatorConfig['proof']
  /** What both ends propose. */
  readonly proposals?: ProposalPolicy
}

function run({ device, known, isOn = true, found = {}, proof, proposals }: Scene): Pair {
  const both = proposals === undefined ? {} : { proposals }
  const pair = createPair({ device: both, concentrator: { ...both, features: { ppk: isOn } } })
  pair.concentrator.answerTo = (question): Answer => {
    const answer = grantEverything(question)
    if (answer.kind !== 'credential' || answer.found === null) return answer
    return { ...answer, found: { ...answer.found, ...(known === undefined ? {} : { ppks: [known] }), ...found } }
  }
  pair.device.answerTo = () => ({ kind: 'trust', key: keyPair('p256', 'con').verifying })
  initiate(pair, { ...(device === undefined ? {} : { ppk: device }), ...(proof === undefined ? {} : { proof }) })
  pair.network.run(20_000)
  return pair
}

function isAttached({ device, concentrator }: Pair): boolean {
  return device.eventsOf('established').length === 1 && concentrator.eventsOf('established').length === 1
}

const optional = { id: ID, secret: SECRET, isRequired: false }
const required = { id: ID, secret: SECRET, isRequired: true }
const unknown = { id: OTHER_ID, secret: SECRET, isRequired: false }

test('RFC 8784 both know it: named in the request, confirmed in the response, mixed into the keys of every Child SA', () => {
  const pair = run({ device: optional, known: optional })
  const lines = pair.transcript.take()
  expect(lines[0]).toContain(USE_PPK)
  expect(lines[1]).toContain(USE_PPK)
  expect(lines[2]).toContain('AUTH, N(PPK_IDENTITY), N(NO_PPK_AUTH)')
  expect(lines[3]).toBe('con: IKE_AUTH response 1, SK {IDr, AUTH, N(PPK_IDENTITY), CP(REPLY), SA, TSi, TSr}')
  expect(isAttached(pair)).toBe(true)
  const { device, concentrator, network } = pair
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
  device.command({ kind: 'rekeyIke', key: device.key })
  network.run(2_000)
  concentrator.command({ kind: 'rekeyChild', key: concentrator.key, spiIn: concentrator.child.spiIn })
  network.run(2_000)
  expect(device.eventsOf('childRekeyed')).toHaveLength(1)
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
})

test('RFC 8784 the same randomness with another PPK gives other keys', () => {
  const other = { ...required, secret: new Uint8Array(32).fill(0x78) }
  const keys = [required, required, other].map((ppk) => run({ device: ppk, known: ppk }).device.child.keys.inboundKey)
  expect(keys[1]).toEqual(keys[0])
  expect(keys[2]).not.toEqual(keys[0])
})

describe('RFC 8784 rotation: two post-quantum preshared keys are good at once', () => {
  const older = { id: Uint8Array.of(2, 1), secret: new Uint8Array(32).fill(1), isRequired: true }
  const newer = { id: Uint8Array.of(2, 2), secret: new Uint8Array(32).fill(2), isRequired: false }

  test.each([
    ['older', older],
    ['newer', newer],
  ])('the device names the %s one', (_, device) => {
    const { concentrator } = run({ device, known: undefined, found: { ppks: [newer, older] } })
    expect(concentrator.eventsOf('established')).toHaveLength(1)
  })

  test('a newer one that is optional does not make the older one optional', () => {
    const { concentrator } = run({ device: undefined, known: undefined, found: { ppks: [newer, older] } })
    expect(concentrator.eventsOf('established')).toHaveLength(0)
    expect(concentrator.eventsOf('attemptFailed')[0]).toMatchObject({ reason: 'authenticationFailed' })
  })
})

describe('RFC 8784 the table of section 3, as responder', () => {
  const rows: readonly (readonly [string, Scene, boolean])[] = [
    ['no USE_PPK, none configured', {}, true],
    ['no USE_PPK, optional here', { known: optional }, true],
    ['no USE_PPK, mandatory here', { known: required }, false],
    ['PPK unknown, no NO_PPK_AUTH', { device: required }, false],
    ['another PPK, no NO_PPK_AUTH', { device: { ...unknown, isRequired: true }, known: optional }, false],
    ['another PPK and NO_PPK_AUTH, mandatory here', { device: unknown, known: required }, false],
    ['another PPK and NO_PPK_AUTH, optional here', { device: unknown, known: optional }, true],
    ['no PPK here and NO_PPK_AUTH', { device: optional }, true],
    ['both know it, mandatory there', { device: required, known: optional }, true],
    ['both know it, mandatory here', { device: optional, known: required }, true],
    ['both know it, another secret', { device: { ...optional, secret: PSK }, known: optional }, false],
  ]
  test.each(rows)('%s', (_name, scene, attaches) => {
    const pair = run(scene)
    expect(isAttached(pair)).toBe(attaches)
    if (!attaches) expect(pair.transcript.take()).toContain(FAILED)
    expect(pair.device.pendingSpis + pair.concentrator.pendingSpis).toBe(0)
  })
})

describe('RFC 8784 as initiator', () => {
  test('C18 a responder that does not do PPKs does not say so, and an optional one is left out', () => {
    const pair = run({ device: optional, known: optional, isOn: false })
    const lines = pair.transcript.take()
    expect(lines[1]).not.toContain(USE_PPK)
    expect(lines[2]).not.toContain('PPK')
    expect(isAttached(pair)).toBe(true)
  })

  test('a mandatory one ends the attempt there, before anything of us is said', () => {
    const pair = run({ device: required, isOn: false })
    expect(pair.device.eventsOf('attemptFailed')).toHaveLength(1)
    expect(pair.transcript.take().some((line) => line.includes('IKE_AUTH'))).toBe(false)
  })

  test('without USE_PPK of ours the responder does not speak of it', () => {
    expect(run({ known: optional }).transcript.take()[1]).not.toContain(USE_PPK)
  })
})

test('RFC 8784 with signatures: both AUTH payloads are signed over the mixed keys, NO_PPK_AUTH over the plain ones', () => {
  const proof = { kind: 'signature', ...signer('p256', 'dev') } as const
  const found: Partial<FoundCredential> = {
    candidates: [{ kind: 'publicKey', id: 'crd_2', key: keyPair('p256', 'dev').verifying }],
    signer: signer('p256', 'con'),
  }
  expect(isAttached(run({ device: optional, known: optional, found, proof }))).toBe(true)
  expect(isAttached(run({ device: unknown, known: optional, found, proof }))).toBe(true)
  expect(isAttached(run({ device: required, known: { ...required, secret: PSK }, found, proof }))).toBe(false)
})

test('RFC 8784 and RFC 9370 together: signatures over IntAuth, the PPK mixed into what ML-KEM left', () => {
  const mlKem = { type: TRANSFORM_TYPE.ADDKE1, id: KE.ML_KEM_768, keyBits: null }
  const ike = defaultIkeSuites.map((suite) => ({ ...suite, additionalKe: [[mlKem]] }))
  const pair = run({
    device: required,
    known: required,
    proof: { kind: 'signature', ...signer('p384', 'dev') },
    found: {
      candidates: [{ kind: 'publicKey', id: 'crd_2', key: keyPair('p384', 'dev').verifying }],
      signer: signer('p256', 'con'),
    },
    proposals: { ike, esp: defaultEspSuites },
  })
  expect(isAttached(pair)).toBe(true)
  expect(pair.transcript.take().some((line) => line.startsWith('dev: IKE_INTERMEDIATE request 1'))).toBe(true)
  const { device, concentrator, network } = pair
  device.command({ kind: 'rekeyChild', key: device.key, spiIn: device.child.spiIn })
  network.run(2_000)
  expect(device.eventsOf('childRekeyed')).toHaveLength(1)
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
})

describe('RFC 8784 with EAP: the PPK comes with the AUTH payload', () => {
  function throughEap(
    known: Known,
    msk: Uint8Array | null = MSK,
    proven?: Known,
  ): { peer: HandPeer; concentrator: Node } {
    const network = new Network(5)
    const config = { features: { ppk: true } }
    const concentrator = new Node(network, { name: 'con', address: '203.0.113.1', config })
    const script = new EapScript({ rounds: 1, msk, ...(proven && { proven: { ppks: [proven] } }) })
    concentrator.answerTo = (question) => {
      if (question.kind === 'eap') return script.answer(question)
      if (question.kind !== 'credential') return grantEverything(question)
      const candidates = [{ kind: 'eap', id: null, withoutOurProof: false }] as const
      const realm = { subject: null, candidates, signer: signer('p256', 'con') }
      return { kind: 'credential', found: known === undefined ? realm : { ...realm, ppks: [known] } }
    }
    const peer = new HandPeer(network, concentrator.address)
    const hashes = notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.of(0, 2))
    peer.init([hashes, notify(NOTIFY.USE_PPK)])
    peer.ask(peer.firstRequest())
    peer.ask([eapResponse(1)])
    return { peer, concentrator }
  }
  const named: Payload = notify(NOTIFY.PPK_IDENTITY, ID)

  test('the PPK of who was proven counts: nobody gets around a required one by another claim', () => {
    const plain = throughEap(undefined, MSK, required)
    expect(kindsOf(plain.peer.ask([plain.peer.sharedKeyAuth(MSK)]))).toEqual([`notify ${NOTIFY.AUTHENTICATION_FAILED}`])
    const mixed = throughEap(undefined, MSK, required)
    expect(kindsOf(mixed.peer.ask([mixed.peer.sharedKeyAuth(MSK, SECRET), named]))?.[0]).toBe('auth')
  })

  test.each([
    ['with an MSK', MSK],
    ['without one', null],
  ])('%s', (_name, msk) => {
    const { peer, concentrator } = throughEap(required, msk)
    const last = peer.ask([peer.sharedKeyAuth(msk ?? peer.skPi(SECRET), SECRET), named])
    expect(kindsOf(last)?.slice(0, 2)).toEqual(['auth', `notify ${NOTIFY.PPK_IDENTITY}`])
    if (msk !== null) {
      const octets = peer.responderOctets(fqdn('con.test'), SECRET)
      expect(payloadOf(last, 'auth').data).toEqual(sharedKeyAuth(peer.prf, msk, octets))
    }
    expect(concentrator.eventsOf('established')).toHaveLength(1)
  })

  test('mandatory and not named, or not mixed in: refused', () => {
    for (const prove of [
      (peer: HandPeer) => [peer.sharedKeyAuth(MSK)],
      (peer: HandPeer) => [peer.sharedKeyAuth(MSK), named],
      (peer: HandPeer) => [peer.sharedKeyAuth(MSK), notify(NOTIFY.PPK_IDENTITY, OTHER_ID)],
    ]) {
      const { peer, concentrator } = throughEap(required)
      expect(kindsOf(peer.ask(prove(peer)))).toEqual([`notify ${NOTIFY.AUTHENTICATION_FAILED}`])
      expect(concentrator.endpoint.size.established).toBe(0)
    }
  })
})

test('RFC 8784 PPK_IDENTITY without USE_PPK is passed over', () => {
  const network = new Network(5)
  const concentrator = new Node(network, { name: 'con', address: '203.0.113.1', config: { features: { ppk: true } } })
  concentrator.answerTo = grantEverything
  const peer = new HandPeer(network, concentrator.address)
  peer.init()
  const answer = peer.ask(
    peer.firstRequest(peer.sharedKeyAuth(PSK), notify(NOTIFY.PPK_IDENTITY, ID)),
    EXCHANGE.IKE_AUTH,
  )
  expect(kindsOf(answer)).toEqual(['idR', 'auth', 'cp', 'sa', 'tsI', 'tsR'])
})
