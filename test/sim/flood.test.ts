/** Floods of first messages and full tables: what is dropped, whose place is taken, who still gets in. */
import {
  type Answer,
  type AttachmentKey,
  decodeMessage,
  defaultEspSuites,
  defaultIkeSuites,
  encodeMessage,
  type Payload,
  type Question,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { repeatLast } from './forge.ts'
import { fqdn, Node } from './node.ts'
import { fateOfFirst, lastSent, LOST, matches } from './packets.ts'
import { createPair, grantEverything, initiate, initiatorConfig } from './pair.ts'

describe('N19 a flood of IKE_SA_INIT', () => {
  const concentrator = { cookieThreshold: 1_000, maxHalfOpen: 20 }

  test('from one source fills its share of the half-open table and no more', () => {
    const pair = createPair({ concentrator })
    pair.network.fate = fateOfFirst({ exchange: 'IKE_SA_INIT', isResponse: true }, LOST, 1_000)
    for (let count = 0; count < 100; count += 1) initiate(pair)
    pair.network.run(500)
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(5)
  })

  test('from many sources keeps the table at its bound, and takes no place of a source that holds less', () => {
    const pair = createPair({ concentrator })
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    const other = new Node(pair.network, { name: 'dev2', address: '198.51.101.7' })
    other.command({ kind: 'initiate', peer: initiatorConfig(other, pair.concentrator) })
    const [request] = other.sent
    if (request === undefined) throw new Error('there is one')
    for (let source = 0; source < 400; source += 1) {
      const bytes = request.bytes.slice()
      bytes[0] = source >>> 8
      bytes[1] = source
      pair.concentrator.receive({ ...request, from: { address: `192.0.${source % 8}.9`, port: 500 }, bytes })
      expect(pair.concentrator.endpoint.size.halfOpen).toBeLessThanOrEqual(20)
    }
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(20)
    pair.network.run(2_000)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('costs a bounded number of key exchanges in a second', () => {
    const pair = createPair({ concentrator })
    for (let count = 0; count < 500; count += 1) initiate(pair)
    for (const request of pair.device.sent) pair.concentrator.receive(request)
    expect(pair.concentrator.sent.length).toBeLessThanOrEqual(60)
  })

  test('of one host, at full rate and with good cookies, lets a neighbour of its prefix in', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 4, maxHalfOpen: 40 } })
    const flooder = new Node(pair.network, { name: 'flood', address: '198.51.100.66' })
    pair.network.fate = (packet) => (matches(packet, { from: flooder.address, exchange: 'IKE_AUTH' }) ? LOST : {})
    for (let turn = 0; turn < 200; turn += 1) {
      for (let count = 0; count < 5; count += 1) {
        flooder.command({ kind: 'initiate', peer: initiatorConfig(flooder, pair.concentrator) })
      }
      if (turn === 150) initiate(pair)
      pair.network.run(10)
    }
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(10)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
    expect(pair.device.sent).toHaveLength(3)
  })

  test('with public values that are worth nothing, in the name of a neighbour, keeps nobody out', () => {
    const pair = createPair({ concentrator: { cookieThreshold: 40, maxHalfOpen: 40 } })
    let isFar = true
    pair.network.fate = () => (isFar ? LOST : {})
    initiate(pair)
    const [request] = pair.device.sent
    if (request === undefined) throw new Error('there is one')
    const decoded = decodeMessage(request.bytes)
    if (!decoded.ok) throw new Error('our own message')
    const payloads = decoded.value.payloads.map((payload) =>
      payload.kind === 'ke' ? { ...payload, data: payload.data.slice().fill(0) } : payload,
    )
    const forged = encodeMessage(decoded.value.header, payloads)
    for (let turn = 0; turn < 1_500; turn += 1) {
      isFar = turn < 100
      const bytes = forged.slice()
      bytes[0] = turn
      bytes[1] = turn >>> 8
      pair.concentrator.receive({ ...request, from: { ...request.from, port: 1_000 + turn }, bytes })
      pair.network.run(10)
    }
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test('with requests too large to be kept leaves nothing', () => {
    const pair = createPair({ concentrator })
    initiate(pair)
    const decoded = decodeMessage(lastSent(pair.device).bytes)
    if (!decoded.ok) throw new Error('our own message')
    const filler: Payload = { kind: 'vendor', data: new Uint8Array(4_000) }
    const bytes = encodeMessage(decoded.value.header, [...decoded.value.payloads, filler])
    pair.concentrator.receive({ ...lastSent(pair.device), bytes })
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(0)
    expect(pair.concentrator.sent).toEqual([])
  })
})

describe('the limit of established IKE SAs', () => {
  test('holds for one more device', () => {
    const pair = createPair({ concentrator: { maxIkeSas: 1 } })
    initiate(pair)
    pair.network.run(1_000)
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.concentrator.endpoint.size.established).toBe(1)
    expect(pair.concentrator.eventsOf('attemptFailed').map(({ reason }) => reason)).toEqual(['refused'])
    expect(pair.concentrator.pendingSpis).toBe(0)
  })

  test('does not keep an attached device from taking the place of its own attachment', () => {
    const pair = createPair({ concentrator: { maxIkeSas: 1 } })
    initiate(pair)
    pair.network.run(1_000)
    const old = pair.concentrator.key
    pair.concentrator.answerTo = replacing(old)
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.concentrator.endpoint.size.established).toBe(1)
    expect(pair.concentrator.eventsOf('closed')).toMatchObject([{ key: old, reason: 'superseded' }])
    expect(pair.concentrator.key).not.toBe(old)
  })

  test('is not widened by a grant that names the attachment of another subject', () => {
    const pair = createPair({ concentrator: { maxIkeSas: 1 } })
    initiate(pair)
    pair.network.run(1_000)
    pair.concentrator.answerTo = replacing(pair.concentrator.key)
    initiate(pair, { localId: fqdn('other.test') })
    pair.network.run(1_000)
    expect(pair.concentrator.eventsOf('closed').map(({ subject }) => subject)).toEqual(['other.test'])
    expect(pair.concentrator.children.size).toBe(1)
  })

  function replacing(key: AttachmentKey): (question: Question) => Answer {
    return (question) => {
      const answer = grantEverything(question)
      if (answer.kind !== 'attach' || answer.grant === null) return answer
      return { kind: 'attach', grant: { ...answer.grant, replaces: [key] } }
    }
  }
})

