/**
 * IKE_AUTH with certificates, both ends: which signatures are made and taken, what the driver is asked, and how everything that is
 * wrong looks alike (RFC 7296 2.15, 3.6, 3.8; RFC 4754, 7427, 8420).
 */
import type { SignatureKeyKind } from '@culvert/crypto'
import {
  type Answer,
  AUTH_METHOD,
  type Candidate,
  CERT_ENCODING,
  decodeMessage,
  defaultEspSuites,
  EXCHANGE,
  type FoundCredential,
  NOTIFY,
  type Payload,
  PROTOCOL,
  proposalsFor,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { notify, sendForged } from './forge.ts'
import { fqdn, type Overrides, selectors } from './node.ts'
import { fateOfFirst, LOST } from './packets.ts'
import { createPair, grantEverything, initiate, type Pair, PSK } from './pair.ts'
import { keyPair, signer } from './signers.ts'
import { innerPayloads } from './transcript.ts'

const ESP_SPI = Uint8Array.of(9, 9, 9, 9)

const KINDS: readonly SignatureKeyKind[] = ['rsa', 'p256', 'p384', 'p521', 'ed25519']

function publicKey(kind: SignatureKeyKind, owner: string, id = 'crd_cert'): Candidate {
  return { kind: 'publicKey', id, key: keyPair(kind, owner).verifying }
}

interface Scene {
  readonly found?: Partial<FoundCredential> | null
  readonly decoy?: Extract<Answer, { kind: 'credential' }>['decoy']
}

/** The concentrator knows the device by its key and signs itself; the device trusts the concentrator's key. */
function certificatePair(kind: SignatureKeyKind, { found = {}, decoy }: Scene = {}, device: Overrides = {}): Pair {
  const pair = createPair({ device })
  pair.concentrator.answerTo = (question) => {
    if (question.kind !== 'credential') return grantEverything(question)
    const known = { subject: 'dev_1', candidates: [publicKey(kind, 'dev')], signer: signer(kind, 'con', ['con', 'ca']) }
    const answer = { kind: 'credential', found: found === null ? null : { ...known, ...found } } as const
    return decoy === undefined ? answer : { ...answer, decoy }
  }
  pair.device.answerTo = () => ({ kind: 'trust', key: keyPair(kind, 'con').verifying })
  return pair
}

function attach(pair: Pair, kind: SignatureKeyKind): void {
  initiate(pair, { proof: { kind: 'signature', ...signer(kind, 'dev', ['dev', 'fleet ca']) } })
  pair.network.run(5_000)
}

/** Payloads inside the first IKE_AUTH message this node sent. */
function authPayloads(pair: Pair, name: 'device' | 'concentrator'): readonly Payload[] {
  const { sent, tap } = pair[name]
  for (const { bytes } of sent) {
    const decoded = decodeMessage(bytes)
    if (decoded.ok && decoded.value.header.exchangeType === EXCHANGE.IKE_AUTH) {
      return innerPayloads(tap, decoded.value, bytes)
    }
  }
  return []
}

function authMethod(pair: Pair, name: 'device' | 'concentrator'): number | undefined {
  const auth = authPayloads(pair, name).find((payload) => payload.kind === 'auth')
  return auth?.kind === 'auth' ? auth.method : undefined
}

describe.each(KINDS)('with %s keys', (kind) => {
  test('both ends sign with method 14 and attach (RFC 7427)', () => {
    const pair = certificatePair(kind)
    attach(pair, kind)
    expect(pair.transcript.take().slice(2)).toEqual([
      'dev: IKE_AUTH request 1, SK {IDi, CERT, CERT, IDr, AUTH, N(INITIAL_CONTACT), CP(REQUEST), SA, TSi, TSr}',
      'con: IKE_AUTH response 1, SK {IDr, CERT, CERT, AUTH, CP(REPLY), SA, TSi, TSr}',
    ])
    expect([authMethod(pair, 'device'), authMethod(pair, 'concentrator')]).toEqual([14, 14])
    expect(pair.concentrator.eventsOf('established')).toMatchObject([
      { subject: 'dev_1', credential: 'crd_cert', proof: 'signature' },
    ])
    expect(pair.device.eventsOf('established')).toHaveLength(1)
    expect(pair.device.child.keys.inboundKey).toEqual(pair.concentrator.child.keys.outboundKey)
  })

  test('C32 another key is refused with AUTHENTICATION_FAILED alone', () => {
    const pair = certificatePair(kind, { found: { candidates: [publicKey(kind, 'somebody')] } })
    attach(pair, kind)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}')
    expect(pair.concentrator.eventsOf('attemptFailed')).toMatchObject([{ stage: 'auth', subject: null }])
    expect(pair.concentrator.endpoint.size.established).toBe(0)
  })

  test('the device refuses a responder that signed with another key than the one trusted', () => {
    const pair = certificatePair(kind)
    pair.device.answerTo = () => ({ kind: 'trust', key: keyPair(kind, 'somebody').verifying })
    attach(pair, kind)
    expect(pair.device.eventsOf('attemptFailed')).toMatchObject([{ stage: 'auth', reason: 'authenticationFailed' }])
    expect(pair.transcript.take()).toContain('dev: INFORMATIONAL request 2, SK {N(AUTHENTICATION_FAILED)}')
    expect(pair.device.pendingSpis + pair.device.children.size).toBe(0)
    expect(pair.concentrator.endpoint.size.established).toBe(0)
  })
})

