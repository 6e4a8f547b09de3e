/**
 * Peers that hold keys and play games with crossing exchanges, and strangers that replay what they saw on the wire.
 */
import {
  defaultEspSuites,
  encodeMessage,
  ENCR,
  ESN,
  EXCHANGE,
  fromCidr,
  type IkeSpi,
  type Payload,
  peekHeader,
  PROTOCOL,
  proposalsFor,
  defaultIkeSuites,
  type Spi,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { forge, forgeRaw, sendForged, spiBytes } from './forge.ts'
import { Nat } from './nat.ts'
import { fqdn, selectors } from './node.ts'
import { fateOfFirst, lastSent, LOST } from './packets.ts'
import { attachedPair, createPair, DEVICE_ADDRESS, DIAL, initiate, type Pair } from './pair.ts'

const { CREATE_CHILD_SA, IKE_AUTH, INFORMATIONAL } = EXCHANGE

/** The concentrator asks to rekey its Child SA, and the device never hears of it. */
function withUnansweredRekey(): { readonly pair: Pair; readonly old: { readonly spiIn: Spi; readonly spiOut: Spi } } {
  const pair = attachedPair()
  const { concentrator, network } = pair
  const old = concentrator.child
  network.fate = (packet) => (packet.from.address === concentrator.address ? LOST : {})
  concentrator.command({ kind: 'rekeyChild', key: concentrator.key, spiIn: old.spiIn })
  return { pair, old }
}

function rekeyResponse(tsLocal: string, tsRemote: string): Payload[] {
  const transforms = [
    { type: 1, id: ENCR.AES_GCM_16, keyBits: 256 },
    { type: 4, id: 0, keyBits: null },
    { type: 5, id: ESN.NO, keyBits: null },
  ]
  return [
    { kind: 'sa', proposals: [{ number: 1, protocolId: PROTOCOL.ESP, spi: spiBytes(5_000), transforms }] },
    { kind: 'nonce', data: new Uint8Array(32).fill(3) },
    { kind: 'tsI', selectors: selectors(tsLocal) },
    { kind: 'tsR', selectors: selectors(tsRemote) },
  ]
}

describe('C38 the answer to our rekey never widens what was granted', () => {
  test.each([false, true])('(the old Child SA deleted meanwhile: %s)', (isDeleted) => {
    const { pair, old } = withUnansweredRekey()
    const { device, concentrator, network } = pair
    const payload: Payload = { kind: 'delete', protocolId: PROTOCOL.ESP, spis: [spiBytes(old.spiOut)] }
    if (isDeleted) sendForged(device, { exchangeType: INFORMATIONAL, messageId: 2, payloads: [payload] })
    network.run(100)
    const payloads = rekeyResponse('0.0.0.0/0', '0.0.0.0/0')
    sendForged(device, { exchangeType: CREATE_CHILD_SA, messageId: 0, isResponse: true, payloads })
    network.run(100)
    for (const { tsLocal, tsRemote } of concentrator.children.values()) {
      expect([tsLocal, tsRemote]).toEqual([selectors(DIAL), selectors(DEVICE_ADDRESS)])
    }
    expect(concentrator.pendingSpis).toBe(0)
    expect(concentrator.eventsOf('childRekeyed')).toEqual([])
  })

  test('but stands as offered although the old Child SA is gone', () => {
    const { pair, old } = withUnansweredRekey()
    const { device, concentrator, network } = pair
    const payload: Payload = { kind: 'delete', protocolId: PROTOCOL.ESP, spis: [spiBytes(old.spiOut)] }
    sendForged(device, { exchangeType: INFORMATIONAL, messageId: 2, payloads: [payload] })
    network.run(100)
    const payloads = rekeyResponse(DIAL, DEVICE_ADDRESS)
    sendForged(device, { exchangeType: CREATE_CHILD_SA, messageId: 0, isResponse: true, payloads })
    network.run(100)
    expect(concentrator.child.tsRemote).toEqual([fromCidr(DEVICE_ADDRESS)])
  })
})

test('an inbound SPI is given back when the answer to our rekey cannot be understood', () => {
  const { pair } = withUnansweredRekey()
  const { device, concentrator, network } = pair
  expect(concentrator.pendingSpis).toBe(1)
  const nonsense: Payload = { kind: 'unknown', type: 44, data: Uint8Array.of(9, 0, 0, 0) }
  sendForged(device, { exchangeType: CREATE_CHILD_SA, messageId: 0, isResponse: true, payloads: [nonsense] })
  network.run(300_000)
  expect(concentrator.pendingSpis).toBe(0)
})

test('C16 a nonce shorter than half the key of the PRF is INVALID_SYNTAX in CREATE_CHILD_SA', () => {
  const prf = defaultIkeSuites.map((suite) => ({ ...suite, prf: suite.prf.filter(({ id }) => id === 7) }))
  const pair = attachedPair({ device: { proposals: { ike: prf, esp: defaultEspSuites } } })
  const proposals = proposalsFor(defaultEspSuites, PROTOCOL.ESP, spiBytes(4_000), { kePolicy: 'absent' })
  const payloads: Payload[] = [
    { kind: 'sa', proposals },
    { kind: 'nonce', data: new Uint8Array(31) },
    { kind: 'tsI', selectors: selectors(DEVICE_ADDRESS) },
    { kind: 'tsR', selectors: selectors(DIAL) },
  ]
  sendForged(pair.device, { exchangeType: CREATE_CHILD_SA, messageId: 2, payloads })
  pair.network.run(100)
  expect(pair.transcript.take().at(-1)).toBe('con: CREATE_CHILD_SA response 2, SK {N(INVALID_SYNTAX)}')
})

test('C56 a second IKE rekey while ours is crossed already is put off', () => {
  const pair = attachedPair()
  const { device, concentrator, network } = pair
  network.fate = (packet) => (packet.from.address === concentrator.address ? LOST : {})
  concentrator.command({ kind: 'rekeyIke', key: concentrator.key })
  const group = concentrator.eventsOf('established')[0]?.ike.ke.id ?? 0
  const value = concentrator.tap.provider.keyExchange(group)?.generate(network.random.bytes).publicValue
  const answers = [2, 3].map((messageId) => {
    const spi = new Uint8Array(8).fill(messageId)
    const proposals = proposalsFor(defaultIkeSuites, PROTOCOL.IKE, spi, { kePolicy: 'required' })
    const payloads: Payload[] = [
      { kind: 'sa', proposals },
      { kind: 'nonce', data: new Uint8Array(32).fill(messageId) },
      { kind: 'ke', group, data: value ?? new Uint8Array(0) },
    ]
    pair.transcript.take()
    sendForged(device, { exchangeType: CREATE_CHILD_SA, messageId, payloads })
    network.run(100)
    return pair.transcript.take().at(-1)
  })
  expect(answers[0]).toBe('con: CREATE_CHILD_SA response 2, SK {SA, N, KE}')
  expect(answers[1]).toBe('con: CREATE_CHILD_SA response 3, SK {N(TEMPORARY_FAILURE)}')
})

test('C37 an IKE_AUTH with an unknown critical payload ends the attempt: there is no second IKE_AUTH', () => {
  const pair = createPair()
  pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
  initiate(pair)
  pair.network.runUntil(() => pair.device.sent.length === 2)
  const plaintext = Uint8Array.of(0, 0x80, 0, 8, 1, 2, 3, 4)
  const { from, to } = lastSent(pair.device)
  const place = { exchangeType: IKE_AUTH, messageId: 1 }
  pair.concentrator.receive({ from, to, bytes: forgeRaw(pair.device, place, 200, plaintext) })
  expect(pair.concentrator.eventsOf('attemptFailed').map(({ reason }) => reason)).toEqual(['protocolError'])
  const sent = pair.concentrator.sent.length
  const idI: Payload = { kind: 'idI', id: fqdn('dev.test') }
  for (const bytes of forge(pair.device, { exchangeType: IKE_AUTH, messageId: 2, payloads: [idI] })) {
    pair.concentrator.receive({ from, to, bytes })
  }
  expect(pair.concentrator.sent).toHaveLength(sent)
  expect(pair.concentrator.questions).toEqual([])
})

describe('N10 before authentication a message', () => {
  test.each([
    ['in fragments', 1_000],
    ['in one piece', 60_000],
  ])('%s is no larger than what IKE_AUTH can need', (_name, fragmentBytes) => {
    const pair = createPair()
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    const { from, to } = lastSent(pair.device)
    const payloads: Payload[] = [
      { kind: 'idI', id: fqdn('dev.test') },
      { kind: 'sa', proposals: proposalsFor(defaultEspSuites, PROTOCOL.ESP, spiBytes(4_000), { kePolicy: 'absent' }) },
      { kind: 'tsI', selectors: selectors(DEVICE_ADDRESS) },
      { kind: 'tsR', selectors: selectors(DIAL) },
      { kind: 'vendor', data: new Uint8Array(17_000) },
    ]
    for (const bytes of forge(pair.device, { exchangeType: IKE_AUTH, messageId: 1, payloads, fragmentBytes })) {
      pair.concentrator.receive({ from, to, bytes })
    }
    expect(pair.concentrator.questions).toEqual([])
  })
})

describe('C60 who replays what he saw', () => {
  test('gets the last response at most ten times a second', () => {
    const pair = attachedPair()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(1_000)
    const request = lastSent(pair.device)
    const sent = pair.concentrator.sent.length
    for (let count = 0; count < 100; count += 1) pair.concentrator.receive(request)
    expect(pair.concentrator.sent).toHaveLength(sent + 1)
  })

  test('does not take an attempt to another address when no NAT is there', () => {
    const pair = createPair()
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    pair.concentrator.receive({ ...lastSent(pair.device), from: { address: '192.0.2.66', port: 4_500 } })
    pair.network.run(5_000)
    expect(pair.concentrator.child.path.remote.address).toBe(pair.device.address)
  })

  test('moves nothing with a message that its phase does not hear', () => {
    const { pair } = natPair()
    const [bytes] = forge(pair.device, { exchangeType: IKE_AUTH, messageId: 2, payloads: [] })
    if (bytes === undefined) throw new Error('there is one')
    const { to } = lastSent(pair.device)
    pair.concentrator.receive({ from: { address: '192.0.2.66', port: 4_500 }, to, bytes })
    expect(pair.concentrator.eventsOf('moved')).toEqual([])
  })
})

describe('C60 a move is on trial until a response came from there', () => {
  const stranger = { address: '192.0.2.66', port: 4_500 }

  test('a peer that is elsewhere is found again, and what is sent goes back to it', () => {
    const { pair } = natPair()
    const { concentrator, network } = pair
    const home = concentrator.child.path.remote
    concentrator.command({ kind: 'peerMoved', key: concentrator.key, remote: stranger })
    expect(concentrator.child.path.remote).toEqual(stranger)
    network.run(60_000)
    expect(concentrator.child.path.remote).toEqual(home)
    expect(concentrator.eventsOf('closed')).toEqual([])
    const toStranger = concentrator.sent.filter(({ to }) => to.address === stranger.address)
    expect(toStranger.length).toBeLessThanOrEqual(2)
  })

  test('a fresh request from the former place ends it at once', () => {
    const { pair } = natPair()
    const { device, concentrator, network } = pair
    const home = concentrator.child.path.remote
    concentrator.command({ kind: 'peerMoved', key: concentrator.key, remote: stranger })
    device.command({ kind: 'checkLiveness', key: device.key })
    network.run(100)
    expect(concentrator.child.path.remote).toEqual(home)
  })

  test('a peer that did move is followed at once and for good', () => {
    const { pair, nat } = natPair()
    const { device, concentrator, network } = pair
    const home = concentrator.child.path.remote
    nat.rebind()
    device.command({ kind: 'checkLiveness', key: device.key })
    network.run(30_000)
    expect(concentrator.child.path.remote).not.toEqual(home)
    expect(concentrator.eventsOf('moved')).toHaveLength(1)
    const toHome = concentrator.sent.slice(1).filter(({ to }) => to.port === home.port).length
    concentrator.command({ kind: 'rekeyChild', key: concentrator.key, spiIn: concentrator.child.spiIn })
    network.run(1_000)
    expect(concentrator.sent.slice(1).filter(({ to }) => to.port === home.port).length).toBe(toHome)
    expect(device.eventsOf('childRekeyed')).toHaveLength(1)
  })
})

test('an unprotected error is hardly larger than what it answers', () => {
  const pair = createPair()
  const header = {
    spiI: '1'.repeat(16) as IkeSpi,
    spiR: '2'.repeat(16) as IkeSpi,
    exchangeType: INFORMATIONAL,
    fromOriginalInitiator: true,
    isResponse: false,
  }
  const bytes = encodeMessage({ ...header, messageId: 0 as never }, [])
  const from = { address: pair.device.address, port: 500 }
  pair.concentrator.receive({ from, to: { address: pair.concentrator.address, port: 500 }, bytes })
  const answer = lastSent(pair.concentrator)
  expect(peekHeader(answer.bytes).ok).toBe(true)
  expect(answer.bytes.length - bytes.length).toBeLessThanOrEqual(8)
})

function natPair(): { readonly pair: Pair; readonly nat: Nat } {
  const nats: Nat[] = []
  const pair = attachedPair({
    behindNat: (network) => {
      const nat = new Nat(network, '192.0.2.1')
      nats.push(nat)
      return nat
    },
  })
  const [nat] = nats
  if (nat === undefined) throw new Error('there is one')
  pair.network.run(2_000)
  return { pair, nat }
}
