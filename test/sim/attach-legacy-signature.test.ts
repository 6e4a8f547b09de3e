/**
 * Signatures of peers that know nothing of RFC 7427: ECDSA by curve (RFC 4754), and RSA with SHA-1 where the peer's tiers allow it.
 */
import type { SignatureKeyKind, SignatureScheme } from '@culvert/crypto'
import { AUTH_METHOD, type FoundCredential, NOTIFY, type Payload, type TierName } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { EapScript } from './eap-script.ts'
import { notify } from './forge.ts'
import { HandPeer, kindsOf, payloadOf } from './hand-peer.ts'
import { Network } from './network.ts'
import { fqdn, Node } from './node.ts'
import { grantEverything } from './pair.ts'
import { keyPair, signer } from './signers.ts'

const FAILED = [`notify ${NOTIFY.AUTHENTICATION_FAILED}`]
const HASHES = notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.of(0, 2, 0, 3, 0, 4, 0, 5))

interface Scene {
  readonly kind: SignatureKeyKind
  /** Of the responder's signer; the peer's own kind when left out. */
  readonly signerKind?: SignatureKeyKind
  readonly otherKinds?: readonly SignatureKeyKind[]
  readonly tiers?: readonly TierName[]
  readonly init?: readonly Payload[]
}

function createScene({ kind, signerKind = kind, otherKinds = [], tiers, init = [] }: Scene): {
  peer: HandPeer
  concentrator: Node
} {
  const network = new Network(5)
  const concentrator = new Node(network, { name: 'con', address: '203.0.113.1' })
  const found: FoundCredential = {
    subject: 'dev_1',
    candidates: [{ kind: 'publicKey', id: 'crd_1', key: keyPair(kind, 'dev').verifying }],
    signer: signer(signerKind, 'con'),
    otherSigners: otherKinds.map((other) => signer(other, 'con')),
    ...(tiers === undefined ? {} : { tiers }),
  }
  concentrator.answerTo = (question) =>
    question.kind === 'credential' ? { kind: 'credential', found } : grantEverything(question)
  const peer = new HandPeer(network, concentrator.address)
  peer.init(init)
  return { peer, concentrator }
}

function signed(peer: HandPeer, kind: SignatureKeyKind, method: number, scheme: SignatureScheme): Payload {
  return { kind: 'auth', method, data: keyPair(kind, 'dev').signing.sign(scheme, peer.octets()) }
}

const CURVES = [
  ['p256', AUTH_METHOD.ECDSA_SHA256_P256, { kind: 'ecdsa', hash: 'sha256', form: 'raw' }],
  ['p384', AUTH_METHOD.ECDSA_SHA384_P384, { kind: 'ecdsa', hash: 'sha384', form: 'raw' }],
  ['p521', AUTH_METHOD.ECDSA_SHA512_P521, { kind: 'ecdsa', hash: 'sha512', form: 'raw' }],
] as const

describe.each(CURVES)('RFC 4754 ECDSA on %s', (kind, method, scheme) => {
  test('is taken, and the answer is signed in the same way', () => {
    const { peer, concentrator } = createScene({ kind })
    expect(kindsOf(peer.initPayloads)).not.toContain(`notify ${NOTIFY.SIGNATURE_HASH_ALGORITHMS}`)
    const answer = peer.ask(peer.firstRequest(signed(peer, kind, method, scheme)))
    const auth = payloadOf(answer, 'auth')
    expect(auth.method).toBe(method)
    expect(keyPair(kind, 'con').verifying.verify(scheme, peer.responderOctets(fqdn('con.test')), auth.data)).toBe(true)
    expect(concentrator.eventsOf('established')).toMatchObject([{ credential: 'crd_1' }])
  })

  test('is refused under the method of another curve', () => {
    const { peer } = createScene({ kind })
    const [, other] = CURVES[(CURVES.findIndex(([name]) => name === kind) + 1) % CURVES.length] ?? CURVES[0]
    expect(kindsOf(peer.ask(peer.firstRequest(signed(peer, kind, other, scheme))))).toEqual(FAILED)
  })
})

describe('RSA of method 1', () => {
  test.each(['sha1', 'sha256'] as const)('with %s is taken from a peer that may use what is old', (hash) => {
    const { peer } = createScene({ kind: 'rsa' })
    const auth = signed(peer, 'rsa', AUTH_METHOD.RSA_SIGNATURE, { kind: 'rsaPkcs1', hash })
    const answer = payloadOf(peer.ask(peer.firstRequest(auth)), 'auth')
    expect(answer.method).toBe(AUTH_METHOD.RSA_SIGNATURE)
    const octets = peer.responderOctets(fqdn('con.test'))
    const key = keyPair('rsa', 'con').verifying
    expect(key.verify({ kind: 'rsaPkcs1', hash: 'sha1' }, octets, answer.data)).toBe(true)
  })

  const refusals: readonly (readonly [string, Omit<Scene, 'kind'>, 'sha1' | 'sha256' | 'sha384'])[] = [
    ['from a peer whose tiers do not hold compat', { tiers: ['standard'] }, 'sha1'],
    ['from one that announced hashes for method 14', { init: [HASHES] }, 'sha256'],
    ['with SHA-384, which nobody means by it', {}, 'sha384'],
  ]
  test.each(refusals)('%s is refused', (_name, scene, hash) => {
    const { peer } = createScene({ kind: 'rsa', ...scene })
    const auth = signed(peer, 'rsa', AUTH_METHOD.RSA_SIGNATURE, { kind: 'rsaPkcs1', hash })
    expect(kindsOf(peer.ask(peer.firstRequest(auth)))).toEqual(FAILED)
  })
})