test('the driver is asked with all it needs: identity, certificates in order, kind of proof', () => {
  const pair = certificatePair('p256')
  attach(pair, 'p256')
  const certificates = ['dev', 'fleet ca'].map((name) => ({
    encoding: CERT_ENCODING.X509_SIGNATURE,
    data: new TextEncoder().encode(name),
  }))
  expect(pair.concentrator.questions).toMatchObject([
    { kind: 'credential', idI: fqdn('dev.test'), proof: 'signature', certificates, eapOnly: false },
    { kind: 'attach', subject: 'dev_1', credential: 'crd_cert', proof: 'signature' },
  ])
  expect(pair.device.questions).toMatchObject([{ kind: 'trust', label: 'dev', idR: fqdn('con.test') }])
})

test('the device trusts nobody without a key, and nobody under another name', () => {
  const untrusted = certificatePair('p256')
  untrusted.device.answerTo = () => ({ kind: 'trust', key: null })
  attach(untrusted, 'p256')
  expect(untrusted.device.eventsOf('established')).toEqual([])
  const renamed = certificatePair('p256')
  initiate(renamed, { proof: { kind: 'signature', ...signer('p256', 'dev') }, remoteId: fqdn('other.test') })
  renamed.network.run(5_000)
  expect(renamed.device.questions).toEqual([])
  expect(renamed.device.eventsOf('attemptFailed')).toMatchObject([{ reason: 'authenticationFailed' }])
})

test('a trust question that is never answered ends the attempt', () => {
  const pair = certificatePair('p256')
  pair.device.askDelayMs = 100_000
  attach(pair, 'p256')
  pair.network.run(40_000)
  expect(pair.device.eventsOf('attemptFailed')).toMatchObject([{ reason: 'expired' }])
  expect(pair.device.pendingSpis).toBe(0)
  pair.network.run(100_000)
  expect(pair.device.eventsOf('established')).toEqual([])
})

