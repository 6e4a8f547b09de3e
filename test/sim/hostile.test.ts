/**
 * A peer that is authenticated and hostile: messages sealed with true keys that say what they should not (RFC 7296 2.21.3, 3.10.1).
 */
import {
  CFG_ATTRIBUTE,
  CFG_TYPE,
  decodeMessage,
  EXCHANGE,
  NOTIFY,
  type Payload,
  PROTOCOL,
  type Spi,
  TS_TYPE,
  defaultEspSuites,
  proposalsFor,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { forge, forgeRaw, notify, repeatLast, sendForged, spiBytes } from './forge.ts'
import { selectors } from './node.ts'
import { lastSent } from './packets.ts'
import { attachedPair, initiate, initiatorConfig, type Pair } from './pair.ts'
import { Node } from './node.ts'
import { innerPayloads } from './transcript.ts'

const { CREATE_CHILD_SA, INFORMATIONAL, IKE_AUTH } = EXCHANGE

function childRequest(spi: number, change: Partial<{ tsI: Payload; tsR: Payload }> = {}): Payload[] {
  return [
    { kind: 'sa', proposals: proposalsFor(defaultEspSuites, PROTOCOL.ESP, spiBytes(spi), { kePolicy: 'absent' }) },
    { kind: 'nonce', data: new Uint8Array(32).fill(9) },
    change.tsI ?? { kind: 'tsI', selectors: selectors('10.128.0.5') },
    change.tsR ?? { kind: 'tsR', selectors: selectors('10.127.0.1') },
  ]
}

/** Sends a forged request of the device and gives the answer of the concentrator. */
function answerTo(pair: Pair, exchangeType: number, payloads: readonly Payload[], messageId = 2): string | undefined {
  pair.transcript.take()
  sendForged(pair.device, { exchangeType, messageId, payloads })
  pair.network.run(100)
  return pair.transcript.take().at(-1)
}

/** The concentrator still takes other devices. */
function expectStillServing(pair: Pair): void {
  const other = new Node(pair.network, { name: 'other', address: '198.51.100.50' })
  other.command({ kind: 'initiate', peer: initiatorConfig(other, pair.concentrator) })
  pair.network.run(1_000)
  expect(other.children.size).toBe(1)
}

describe('C49 requests that cannot be right get INVALID_SYNTAX and end the IKE SA', () => {
  const lie = (payloadType: number, body: readonly number[]): Payload => ({
    kind: 'unknown',
    type: payloadType,
    data: Uint8Array.from(body),
  })
  test.each([
    [
      'N20 a selector count that lies',
      [...childRequest(4_000).slice(0, 2), lie(44, [255, 0, 0, 0]), lie(45, [1, 0, 0, 0])],
    ],
    ['no selectors', childRequest(4_000).slice(0, 2)],
    ['no nonce', childRequest(4_000).filter(({ kind }) => kind !== 'nonce')],
    ['two SA payloads', [...childRequest(4_000), ...childRequest(4_001).slice(0, 1)]],
    [
      'a nonce of 15 octets',
      childRequest(4_000).map((p) => (p.kind === 'nonce' ? { ...p, data: new Uint8Array(15) } : p)),
    ],
  ])('%s', (_name, payloads) => {
    const pair = attachedPair()
    expect(answerTo(pair, CREATE_CHILD_SA, payloads)).toBe('con: CREATE_CHILD_SA response 2, SK {N(INVALID_SYNTAX)}')
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['protocolError'])
    expect(pair.concentrator.children.size).toBe(0)
    repeatLast(pair.device)
    expectStillServing(pair)
  })

  test('N20 a selector count of 0 is TS_UNACCEPTABLE', () => {
    const pair = attachedPair()
    const none = [...childRequest(4_000).slice(0, 2), lie(44, [0, 0, 0, 0]), lie(45, [0, 0, 0, 0])]
    expect(answerTo(pair, CREATE_CHILD_SA, none)).toBe('con: CREATE_CHILD_SA response 2, SK {N(TS_UNACCEPTABLE)}')
    expectStillServing(pair)
  })

  test('N20 selectors with start above end', () => {
    const pair = attachedPair()
    const tsI: Payload = {
      kind: 'tsI',
      selectors: [
        {
          type: TS_TYPE.IPV4_ADDR_RANGE,
          protocol: 0,
          startPort: 0,
          endPort: 65_535,
          startAddress: Uint8Array.of(10, 0, 0, 9),
          endAddress: Uint8Array.of(10, 0, 0, 1),
        },
      ],
    }
    const answer = answerTo(pair, CREATE_CHILD_SA, childRequest(4_000, { tsI }))
    expect(answer).toBe('con: CREATE_CHILD_SA response 2, SK {N(INVALID_SYNTAX)}')
    expectStillServing(pair)
  })
})

