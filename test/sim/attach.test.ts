/**
 * IKE_AUTH with a pre-shared key, message by message, and everything that can be wrong with it
 * (RFC 7296 1.2, 2.4, 2.15, 2.19, 2.21.2).
 */
import { type Answer, type AttachGrant, AUTH_METHOD, EXCHANGE, NOTIFY, type Question } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { notify, repeatLast, sendForged } from './forge.ts'
import { fqdn, selectors } from './node.ts'
import { fateOfFirst, LOST } from './packets.ts'
import { attachedPair, createPair, grantEverything, initiate, PSK } from './pair.ts'

const WRONG = new TextEncoder().encode('incorrect horse battery staple')

test('attaches in two exchanges', () => {
  const pair = createPair()
  initiate(pair)
  pair.network.run(1_000)
  const hashes = 'N(SIGNATURE_HASH_ALGORITHMS)'
  const nat = 'N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)'
  expect(pair.transcript.take()).toEqual([
    `dev: IKE_SA_INIT request 0, SA, KE, N, ${nat}, N(IKEV2_FRAGMENTATION_SUPPORTED), ${hashes}`,
    `con: IKE_SA_INIT response 0, SA, KE, N, ${nat}, N(IKEV2_FRAGMENTATION_SUPPORTED), ${hashes}`,
    'dev: IKE_AUTH request 1, SK {IDi, IDr, AUTH, N(INITIAL_CONTACT), CP(REQUEST), SA, TSi, TSr}',
    'con: IKE_AUTH response 1, SK {IDr, AUTH, CP(REPLY), SA, TSi, TSr}',
  ])
  expect(pair.device.events.map(({ kind }) => kind)).toEqual(['established', 'childEstablished'])
  expect(pair.concentrator.events.map(({ kind }) => kind)).toEqual(['established', 'childEstablished'])
})

test('both ends hold the same keys, crossed', () => {
  const { device, concentrator } = attachedPair()
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
  expect(device.child.keys.outboundKey).toEqual(concentrator.child.keys.inboundKey)
  expect(device.child.keys.inboundKey).not.toEqual(device.child.keys.outboundKey)
  expect(device.child.spiIn).toBe(concentrator.child.spiOut)
})

test('C38 selectors are narrowed to what the grant allows, the address is assigned', () => {
  const { device, concentrator } = attachedPair()
  expect(device.eventsOf('established')[0]).toMatchObject({ ip4: '10.128.0.5', ip6: null, role: 'initiator' })
  expect(device.child.tsLocal).toEqual(selectors('10.128.0.5'))
  expect(device.child.tsRemote).toEqual(selectors('10.127.0.1/32'))
  expect(concentrator.child.tsRemote).toEqual(selectors('10.128.0.5'))
})

test('asks for the credential with the claimed identity, then whether the proven subject may attach', () => {
  const { concentrator } = attachedPair()
  expect(concentrator.questions).toMatchObject([
    { kind: 'credential', idI: fqdn('dev.test'), idR: fqdn('con.test') },
    { kind: 'attach', subject: 'dev.test', requested: { ip4: true, ip6: false }, initialContact: true },
  ])
})

test('C35 an IPv6 address is given when it is asked for', () => {
  const pair = createPair()
  pair.concentrator.answerTo = (question) => withGrant(question, { ip6: 'fd00::5', ip4: null, tsRemote: ['fd00::5'] })
  initiate(pair, {
    requestAddress: { ip4: false, ip6: true },
    tsLocal: selectors('::/0'),
    tsRemote: selectors('::/0'),
  })
  pair.network.run(1_000)
  expect(pair.device.eventsOf('established')[0]).toMatchObject({ ip4: null, ip6: 'fd00::5' })
  expect(pair.device.child.tsLocal).toEqual(selectors('fd00::5'))
})