test('C30 chains of four certificates travel in fragments both ways (RFC 7383)', () => {
  const chain = ['leaf', 'first', 'second', 'third'].map((name) => new Uint8Array(1_500).fill(name.length))
  const pair = certificatePair('rsa', { found: { signer: { ...signer('rsa', 'con'), certificates: chain } } })
  initiate(pair, { proof: { kind: 'signature', ...signer('rsa', 'dev'), certificates: chain } })
  pair.network.run(5_000)
  const lines = pair.transcript.take()
  expect(lines.filter((line) => line.startsWith('dev: IKE_AUTH request 1, SKF')).length).toBeGreaterThan(4)
  expect(lines.filter((line) => line.startsWith('con: IKE_AUTH response 1, SKF')).length).toBeGreaterThan(4)
  expect(pair.device.eventsOf('established')).toHaveLength(1)
  const certificates = chain.map((data) => ({ encoding: CERT_ENCODING.X509_SIGNATURE, data }))
  expect(pair.concentrator.questions[0]).toMatchObject({ certificates })
  expect(pair.device.questions[0]).toMatchObject({ certificates })
})

test('rotation: the old and the new certificate both let the device in, and the one it used is reported', () => {
  const candidates = [publicKey('p256', 'old', 'crd_old'), publicKey('p256', 'dev', 'crd_new')]
  const pair = certificatePair('p256', { found: { candidates } })
  attach(pair, 'p256')
  expect(pair.concentrator.eventsOf('established')).toMatchObject([{ credential: 'crd_new' }])
})

test('a device with a shared key may hear a signature, and one with a certificate a shared key never', () => {
  const mixed = createPair()
  mixed.concentrator.answerTo = (question) => {
    const answer = grantEverything(question)
    if (answer.kind !== 'credential' || answer.found === null) return answer
    return { ...answer, found: { ...answer.found, signer: signer('p256', 'con') } }
  }
  mixed.device.answerTo = () => ({ kind: 'trust', key: keyPair('p256', 'con').verifying })
  initiate(mixed)
  mixed.network.run(5_000)
  expect(mixed.device.eventsOf('established')).toHaveLength(1)

  const unsigned = certificatePair('p256')
  unsigned.concentrator.answerTo = (question) =>
    question.kind === 'credential'
      ? { kind: 'credential', found: { subject: 'dev_1', candidates: [publicKey('p256', 'dev')] } }
      : grantEverything(question)
  attach(unsigned, 'p256')
  expect(unsigned.concentrator.eventsOf('attemptFailed')).toMatchObject([{ stage: 'auth', subject: 'dev_1' }])
  expect(unsigned.concentrator.endpoint.size.established).toBe(0)
})

describe('SIGNATURE_HASH_ALGORITHMS', () => {
  test('C18 is sent both ways, and by the responder only to those who sent it', () => {
    const pair = certificatePair('p256')
    attach(pair, 'p256')
    const [request, response] = pair.transcript.take()
    expect(request).toContain('N(SIGNATURE_HASH_ALGORITHMS)')
    expect(response).toContain('N(SIGNATURE_HASH_ALGORITHMS)')
  })

  test('a device asks for a certificate in IKE_AUTH', () => {
    const pair = certificatePair('p256', {}, { certificateAuthorities: [new Uint8Array(20).fill(1)] })
    attach(pair, 'p256')
    expect(pair.transcript.take()[2]).toContain('SK {IDi, CERT, CERT, CERTREQ, IDr, AUTH')
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('a CERTREQ names the authorities whose certificates are taken, 20 octets each', () => {
    const authorities = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)]
    const pair = createPair({ concentrator: { certificateAuthorities: authorities } })
    initiate(pair)
    pair.network.run(1_000)
    const decoded = decodeMessage(pair.concentrator.sent[0]?.bytes ?? new Uint8Array(0))
    const payloads = decoded.ok ? decoded.value.payloads : []
    expect(payloads.filter(({ kind }) => kind === 'certReq')).toMatchObject([
      { encoding: CERT_ENCODING.X509_SIGNATURE, data: Uint8Array.of(...authorities.flatMap((hash) => [...hash])) },
    ])
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })
})

