/**
 * Additional key exchanges before IKE_AUTH, between two endpoints and in the face of peers that do it wrong
 * (RFC 9242, RFC 9370, draft-ietf-ipsecme-ikev2-mlkem).
 */
import { defaultEspSuites, defaultIkeSuites, EXCHANGE, KE, type Payload, type Transform } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { sendForged } from './forge.ts'
import type { Overrides } from './node.ts'
import { fateOfFirst, LOST, matches } from './packets.ts'
import { createPair, initiate, type Pair, type PairOptions } from './pair.ts'

const { IKE_AUTH, IKE_INTERMEDIATE, INFORMATIONAL, CREATE_CHILD_SA } = EXCHANGE

function methods(...ids: readonly number[]): Transform[] {
  return ids.map((id) => ({ type: 4, id, keyBits: null }))
}

/** ADDKE1, ADDKE2 ...: the ids each may have. */
function withAdditional(...additional: readonly (readonly number[])[]): Overrides {
  const additionalKe = additional.map((ids) => methods(...ids))
  return { proposals: { ike: defaultIkeSuites.map((suite) => ({ ...suite, additionalKe })), esp: defaultEspSuites } }
}

const HYBRID = withAdditional([KE.ML_KEM_768, KE.NONE])
const THREEFOLD = withAdditional([KE.ML_KEM_768], [KE.ML_KEM_1024], [KE.ECP_256])

function startedPair(device: Overrides, concentrator: Overrides, options: PairOptions = {}): Pair {
  const pair = createPair({ ...options, device, concentrator })
  initiate(pair)
  return pair
}

function expectAttached({ device, concentrator }: Pair, additional: readonly number[]): void {
  for (const node of [device, concentrator]) {
    const [event] = node.eventsOf('established')
    expect(event?.ike.additionalKe.map(({ id }) => id)).toEqual(additional)
  }
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
}

test('RFC 9370 a hybrid attach: Curve25519, then ML-KEM-768 in one IKE_INTERMEDIATE', () => {
  const pair = startedPair(HYBRID, HYBRID)
  pair.network.run(1_000)
  expectAttached(pair, [KE.ML_KEM_768])
  const lines = pair.transcript.take()
  expect(lines.slice(2, 4)).toEqual([
    'dev: IKE_INTERMEDIATE request 1, SK {KE}',
    'con: IKE_INTERMEDIATE response 1, SK {KE}',
  ])
  expect(lines[4]).toMatch(/^dev: IKE_AUTH request 2, /)
  expect(lines[0]).toContain('N(INTERMEDIATE_EXCHANGE_SUPPORTED)')
  expect(lines[1]).toContain('N(INTERMEDIATE_EXCHANGE_SUPPORTED)')
})

test('RFC 9370 three additional key exchanges, message ids counting on', () => {
  const pair = startedPair(THREEFOLD, THREEFOLD)
  pair.network.run(1_000)
  expectAttached(pair, [KE.ML_KEM_768, KE.ML_KEM_1024, KE.ECP_256])
  const ids = pair.device.sent.map(({ bytes }) => bytes.slice(18, 24)).map((octets) => [octets[0], octets[5]])
  expect(ids.filter(([exchange]) => exchange === IKE_INTERMEDIATE).map(([, id]) => id)).toContain(3)
})

test.each([
  ['the responder', HYBRID, {}],
  ['the initiator', {}, HYBRID],
])('without additional key exchanges when %s knows none', (_who, device, concentrator) => {
  const pair = startedPair(device, concentrator)
  pair.network.run(1_000)
  expectAttached(pair, [])
  expect(pair.transcript.take().join()).not.toContain('IKE_INTERMEDIATE')
})

test('C18 INTERMEDIATE_EXCHANGE_SUPPORTED is answered only where such an exchange follows', () => {
  const pair = startedPair(HYBRID, {})
  pair.network.run(1_000)
  expect(pair.transcript.take()[1]).not.toContain('INTERMEDIATE_EXCHANGE_SUPPORTED')
})

test('a policy that insists on ML-KEM refuses a peer without', () => {
  const pair = startedPair({}, withAdditional([KE.ML_KEM_768]))
  pair.network.run(20_000)
  expect(pair.device.eventsOf('attemptFailed')[0]?.reason).toBe('noProposal')
})