test('RFC 7296 2.9 addresses of both families are given at once, and one Child SA has the selectors of both', () => {
  const pair = createPair()
  const local = selectors('10.127.0.0/24', 'fd7f::/64')
  const remote = selectors('10.128.0.5', 'fd80::5')
  pair.concentrator.answerTo = (question) => {
    const answer = grantEverything(question)
    if (answer.kind !== 'attach' || answer.grant === null) return answer
    const grant = { ...answer.grant, ip4: '10.128.0.5', ip6: 'fd80::5', tsLocal: local, tsRemote: remote }
    return { kind: 'attach', grant }
  }
  initiate(pair, {
    requestAddress: { ip4: true, ip6: true },
    tsLocal: selectors('0.0.0.0/0', '::/0'),
    tsRemote: local,
  })
  pair.network.run(1_000)
  expect(pair.device.eventsOf('established')[0]).toMatchObject({ ip4: '10.128.0.5', ip6: 'fd80::5' })
  expect([pair.device.child.tsLocal, pair.device.child.tsRemote]).toEqual([remote, local])
  expect([pair.concentrator.child.tsLocal, pair.concentrator.child.tsRemote]).toEqual([local, remote])
})

describe('C32 authentication fails with AUTHENTICATION_FAILED and nothing more', () => {
  test.each([
    ['wrong secret', { proof: { kind: 'psk', secret: WRONG } }, grantEverything],
    ['unknown identity', {}, unknownIdentity],
    ['attachment refused', {}, refused],
  ] as const)('%s', (_name, change, answer) => {
    const pair = createPair()
    pair.concentrator.answerTo = answer
    initiate(pair, change)
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}')
    expect(pair.device.eventsOf('attemptFailed').map(({ reason }) => reason)).toEqual(['authenticationFailed'])
    expect(pair.concentrator.eventsOf('attemptFailed')).toHaveLength(1)
    expect([pair.device.pendingSpis, pair.concentrator.pendingSpis]).toEqual([0, 0])
    expect(pair.concentrator.endpoint.size.established).toBe(0)
  })

  test('the answers to an unknown identity and to a wrong secret have the same length', () => {
    const lengths = [grantEverything, unknownIdentity].map((answer) => {
      const pair = createPair()
      pair.concentrator.answerTo = answer
      initiate(pair, { proof: { kind: 'psk', secret: WRONG } })
      pair.network.run(1_000)
      return pair.concentrator.sent.at(-1)?.bytes.length
    })
    expect(lengths[0]).toBe(lengths[1])
  })

  test('N23 retransmissions of a refused IKE_AUTH get the same octets, until it is forgotten', () => {
    const pair = createPair()
    initiate(pair, { proof: { kind: 'psk', secret: WRONG } })
    pair.network.run(1_000)
    const answer = pair.concentrator.sent.at(-1)?.bytes
    repeatLast(pair.device)
    pair.network.run(100)
    expect(pair.concentrator.sent).toHaveLength(3)
    expect(pair.concentrator.sent.at(-1)?.bytes).toEqual(answer)
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(1)
    pair.network.run(31_000)
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })

  test('a refused attachment whose key was told is closed for the driver', () => {
    const pair = createPair()
    pair.concentrator.answerTo = refused
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['refused'])
  })
})

test('two secrets are good at once', () => {
  for (const psk of [PSK, WRONG]) {
    const pair = createPair()
    pair.concentrator.answerTo = (question) =>
      question.kind === 'credential'
        ? {
            kind: 'credential',
            found: {
              subject: 'dev',
              candidates: [
                { kind: 'psk', id: 'crd_1', secret: PSK },
                { kind: 'psk', id: 'crd_2', secret: WRONG },
              ],
            },
          }
        : grantEverything(question)
    initiate(pair, { proof: { kind: 'psk', secret: psk } })
    pair.network.run(1_000)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  }
})

test('a responder with another identity is refused with AUTHENTICATION_FAILED', () => {
  const pair = createPair()
  initiate(pair, { remoteId: fqdn('other.test') })
  pair.network.run(1_000)
  expect(pair.transcript.take().slice(-2)).toEqual([
    'dev: INFORMATIONAL request 2, SK {N(AUTHENTICATION_FAILED)}',
    'con: INFORMATIONAL response 2, SK {}',
  ])
  expect(pair.device.eventsOf('attemptFailed')).toHaveLength(1)
  expect(pair.concentrator.eventsOf('closed')).toHaveLength(1)
  expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
})