test.each([
  ['C07 an unknown critical payload inside SK is named by its type, and the IKE SA lives on', 0x80],
  ['C07 an unknown payload inside SK that is not critical is passed over', 0],
])('%s', (_name, flags) => {
  const pair = attachedPair()
  const place = { exchangeType: INFORMATIONAL, messageId: 2 }
  const unknown = Uint8Array.of(0, flags, 0, 8, 1, 2, 3, 4)
  pair.concentrator.receive({ ...lastSent(pair.device), bytes: forgeRaw(pair.device, place, 201, unknown) })
  const { tap } = pair.concentrator
  const { bytes } = lastSent(pair.concentrator)
  const answer = decodeMessage(bytes)
  const payloads = answer.ok ? innerPayloads(tap, answer.value, bytes) : null
  const named = { kind: 'notify', type: NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, data: Uint8Array.of(201) }
  expect(payloads).toMatchObject(flags === 0 ? [] : [named])
  expect(answerTo(pair, INFORMATIONAL, [], 3)).toBe('con: INFORMATIONAL response 3, SK {}')
})

describe('N21 C53 REKEY_SA that names nothing of the sender', () => {
  test.each([
    ['an unknown SPI', PROTOCOL.ESP, () => spiBytes(0x0bad_0bad)],
    ['protocol 1', PROTOCOL.IKE, () => new Uint8Array(0)],
    ['protocol 0', PROTOCOL.NONE, () => new Uint8Array(0)],
    ['AH', PROTOCOL.AH, (pair: Pair) => spiBytes(pair.concentrator.child.spiOut)],
    ['our inbound SPI', PROTOCOL.ESP, (pair: Pair) => spiBytes(pair.concentrator.child.spiIn)],
  ] as const)('%s', (_name, protocolId, spiOf) => {
    const pair = attachedPair()
    const rekey: Payload = {
      kind: 'notify',
      protocolId,
      spi: spiOf(pair),
      type: NOTIFY.REKEY_SA,
      data: new Uint8Array(0),
    }
    const answer = answerTo(pair, CREATE_CHILD_SA, [rekey, ...childRequest(4_000)])
    expect(answer).toBe('con: CREATE_CHILD_SA response 2, SK {N(CHILD_SA_NOT_FOUND)}')
    const { bytes } = lastSent(pair.concentrator)
    const decoded = decodeMessage(bytes)
    const [refusal] = decoded.ok ? innerPayloads(pair.concentrator.tap, decoded.value, bytes) : []
    expect(refusal).toMatchObject({ protocolId, spi: spiOf(pair) })
    expect(pair.concentrator.children.size).toBe(1)
    expectStillServing(pair)
    expect(pair.concentrator.pendingSpis).toBe(0)
  })

  test('the SPI of another device: CHILD_SA_NOT_FOUND, the other one is untouched', () => {
    const pair = attachedPair()
    const other = new Node(pair.network, { name: 'other', address: '198.51.100.50' })
    other.command({ kind: 'initiate', peer: initiatorConfig(other, pair.concentrator) })
    pair.network.run(1_000)
    const spi = spiBytes(other.child.spiIn)
    const rekey: Payload = {
      kind: 'notify',
      protocolId: PROTOCOL.ESP,
      spi,
      type: NOTIFY.REKEY_SA,
      data: new Uint8Array(0),
    }
    const answer = answerTo(pair, CREATE_CHILD_SA, [rekey, ...childRequest(4_000)])
    expect(answer).toContain('N(CHILD_SA_NOT_FOUND)')
    expect(pair.concentrator.children.size).toBe(2)
  })
})