describe('over a bad network', () => {
  test.each([
    ['request', false],
    ['response', true],
  ] as const)('C46 a lost IKE_INTERMEDIATE %s is made up for', (_what, isResponse) => {
    const pair = createPair({ device: HYBRID, concentrator: HYBRID })
    pair.network.fate = fateOfFirst({ exchange: 'IKE_INTERMEDIATE', isResponse }, LOST)
    initiate(pair)
    pair.network.run(10_000)
    expectAttached(pair, [KE.ML_KEM_768])
  })

  test.each([false, true])('in fragments, of which one is lost (of the response: %s)', (isResponse) => {
    const pair = createPair({
      device: { ...THREEFOLD, fragmentBytes: 400 },
      concentrator: { ...THREEFOLD, fragmentBytes: 500 },
    })
    pair.network.fate = fateOfFirst({ exchange: 'IKE_INTERMEDIATE', isResponse }, LOST)
    initiate(pair)
    pair.network.run(20_000)
    expectAttached(pair, [KE.ML_KEM_768, KE.ML_KEM_1024, KE.ECP_256])
    expect(pair.transcript.take().join('\n')).toContain('IKE_INTERMEDIATE response 1, SKF(1/3)')
  })

  test.each([1, 2, 3, 4, 5])('loses, doubles and reorders (seed %d)', (seed) => {
    const pair = createPair({
      seed,
      device: { ...THREEFOLD, fragmentBytes: 600 },
      concentrator: { ...THREEFOLD, fragmentBytes: 600 },
    })
    const { network } = pair
    network.fate = () => {
      if (network.random.below(100) < 10) return LOST
      return { copies: network.random.below(100) < 20 ? 2 : 1, extraDelayMs: network.random.below(200) }
    }
    initiate(pair)
    network.run(120_000)
    expectAttached(pair, [KE.ML_KEM_768, KE.ML_KEM_1024, KE.ECP_256])
  })

  test('a responder that is silent is given up', () => {
    const pair = createPair({ device: HYBRID, concentrator: HYBRID })
    pair.network.fate = (packet) => (matches(packet, { exchange: 'IKE_INTERMEDIATE', isResponse: false }) ? LOST : {})
    initiate(pair)
    pair.network.run(300_000)
    expect(pair.device.eventsOf('attemptFailed')).toMatchObject([{ stage: 'intermediate', reason: 'peerSilent' }])
    expect([pair.device.endpoint.size, pair.device.pendingSpis]).toEqual([{ established: 0, halfOpen: 0 }, 0])
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })
})

describe('a peer that does it wrong', () => {
  /** The device has its keys; what it sends in IKE_INTERMEDIATE never arrives. */
  function waitingPair(config: Overrides): Pair {
    const pair = createPair({ device: config, concentrator: config })
    pair.network.fate = (packet) =>
      packet.from.address === pair.device.address && isProtected(packet.bytes) ? LOST : {}
    initiate(pair)
    pair.network.run(100)
    pair.network.fate = () => ({})
    pair.transcript.take()
    return pair
  }

  function isProtected(bytes: Uint8Array): boolean {
    return bytes[18] !== EXCHANGE.IKE_SA_INIT
  }

  function ke(group: number, bytes: number): Payload {
    return { kind: 'ke', group, data: new Uint8Array(bytes) }
  }

  function forgedAnswers(pair: Pair, exchangeType: number, payloads: readonly Payload[], messageId = 1): string[] {
    sendForged(pair.device, { exchangeType, messageId, payloads })
    pair.network.run(100)
    return pair.transcript.take().filter((line) => line.startsWith('con'))
  }

  test.each([
    ['IKE_AUTH', IKE_AUTH],
    ['INFORMATIONAL', INFORMATIONAL],
    ['CREATE_CHILD_SA', CREATE_CHILD_SA],
    ['IKE_FOLLOWUP_KE', EXCHANGE.IKE_FOLLOWUP_KE],
  ])('C37 %s in place of IKE_INTERMEDIATE is not heard', (_name, exchangeType) => {
    expect(forgedAnswers(waitingPair(HYBRID), exchangeType, [])).toEqual([])
  })

  test.each([
    ['another method', [ke(KE.ML_KEM_1024, 1568)]],
    ['the method of IKE_SA_INIT', [ke(KE.CURVE25519, 32)]],
    ['no key exchange', []],
    ['two of them', [ke(KE.ML_KEM_768, 1184), ke(KE.ML_KEM_768, 1184)]],
    ['an empty value', [ke(KE.ML_KEM_768, 0)]],
    ['a value one octet short', [ke(KE.ML_KEM_768, 1183)]],
  ])('N03 IKE_INTERMEDIATE with %s ends the attempt with INVALID_SYNTAX', (_what, payloads) => {
    const pair = waitingPair(HYBRID)
    expect(forgedAnswers(pair, IKE_INTERMEDIATE, payloads)).toEqual([
      'con: IKE_INTERMEDIATE response 1, SK {N(INVALID_SYNTAX)}',
    ])
    expect(pair.concentrator.eventsOf('attemptFailed')).toMatchObject([
      { stage: 'intermediate', reason: 'protocolError', subject: null },
    ])
    expect(forgedAnswers(pair, IKE_AUTH, [], 2)).toEqual([])
  })

  test('C15 an encapsulation key not below the modulus ends the attempt', () => {
    const bad: Payload = { kind: 'ke', group: KE.ML_KEM_768, data: new Uint8Array(1184).fill(0xff) }
    expect(forgedAnswers(waitingPair(HYBRID), IKE_INTERMEDIATE, [bad])).toEqual([
      'con: IKE_INTERMEDIATE response 1, SK {N(INVALID_SYNTAX)}',
    ])
  })

  test('N27 after the key exchanges that were agreed no further IKE_INTERMEDIATE is heard', () => {
    const pair = createPair({ device: HYBRID, concentrator: HYBRID })
    pair.network.fate = (packet) =>
      packet.from.address === pair.device.address && packet.bytes[packet.bytes[0] === 0 ? 22 : 18] === IKE_AUTH
        ? LOST
        : {}
    initiate(pair)
    pair.network.run(100)
    pair.network.fate = () => ({})
    pair.transcript.take()
    for (let messageId = 2; messageId <= 6; messageId += 1) {
      expect(forgedAnswers(pair, IKE_INTERMEDIATE, [ke(KE.ML_KEM_768, 1184)], messageId)).toEqual([])
    }
  })

  test('who never goes on with IKE_INTERMEDIATE is forgotten in time', () => {
    const pair = waitingPair(HYBRID)
    pair.network.fate = () => LOST
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(1)
    pair.network.run(60_000)
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })
})