test('C16 a nonce shorter than half the key of the chosen PRF is not taken', () => {
  const only = defaultIkeSuites.map((suite) => ({ ...suite, prf: suite.prf.filter(({ id }) => id === 7) }))
  const pair = createPair({ device: { proposals: { ike: only, esp: defaultEspSuites } } })
  initiate(pair)
  const decoded = decodeMessage(lastSent(pair.device).bytes)
  if (!decoded.ok) throw new Error('our own message')
  for (const [octets, halfOpen] of [
    [31, 0],
    [32, 1],
  ] as const) {
    const payloads = decoded.value.payloads.map((payload) =>
      payload.kind === 'nonce' ? { ...payload, data: payload.data.slice(0, octets) } : payload,
    )
    pair.concentrator.receive({ ...lastSent(pair.device), bytes: encodeMessage(decoded.value.header, payloads) })
    expect(pair.concentrator.endpoint.size.halfOpen).toBe(halfOpen)
  }
})

test('a repeated IKE_SA_INIT is not answered more often than ten times a second', () => {
  const pair = createPair()
  initiate(pair)
  const request = lastSent(pair.device)
  for (let count = 0; count < 100; count += 1) pair.concentrator.receive(request)
  expect(pair.concentrator.sent).toHaveLength(2)
})

test('C01 the answer goes back along the way the request came', () => {
  const pair = createPair()
  initiate(pair)
  const request = lastSent(pair.device)
  const odd = { address: '198.51.100.20', port: 61_234 }
  pair.concentrator.receive({ ...request, from: odd, to: { address: '203.0.113.1', port: 4_500 } })
  expect(lastSent(pair.concentrator)).toMatchObject({ to: odd, from: { address: '203.0.113.1', port: 4_500 } })
})

test('a repeated response to IKE_SA_INIT changes nothing', () => {
  const pair = createPair()
  pair.network.fate = fateOfFirst({ exchange: 'IKE_SA_INIT', isResponse: true }, { copies: 3 })
  initiate(pair)
  pair.network.run(1_000)
  repeatLast(pair.device)
  pair.network.run(1_000)
  expect(pair.device.eventsOf('established')).toHaveLength(1)
  expect(pair.concentrator.eventsOf('established')).toHaveLength(1)
})
