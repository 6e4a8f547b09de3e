/**
 * Rekeying and deleting Child SAs, from either end, with and without PFS, and when both ends do it at once
 * (RFC 7296 1.3.3, 1.4.1, 2.8, 2.8.1, 2.25.1).
 */
import {
  defaultEspSuites,
  defaultIkeSuites,
  EXCHANGE,
  NOTIFY,
  type Payload,
  type ProposalPolicy,
  proposalsFor,
  PROTOCOL,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { sendForged, spiBytes } from './forge.ts'
import { granting } from './grants.ts'
import { type Node, selectors } from './node.ts'
import { attachedPair, createPair, initiate, type Pair, type PairOptions } from './pair.ts'
import { fateOfFirst, LOST, matches } from './packets.ts'
import { lowestNonceSender } from './nonces.ts'

const WITHOUT_PFS: ProposalPolicy = {
  ike: defaultIkeSuites,
  esp: defaultEspSuites.map((suite) => ({ ...suite, ke: [] })),
}

function rekeyChild(node: Node): void {
  node.command({ kind: 'rekeyChild', key: node.key, spiIn: node.child.spiIn })
}

/** One Child SA on each end, used in both directions, with crossed keys. */
function expectOneWorkingChild({ device, concentrator }: Pair): void {
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
  expect(device.child.keys.outboundKey).toEqual(concentrator.child.keys.inboundKey)
  expect(device.child.outbound).toBe(true)
  expect(concentrator.child.outbound).toBe(true)
  expect([device.pendingSpis, concentrator.pendingSpis]).toEqual([0, 0])
}

describe.each(['device', 'concentrator'] as const)('started by the %s', (starter) => {
  test.each([
    ['with PFS', {}, 'N(REKEY_SA), SA, N, KE, TSi, TSr', 'SA, N, KE, TSi, TSr'],
    ['without PFS', { proposals: WITHOUT_PFS }, 'N(REKEY_SA), SA, N, TSi, TSr', 'SA, N, TSi, TSr'],
  ])('rekeys a Child SA %s', (_name, config, request, response) => {
    const pair = attachedPair({ device: config, concentrator: config })
    const before = pair[starter].child
    rekeyChild(pair[starter])
    pair.network.run(1_000)
    const [asker, answerer] = starter === 'device' ? ['dev', 'con'] : ['con', 'dev']
    const id = starter === 'device' ? 2 : 0
    expect(pair.transcript.take()).toEqual([
      `${asker}: CREATE_CHILD_SA request ${id}, SK {${request}}`,
      `${answerer}: CREATE_CHILD_SA response ${id}, SK {${response}}`,
      `${asker}: INFORMATIONAL request ${id + 1}, SK {D(1 ESP)}`,
      `${answerer}: INFORMATIONAL response ${id + 1}, SK {D(1 ESP)}`,
    ])
    expectOneWorkingChild(pair)
    expect(pair[starter].child.replaces).toBe(before.spiIn)
    expect(pair[starter].child.keys.inboundKey).not.toEqual(before.keys.inboundKey)
  })

  test('the one that answers a rekey sends on the old Child SA until it is deleted', () => {
    const pair = attachedPair()
    const answerer = starter === 'device' ? pair.concentrator : pair.device
    const old = answerer.child.spiIn
    rekeyChild(pair[starter])
    pair.network.runUntil(() => answerer.children.size === 2)
    expect([...answerer.children.values()].map(({ spiIn, outbound }) => [spiIn === old, outbound])).toEqual([
      [true, true],
      [false, false],
    ])
    pair.network.runUntil(() => answerer.children.size === 1)
    expect(answerer.child.outbound).toBe(true)
  })

  test.each(['request', 'response'] as const)('C46 a lost CREATE_CHILD_SA %s is made up for', (lost) => {
    const pair = attachedPair()
    pair.network.fate = fateOfFirst({ exchange: 'CREATE_CHILD_SA', isResponse: lost === 'response' }, LOST)
    rekeyChild(pair[starter])
    pair.network.run(5_000)
    expect(pair.device.eventsOf('childRekeyed')).not.toEqual([])
    expectOneWorkingChild(pair)
  })

  test('a Child SA is deleted on both ends', () => {
    const pair = attachedPair()
    pair[starter].command({ kind: 'deleteChild', key: pair[starter].key, spiIn: pair[starter].child.spiIn })
    pair.network.run(1_000)
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
    expect(pair.device.endpoint.size.established).toBe(1)
    expect(pair.device.eventsOf('childClosed')).toHaveLength(1)
    expect(pair.concentrator.eventsOf('childClosed')).toHaveLength(1)
  })
})

test('INVALID_KE_PAYLOAD at a rekey is followed by a request with the group named', () => {
  const [first] = defaultEspSuites
  const p256 = first?.ke.filter(({ id }) => id === 19) ?? []
  const esp = defaultEspSuites.map((suite) => ({ ...suite, ke: p256 }))
  const pair = attachedPair({ concentrator: { proposals: { ike: defaultIkeSuites, esp } } })
  rekeyChild(pair.device)
  pair.network.run(1_000)
  expect(pair.transcript.take().slice(0, 3)).toEqual([
    'dev: CREATE_CHILD_SA request 2, SK {N(REKEY_SA), SA, N, KE, TSi, TSr}',
    'con: CREATE_CHILD_SA response 2, SK {N(INVALID_KE_PAYLOAD)}',
    'dev: CREATE_CHILD_SA request 3, SK {N(REKEY_SA), SA, N, KE, TSi, TSr}',
  ])
  expectOneWorkingChild(pair)
})

describe('C54 both ends rekey the same Child SA at once', () => {
  /** Seeds that put the lowest of the four nonces into each place. */
  test.each(['device request', 'device response', 'concentrator request', 'concentrator response'] as const)(
    'lowest nonce in the %s: its exchange loses, one Child SA is left',
    (lowest) => {
      const pair = collide(lowest)
      pair.network.run(2_000)
      expectOneWorkingChild(pair)
      // A request of the device and the response of the concentrator make one exchange.
      const deviceLoses = lowest === 'device request' || lowest === 'concentrator response'
      expect(pair.device.child.replaces !== null && pair.device.child.spiIn === survivorOf(pair, deviceLoses)).toBe(
        true,
      )
    },
  )

  test('both Child SAs receive until the deletes are through', () => {
    const pair = attachedPair()
    rekeyChild(pair.device)
    rekeyChild(pair.concentrator)
    pair.network.runUntil(() => pair.device.children.size === 3 && pair.concentrator.children.size === 3)
    pair.network.run(2_000)
    expect(pair.device.eventsOf('childRekeyed')).not.toEqual([])
    expectOneWorkingChild(pair)
  })

  test.each(['device', 'concentrator'] as const)('a delayed response to the %s changes nothing', (slow) => {
    const pair = attachedPair()
    const answerer = slow === 'device' ? pair.concentrator : pair.device
    const delayed = { from: answerer.address, exchange: 'CREATE_CHILD_SA', isResponse: true } as const
    pair.network.fate = fateOfFirst(delayed, { extraDelayMs: 400 })
    rekeyChild(pair.device)
    rekeyChild(pair.concentrator)
    pair.network.run(5_000)
    expect(pair.device.eventsOf('childRekeyed')).not.toEqual([])
    expectOneWorkingChild(pair)
  })

  test.each(['device', 'concentrator'] as const)(
    'C55 a lost request of the %s finds the Child SA gone and is forgotten',
    (unlucky) => {
      const pair = attachedPair()
      const lost = { from: pair[unlucky].address, exchange: 'CREATE_CHILD_SA', isResponse: false } as const
      pair.network.fate = fateOfFirst(lost, LOST)
      rekeyChild(pair.device)
      rekeyChild(pair.concentrator)
      pair.network.run(5_000)
      expect(pair.transcript.take().filter((line) => line.includes('CHILD_SA_NOT_FOUND'))).toHaveLength(1)
      expectOneWorkingChild(pair)
    },
  )

  test('a rekey that meets our Delete of the same Child SA gets TEMPORARY_FAILURE', () => {
    const pair = attachedPair()
    pair.device.command({ kind: 'deleteChild', key: pair.device.key, spiIn: pair.device.child.spiIn })
    rekeyChild(pair.concentrator)
    pair.network.run(60_000)
    const lines = pair.transcript.take()
    expect(lines).toContain('dev: CREATE_CHILD_SA response 0, SK {N(TEMPORARY_FAILURE)}')
    expect(lines).toContain('con: INFORMATIONAL response 2, SK {D(1 ESP)}')
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
    expect([pair.device.pendingSpis, pair.concentrator.pendingSpis]).toEqual([0, 0])
  })

  test('C58 simultaneous deletes are answered without Delete', () => {
    const pair = attachedPair()
    for (const node of [pair.device, pair.concentrator]) {
      node.command({ kind: 'deleteChild', key: node.key, spiIn: node.child.spiIn })
    }
    pair.network.run(1_000)
    expect(pair.transcript.take().sort()).toEqual([
      'con: INFORMATIONAL request 0, SK {D(1 ESP)}',
      'con: INFORMATIONAL response 2, SK {}',
      'dev: INFORMATIONAL request 2, SK {D(1 ESP)}',
      'dev: INFORMATIONAL response 0, SK {}',
    ])
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
  })
})

test.each(['tsI', 'tsR'] as const)('C40 a rekey with a narrower %s is refused, and the Child SA stays', (narrowed) => {
  const wide = '10.127.0.0/24'
  const pair = createPair()
  const { concentrator, device, network } = pair
  concentrator.answerTo = granting({ tsLocal: selectors(wide), tsRemote: selectors('10.128.0.4/30') })
  initiate(pair)
  network.run(1_000)
  const { spiIn, tsLocal, tsRemote } = device.child
  expect([tsLocal, tsRemote]).toEqual([selectors('10.128.0.4/30'), selectors(wide)])
  const rekey = (messageId: number, change: Partial<Record<'tsI' | 'tsR', Payload>>): string | undefined => {
    pair.transcript.take()
    const spi = Uint8Array.of(0, 0, 16, messageId)
    sendForged(device, {
      exchangeType: EXCHANGE.CREATE_CHILD_SA,
      messageId,
      payloads: [
        {
          kind: 'notify',
          protocolId: PROTOCOL.ESP,
          spi: spiBytes(spiIn),
          type: NOTIFY.REKEY_SA,
          data: new Uint8Array(0),
        },
        { kind: 'sa', proposals: proposalsFor(defaultEspSuites, PROTOCOL.ESP, spi, { kePolicy: 'absent' }) },
        { kind: 'nonce', data: new Uint8Array(32).fill(9) },
        change.tsI ?? { kind: 'tsI', selectors: tsLocal },
        change.tsR ?? { kind: 'tsR', selectors: tsRemote },
      ],
    })
    network.run(100)
    return pair.transcript.take().at(-1)
  }
  const part = selectors(narrowed === 'tsI' ? '10.128.0.5' : '10.127.0.0/25')
  const refused = rekey(2, { [narrowed]: { kind: narrowed, selectors: part } })
  expect(refused).toBe('con: CREATE_CHILD_SA response 2, SK {N(TS_UNACCEPTABLE)}')
  expect(concentrator.child.spiOut).toBe(spiIn)
  expect(rekey(3, {})).toBe('con: CREATE_CHILD_SA response 3, SK {SA, N, TSi, TSr}')
})

test('C66 a soft limit of the data plane starts one rekey, however often it is told', () => {
  const pair = attachedPair()
  const { concentrator } = pair
  const { spiIn } = concentrator.child
  for (let count = 0; count < 3; count += 1) {
    concentrator.command({ kind: 'childSoftLimit', key: concentrator.key, spiIn })
  }
  pair.network.run(1_000)
  expect(concentrator.eventsOf('childRekeyed')).toHaveLength(1)
  expectOneWorkingChild(pair)
  expect(concentrator.child.replaces).toBe(spiIn)
})

test('C66 at a hard limit the Child SA is deleted on both ends, and the IKE SA stays', () => {
  const pair = attachedPair()
  const { concentrator, device } = pair
  concentrator.command({ kind: 'deleteChild', key: concentrator.key, spiIn: concentrator.child.spiIn })
  pair.network.run(1_000)
  expect([device.children.size, concentrator.children.size]).toEqual([0, 0])
  expect(concentrator.eventsOf('closed')).toEqual([])
})

test('C52 a Child SA is rekeyed before its lifetime ends, and again', () => {
  const timing = { childRekeyMs: 100_000 }
  const pair = attachedPair({ device: { timing }, concentrator: { timing } })
  pair.network.run(250_000)
  expect(pair.device.eventsOf('childRekeyed').length).toBeGreaterThanOrEqual(2)
  expectOneWorkingChild(pair)
})

test('C52 a Child SA that cannot be rekeyed is deleted at its end', () => {
  const pair = attachedPair({ device: { timing: { childRekeyMs: 100_000 } } })
  pair.concentrator.freeChildSpis = 0
  pair.network.run(400_000)
  expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
  expect(pair.device.endpoint.size.established).toBe(1)
})

test('a Child SA the peer rekeyed but never deletes is deleted by us', () => {
  const timing = { retransmit: { firstMs: 1_000, factor: 2, tries: 8 } }
  const pair = attachedPair({ device: { timing } })
  const deletes = { from: pair.device.address, exchange: 'INFORMATIONAL' } as const
  const isStuck = (): boolean => pair.concentrator.children.size === 2
  pair.network.fate = (packet) => (matches(packet, deletes) && isStuck() ? LOST : {})
  rekeyChild(pair.device)
  pair.network.run(30_000)
  expect(pair.concentrator.children.size).toBe(2)
  pair.network.run(2_000)
  expect(pair.transcript.take()).toContain('con: INFORMATIONAL request 0, SK {D(1 ESP)}')
  pair.network.fate = () => ({})
  pair.network.run(60_000)
  expectOneWorkingChild(pair)
})

function collide(lowest: ReturnType<typeof lowestNonceSender>, options: PairOptions = {}): Pair {
  for (let seed = 1; seed < 200; seed += 1) {
    const pair = attachedPair({ ...options, seed })
    rekeyChild(pair.device)
    rekeyChild(pair.concentrator)
    pair.network.runUntil(() => pair.device.children.size === 3 && pair.concentrator.children.size === 3)
    if (lowestNonceSender(pair) === lowest) return pair
  }
  throw new Error(`no seed puts the lowest nonce into the ${lowest}`)
}

/** Inbound SPI on the device of the Child SA that the surviving exchange made. */
function survivorOf({ device }: Pair, deviceLoses: boolean): number | undefined {
  const rekeyed = device.eventsOf('childRekeyed').map((event) => event.child.spiIn)
  return deviceLoses ? rekeyed[0] : rekeyed.at(-1)
}
