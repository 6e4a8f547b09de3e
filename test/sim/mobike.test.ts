/** MOBIKE (RFC 4555): a device with several addresses says where it is, and the concentrator makes sure of it. */
import { EXCHANGE, NOTIFY, natDetectionHash, type IkeSpi, peekHeader } from '@culvert/ikev2'
import { opensslProvider } from '@culvert/crypto'
import { describe, expect, test } from 'vitest'
import { forge, notify } from './forge.ts'
import { BOTH, carryAway, ELSEWHERE, MOBIKE, moveTo, UPDATE } from './mobike-pair.ts'
import { Nat } from './nat.ts'
import type { Packet } from './network.ts'
import type { Node } from './node.ts'
import { fateOfFirst, LOST, matches } from './packets.ts'
import { attachedPair, createPair, initiate, type Pair, type PairOptions } from './pair.ts'

const { INFORMATIONAL } = EXCHANGE

describe('C18 MOBIKE_SUPPORTED is said only by who does MOBIKE', () => {
  test.each([
    [BOTH, true, true],
    [{ device: MOBIKE }, true, false],
    [{ concentrator: MOBIKE }, false, false],
  ] as const)('%j: asked %s, agreed %s', (options, isAsked, isAgreed) => {
    const pair = createPair(options)
    initiate(pair)
    pair.network.run(1_000)
    const [request, response] = pair.transcript.take().slice(2)
    expect(request?.includes('N(MOBIKE_SUPPORTED)')).toBe(isAsked)
    expect(response?.includes('N(MOBIKE_SUPPORTED)')).toBe(isAgreed)
  })

  test('with MOBIKE the initiator goes to port 4500 at once (3.3)', () => {
    const { device } = attachedPair(BOTH)
    expect(device.child.path).toMatchObject({ local: { port: 4500 }, remote: { port: 4500 } })
  })
})