describe('N22 Delete', () => {
  test('of the same Child SA twice in one message is one Delete', () => {
    const pair = attachedPair()
    const spi = spiBytes(pair.concentrator.child.spiOut)
    const twice: Payload = { kind: 'delete', protocolId: PROTOCOL.ESP, spis: [spi, spi] }
    expect(answerTo(pair, INFORMATIONAL, [twice, twice])).toBe('con: INFORMATIONAL response 2, SK {D(1 ESP)}')
    expect(pair.concentrator.children.size).toBe(0)
    expectStillServing(pair)
  })

  test('of a Child SA of another device is answered without Delete and does nothing', () => {
    const pair = attachedPair()
    const other = new Node(pair.network, { name: 'other', address: '198.51.100.50' })
    other.command({ kind: 'initiate', peer: initiatorConfig(other, pair.concentrator) })
    pair.network.run(1_000)
    const foreign: Payload = { kind: 'delete', protocolId: PROTOCOL.ESP, spis: [spiBytes(other.child.spiIn)] }
    expect(answerTo(pair, INFORMATIONAL, [foreign])).toBe('con: INFORMATIONAL response 2, SK {}')
    expect(pair.concentrator.children.size).toBe(2)
  })

  test('together with a notify about what it deletes', () => {
    const pair = attachedPair()
    const spi = spiBytes(pair.concentrator.child.spiOut)
    const about: Payload = {
      kind: 'notify',
      protocolId: PROTOCOL.ESP,
      spi,
      type: NOTIFY.INVALID_SELECTORS,
      data: new Uint8Array(8),
    }
    const both: Payload[] = [{ kind: 'delete', protocolId: PROTOCOL.ESP, spis: [spi] }, about]
    expect(answerTo(pair, INFORMATIONAL, both)).toBe('con: INFORMATIONAL response 2, SK {D(1 ESP)}')
    expectStillServing(pair)
  })

  test.each(['child', 'ike'] as const)('of the Child SA while the concentrator rekeys (%s)', (what) => {
    const pair = attachedPair()
    const { concentrator } = pair
    const spi = spiBytes(concentrator.child.spiOut)
    const spiIn: Spi = concentrator.child.spiIn
    if (what === 'child') concentrator.command({ kind: 'rekeyChild', key: concentrator.key, spiIn })
    else concentrator.command({ kind: 'rekeyIke', key: concentrator.key })
    sendForged(pair.device, {
      exchangeType: INFORMATIONAL,
      messageId: 2,
      payloads: [{ kind: 'delete', protocolId: PROTOCOL.ESP, spis: [spi] }],
    })
    pair.network.run(60_000)
    expect(concentrator.pendingSpis).toBe(0)
    expect(concentrator.children.has(spiIn)).toBe(false)
    expectStillServing(pair)
  })
})

test.each([
  ['N24 a hundred attributes, doubled netmasks and empty values in a configuration payload are passed over', 100, ''],
  ['N24 a thousand attributes are not read', 1_000, 'N(INVALID_SYNTAX)'],
])('%s', (_name, length, inside) => {
  const pair = attachedPair()
  const attributes = Array.from({ length }, (_, index) => ({
    type: index % 2 === 0 ? CFG_ATTRIBUTE.INTERNAL_IP4_NETMASK : CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS,
    value: new Uint8Array(index % 3),
  }))
  const payload: Payload = { kind: 'cp', cfgType: CFG_TYPE.REQUEST, attributes }
  expect(answerTo(pair, INFORMATIONAL, [payload])).toBe(`con: INFORMATIONAL response 2, SK {${inside}}`)
  expectStillServing(pair)
})

describe('N27 politeness has bounds', () => {
  test('C44 Child SAs of one peer are four at most, then NO_ADDITIONAL_SAS', () => {
    const pair = attachedPair()
    const answers: (string | undefined)[] = []
    for (let count = 0; count < 60; count += 1) {
      answers.push(answerTo(pair, CREATE_CHILD_SA, childRequest(4_000 + count), 2 + count))
      pair.network.run(3_000)
    }
    expect(pair.concentrator.children.size).toBe(4)
    expect(answers.at(-1)).toContain('N(NO_ADDITIONAL_SAS)')
    expectStillServing(pair)
  })

  test('CREATE_CHILD_SA requests in a short time', () => {
    const pair = attachedPair()
    const answers = Array.from({ length: 60 }, (_, count) =>
      answerTo(
        pair,
        CREATE_CHILD_SA,
        childRequest(4_000, { tsR: { kind: 'tsR', selectors: selectors('192.0.2.0/24') } }),
        2 + count,
      ),
    )
    expect(answers.filter((answer) => answer?.includes('TEMPORARY_FAILURE') === true).length).toBeGreaterThan(20)
  })

  test('a window raised to its end changes nothing: message ids far ahead are dropped', () => {
    const pair = attachedPair()
    answerTo(pair, INFORMATIONAL, [notify(NOTIFY.SET_WINDOW_SIZE, Uint8Array.of(255, 255, 255, 255))])
    const sent = pair.concentrator.sent.length
    for (const messageId of [4, 5, 100, 0xffff_fffe]) answerTo(pair, INFORMATIONAL, [], messageId)
    expect(pair.concentrator.sent).toHaveLength(sent)
    expect(answerTo(pair, INFORMATIONAL, [], 3)).toBe('con: INFORMATIONAL response 3, SK {}')
  })
})