test('nothing is proven to a peer that could not check it: Ed25519 has no old method, RSA no place outside compat', () => {
  for (const scene of [{ signerKind: 'ed25519' }, { signerKind: 'rsa', tiers: ['standard'] }] as const) {
    const { peer, concentrator } = createScene({ kind: 'p256', ...scene })
    const [kind, method, scheme] = CURVES[0]
    expect(kindsOf(peer.ask(peer.firstRequest(signed(peer, kind, method, scheme))))).toEqual(FAILED)
    expect(concentrator.eventsOf('attemptFailed')).toMatchObject([{ subject: 'dev_1', stage: 'auth' }])
  }
})

describe('RFC 7296 3.8 of several signers of ours', () => {
  const both = { signerKind: 'p256', otherKinds: ['rsa'] } as const
  const rsaSha1 = { kind: 'rsaPkcs1', hash: 'sha1' } as const

  test('a peer that signs with RSA hears RSA, one that signs with ECDSA hears ECDSA', () => {
    const old = createScene({ kind: 'rsa', ...both }).peer
    const heard = payloadOf(old.ask(old.firstRequest(signed(old, 'rsa', AUTH_METHOD.RSA_SIGNATURE, rsaSha1))), 'auth')
    expect(heard.method).toBe(AUTH_METHOD.RSA_SIGNATURE)
    const octets = old.responderOctets(fqdn('con.test'))
    expect(keyPair('rsa', 'con').verifying.verify(rsaSha1, octets, heard.data)).toBe(true)
    const { peer } = createScene({ kind: 'p256', ...both })
    const [kind, method, scheme] = CURVES[0]
    expect(payloadOf(peer.ask(peer.firstRequest(signed(peer, kind, method, scheme))), 'auth').method).toBe(method)
  })

  test('with the certificates of that key', () => {
    const { peer } = createScene({ kind: 'rsa', signerKind: 'ed25519', otherKinds: ['p256', 'rsa'] })
    const answer = peer.ask(peer.firstRequest(signed(peer, 'rsa', AUTH_METHOD.RSA_SIGNATURE, rsaSha1)))
    expect(payloadOf(answer, 'cert').data).toEqual(signer('rsa', 'con').certificates[0])
    expect(payloadOf(answer, 'auth').method).toBe(AUTH_METHOD.RSA_SIGNATURE)
  })

  test('the first that the peer can check is taken where the best cannot be', () => {
    const [kind, method, scheme] = CURVES[0]
    const { peer } = createScene({ kind, signerKind: 'ed25519', otherKinds: ['rsa', 'p256'], tiers: ['standard'] })
    expect(payloadOf(peer.ask(peer.firstRequest(signed(peer, kind, method, scheme))), 'auth').method).toBe(method)
  })

  test.each([
    ['an old client that may use what is old hears RSA', undefined, [], AUTH_METHOD.RSA_SIGNATURE],
    ['one that may not hears ECDSA', ['standard'], [], AUTH_METHOD.ECDSA_SHA256_P256],
    ['one that knows method 14 hears that', undefined, [HASHES], AUTH_METHOD.DIGITAL_SIGNATURE],
  ] as const)('with EAP, %s', (_name, tiers, init, method) => {
    const network = new Network(5)
    const concentrator = new Node(network, { name: 'con', address: '203.0.113.1' })
    const found: FoundCredential = {
      subject: null,
      candidates: [{ kind: 'eap', id: null, withoutOurProof: false }],
      signer: signer('p256', 'con'),
      otherSigners: [signer('rsa', 'con')],
      ...(tiers === undefined ? {} : { tiers }),
    }
    const script = new EapScript()
    concentrator.answerTo = (question) =>
      question.kind === 'eap' ? script.answer(question) : { kind: 'credential', found }
    const peer = new HandPeer(network, concentrator.address)
    peer.init(init)
    expect(payloadOf(peer.ask(peer.firstRequest()), 'auth').method).toBe(method)
  })
})

test('RFC 7427 only hashes the peer announced are signed with', () => {
  for (const [list, hash] of [
    [Uint8Array.of(0, 4), 'sha512'],
    [Uint8Array.of(0, 1, 0, 3), 'sha384'],
    [Uint8Array.of(0, 4, 0, 2), 'sha256'],
  ] as const) {
    const { peer } = createScene({ kind: 'p256', init: [notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, list)] })
    const [kind, method, scheme] = CURVES[0]
    const auth = payloadOf(peer.ask(peer.firstRequest(signed(peer, kind, method, scheme))), 'auth')
    const identifier = Buffer.from(auth.data.subarray(1, 13)).toString('hex')
    expect([auth.method, identifier]).toEqual([14, `300a06082a8648ce3d04030${SHA2_ARC[hash]}`])
  }
  const { peer } = createScene({ kind: 'p256', init: [notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.of(0, 1))] })
  const [kind, method, scheme] = CURVES[0]
  expect(kindsOf(peer.ask(peer.firstRequest(signed(peer, kind, method, scheme))))).toEqual(FAILED)
})

const SHA2_ARC = { sha256: 2, sha384: 3, sha512: 4 }
