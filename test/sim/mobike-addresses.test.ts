/** MOBIKE (RFC 4555): which addresses the two ends name, and how a device finds out that a NAT came or went. */
import { EXCHANGE, NOTIFY } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { forge, notify } from './forge.ts'
import { BOTH, carryAway, ELSEWHERE, MOBIKE, moveTo, UPDATE } from './mobike-pair.ts'
import { Nat } from './nat.ts'
import { fateOfFirst, LOST } from './packets.ts'
import { attachedPair, createPair, initiate, type Pair, type PairOptions } from './pair.ts'

describe('RFC 4555 3.4 a responder names its other addresses', () => {
  const addresses = ['192.0.2.1', '2001:db8::1', '203.0.113.9']
  test('to a peer that does MOBIKE', () => {
    const pair = createPair({ device: MOBIKE, concentrator: { ...MOBIKE, addresses } })
    addresses[0] = pair.concentrator.address // the one that was used is not named
    initiate(pair)
    pair.network.run(1_000)
    const response = pair.transcript.take()[3]
    expect(response).toContain('N(MOBIKE_SUPPORTED), N(ADDITIONAL_IP6_ADDRESS), N(ADDITIONAL_IP4_ADDRESS)')
    expect(response?.match(/ADDITIONAL/g)).toHaveLength(2)
  })

  test('and to no other', () => {
    const pair = createPair({ concentrator: { ...MOBIKE, addresses } })
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take().join()).not.toContain('ADDITIONAL')
  })
})

describe('RFC 4555 3.6 a device names its other addresses', () => {
  const OTHERS = ['192.0.2.77', '2001:db8::7']
  const own = ({ device }: Pair, addresses: readonly string[]): void => {
    device.command({ kind: 'ownAddresses', addresses })
  }
  const INITIAL = 'N(MOBIKE_SUPPORTED), N(ADDITIONAL_IP4_ADDRESS), N(ADDITIONAL_IP6_ADDRESS)'

  test('in IKE_AUTH', () => {
    const pair = createPair(BOTH)
    own(pair, [pair.device.address, ...OTHERS])
    initiate(pair)
    pair.network.run(1_000)
    const request = pair.transcript.take()[2]
    expect(request).toContain(INITIAL)
    expect(request?.match(/ADDITIONAL/g)).toHaveLength(2)
  })

  test('and when they change, if only that there are no others', () => {
    const pair = attachedPair(BOTH)
    own(pair, [pair.device.address, ...OTHERS])
    pair.network.run(100)
    own(pair, [pair.device.address])
    pair.network.run(100)
    expect(pair.transcript.take()).toEqual([
      'dev: INFORMATIONAL request 2, SK {N(ADDITIONAL_IP4_ADDRESS), N(ADDITIONAL_IP6_ADDRESS)}',
      'con: INFORMATIONAL response 2, SK {}',
      'dev: INFORMATIONAL request 3, SK {N(NO_ADDITIONAL_ADDRESSES)}',
      'con: INFORMATIONAL response 3, SK {}',
    ])
  })

  test('the last ones, however often they changed while the peer was asked', () => {
    const pair = attachedPair(BOTH)
    for (const address of OTHERS) own(pair, [address])
    own(pair, [])
    pair.network.run(1_000)
    expect(pair.transcript.take().filter((line) => line.startsWith('dev'))).toEqual([
      'dev: INFORMATIONAL request 2, SK {N(ADDITIONAL_IP4_ADDRESS)}',
      'dev: INFORMATIONAL request 3, SK {N(NO_ADDITIONAL_ADDRESSES)}',
    ])
  })

  test('no more than sixteen of them', () => {
    const pair = createPair(BOTH)
    own(
      pair,
      Array.from({ length: 200 }, (_, index) => `198.18.0.${index}`),
    )
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take()[2]?.match(/ADDITIONAL/g)).toHaveLength(16)
  })

  test('after it has moved: the update goes first, along the new path', () => {
    const pair = attachedPair(BOTH)
    carryAway(pair)
    moveTo(pair)
    own(pair, [ELSEWHERE, ...OTHERS])
    pair.network.run(1_000)
    expect(pair.transcript.take().filter((line) => line.startsWith('dev: INFORMATIONAL request'))).toEqual([
      `dev: INFORMATIONAL request 2, SK {${UPDATE}}`,
      'dev: INFORMATIONAL request 3, SK {N(ADDITIONAL_IP4_ADDRESS), N(ADDITIONAL_IP6_ADDRESS)}',
    ])
    expect(pair.concentrator.child.path.remote.address).toBe(ELSEWHERE)
  })

  test('to nobody who does no MOBIKE', () => {
    const pair = attachedPair({ device: MOBIKE })
    own(pair, OTHERS)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([])
  })
})