describe('C33 the IKE SA stays when only the Child SA fails', () => {
  test('no address left: INTERNAL_ADDRESS_FAILURE', () => {
    const pair = createPair()
    pair.concentrator.answerTo = (question) =>
      question.kind === 'attach'
        ? { kind: 'attach', grant: null, refusal: 'addressFailure' }
        : grantEverything(question)
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {IDr, AUTH, N(INTERNAL_ADDRESS_FAILURE)}')
    expectIkeSaOnly(pair)
  })

  test('selectors outside the grant: TS_UNACCEPTABLE', () => {
    const pair = createPair()
    initiate(pair, { tsRemote: selectors('172.16.0.0/12') })
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {IDr, AUTH, N(TS_UNACCEPTABLE)}')
    expectIkeSaOnly(pair)
  })

  test('C35 no address asked for and none of its own: FAILED_CP_REQUIRED', () => {
    const pair = createPair()
    initiate(pair, { requestAddress: { ip4: false, ip6: false }, tsLocal: selectors('192.168.0.0/16') })
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {IDr, AUTH, N(FAILED_CP_REQUIRED)}')
    expectIkeSaOnly(pair)
  })

  test('C44 no inbound SPI left: NO_ADDITIONAL_SAS', () => {
    const pair = createPair()
    pair.concentrator.freeChildSpis = 0
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {IDr, AUTH, N(NO_ADDITIONAL_SAS)}')
    expectIkeSaOnly(pair)
  })

  function expectIkeSaOnly({ device, concentrator }: ReturnType<typeof createPair>): void {
    expect([device.endpoint.size.established, concentrator.endpoint.size.established]).toEqual([1, 1])
    expect([device.children.size, concentrator.children.size]).toEqual([0, 0])
    expect([device.pendingSpis, concentrator.pendingSpis]).toEqual([0, 0])
    expect(device.events.map(({ kind }) => kind)).toEqual(['established', 'childRefused']) // the driver has to know
  }
})

test('a device with a static address needs no configuration payload', () => {
  const pair = createPair()
  initiate(pair, { requestAddress: { ip4: false, ip6: false }, tsLocal: selectors('10.128.0.5') })
  pair.network.run(1_000)
  expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {IDr, AUTH, SA, TSi, TSr}')
  expect(pair.device.children.size).toBe(1)
})

describe.each(['IKE_SA_INIT', 'IKE_AUTH'] as const)('C46 a lost %s', (exchange) => {
  test.each([false, true])('message (response: %s) is made up for', (isResponse) => {
    const pair = createPair()
    pair.network.fate = fateOfFirst({ exchange, isResponse }, LOST, 2)
    initiate(pair)
    pair.network.run(10_000)
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([1, 1])
    expect(pair.concentrator.eventsOf('established')).toHaveLength(1)
    expect(pair.transcript.take().filter((line) => line.startsWith('dev: again'))).toHaveLength(2)
  })

  test('request that is lost every time ends the attempt', () => {
    const pair = createPair()
    pair.network.fate = fateOfFirst({ exchange, isResponse: false }, LOST, 100)
    initiate(pair)
    pair.network.run(60_000)
    expect(pair.device.eventsOf('attemptFailed').map(({ reason }) => reason)).toEqual(['peerSilent'])
    expect(pair.device.pendingSpis).toBe(0)
    expect(pair.concentrator.endpoint.size).toEqual({ established: 0, halfOpen: 0 })
  })
})

test('an IKE_AUTH repeated while the credential is looked up is answered once', () => {
  const pair = createPair()
  pair.concentrator.askDelayMs = 1_500
  initiate(pair)
  pair.network.run(10_000)
  expect(pair.concentrator.questions).toHaveLength(2)
  expect(pair.device.eventsOf('established')).toHaveLength(1)
})

test('a question nobody answered is asked again when the peer repeats its IKE_AUTH, under the same ticket', () => {
  const pair = createPair()
  pair.concentrator.askDelayMs = 100_000
  initiate(pair)
  pair.network.run(6_000)
  expect(pair.concentrator.questions.map(({ kind }) => kind)).toEqual(['credential', 'credential'])
  expect(pair.concentrator.questions[1]).toEqual(pair.concentrator.questions[0])
  pair.concentrator.askDelayMs = 0
  pair.concentrator.input({ kind: 'answer', ticket: 1, answer: grantEverything(pair.concentrator.questions[0]!) })
  pair.network.run(1_000)
  expect(pair.device.eventsOf('established')).toHaveLength(1)
})