test('from acceptAuthorities on others are asked for', () => {
  const pair = createPair({ concentrator: { certificateAuthorities: [new Uint8Array(20).fill(1)] } })
  pair.concentrator.command({ kind: 'acceptAuthorities', hashes: [new Uint8Array(20).fill(7)] })
  initiate(pair)
  pair.network.run(1_000)
  const decoded = decodeMessage(pair.concentrator.sent[0]?.bytes ?? new Uint8Array(0))
  const payloads = decoded.ok ? decoded.value.payloads : []
  expect(payloads.filter(({ kind }) => kind === 'certReq')).toMatchObject([{ data: new Uint8Array(20).fill(7) }])
})

test('a CERTREQ names 32 authorities at most, for IKE_SA_INIT is never fragmented', () => {
  const certificateAuthorities = Array.from({ length: 200 }, () => new Uint8Array(20))
  const pair = createPair({ concentrator: { certificateAuthorities } })
  initiate(pair)
  pair.network.run(1_000)
  expect(pair.concentrator.sent[0]?.bytes.length).toBeLessThan(1_280)
  expect(pair.device.eventsOf('established')).toHaveLength(1)
})

describe('C30 the certificates of a peer are bounded', () => {
  test.each([
    ['six of them', Array.from({ length: 6 }, () => new Uint8Array(8)), 5],
    ['one that is too large ends the list', [new Uint8Array(8), new Uint8Array(9_000), new Uint8Array(8)], 1],
    ['ninety', Array.from({ length: 80 }, () => new Uint8Array(4)), 5],
  ])('%s', (_name, certificates, count) => {
    const pair = forgedPair([...certificates.map((data) => certificate(data)), authOf(AUTH_METHOD.DIGITAL_SIGNATURE)])
    const [question] = pair.concentrator.questions
    expect(question?.kind === 'credential' ? question.certificates.length : -1).toBe(count)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}')
  })
})

test('C31 "hash and URL" is not looked at, and never asked for', () => {
  const url = { kind: 'cert', encoding: CERT_ENCODING.HASH_AND_URL_X509, data: new Uint8Array(60) } as const
  const bundle = { kind: 'cert', encoding: CERT_ENCODING.HASH_AND_URL_BUNDLE, data: new Uint8Array(60) } as const
  const pair = forgedPair([url, bundle, certificate(Uint8Array.of(7)), authOf(AUTH_METHOD.DIGITAL_SIGNATURE)])
  expect(pair.concentrator.questions[0]).toMatchObject({ certificates: [{ encoding: 4, data: Uint8Array.of(7) }] })
  const sent = [...pair.concentrator.sent, ...pair.device.sent].map(({ bytes }) => decodeMessage(bytes))
  const notifies = sent.flatMap((message) => (message.ok ? message.value.payloads : []))
  const asks = notifies.some(
    (payload) => payload.kind === 'notify' && payload.type === NOTIFY.HTTP_CERT_LOOKUP_SUPPORTED,
  )
  expect(asks).toBe(false)
})

describe('N14 AUTH payloads that are no signature of the peer', () => {
  const der = (hex: string): Uint8Array => {
    const identifier = Buffer.from(hex, 'hex')
    return Uint8Array.of(identifier.length, ...identifier, ...new Uint8Array(64).fill(1))
  }
  test.each([
    ['empty', 14, new Uint8Array(0)],
    ['an identifier longer than the payload', 14, Uint8Array.of(255, 1, 2)],
    ['no signature after the identifier', 14, der('300a06082a8648ce3d040302').slice(0, 13)],
    ['SHA-1 with RSA', 14, der('300d06092a864886f70d0101050500')],
    ['ECDSA with SHA-1', 14, der('300906072a8648ce3d0401')],
    ['DSA', 14, der('300b0609608648016503040302')],
    ['an unknown algorithm', 14, der('300506032b6571')],
    ['r | s of zero', AUTH_METHOD.ECDSA_SHA256_P256, new Uint8Array(64)],
    ['an empty r | s', AUTH_METHOD.ECDSA_SHA256_P256, new Uint8Array(0)],
    ['the method of another curve', AUTH_METHOD.ECDSA_SHA384_P384, new Uint8Array(96).fill(1)],
    ['RSA of method 1 from a peer that knows method 14', AUTH_METHOD.RSA_SIGNATURE, new Uint8Array(256).fill(1)],
    ['DSS', AUTH_METHOD.DSS_SIGNATURE, new Uint8Array(46).fill(1)],
    ['NULL authentication', AUTH_METHOD.NULL_AUTHENTICATION, new Uint8Array(32)],
    ['a method nobody knows', 255, new Uint8Array(32)],
  ])('%s', (_name, method, data) => {
    const pair = forgedPair([certificate(Uint8Array.of(7)), { kind: 'auth', method, data }])
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}')
    expect(pair.concentrator.endpoint.size).toEqual({ established: 0, halfOpen: 1 })
  })
})

