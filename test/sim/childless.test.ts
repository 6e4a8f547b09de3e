/** An IKE SA without a Child SA, and Child SAs made on one that stands (RFC 6023; RFC 7296 1.3.1, 2.25). */
import { EXCHANGE, NOTIFY, type TrafficSelector } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { granting } from './grants.ts'
import { notify, sendForged } from './forge.ts'
import { selectors } from './node.ts'
import { fateOfFirst, LOST } from './packets.ts'
import { attachedPair, createPair, DIAL, initiate, type Pair } from './pair.ts'

const features = { childless: true }
const BOTH = { device: { features }, concentrator: { features } }
const SUPPORTED = 'N(CHILDLESS_IKEV2_SUPPORTED)'

function attachChildless(): Pair {
  const pair = createPair(BOTH)
  initiate(pair, { childless: true })
  pair.network.run(1_000)
  return pair
}

function createChild(
  { device }: Pair,
  change: { tsLocal?: TrafficSelector[]; tsRemote?: TrafficSelector[] } = {},
): void {
  const usual = { tsLocal: selectors('10.128.0.5'), tsRemote: selectors(DIAL) }
  device.command({ kind: 'createChild', key: device.key, ...usual, ...change })
}

describe('RFC 6023 childless', () => {
  test('C18 is offered only by a responder that does it', () => {
    for (const options of [BOTH, {}]) {
      const pair = createPair(options)
      initiate(pair)
      pair.network.run(1_000)
      expect(pair.transcript.take()[1]?.includes(SUPPORTED)).toBe(options === BOTH)
      expect(pair.device.children.size).toBe(1)
    }
  })

  test('an IKE SA stands without a Child SA, which comes later', () => {
    const pair = attachChildless()
    expect(pair.transcript.take().slice(2)).toEqual([
      'dev: IKE_AUTH request 1, SK {IDi, IDr, AUTH, N(INITIAL_CONTACT), CP(REQUEST)}',
      'con: IKE_AUTH response 1, SK {IDr, AUTH, CP(REPLY)}',
    ])
    expect(pair.device.eventsOf('established')[0]).toMatchObject({ ip4: '10.128.0.5' })
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
    expect([pair.device.pendingSpis, pair.concentrator.pendingSpis]).toEqual([0, 0])
    createChild(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([
      'dev: CREATE_CHILD_SA request 2, SK {SA, N, KE, TSi, TSr}',
      'con: CREATE_CHILD_SA response 2, SK {SA, N, KE, TSi, TSr}',
    ])
    expect(pair.device.child.keys.inboundKey).toEqual(pair.concentrator.child.keys.outboundKey)
    expect(pair.device.child).toMatchObject({ outbound: true, replaces: null })
    expect([pair.device, pair.concentrator].map((node) => node.eventsOf('childEstablished').length)).toEqual([1, 1])
  })

  test('asked of a responder that does not do it, the IKE_AUTH is an ordinary one', () => {
    const pair = createPair({ device: { features } })
    initiate(pair, { childless: true })
    pair.network.run(1_000)
    expect(pair.device.children.size).toBe(1)
  })

  test('a childless IKE_AUTH where it was not offered gets INVALID_SYNTAX', () => {
    const pair = createPair()
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    pair.transcript.take()
    const payloads = [{ kind: 'idI' as const, id: { type: 2, data: new TextEncoder().encode('dev.test') } }]
    sendForged(pair.device, { exchangeType: EXCHANGE.IKE_AUTH, messageId: 1, payloads })
    pair.network.run(100)
    expect(pair.transcript.take()).toEqual(['con: IKE_AUTH response 1, SK {N(INVALID_SYNTAX)}'])
    expect(pair.concentrator.questions).toEqual([])
  })

  test('half a Child SA in IKE_AUTH gets INVALID_SYNTAX, with childless too', () => {
    const pair = createPair(BOTH)
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH' }, LOST)
    initiate(pair)
    pair.network.runUntil(() => pair.device.sent.length === 2)
    const id = { type: 2, data: new TextEncoder().encode('dev.test') }
    const payloads = [
      { kind: 'idI' as const, id },
      { kind: 'tsI' as const, selectors: selectors('0.0.0.0/0') },
    ]
    sendForged(pair.device, { exchangeType: EXCHANGE.IKE_AUTH, messageId: 1, payloads })
    pair.network.run(100)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(INVALID_SYNTAX)}')
  })

  test('C33 without an address to give, the childless IKE SA stays and says so', () => {
    const pair = createPair(BOTH)
    pair.concentrator.answerTo = granting({ ip4: null })
    initiate(pair, { childless: true })
    pair.network.run(1_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {IDr, AUTH, N(INTERNAL_ADDRESS_FAILURE)}')
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })
})

describe('one more Child SA', () => {
  test('several stand beside each other, up to a bound; one more is refused for good', () => {
    const pair = attachedPair()
    for (let port = 1; port <= 5; port += 1) {
      const tsRemote = selectors(DIAL).map((selector) => ({ ...selector, protocol: 6, startPort: port, endPort: port }))
      createChild(pair, { tsRemote })
      pair.network.run(1_000)
    }
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([4, 4])
    expect(pair.device.eventsOf('childRefused').map((event) => event.notify)).toEqual([
      NOTIFY.NO_ADDITIONAL_SAS,
      NOTIFY.NO_ADDITIONAL_SAS,
    ])
    expect([pair.device.pendingSpis, pair.concentrator.pendingSpis]).toEqual([0, 0])
  })

  test('C44 NO_ADDITIONAL_SAS leaves what stands', () => {
    const pair = attachedPair()
    pair.concentrator.freeChildSpis = 0
    createChild(pair)
    pair.network.run(1_000)
    expect(pair.device.eventsOf('childRefused')).toMatchObject([{ notify: NOTIFY.NO_ADDITIONAL_SAS }])
    expect([pair.device.children.size, pair.device.eventsOf('closed').length]).toEqual([1, 0])
    expect(pair.device.pendingSpis).toBe(0)
  })

  test('TS_UNACCEPTABLE leaves what stands', () => {
    const pair = attachedPair()
    createChild(pair, { tsRemote: selectors('192.0.2.0/24') })
    pair.network.run(1_000)
    expect(pair.device.eventsOf('childRefused')).toMatchObject([{ notify: NOTIFY.TS_UNACCEPTABLE }])
    expect(pair.device.children.size).toBe(1)
  })

  test('the peer may rekey it, and it may be deleted alone', () => {
    const pair = attachChildless()
    createChild(pair)
    pair.network.run(1_000)
    pair.concentrator.command({ kind: 'rekeyChild', key: pair.concentrator.key, spiIn: pair.concentrator.child.spiIn })
    pair.network.run(60_000)
    expect(pair.device.eventsOf('childRekeyed')).toHaveLength(1)
    pair.device.command({ kind: 'deleteChild', key: pair.device.key, spiIn: pair.device.child.spiIn })
    pair.network.run(3_000)
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
    expect(pair.device.eventsOf('closed')).toEqual([])
  })

  test('C51 TEMPORARY_FAILURE is tried again over minutes, then the wish is given up and the IKE SA stays', () => {
    const pair = attachedPair()
    let answers = 0
    pair.network.fate = (packet) => {
      if (packet.from.address !== pair.device.address || packet.to.address !== pair.concentrator.address) return {}
      answers += 1
      return LOST
    }
    createChild(pair)
    for (let messageId = 2; messageId < 60; messageId += 1) {
      const known = answers
      if (pair.device.eventsOf('childRefused').length > 0) break
      sendForged(pair.concentrator, {
        exchangeType: EXCHANGE.CREATE_CHILD_SA,
        messageId,
        isResponse: true,
        payloads: [notify(NOTIFY.TEMPORARY_FAILURE)],
      })
      pair.network.runUntil(() => answers > known || pair.device.eventsOf('childRefused').length > 0)
    }
    expect(pair.device.eventsOf('childRefused')).toMatchObject([{ notify: NOTIFY.TEMPORARY_FAILURE }])
    expect(pair.network.nowMs).toBeGreaterThan(180_000)
    expect([pair.device.eventsOf('closed').length, pair.device.pendingSpis]).toEqual([0, 0])
  })

  test('the same wish twice makes one Child SA, and none on an IKE SA that ends', () => {
    const pair = attachChildless()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    createChild(pair)
    createChild(pair)
    pair.network.run(1_000)
    expect(pair.device.children.size).toBe(1)
    const ending = attachChildless()
    ending.device.command({ kind: 'checkLiveness', key: ending.device.key })
    ending.device.command({ kind: 'deleteIke', key: ending.device.key, reason: 'deletedLocally' })
    createChild(ending)
    ending.network.run(1_000)
    expect(ending.concentrator.eventsOf('childEstablished')).toEqual([])
  })

  test('a Child SA that was agreed on while the IKE SA ended is not installed', () => {
    const pair = attachedPair()
    createChild(pair)
    pair.device.command({ kind: 'deleteIke', key: pair.device.key, reason: 'revoked' })
    pair.network.run(2_000)
    expect(pair.device.eventsOf('childEstablished')).toHaveLength(1)
    expect([pair.device.children.size, pair.device.pendingSpis]).toEqual([0, 0])
    expect([pair.concentrator.children.size, pair.concentrator.pendingSpis]).toEqual([0, 0])
  })

  test('C57 while it is being made, a rekey of the IKE SA gets TEMPORARY_FAILURE', () => {
    const pair = attachedPair()
    pair.network.fate = fateOfFirst({ exchange: 'CREATE_CHILD_SA', from: pair.device.address }, LOST)
    createChild(pair)
    pair.concentrator.command({ kind: 'rekeyIke', key: pair.concentrator.key })
    pair.network.run(100)
    expect(pair.transcript.take().at(-1)).toBe('dev: CREATE_CHILD_SA response 0, SK {N(TEMPORARY_FAILURE)}')
    pair.network.run(60_000)
    expect(pair.device.children.size).toBe(2)
    expect(pair.concentrator.eventsOf('ikeRekeyed')).toHaveLength(1)
  })
})