test('answers that are doubled, late or for nobody are ignored', () => {
  const pair = createPair()
  initiate(pair)
  pair.network.run(1_000)
  const credential: Answer = {
    kind: 'credential',
    found: { subject: 'mallory', candidates: [{ kind: 'psk', id: 'crd_m', secret: PSK }] },
  }
  const before = pair.concentrator.events.length
  for (const ticket of [0, 1, 2, 3, 999]) pair.concentrator.input({ kind: 'answer', ticket, answer: credential })
  expect(pair.concentrator.events).toHaveLength(before)
})

test('a newer attachment of the same subject closes the older one without a word to the peer', () => {
  const pair = attachedPair()
  const old = pair.concentrator.key
  pair.concentrator.answerTo = (question) => withGrant(question, { replaces: [old] })
  initiate(pair)
  pair.network.run(1_000)
  expect(pair.concentrator.eventsOf('closed')).toMatchObject([{ key: old, reason: 'superseded', subject: 'dev.test' }])
  expect(pair.concentrator.children.size).toBe(1)
  expect(pair.transcript.take().filter((line) => line.startsWith('con: INFORMATIONAL'))).toEqual([])
})

describe('C37 nothing but IKE_AUTH is heard before authentication', () => {
  test.each([
    ['N12 INFORMATIONAL', EXCHANGE.INFORMATIONAL, []],
    ['N12 CREATE_CHILD_SA', EXCHANGE.CREATE_CHILD_SA, [notify(NOTIFY.REKEY_SA)]],
  ] as const)('%s', (_name, exchangeType, payloads) => {
    const pair = createPair()
    pair.concentrator.askDelayMs = 500
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    for (const messageId of [0, 1, 2]) sendForged(pair.device, { exchangeType, messageId, payloads })
    pair.network.run(400)
    expect(pair.concentrator.sent).toHaveLength(1)
    pair.network.run(10_000)
    expect(pair.concentrator.children.size).toBe(1)
  })
})

describe('N02 an IKE_AUTH that lacks a payload, or has one twice, gets INVALID_SYNTAX and ends the attempt', () => {
  const idI = { kind: 'idI', id: fqdn('dev.test') } as const
  const auth = { kind: 'auth', method: AUTH_METHOD.SHARED_KEY_MIC, data: new Uint8Array(32) } as const
  test.each([
    ['nothing', []],
    ['no SA', [idI, auth]],
    ['two identities', [idI, idI, auth]],
  ] as const)('%s', (_name, payloads) => {
    const pair = createPair()
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    sendForged(pair.device, { exchangeType: EXCHANGE.IKE_AUTH, messageId: 1, payloads })
    pair.network.run(100)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(INVALID_SYNTAX)}')
    expect(pair.concentrator.questions).toEqual([])
    pair.network.run(40_000)
    expect(pair.concentrator.endpoint.size).toEqual({ established: 0, halfOpen: 0 })
  })
})

test('a half-open SA whose lookup never ends expires, and the answer then finds nobody', () => {
  const pair = createPair()
  pair.concentrator.askDelayMs = 60_000
  initiate(pair)
  pair.network.run(40_000)
  expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  pair.network.run(60_000)
  expect(pair.concentrator.endpoint.size.established).toBe(0)
})

function unknownIdentity(): Answer {
  return { kind: 'credential', found: null }
}

function refused(question: Question): Answer {
  return question.kind === 'attach' ? { kind: 'attach', grant: null, refusal: 'refused' } : grantEverything(question)
}

type GrantChange = Omit<Partial<AttachGrant>, 'tsRemote'> & { readonly tsRemote?: readonly string[] }

function withGrant(question: Question, { tsRemote, ...change }: GrantChange): Answer {
  const answer = grantEverything(question)
  if (answer.kind !== 'attach' || answer.grant === null) return answer
  const selected = tsRemote === undefined ? {} : { tsRemote: selectors(...tsRemote), tsLocal: selectors('::/0') }
  return { kind: 'attach', grant: { ...answer.grant, ...change, ...selected } }
}