describe('RFC 4555 3.8 a device finds out that a NAT came or went', () => {
  const ASKS = 'N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)'
  const udp = ({ device, concentrator }: Pair): boolean[] => [device, concentrator].map(({ child }) => child.udpEncap)

  /** From now on the device, where it is, sends through this NAT. */
  function putBehind(pair: Pair, nat: Nat): void {
    pair.network.detach(pair.device.address)
    nat.attach({ address: pair.device.address, receive: (packet) => pair.device.receive(packet) })
    pair.device.route = nat
  }

  function ask(pair: Pair): readonly string[] {
    pair.transcript.take()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(2_000)
    return pair.transcript.take()
  }

  test('nothing has changed: it asks, and leaves it at that', () => {
    const pair = attachedPair(BOTH)
    for (const messageId of [2, 3]) {
      expect(ask(pair)).toEqual([
        `dev: INFORMATIONAL request ${messageId}, SK {${ASKS}}`,
        `con: INFORMATIONAL response ${messageId}, SK {${ASKS}}`,
      ])
    }
  })

  test('ESP goes into UDP, and out of it', () => {
    const pair = attachedPair(BOTH)
    expect(udp(pair)).toEqual([false, false])
    putBehind(pair, new Nat(pair.network, '192.0.2.1'))
    expect(ask(pair)).toContain(`dev: INFORMATIONAL request 3, SK {${UPDATE}}`)
    expect(udp(pair)).toEqual([true, true])
    expect(pair.concentrator.child).toMatchObject({ peerBehindNat: true, path: { remote: { address: '192.0.2.1' } } })
    expect(pair.concentrator.eventsOf('moved')).toMatchObject([{ peerBehindNat: true }])
    pair.device.route = null
    carryAway(pair, pair.device.address)
    expect(ask(pair)).toContain(`dev: INFORMATIONAL request 5, SK {${UPDATE}}`)
    expect(udp(pair)).toEqual([false, false])
    expect(pair.concentrator.child).toMatchObject({
      peerBehindNat: false,
      path: { remote: { address: pair.device.address } },
    })
    expect(pair.concentrator.eventsOf('moved').at(-1)).toMatchObject({ peerBehindNat: false })
  })

  test('a NAT that forgot it: who follows nobody without a word hears of it', () => {
    const nats: Nat[] = []
    const behindNat: PairOptions['behindNat'] = (network) => {
      const nat = new Nat(network, '192.0.2.1')
      nats.push(nat)
      return nat
    }
    const pair = attachedPair({ ...BOTH, behindNat })
    expect(ask(pair).join()).not.toContain('UPDATE') // how it is seen so far
    nats[0]?.rebind()
    expect(ask(pair).join()).toContain(UPDATE)
    expect(ask(pair).join()).not.toContain('UPDATE')
  })

  test('an IKE SA with new keys is seen anew, which is no move', () => {
    const pair = attachedPair(BOTH)
    ask(pair)
    pair.device.command({ kind: 'rekeyIke', key: pair.device.key })
    pair.network.run(1_000)
    expect(pair.device.eventsOf('ikeRekeyed')).toHaveLength(1)
    expect(ask(pair).join()).not.toContain('UPDATE')
  })

  test.each([
    ['too short', new Uint8Array(19)],
    ['empty', new Uint8Array(0)],
    ['too long', new Uint8Array(21)],
  ])('an answer with a hash that is %s says nothing', (_how, hash) => {
    const pair = attachedPair(BOTH)
    pair.network.fate = fateOfFirst({ isResponse: true, from: pair.concentrator.address }, LOST)
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    const payloads = [notify(NOTIFY.NAT_DETECTION_DESTINATION_IP, hash)]
    const [bytes] = forge(pair.concentrator, {
      exchangeType: EXCHANGE.INFORMATIONAL,
      messageId: 2,
      isResponse: true,
      payloads,
    })
    const path = { from: { address: pair.concentrator.address, port: 4500 }, to: pair.device.child.path.local }
    pair.transcript.take()
    pair.device.receive({ ...path, bytes: bytes ?? new Uint8Array(0) })
    expect(pair.transcript.take()).toEqual([])
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    expect(pair.transcript.take()[0]).toContain('request 3') // it was heard, though
  })

  test('a responder does not ask, nor does anybody without MOBIKE', () => {
    const pair = attachedPair(BOTH)
    pair.concentrator.command({ kind: 'checkLiveness', key: pair.concentrator.key })
    pair.network.run(100)
    expect(pair.transcript.take()[0]).toBe('con: INFORMATIONAL request 0, SK {}')
    expect(ask(attachedPair({ device: MOBIKE }))[0]).toBe('dev: INFORMATIONAL request 2, SK {}')
  })
})
