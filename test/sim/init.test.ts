/**
 * IKE_SA_INIT: cookies, groups, proposals, repetitions and unprotected errors (RFC 7296 1.2, 1.5, 2.1, 2.5, 2.6, 2.6.1, 2.7).
 */
import {
  decodeMessage,
  defaultEspSuites,
  defaultIkeSuites,
  encodeMessage,
  EXCHANGE,
  type IkeHeader,
  KE,
  type MessageId,
  NOTIFY,
  type Payload,
  type ProposalPolicy,
  ZERO_SPI,
} from '@culvert/ikev2'
import { type CryptoProvider, opensslProvider } from '@culvert/crypto'
import { describe, expect, test } from 'vitest'
import { notify } from './forge.ts'
import type { Packet } from './network.ts'
import { fateOfFirst, lastSent, LOST, matches } from './packets.ts'
import { createPair, initiate, type Pair } from './pair.ts'
import { describe as describeMessage } from './transcript.ts'

const NAT =
  'N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(IKEV2_FRAGMENTATION_SUPPORTED), N(SIGNATURE_HASH_ALGORITHMS)'

function onlyGroup(group: number): ProposalPolicy {
  const ike = defaultIkeSuites.map((suite) => ({ ...suite, ke: suite.ke.filter(({ id }) => id === group) }))
  return { ike, esp: defaultEspSuites }
}

function initLines({ transcript }: Pair): string[] {
  return transcript.take().filter((line) => line.includes('IKE_SA_INIT'))
}

describe('C11 a cookie is demanded when busy', () => {
  test('and nothing is remembered before it comes back', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 0 } })
    initiate(pair)
    pair.network.runUntil(() => pair.concentrator.sent.length === 1)
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
    pair.network.run(1_000)
    expect(initLines(pair)).toEqual([
      `dev: IKE_SA_INIT request 0, SA, KE, N, ${NAT}`,
      'con: IKE_SA_INIT response 0, N(COOKIE)',
      `dev: IKE_SA_INIT request 0, N(COOKIE), SA, KE, N, ${NAT}`,
      `con: IKE_SA_INIT response 0, SA, KE, N, ${NAT}`,
    ])
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('only above the threshold', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 1 } })
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST, 100)
    initiate(pair)
    pair.network.run(100)
    initiate(pair)
    pair.network.run(100)
    expect(initLines(pair).map((line) => line.includes('COOKIE'))).toEqual([false, false, false, true, true, false])
  })

  test('N19 before the rest of the request is looked at', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 0 } })
    initiate(pair)
    const request = lastSent(pair.device)
    const proposalAt = 28 + 4
    for (const [damage, answers] of [
      [(bytes: Uint8Array) => void (bytes[proposalAt] = 77), 1],
      [(bytes: Uint8Array) => void (bytes[28 + 2] = 0xff), 0],
      [(bytes: Uint8Array) => void bytes.fill(0, 0, 8), 0],
      [(bytes: Uint8Array) => void (bytes[28] = 33), 0],
    ] as const) {
      const bytes = request.bytes.slice()
      damage(bytes)
      const before = pair.concentrator.sent.length
      pair.concentrator.receive({ ...request, bytes })
      const sent = pair.concentrator.sent.slice(before).map((packet) => packet.bytes)
      expect(
        sent.filter((answer) => describeMessage(pair.concentrator.tap, answer).includes('N(COOKIE)')),
      ).toHaveLength(answers)
    }
  })

  test('C19 of nobody who repeats a request that was taken before', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 1 } })
    pair.network.fate = fateOfFirst({ exchange: 'IKE_SA_INIT', isResponse: true }, LOST)
    initiate(pair)
    pair.network.run(2_000)
    expect(initLines(pair)[2]).toContain('again')
    expect(initLines(pair).join()).not.toContain('COOKIE')
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('N15 a wrong cookie is treated as no cookie', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 0 } })
    pair.network.fate = (packet) => {
      const isReturn = matches(packet, { from: pair.device.address, exchange: 'IKE_SA_INIT' })
      return isReturn && pair.device.sent.length === 2 ? { bytes: withCookie(packet, (cookie) => cookie.fill(7)) } : {}
    }
    initiate(pair)
    pair.network.runUntil(() => pair.concentrator.sent.length === 2)
    expect(initLines(pair).at(3)).toBe('con: again IKE_SA_INIT response 0, N(COOKIE)')
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })

  test('N15 a cookie is bound to the address it was given to', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 0 } })
    pair.network.fate = fateOfFirst({ from: pair.device.address, exchange: 'IKE_SA_INIT', isResponse: false }, {}, 1)
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    const request = pair.device.sent.at(-1)
    if (request === undefined) throw new Error('there is one')
    const stranger = { address: '198.51.100.99', port: 500 }
    pair.concentrator.receive({ ...request, from: stranger })
    expect(describeMessage(pair.concentrator.tap, lastSent(pair.concentrator).bytes)).toContain('N(COOKIE)')
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })

  test('N15 a cookie is good for at least a minute and no longer than two', () => {
    for (const [ageMs, isGood] of [
      [59_000, true],
      [121_000, false],
    ] as const) {
      const pair = createPair({ concentrator: { cookieThreshold: 0 } })
      pair.network.fate = fateOfFirst({ from: pair.device.address, exchange: 'IKE_SA_INIT', isResponse: false }, {}, 1)
      initiate(pair)
      pair.network.runUntil(() => pair.device.sent.length === 2)
      pair.network.fate = () => LOST
      const request = lastSent(pair.device)
      pair.network.run(ageMs)
      pair.concentrator.receive(request)
      expect(pair.concentrator.endpoint.size.halfOpen).toBe(isGood ? 1 : 0)
    }
  })
})