describe('a device moves (3.5)', () => {
  test('update, answer, return routability check: everything follows', () => {
    const pair = attachedPair(BOTH)
    carryAway(pair)
    moveTo(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([
      `dev: INFORMATIONAL request 2, SK {${UPDATE}}`,
      'con: INFORMATIONAL response 2, SK {N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), N(COOKIE2)}',
      'con: INFORMATIONAL request 0, SK {N(COOKIE2)}',
      'dev: INFORMATIONAL response 0, SK {N(COOKIE2)}',
    ])
    expect(pair.concentrator.child.path.remote).toEqual({ address: ELSEWHERE, port: 4500 })
    expect(pair.device.child.path.local).toEqual({ address: ELSEWHERE, port: 4500 })
    expect(pair.concentrator.confirmed).toBe(true)
    expect([pair.device, pair.concentrator].map((node) => node.eventsOf('moved').length)).toEqual([1, 1])
  })

  test('the data plane hears that the new address is not confirmed, and later that it is', () => {
    const pair = attachedPair(BOTH)
    carryAway(pair)
    moveTo(pair)
    pair.network.runUntil(() => pair.concentrator.eventsOf('moved').length === 1)
    expect(pair.concentrator.confirmed).toBe(false)
    pair.network.run(100)
    expect(pair.concentrator.confirmed).toBe(true)
  })

  test('Child SAs are rekeyed and the IKE SA deleted along the new path', () => {
    const pair = attachedPair(BOTH)
    carryAway(pair)
    moveTo(pair)
    pair.network.run(1_000)
    pair.concentrator.command({ kind: 'rekeyChild', key: pair.concentrator.key, spiIn: pair.concentrator.child.spiIn })
    pair.network.run(1_000)
    expect(pair.device.eventsOf('childRekeyed')).toHaveLength(1)
    expect(pair.device.child.path.local.address).toBe(ELSEWHERE)
    pair.concentrator.command({ kind: 'deleteIke', key: pair.concentrator.key, reason: 'deletedLocally' })
    pair.network.run(1_000)
    expect(pair.device.eventsOf('closed')).toHaveLength(1)
  })

  test('RFC 7296 2.23 into a NAT and out of it: what is known of NATs follows, and ESP goes into UDP and out of it', () => {
    const pair = attachedPair(BOTH)
    const udp = (): boolean[] => [pair.device, pair.concentrator].map(({ child }) => child.udpEncap)
    expect(pair.concentrator.child.peerBehindNat).toBe(false)
    expect(udp()).toEqual([false, false])
    const nat = new Nat(pair.network, '192.0.2.1')
    nat.attach({ address: '192.168.1.7', receive: (packet) => pair.device.receive(packet) })
    pair.device.route = nat
    moveTo(pair, '192.168.1.7')
    pair.network.run(1_000)
    expect(pair.concentrator.child).toMatchObject({ peerBehindNat: true, path: { remote: { address: '192.0.2.1' } } })
    expect(udp()).toEqual([true, true])
    pair.device.route = null
    carryAway(pair)
    moveTo(pair)
    pair.network.run(1_000)
    expect(pair.concentrator.child).toMatchObject({ peerBehindNat: false, path: { remote: { address: ELSEWHERE } } })
    expect(udp()).toEqual([false, false])
  })

  test('moved again before the answer: the last place counts', () => {
    const pair = attachedPair(BOTH)
    carryAway(pair)
    moveTo(pair)
    carryAway(pair, '198.51.100.120')
    moveTo(pair, '198.51.100.120')
    pair.network.run(10_000)
    expect(pair.concentrator.child.path.remote.address).toBe('198.51.100.120')
    expect(pair.device.child.path.local.address).toBe('198.51.100.120')
    expect(pair.concentrator.confirmed).toBe(true)
  })

  test.each([
    ['the update', { isResponse: false, from: ELSEWHERE }],
    ['its answer', { isResponse: true, from: '203.0.113.1' }],
    ['the check', { isResponse: false, from: '203.0.113.1' }],
    ['the echo', { isResponse: true, from: ELSEWHERE }],
  ] as const)('%s is lost: the move is made all the same', (_name, pattern) => {
    const pair = attachedPair(BOTH)
    carryAway(pair)
    pair.network.fate = fateOfFirst({ exchange: 'INFORMATIONAL', ...pattern }, LOST)
    moveTo(pair)
    pair.network.run(20_000)
    expect(pair.concentrator.child.path.remote.address).toBe(ELSEWHERE)
    expect(pair.concentrator.confirmed).toBe(true)
    expect(pair.device.child.path.local.address).toBe(ELSEWHERE)
  })

  test('without MOBIKE the command does nothing', () => {
    const pair = attachedPair({ device: MOBIKE })
    moveTo(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([])
    expect(pair.device.child.path.local.address).toBe(pair.device.address)
  })

  test('the responder moves nobody', () => {
    const pair = attachedPair(BOTH)
    const path = { local: { address: '203.0.113.9', port: 4500 }, remote: pair.concentrator.child.path.remote }
    pair.concentrator.command({ kind: 'moveTo', key: pair.concentrator.key, path })
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([])
  })
})

describe('the return routability check (3.7)', () => {
  test('a request of ours that was under way before says nothing against the new place', () => {
    const pair = attachedPair(BOTH)
    pair.network.detach(pair.device.address)
    pair.concentrator.command({ kind: 'checkLiveness', key: pair.concentrator.key })
    pair.network.run(500)
    carryAway(pair)
    moveTo(pair)
    pair.network.run(20_000)
    expect(pair.concentrator.child.path.remote.address).toBe(ELSEWHERE)
    expect(pair.concentrator.confirmed).toBe(true)
    expect(pair.concentrator.eventsOf('moved')).toHaveLength(1)
  })

  test('nobody there, with a request of ours under way before: traffic goes back', () => {
    const pair = attachedPair(BOTH)
    const path = pair.concentrator.child.path
    pair.network.fate = fateOfFirst({ isResponse: false, from: pair.concentrator.address }, LOST)
    pair.concentrator.command({ kind: 'checkLiveness', key: pair.concentrator.key })
    sendFrom(pair, ELSEWHERE, [notify(NOTIFY.UPDATE_SA_ADDRESSES)])
    pair.network.run(100)
    expect(pair.concentrator.child.path.remote.address).toBe(ELSEWHERE)
    pair.network.run(30_000)
    expect(pair.concentrator.child.path).toEqual(path)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
    expect(pair.concentrator.confirmed).toBe(true)
  })

  test('nobody there: traffic goes back to where the peer was heard, and both places are asked', () => {
    const pair = attachedPair(BOTH)
    const path = pair.concentrator.child.path
    sendFrom(pair, ELSEWHERE, [notify(NOTIFY.UPDATE_SA_ADDRESSES)])
    pair.network.run(100)
    expect(pair.concentrator.child.path.remote.address).toBe(ELSEWHERE)
    pair.network.run(30_000)
    expect(pair.concentrator.child.path).toEqual(path)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
    expect(pair.concentrator.confirmed).toBe(true)
  })

  test('RFC 7296 2.23 nobody there, and back behind the NAT: followed as before, and ESP in UDP again', () => {
    const pair = attachedPair({ ...BOTH, behindNat: (network) => new Nat(network, '192.0.2.1') })
    const former = pair.concentrator.child
    expect(former).toMatchObject({ peerBehindNat: true, udpEncap: true })
    sendFrom(pair, ELSEWHERE, [notify(NOTIFY.UPDATE_SA_ADDRESSES)])
    pair.network.run(100)
    const { path } = pair.concentrator.child
    expect(path.remote.address).toBe(ELSEWHERE)
    expect(pair.concentrator.child).toMatchObject({ peerBehindNat: false, udpEncap: false })
    pair.network.run(30_000)
    expect(pair.concentrator.child).toMatchObject({ path: former.path, peerBehindNat: true, udpEncap: true })
  })

  test('an echo that was guessed ends the IKE SA (4.2.5)', () => {
    const pair = attachedPair(BOTH)
    sendFrom(pair, ELSEWHERE, [notify(NOTIFY.UPDATE_SA_ADDRESSES)])
    pair.network.run(15)
    sendFrom(pair, ELSEWHERE, [notify(NOTIFY.COOKIE2, new Uint8Array(16))], { messageId: 0, isResponse: true })
    pair.network.run(15)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['protocolError'])
  })

  test('a wrong one that arrives after the peer rekeyed the IKE SA closes it too (4.2.5)', () => {
    const pair = attachedPair(BOTH)
    const { network, device, concentrator } = pair
    const from = { address: concentrator.address, port: 4500 }
    // Its answer to the update, and its Delete of the old IKE SA.
    const lost = [{ isResponse: true }, { isResponse: false, messageId: 2 }]
    const isLost = (packet: Packet): boolean =>
      lost.some((which) => matches(packet, { from: from.address, exchange: 'INFORMATIONAL', ...which }))
    network.fate = (packet) => (isLost(packet) ? LOST : {})
    carryAway(pair)
    moveTo(pair)
    network.run(50)
    const payloads = [notify(NOTIFY.COOKIE2, new Uint8Array(16))]
    const [bytes] = forge(concentrator, { exchangeType: INFORMATIONAL, messageId: 2, isResponse: true, payloads })
    concentrator.command({ kind: 'rekeyIke', key: concentrator.key })
    network.run(100)
    expect(device.eventsOf('ikeRekeyed')).toHaveLength(1)
    if (bytes !== undefined) device.receive({ from, to: { address: ELSEWHERE, port: 4500 }, bytes })
    expect(device.eventsOf('closed').map(({ reason }) => reason)).toEqual(['protocolError'])
  })

  test('a response to an older request proves nothing', () => {
    const pair = attachedPair(BOTH)
    pair.network.fate = fateOfFirst({ isResponse: true, from: pair.device.address }, { extraDelayMs: 200 })
    pair.concentrator.command({ kind: 'checkLiveness', key: pair.concentrator.key })
    pair.network.run(50)
    carryAway(pair)
    moveTo(pair)
    pair.network.run(100)
    expect(pair.concentrator.child.path.remote.address).toBe(ELSEWHERE)
    expect(pair.concentrator.confirmed).toBe(false)
    pair.network.run(2_000)
    expect(pair.concentrator.confirmed).toBe(true)
    expect(pair.concentrator.child.path.remote.address).toBe(ELSEWHERE)
  })
})

describe('what a peer may send', () => {
  test('COOKIE2 is echoed octet for octet, unless its length is wrong (4.2.5)', () => {
    for (const [length, isEchoed] of [
      [7, false],
      [8, true],
      [64, true],
      [65, false],
    ] as const) {
      const pair = attachedPair(BOTH)
      sendFrom(pair, pair.device.address, [notify(NOTIFY.COOKIE2, new Uint8Array(length).fill(7))])
      pair.network.run(100)
      const echo = isEchoed ? 'N(COOKIE2)' : ''
      expect(pair.transcript.take()).toEqual([`con: INFORMATIONAL response 2, SK {${echo}}`])
      const sealed = pair.concentrator.sent.at(-1)?.bytes ?? new Uint8Array(0)
      const inside = pair.concentrator.tap.plaintextOf(sealed.subarray(40)) ?? new Uint8Array(0)
      if (isEchoed) expect(inside.subarray(8, 8 + length)).toEqual(new Uint8Array(length).fill(7))
    }
  })

  test('NO_NATS_ALLOWED with the addresses we see: moved; with others: UNEXPECTED_NAT_DETECTED, not moved (3.9)', () => {
    const seen = Uint8Array.of(198, 51, 100, 99, 203, 0, 113, 1, 0x11, 0x94, 0x11, 0x94)
    for (const [data, isMoved] of [
      [seen, true],
      [seen.with(3, 98), false],
      [new Uint8Array(0), false],
    ] as const) {
      const pair = attachedPair(BOTH)
      sendFrom(pair, ELSEWHERE, [notify(NOTIFY.UPDATE_SA_ADDRESSES), notify(NOTIFY.NO_NATS_ALLOWED, data)])
      pair.network.run(15)
      expect(pair.transcript.take()[0]?.includes('UNEXPECTED_NAT_DETECTED')).toBe(!isMoved)
      expect(pair.concentrator.eventsOf('moved')).toHaveLength(isMoved ? 1 : 0)
    }
  })

  test.each(['127.0.0.1', '0.0.0.0', '224.0.0.5', '255.255.255.255', '203.0.113.1'])(
    'an update from %s gets UNACCEPTABLE_ADDRESSES (3.5)',
    (address) => {
      const pair = attachedPair(BOTH)
      sendFrom(pair, address, [notify(NOTIFY.UPDATE_SA_ADDRESSES)])
      expect(pair.transcript.take()).toEqual(['con: INFORMATIONAL response 2, SK {N(UNACCEPTABLE_ADDRESSES)}'])
      expect(pair.concentrator.eventsOf('moved')).toEqual([])
    },
  )

  test('ADDITIONAL_*_ADDRESS, however many, are taken and not kept (3.6)', () => {
    const pair = attachedPair(BOTH)
    const addresses = Array.from({ length: 80 }, (_, index) =>
      notify(NOTIFY.ADDITIONAL_IP4_ADDRESS, Uint8Array.of(198, 51, 100, index)),
    )
    const ip6 = notify(NOTIFY.ADDITIONAL_IP6_ADDRESS, new Uint8Array(16).fill(0x20))
    sendFrom(pair, pair.device.address, [...addresses, ip6])
    expect(pair.transcript.take()).toEqual(['con: INFORMATIONAL response 2, SK {}'])
  })

  test('N27 a peer that moves with every message is held up, and told so', () => {
    const pair = attachedPair(BOTH)
    for (let round = 0; round < 40; round += 1) {
      sendFrom(pair, `198.51.101.${round + 1}`, [notify(NOTIFY.UPDATE_SA_ADDRESSES)], { messageId: 2 + round })
    }
    expect(pair.concentrator.eventsOf('moved')).toHaveLength(10)
    expect(pair.transcript.take().at(-1)).toContain('UNACCEPTABLE_ADDRESSES')
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
  })

  test('N27 a peer that stays and says with every message that a NAT came or went is held up likewise', () => {
    const pair = attachedPair(BOTH)
    const seen = hashes(pair.device, { address: pair.device.address, port: 4500 })
    const other = [notify(NOTIFY.NAT_DETECTION_SOURCE_IP, new Uint8Array(20))]
    for (let round = 0; round < 41; round += 1) {
      const nat = round % 2 === 0 ? other : seen
      const update = [notify(NOTIFY.UPDATE_SA_ADDRESSES), ...nat]
      sendFrom(pair, pair.device.address, update, { messageId: 2 + round })
    }
    expect(pair.concentrator.eventsOf('moved')).toHaveLength(10)
    expect(pair.transcript.take().at(-1)).toContain('UNACCEPTABLE_ADDRESSES')
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
  })

  test('an update repeated from a third place moves nothing: its message id is used up', () => {
    const pair = attachedPair(BOTH)
    const [update] = forge(pair.device, request([notify(NOTIFY.UPDATE_SA_ADDRESSES)]))
    deliver(pair, ELSEWHERE, update)
    pair.network.run(500)
    deliver(pair, '198.51.100.66', update)
    expect(pair.concentrator.eventsOf('moved').map(({ remote }) => remote.address)).toEqual([ELSEWHERE])
  })

  test('C60 an ordinary request from elsewhere moves nobody who is not behind NAT, with MOBIKE too', () => {
    const pair = attachedPair(BOTH)
    sendFrom(pair, ELSEWHERE, [])
    expect(pair.concentrator.eventsOf('moved')).toEqual([])
    expect(pair.concentrator.sent.at(-1)?.to.address).toBe(ELSEWHERE)
  })

  test('C60 a NAT that changed its mapping is followed at once, with MOBIKE too', () => {
    const nats: Nat[] = []
    const behindNat: PairOptions['behindNat'] = (network) => {
      const nat = new Nat(network, '192.0.2.1')
      nats.push(nat)
      return nat
    }
    const pair = attachedPair({ ...BOTH, behindNat })
    pair.network.run(2_000)
    nats[0]?.rebind()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(2_000)
    expect(pair.concentrator.eventsOf('moved')).toHaveLength(1)
    expect(pair.transcript.take()).toContain('con: INFORMATIONAL request 0, SK {N(COOKIE2)}')
    expect(pair.concentrator.confirmed).toBe(true)
  })

  test('NAT detection is answered in any request (3.8)', () => {
    const pair = attachedPair(BOTH)
    const hash = notify(NOTIFY.NAT_DETECTION_DESTINATION_IP, new Uint8Array(20))
    sendFrom(pair, pair.device.address, [hash])
    expect(pair.transcript.take()[0]).toContain('N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)')
  })

  test('without MOBIKE an update is an ordinary request', () => {
    const pair = attachedPair()
    sendFrom(pair, ELSEWHERE, [notify(NOTIFY.UPDATE_SA_ADDRESSES), notify(NOTIFY.COOKIE2, new Uint8Array(16))])
    expect(pair.transcript.take()).toEqual(['con: INFORMATIONAL response 2, SK {}'])
    expect(pair.concentrator.eventsOf('moved')).toEqual([])
  })
})

test('C17 IPv6 outer addresses: hashes over 16 octets, the update moves from IPv4 to IPv6', () => {
  const pair = attachedPair(BOTH)
  const remote = { address: '2001:db8::7', port: 4500 }
  const [update] = forge(pair.device, request([notify(NOTIFY.UPDATE_SA_ADDRESSES), ...hashes(pair.device, remote)]))
  const to = { address: '2001:db8::1', port: 4500 }
  pair.concentrator.receive({ from: remote, to, bytes: update ?? new Uint8Array(0) })
  expect(pair.concentrator.child).toMatchObject({ peerBehindNat: false, path: { local: to, remote } })
})

function hashes(node: Node, source: { address: string; port: number }): ReturnType<typeof notify>[] {
  const header = peekHeader(node.sent.at(-1)?.bytes ?? new Uint8Array(0))
  if (!header.ok) throw new Error('nothing sent')
  const { spiI, spiR } = header.value as { spiI: IkeSpi; spiR: IkeSpi }
  const data = natDetectionHash(opensslProvider, spiI, spiR, source.address, source.port)
  return [notify(NOTIFY.NAT_DETECTION_SOURCE_IP, data)]
}

function request(payloads: ReturnType<typeof notify>[], change: { messageId?: number; isResponse?: boolean } = {}) {
  return { exchangeType: INFORMATIONAL, messageId: 2, payloads, ...change }
}

/** A message of the device that comes from an address of the test's choosing; nobody is there to hear the answer. */
function sendFrom(
  pair: Pair,
  address: string,
  payloads: ReturnType<typeof notify>[],
  change: { messageId?: number; isResponse?: boolean } = {},
): void {
  for (const bytes of forge(pair.device, request(payloads, change))) deliver(pair, address, bytes)
}

function deliver({ concentrator }: Pair, address: string, bytes: Uint8Array | undefined): void {
  const to = { address: concentrator.address, port: 4500 }
  concentrator.receive({ from: { address, port: 4500 }, to, bytes: bytes ?? new Uint8Array(0) })
}