describe('C50 notifies we do not know', () => {
  test('as status are passed over', () => {
    const pair = attachedPair()
    const unknown = [notify(NOTIFY.UPDATE_SA_ADDRESSES), notify(NOTIFY.MOBIKE_SUPPORTED), notify(40_960)]
    expect(answerTo(pair, INFORMATIONAL, unknown)).toBe('con: INFORMATIONAL response 2, SK {}')
  })

  test('as error in a response mean that the request failed', () => {
    const pair = attachedPair()
    const { device, concentrator, network } = pair
    network.fate = () => ({ copies: 0 })
    device.command({ kind: 'rekeyChild', key: device.key, spiIn: device.child.spiIn })
    network.fate = () => ({})
    pair.transcript.take()
    sendForged(concentrator, {
      exchangeType: CREATE_CHILD_SA,
      messageId: 2,
      isResponse: true,
      payloads: [notify(8_191)],
    })
    network.run(500)
    // Had it been no error, the rest of the response would be missing: that ends the IKE SA.
    expect(pair.transcript.take()).toEqual([])
    expect(device.pendingSpis).toBe(0)
    expect(device.children.size).toBe(1)
    expect(device.eventsOf('closed')).toEqual([])
  })
})

test('C49 a response that cannot be understood gets no notify: the IKE SA is deleted in a new exchange', () => {
  const pair = attachedPair()
  const { device, concentrator, network } = pair
  network.fate = () => ({ copies: 0 })
  device.command({ kind: 'checkLiveness', key: device.key })
  network.fate = () => ({})
  const nonsense: Payload = { kind: 'unknown', type: 44, data: Uint8Array.of(9, 0, 0, 0) }
  pair.transcript.take()
  sendForged(concentrator, { exchangeType: INFORMATIONAL, messageId: 2, isResponse: true, payloads: [nonsense] })
  network.run(100)
  expect(pair.transcript.take()[0]).toBe('dev: INFORMATIONAL request 3, SK {D(IKE)}')
})

describe('C45 C47 the window', () => {
  test('a repeated request gets the stored octets, wherever it comes from', () => {
    const pair = attachedPair()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(100)
    const answer = pair.concentrator.sent.at(-1)?.bytes
    repeatLast(pair.device)
    pair.network.run(100)
    expect(pair.concentrator.sent.at(-1)?.bytes).toEqual(answer)
    expect(pair.concentrator.sent).toHaveLength(4)
  })

  test('a forgotten response is not computed again', () => {
    const pair = attachedPair()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(301_000)
    const sent = pair.concentrator.sent.length
    repeatLast(pair.device)
    pair.network.run(100)
    expect(pair.concentrator.sent).toHaveLength(sent)
  })

  test('a request is answered while our own is under way', () => {
    const pair = attachedPair()
    pair.network.fate = () => ({ copies: 0 })
    pair.concentrator.command({ kind: 'checkLiveness', key: pair.concentrator.key })
    pair.network.fate = () => ({})
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(100)
    expect(pair.transcript.take().at(-1)).toBe('con: INFORMATIONAL response 2, SK {}')
  })

  test('a tampered message does not move the window', () => {
    const pair = attachedPair()
    const [bytes] = forge(pair.device, { exchangeType: INFORMATIONAL, messageId: 2, payloads: [] })
    if (bytes === undefined) throw new Error('there is one')
    const from = { address: pair.device.address, port: 500 }
    const to = { address: pair.concentrator.address, port: 500 }
    for (let index = 28; index < bytes.length; index += 1) {
      const tampered = bytes.slice()
      tampered[index] = (tampered[index] ?? 0) ^ 1
      pair.concentrator.receive({ from, to, bytes: tampered })
    }
    expect(pair.concentrator.sent).toHaveLength(2)
    pair.concentrator.receive({ from, to, bytes })
    expect(pair.concentrator.sent).toHaveLength(3)
  })
})

test('IKE_AUTH on an established IKE SA is dropped', () => {
  const pair = attachedPair()
  const sent = pair.concentrator.sent.length
  answerTo(pair, IKE_AUTH, [])
  expect(pair.concentrator.sent).toHaveLength(sent)
  expect(pair.concentrator.eventsOf('closed')).toEqual([])
})

test('an INFORMATIONAL with AUTHENTICATION_FAILED ends the IKE SA', () => {
  const pair = attachedPair()
  expect(answerTo(pair, INFORMATIONAL, [notify(NOTIFY.AUTHENTICATION_FAILED)])).toBe(
    'con: INFORMATIONAL response 2, SK {}',
  )
  expect(pair.concentrator.endpoint.size.established).toBe(0)
  initiate(pair)
  pair.network.run(1_000)
  expect(pair.concentrator.endpoint.size.established).toBe(1)
})