describe('N26 unknown, wrong and untrusted look alike', () => {
  const scenes: readonly (readonly [string, Scene])[] = [
    ['nobody of that name', { found: null }],
    ['nobody of that name, with a decoy', { found: null, decoy: { key: keyPair('p256', 'dev').verifying } }],
    ['known, but by another key', { found: { candidates: [publicKey('p256', 'somebody')] } }],
    ['known, but by a shared key', { found: { candidates: [{ kind: 'psk', id: 'crd_1', secret: PSK }] } }],
    ['known, by EAP only', { found: { candidates: [{ kind: 'eap', id: null, withoutOurProof: false }] } }],
  ]
  test.each(scenes)('%s', (_name, scene) => {
    const pair = certificatePair('p256', scene)
    attach(pair, 'p256')
    const answers = pair.concentrator.sent.map(({ bytes }) => bytes.length)
    const reference = certificatePair('p256', { found: { candidates: [publicKey('p256', 'other')] } })
    attach(reference, 'p256')
    expect(answers).toEqual(reference.concentrator.sent.map(({ bytes }) => bytes.length))
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}')
    expect(pair.concentrator.endpoint.size.established).toBe(0)
  })

  test('a decoy key is computed with and never believed, even when it is the very key that signed', () => {
    const verified: boolean[] = []
    const genuine = keyPair('p256', 'dev').verifying
    const key: typeof genuine = {
      ...genuine,
      verify: (...input) => {
        verified.push(genuine.verify(...input))
        return verified.at(-1) ?? false
      },
    }
    const pair = certificatePair('p256', { found: null, decoy: { key } })
    attach(pair, 'p256')
    expect(verified).toEqual([true])
    expect(pair.concentrator.endpoint.size.established).toBe(0)
  })
})

function certificate(data: Uint8Array): Payload {
  return { kind: 'cert', encoding: CERT_ENCODING.X509_SIGNATURE, data }
}

function authOf(method: number): Payload {
  return { kind: 'auth', method, data: new Uint8Array(64).fill(3) }
}

/** A device with true keys sends an IKE_AUTH request with these payloads among the usual ones. */
function forgedPair(payloads: readonly Payload[]): Pair {
  const pair = certificatePair('p256')
  pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
  initiate(pair, { proof: { kind: 'signature', ...signer('p256', 'dev') } })
  pair.network.runUntil(() => pair.device.sent.length === 2)
  sendForged(pair.device, {
    exchangeType: EXCHANGE.IKE_AUTH,
    messageId: 1,
    payloads: [
      { kind: 'idI', id: fqdn('dev.test') },
      ...payloads,
      notify(NOTIFY.INITIAL_CONTACT),
      { kind: 'sa', proposals: proposalsFor(defaultEspSuites, PROTOCOL.ESP, ESP_SPI, { kePolicy: 'absent' }) },
      { kind: 'tsI', selectors: selectors('0.0.0.0/0') },
      { kind: 'tsR', selectors: selectors('0.0.0.0/0') },
    ],
  })
  pair.network.run(100)
  return pair
}