describe('C13 the wrong group', () => {
  test('is answered with INVALID_KE_PAYLOAD and no state, the retry is accepted', () => {
    const pair = createPair({ concentrator: { proposals: onlyGroup(KE.ECP_384) } })
    initiate(pair)
    pair.network.runUntil(() => pair.concentrator.sent.length === 1)
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
    pair.network.run(1_000)
    expect(initLines(pair)[1]).toBe('con: IKE_SA_INIT response 0, N(INVALID_KE_PAYLOAD)')
    expect(pair.device.eventsOf('established')[0]?.ike.ke.id).toBe(KE.ECP_384)
  })

  test('C12 together with a cookie: the short way', () => {
    const pair = createPair({ concentrator: { proposals: onlyGroup(KE.ECP_384), cookieThreshold: 0 } })
    initiate(pair)
    pair.network.run(1_000)
    expect(initLines(pair).filter((line) => line.startsWith('con'))).toEqual([
      'con: IKE_SA_INIT response 0, N(COOKIE)',
      'con: IKE_SA_INIT response 0, N(INVALID_KE_PAYLOAD)',
      `con: IKE_SA_INIT response 0, SA, KE, N, ${NAT}`,
    ])
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('C12 together with a cookie: a responder that wants another cookie after the group', () => {
    const pair = createPair({ concentrator: { proposals: onlyGroup(KE.ECP_384), cookieThreshold: 0 } })
    pair.network.fate = (packet) => {
      const isThird = pair.device.sent.length === 3 && packet.from.address === pair.device.address
      return isThird ? { bytes: withCookie(packet, (cookie) => cookie.fill(7)) } : {}
    }
    initiate(pair)
    pair.network.run(1_000)
    expect(initLines(pair).filter((line) => line.includes('N(COOKIE)') && line.startsWith('con'))).toHaveLength(2)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('a group outside our policy is not followed', () => {
    const pair = createPair({ device: { proposals: onlyGroup(KE.CURVE25519) } })
    const data = Uint8Array.of(0, KE.MODP_1024)
    pair.network.fate = (packet) =>
      packet.from.address === pair.concentrator.address
        ? { bytes: unprotected(packet, NOTIFY.INVALID_KE_PAYLOAD, data) }
        : {}
    initiate(pair)
    pair.network.run(500)
    expect(pair.device.sent).toHaveLength(1)
  })
})

describe('C26 nothing acceptable', () => {
  test('gets NO_PROPOSAL_CHOSEN, and the attempt ends when nothing better comes', () => {
    const pair = createPair({
      device: { proposals: onlyGroup(KE.CURVE25519) },
      concentrator: { proposals: onlyGroup(KE.ECP_384) },
    })
    initiate(pair)
    pair.network.run(500)
    expect(initLines(pair).at(-1)).toBe('con: IKE_SA_INIT response 0, N(NO_PROPOSAL_CHOSEN)')
    expect(pair.device.events).toEqual([])
    pair.network.run(1_000)
    expect(pair.device.eventsOf('attemptFailed').map(({ reason }) => reason)).toEqual(['noProposal'])
  })

  test('C46 an unprotected error does not end an attempt that is answered properly', () => {
    const pair = createPair()
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 1)
    const forged = unprotected(reverse(lastSent(pair.device)), NOTIFY.NO_PROPOSAL_CHOSEN)
    pair.device.receive({ ...reverse(lastSent(pair.device)), bytes: forged })
    pair.network.run(5_000)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
    expect(pair.device.eventsOf('attemptFailed')).toEqual([])
  })
})

describe('C19 a retransmitted IKE_SA_INIT', () => {
  test('returns the identical response and makes no second half-open SA', () => {
    const pair = createPair()
    pair.network.fate = fateOfFirst({ exchange: 'IKE_SA_INIT', isResponse: true }, LOST, 3)
    initiate(pair)
    pair.network.run(4_000)
    const responses = pair.concentrator.sent.map(({ bytes }) => bytes)
    expect(responses).toHaveLength(3)
    expect(new Set(responses.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1)
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(1)
  })

  test('with the same SPIi from elsewhere is a new one', () => {
    const pair = createPair()
    initiate(pair)
    const request = lastSent(pair.device)
    pair.concentrator.receive(request)
    pair.concentrator.receive({ ...request, from: { address: '198.51.100.99', port: 500 } })
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(2)
  })
})

describe('C10 messages without an IKE SA', () => {
  const header: IkeHeader = {
    spiI: '1111111111111111' as IkeHeader['spiI'],
    spiR: '2222222222222222' as IkeHeader['spiR'],
    exchangeType: EXCHANGE.INFORMATIONAL,
    messageId: 7 as MessageId,
    fromOriginalInitiator: true,
    isResponse: false,
  }

  function deliver(pair: Pair, bytes: Uint8Array): void {
    const from = { address: pair.device.address, port: 500 }
    pair.concentrator.receive({ from, to: { address: pair.concentrator.address, port: 500 }, bytes })
  }

  test('a request gets INVALID_IKE_SPI with SPIs and message id copied', () => {
    const pair = createPair()
    deliver(pair, encodeMessage(header, []))
    const answer = decodeMessage(lastSent(pair.concentrator).bytes)
    expect(answer).toMatchObject({
      ok: true,
      value: {
        header: { ...header, isResponse: true, fromOriginalInitiator: false },
        payloads: [{ kind: 'notify', type: NOTIFY.INVALID_IKE_SPI }],
      },
    })
  })

  test('a response gets nothing', () => {
    const pair = createPair()
    deliver(pair, encodeMessage({ ...header, isResponse: true }, []))
    expect(pair.concentrator.sent).toEqual([])
  })

  test('the number of such answers is limited in time', () => {
    const pair = createPair()
    for (let count = 0; count < 500; count += 1) deliver(pair, encodeMessage(header, []))
    expect(pair.concentrator.sent.length).toBeLessThan(100)
    pair.network.run(10_000)
    deliver(pair, encodeMessage(header, []))
    expect(pair.concentrator.sent.length).toBeLessThan(101)
  })

  test.each([1, 3, 15])('C04 major version %i gets INVALID_MAJOR_VERSION, once', (major) => {
    const pair = createPair()
    const bytes = encodeMessage({ ...header, exchangeType: EXCHANGE.IKE_SA_INIT, spiR: ZERO_SPI }, [])
    bytes[17] = major << 4
    deliver(pair, bytes)
    expect(describeMessage(pair.concentrator.tap, lastSent(pair.concentrator).bytes)).toContain(
      'N(INVALID_MAJOR_VERSION)',
    )
  })

  test('C07 an unknown critical payload in IKE_SA_INIT gets UNSUPPORTED_CRITICAL_PAYLOAD with its type', () => {
    const pair = createPair()
    const unknown: Payload = { kind: 'unknown', type: 200, data: new Uint8Array(4) }
    const bytes = encodeMessage({ ...header, exchangeType: EXCHANGE.IKE_SA_INIT, spiR: ZERO_SPI }, [unknown])
    bytes[29] = 0x80
    deliver(pair, bytes)
    const answer = decodeMessage(lastSent(pair.concentrator).bytes)
    expect(answer).toMatchObject({ ok: true, value: { payloads: [{ type: 1, data: Uint8Array.of(200) }] } })
  })

  test.each([
    ['nonzero message id', { messageId: 1 }],
    ['no initiator flag', { fromOriginalInitiator: false }],
    ['SPIi zero', { spiI: ZERO_SPI }],
  ] as const)('an IKE_SA_INIT request with %s is dropped', (_name, change) => {
    const pair = createPair()
    initiate(pair)
    const decoded = decodeMessage(lastSent(pair.device).bytes)
    if (!decoded.ok) throw new Error('our own message')
    const { payloads } = decoded.value
    deliver(pair, encodeMessage({ ...decoded.value.header, ...(change as Partial<IkeHeader>) }, payloads))
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })

  test.each(['sa', 'ke', 'nonce'] as const)('N02 an IKE_SA_INIT request without or with two %s is dropped', (kind) => {
    const pair = createPair()
    initiate(pair)
    const decoded = decodeMessage(lastSent(pair.device).bytes)
    if (!decoded.ok) throw new Error('our own message')
    const without = decoded.value.payloads.filter((payload) => payload.kind !== kind)
    const twice = [...decoded.value.payloads, ...decoded.value.payloads.filter((payload) => payload.kind === kind)]
    for (const payloads of [without, twice]) deliver(pair, encodeMessage(decoded.value.header, payloads))
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
    expect(pair.concentrator.sent).toEqual([])
  })

  test('N03 C15 a public value that fails its tests leaves no state', () => {
    const pair = createPair({ device: { proposals: onlyGroup(KE.CURVE25519) } })
    initiate(pair)
    const decoded = decodeMessage(lastSent(pair.device).bytes)
    if (!decoded.ok) throw new Error('our own message')
    for (const data of [new Uint8Array(32), new Uint8Array(31), new Uint8Array(0)]) {
      const payloads = decoded.value.payloads.map((payload) => (payload.kind === 'ke' ? { ...payload, data } : payload))
      deliver(pair, encodeMessage(decoded.value.header, payloads))
    }
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
  })

  test('N03 N19 many such values are not computed with: cookies are demanded, and then a port that had them is not heard, nor a host that has them from many', () => {
    const pair = createPair({ device: { proposals: onlyGroup(KE.CURVE25519) } })
    let exchanges = 0
    const { provider } = pair.concentrator.tap
    Object.assign(provider, { keyExchange: countingExchange(() => (exchanges += 1)) })
    initiate(pair)
    const decoded = decodeMessage(lastSent(pair.device).bytes)
    if (!decoded.ok) throw new Error('our own message')
    const payloads = decoded.value.payloads.map((payload) =>
      payload.kind === 'ke' ? { ...payload, data: new Uint8Array(32) } : payload,
    )
    const bytes = encodeMessage(decoded.value.header, payloads)
    for (let source = 0; source < 200; source += 1) {
      pair.concentrator.receive({ ...lastSent(pair.device), from: { address: `192.0.${source}.1`, port: 500 }, bytes })
    }
    expect(exchanges).toBe(50)
    const sendFrom = (port: number): void => {
      const from = { address: '192.0.7.1', port }
      pair.concentrator.receive({ ...lastSent(pair.device), from, bytes })
      const demand = decodeMessage(lastSent(pair.concentrator).bytes)
      const cookie = demand.ok ? demand.value.payloads : []
      const returned = encodeMessage(decoded.value.header, [...cookie, ...payloads])
      pair.concentrator.receive({ ...lastSent(pair.device), from, bytes: returned })
    }
    for (let count = 0; count < 100; count += 1) sendFrom(500)
    expect(exchanges).toBe(53) // what anybody sent in its name does not count
    for (let port = 1_000; port < 1_100; port += 1) sendFrom(port)
    expect(exchanges).toBe(75)
  })

  function countingExchange(count: () => void): CryptoProvider['keyExchange'] {
    return (id) => {
      count()
      return opensslProvider.keyExchange(id)
    }
  }
})

function reverse({ from, to, bytes }: Packet): Packet {
  return { from: to, to: from, bytes }
}

/** The message with the cookie in it changed. */

function withCookie({ bytes }: Packet, change: (cookie: Uint8Array) => void): Uint8Array {
  const decoded = decodeMessage(bytes)
  if (!decoded.ok) throw new Error('our own message')
  const payloads = decoded.value.payloads.map((payload) => {
    if (payload.kind !== 'notify' || payload.type !== NOTIFY.COOKIE) return payload
    const data = payload.data.slice()
    change(data)
    return { ...payload, data }
  })
  return encodeMessage(decoded.value.header, payloads)
}

/** An unprotected error in place of a response. */

function unprotected({ bytes }: Packet, type: number, data?: Uint8Array): Uint8Array {
  const decoded = decodeMessage(bytes)
  if (!decoded.ok) throw new Error('our own message')
  const header = { ...decoded.value.header, spiR: ZERO_SPI, isResponse: true, fromOriginalInitiator: false }
  return encodeMessage(header, [notify(type, data)])
}
