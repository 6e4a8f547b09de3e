/**
 * Rekeys with additional key exchanges in IKE_FOLLOWUP_KE: from either end, in bad weather, and when both ends rekey at once
 * (RFC 9370 2.2.4).
 */
import {
  type ChildSaDescription,
  decodeMessage,
  defaultEspSuites,
  defaultIkeSuites,
  EXCHANGE,
  KE,
  NOTIFY,
  type Payload,
  proposalTiers,
  modernTier,
  type Transform,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { notify, sendForged } from './forge.ts'
import type { Node, Overrides } from './node.ts'
import { lowestNonceSender, type NoncePlace } from './nonces.ts'
import { fateOfFirst, LOST, matches } from './packets.ts'
import { attachedPair, type Pair, type PairOptions } from './pair.ts'
import { expectAgreement } from './storm.ts'
import { innerPayloads } from './transcript.ts'

const { CREATE_CHILD_SA, IKE_FOLLOWUP_KE } = EXCHANGE
const PLACES: readonly NoncePlace[] = [
  'device request',
  'device response',
  'concentrator request',
  'concentrator response',
]

function methods(...ids: readonly number[]): Transform[] {
  return ids.map((id) => ({ type: 6, id, keyBits: null }))
}

function withAdditional(...additional: readonly (readonly number[])[]): Overrides {
  const additionalKe = additional.map((ids) => methods(...ids))
  return {
    proposals: {
      ike: defaultIkeSuites.map((suite) => ({ ...suite, additionalKe })),
      esp: defaultEspSuites.map((suite) => ({ ...suite, additionalKe })),
    },
  }
}

const HYBRID = withAdditional([KE.ML_KEM_768, KE.NONE])
const TWOFOLD = withAdditional([KE.ML_KEM_768], [KE.ML_KEM_1024])

function hybridPair(config: Overrides = HYBRID, options: PairOptions = {}): Pair {
  return attachedPair({ ...options, device: config, concentrator: config })
}

function rekeyIke(node: Node): void {
  node.command({ kind: 'rekeyIke', key: node.key })
}

function rekeyChild(node: Node): void {
  node.command({ kind: 'rekeyChild', key: node.key, spiIn: node.child.spiIn })
}

/** One Child SA with crossed keys that is used both ways, and nothing left over. */
function expectOneChild({ device, concentrator }: Pair): ChildSaDescription {
  expect(device.child.keys.inboundKey).toEqual(concentrator.child.keys.outboundKey)
  expect(device.child.keys.outboundKey).toEqual(concentrator.child.keys.inboundKey)
  expect([device.child.outbound, concentrator.child.outbound]).toEqual([true, true])
  expect([device.pendingSpis, concentrator.pendingSpis]).toEqual([0, 0])
  return device.child
}

/** Both ends stand on an IKE SA that works. */
function expectAlive(pair: Pair): void {
  for (const node of [pair.device, pair.concentrator]) {
    expect(node.eventsOf('closed')).toEqual([])
    pair.transcript.take()
    node.command({ kind: 'checkLiveness', key: node.key })
    pair.network.run(1_000)
    expect(pair.transcript.take()).toHaveLength(2)
  }
}

describe.each(['device', 'concentrator'] as const)('started by the %s', (starter) => {
  const [asker, answerer] = starter === 'device' ? ['dev', 'con'] : ['con', 'dev']

  test('RFC 9370 2.2.4 a rekey of the IKE SA with ML-KEM', () => {
    const pair = hybridPair()
    rekeyIke(pair[starter])
    pair.network.run(1_000)
    const lines = pair.transcript.take().filter((line) => !line.includes('SKF'))
    expect(lines.slice(0, 4).map((line) => line.replaceAll(/ \d+,/g, ','))).toEqual([
      `${asker}: CREATE_CHILD_SA request, SK {SA, N, KE}`,
      `${answerer}: CREATE_CHILD_SA response, SK {SA, N, KE, N(ADDITIONAL_KEY_EXCHANGE)}`,
      `${asker}: IKE_FOLLOWUP_KE request, SK {KE, N(ADDITIONAL_KEY_EXCHANGE)}`,
      `${answerer}: IKE_FOLLOWUP_KE response, SK {KE}`,
    ])
    for (const node of [pair.device, pair.concentrator]) {
      expect(node.eventsOf('ikeRekeyed').map(({ ike }) => ike.additionalKe.map(({ id }) => id))).toEqual([
        [KE.ML_KEM_768],
      ])
    }
    expectAlive(pair)
  })

  test('RFC 9370 2.2.4 a rekey of a Child SA with ML-KEM', () => {
    const pair = hybridPair()
    const before = pair[starter].child
    rekeyChild(pair[starter])
    pair.network.run(1_000)
    const lines = pair.transcript.take().map((line) => line.replaceAll(/ \d+,/g, ','))
    expect(lines.slice(1, 4)).toEqual([
      `${answerer}: CREATE_CHILD_SA response, SK {SA, N, KE, TSi, TSr, N(ADDITIONAL_KEY_EXCHANGE)}`,
      `${asker}: IKE_FOLLOWUP_KE request, SK {KE, N(ADDITIONAL_KEY_EXCHANGE)}`,
      `${answerer}: IKE_FOLLOWUP_KE response, SK {KE}`,
    ])
    expectOneChild(pair)
    expect(pair[starter].child.replaces).toBe(before.spiIn)
    expectAlive(pair)
  })

  test.each(['rekeyIke', 'rekeyChild'] as const)('two additional key exchanges, one after the other (%s)', (kind) => {
    const pair = hybridPair(TWOFOLD)
    if (kind === 'rekeyIke') rekeyIke(pair[starter])
    else rekeyChild(pair[starter])
    pair.network.run(1_000)
    const followUps = pair.transcript.take().filter((line) => line.includes('IKE_FOLLOWUP_KE response'))
    expect(followUps.join()).toMatch(/N\(ADDITIONAL_KEY_EXCHANGE\).*IKE_FOLLOWUP_KE response|SKF/)
    expectOneChild(pair)
    expectAlive(pair)
  })

  test.each([
    ['CREATE_CHILD_SA', false],
    ['CREATE_CHILD_SA', true],
    ['IKE_FOLLOWUP_KE', false],
    ['IKE_FOLLOWUP_KE', true],
  ] as const)('C46 a lost %s (response: %s) is made up for', (exchange, isResponse) => {
    for (const rekey of [rekeyIke, rekeyChild]) {
      const pair = hybridPair()
      pair.network.fate = fateOfFirst({ exchange, isResponse }, LOST)
      rekey(pair[starter])
      pair.network.run(10_000)
      expect(pair[starter].eventsOf(rekey === rekeyIke ? 'ikeRekeyed' : 'childRekeyed')).toHaveLength(1)
      expectOneChild(pair)
      expectAlive(pair)
    }
  })

  test('without the group in the offer there is nothing to follow', () => {
    const none = { ...HYBRID, proposals: { ike: defaultIkeSuites, esp: defaultEspSuites } }
    const pair = hybridPair(none)
    rekeyChild(pair[starter])
    pair.network.run(1_000)
    expect(pair.transcript.take().join()).not.toContain('FOLLOWUP')
    expectOneChild(pair)
  })
})

test('with tiers, additional key exchanges at a rekey of the concentrator only when the device made them', () => {
  const device = { proposals: { ike: modernTier.ike, esp: modernTier.esp } }
  const pair = attachedPair({ device, concentrator: { tiers: proposalTiers } })
  rekeyChild(pair.concentrator)
  pair.network.run(1_000)
  expect(pair.transcript.take().join()).not.toContain('FOLLOWUP')
  rekeyChild(pair.device)
  pair.network.run(1_000)
  expect(pair.transcript.take().join()).toContain('dev: IKE_FOLLOWUP_KE')
  rekeyChild(pair.concentrator)
  pair.network.run(1_000)
  expect(pair.transcript.take().join()).toContain('con: IKE_FOLLOWUP_KE')
  rekeyIke(pair.concentrator)
  pair.network.run(1_000)
  expect(pair.device.eventsOf('ikeRekeyed')[0]?.ike.additionalKe.map(({ id }) => id)).toEqual([KE.ML_KEM_768])
  expectOneChild(pair)
  expectAlive(pair)
})

/** Pairs in which both ends rekey at the same moment, one for each place where the lowest nonce may stand. */
function crossing(
  rekey: (node: Node) => void,
  config: { device: Overrides; concentrator: Overrides },
  delays: boolean,
): Map<NoncePlace, Pair> {
  const found = new Map<NoncePlace, Pair>()
  for (let seed = 1; seed < 80 && found.size < PLACES.length; seed += 1) {
    const pair = attachedPair({ seed, ...config })
    const { network } = pair
    if (delays) {
      network.fate = (packet) => {
        const isSlow = matches(packet, { exchange: 'CREATE_CHILD_SA', isResponse: true })
        return isSlow && packet.from.address === pair.concentrator.address ? { extraDelayMs: 400 } : {}
      }
    }
    rekey(pair.device)
    rekey(pair.concentrator)
    network.run(8_000)
    const place = lowestNonceSender(pair)
    if (!found.has(place)) found.set(place, pair)
  }
  return found
}

describe('both ends rekey at once', () => {
  const SINGLE: Overrides = { proposals: { ike: defaultIkeSuites, esp: defaultEspSuites } }

  describe.each([
    ['multi KE', { device: HYBRID, concentrator: HYBRID }, false],
    ['multi KE, one side answers late', { device: HYBRID, concentrator: HYBRID }, true],
    ['two additional ones', { device: TWOFOLD, concentrator: TWOFOLD }, false],
    ['no multi KE', { device: SINGLE, concentrator: SINGLE }, false],
  ] as const)('%s', (_name, config, delays) => {
    const ofIke = crossing(rekeyIke, config, delays)
    const ofChild = crossing(rekeyChild, config, delays)

    test.each(PLACES)('C56 the IKE SA, lowest nonce in the %s', (place) => {
      const pair = ofIke.get(place)
      if (pair === undefined) throw new Error('no seed gave that')
      expectOneChild(pair)
      expectAlive(pair)
      for (const node of [pair.device, pair.concentrator]) expect(node.eventsOf('ikeRekeyed').length).toBeGreaterThan(0)
    })

    test.each(PLACES)('C54 a Child SA, lowest nonce in the %s', (place) => {
      const pair = ofChild.get(place)
      if (pair === undefined) throw new Error('no seed gave that')
      expectOneChild(pair)
      expectAlive(pair)
    })
  })

  test('RFC 9370 2.2.4 the one with the lowest nonce does not go on: one IKE_FOLLOWUP_KE exchange, no Delete of what was never made', () => {
    for (const [place, pair] of crossing(rekeyIke, { device: HYBRID, concentrator: HYBRID }, false)) {
      const winner = place.startsWith('device') ? pair.device : pair.concentrator
      const requests = [pair.device, pair.concentrator].flatMap((node) =>
        node.sent
          .filter((packet) => matches(packet, { exchange: 'IKE_FOLLOWUP_KE', isResponse: false }))
          .map(() => node.name),
      )
      const isRequest = place.endsWith('request')
      const loser = isRequest ? winner : winner === pair.device ? pair.concentrator : pair.device
      expect(requests).toEqual([loser === pair.device ? 'con' : 'dev'])
    }
  })
})

describe('mixed: one side multi KE, the other not', () => {
  /** The device adds ML-KEM, the concentrator does not ask for it but takes it. */
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('child rekey collision (seed %d)', (seed) => {
    const device = { proposals: { ike: modernTier.ike, esp: modernTier.esp } }
    const pair = attachedPair({ seed, device, concentrator: { tiers: proposalTiers } })
    rekeyChild(pair.device)
    rekeyChild(pair.concentrator)
    pair.network.run(20_000)
    expectOneChild(pair)
    expectAlive(pair)
  })
})

describe('a peer that does it wrong', () => {
  interface Scene {
    readonly pair: Pair
    /** As the concentrator drew it. */
    readonly link: Uint8Array
  }

  /** The device has its answer to CREATE_CHILD_SA, and the test speaks for it from then on. */
  function promisedPair(rekey: (node: Node) => void): Scene {
    const pair = hybridPair()
    pair.network.fate = (packet) => (matches(packet, { exchange: 'IKE_FOLLOWUP_KE', isResponse: false }) ? LOST : {})
    rekey(pair.device)
    pair.network.run(100)
    pair.network.fate = (packet) => (packet.from.address === pair.concentrator.address ? LOST : {})
    pair.transcript.take()
    const [response] = pair.concentrator.sent.filter((packet) =>
      matches(packet, { exchange: 'CREATE_CHILD_SA', isResponse: true }),
    )
    const message = response === undefined ? null : decodeMessage(response.bytes)
    if (response === undefined || message === null || !message.ok) throw new Error('there is one')
    for (const payload of innerPayloads(pair.concentrator.tap, message.value, response.bytes)) {
      if (payload.kind === 'notify' && payload.type === NOTIFY.ADDITIONAL_KEY_EXCHANGE)
        return { pair, link: payload.data }
    }
    throw new Error('there is a link')
  }

  function forgedAnswers(
    { pair }: Scene,
    payloads: readonly Payload[],
    messageId = 4,
    exchangeType: number = IKE_FOLLOWUP_KE,
  ): string[] {
    sendForged(pair.device, { exchangeType, messageId, payloads })
    pair.network.run(50)
    return pair.transcript.take().filter((line) => line.startsWith('con'))
  }

  function ke(group: number, octets: Uint8Array): Payload {
    return { kind: 'ke', group, data: octets }
  }

  const KE_768 = ke(KE.ML_KEM_768, new Uint8Array(1184))

  test.each([rekeyIke, rekeyChild])('an unknown link gets STATE_NOT_FOUND and changes nothing', (rekey) => {
    const scene = promisedPair(rekey)
    const unknown = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, new Uint8Array(16))
    expect(forgedAnswers(scene, [KE_768, unknown])).toEqual([
      'con: IKE_FOLLOWUP_KE response 4, SK {N(STATE_NOT_FOUND)}',
    ])
    const empty = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE)
    expect(forgedAnswers(scene, [KE_768, empty], 5)).toEqual([
      'con: IKE_FOLLOWUP_KE response 5, SK {N(STATE_NOT_FOUND)}',
    ])
    const known = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, scene.link)
    expect(forgedAnswers(scene, [KE_768, known], 6)).toEqual(['con: IKE_FOLLOWUP_KE response 6, SK {KE}'])
    expect(forgedAnswers(scene, [KE_768, known], 7).join()).toContain('STATE_NOT_FOUND')
    expect(scene.pair.concentrator.pendingSpis).toBe(0)
  })

  test.each([
    ['another method', [ke(KE.ML_KEM_1024, new Uint8Array(1568))]],
    ['the method of CREATE_CHILD_SA', [ke(KE.CURVE25519, new Uint8Array(32).fill(9))]],
    ['no key exchange', []],
    ['a value not below the modulus', [ke(KE.ML_KEM_768, new Uint8Array(1184).fill(0xff))]],
  ])('N03 C15 %s ends the IKE SA with INVALID_SYNTAX, and nothing stays behind', (_what, payloads) => {
    for (const rekey of [rekeyIke, rekeyChild]) {
      const scene = promisedPair(rekey)
      const known = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, scene.link)
      expect(forgedAnswers(scene, [...payloads, known])).toEqual([
        'con: IKE_FOLLOWUP_KE response 4, SK {N(INVALID_SYNTAX)}',
      ])
      const { concentrator } = scene.pair
      expect([concentrator.endpoint.size.established, concentrator.pendingSpis, concentrator.children.size]).toEqual([
        0, 0, 0,
      ])
    }
  })

  test('without a link INVALID_SYNTAX', () => {
    expect(forgedAnswers(promisedPair(rekeyChild), [KE_768])).toEqual([
      'con: IKE_FOLLOWUP_KE response 4, SK {N(INVALID_SYNTAX)}',
    ])
  })

  test('who does not go on is forgotten in time, and the SPI is given back', () => {
    const scene = promisedPair(rekeyChild)
    const { concentrator, network } = scene.pair
    expect(concentrator.pendingSpis).toBe(1)
    network.fate = () => LOST
    network.run(100_000)
    expect(concentrator.pendingSpis).toBe(0)
    expect(concentrator.eventsOf('closed')).toEqual([])
    const known = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, scene.link)
    network.fate = () => ({})
    expect(forgedAnswers(scene, [KE_768, known]).join()).toContain('STATE_NOT_FOUND')
  })

  test('N27 one that starts the same rekey again and again holds one SPI', () => {
    const scene = promisedPair(rekeyChild)
    const { device, concentrator } = scene.pair
    const [first] = device.sent.filter((packet) => matches(packet, { exchange: 'CREATE_CHILD_SA', isResponse: false }))
    const message = first === undefined ? null : decodeMessage(first.bytes)
    if (first === undefined || message === null || !message.ok) throw new Error('there is one')
    const payloads = innerPayloads(device.tap, message.value, first.bytes)
    for (let messageId = 4; messageId < 10; messageId += 1) {
      expect(forgedAnswers(scene, payloads, messageId, CREATE_CHILD_SA).join()).toContain('N(ADDITIONAL_KEY_EXCHANGE)')
    }
    expect(concentrator.pendingSpis).toBe(1)
  })

  test.each([
    ['rekeyIke', 'revoked'],
    ['rekeyChild', 'revoked'],
    ['rekeyIke', 'deletedLocally'],
    ['rekeyChild', 'deletedLocally'],
  ] as const)('N25 C59 what it saved up (%s) keeps it from no end that was decided (%s)', (kind, reason) => {
    const scene = promisedPair(kind === 'rekeyIke' ? rekeyIke : rekeyChild)
    const { device, concentrator, network } = scene.pair
    const [{ spiIn }] = [concentrator.child]
    concentrator.command({ kind: 'deleteIke', key: concentrator.key, reason })
    network.run(50)
    scene.pair.transcript.take()
    const known = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, scene.link)
    expect(forgedAnswers(scene, [KE_768, known])).toEqual(['con: IKE_FOLLOWUP_KE response 4, SK {N(STATE_NOT_FOUND)}'])
    expect(concentrator.eventsOf('ikeRekeyed')).toEqual([])
    expect([...concentrator.children.keys()]).toEqual(reason === 'revoked' ? [] : [spiIn])
    network.fate = (packet) => (packet.from.address === device.address ? LOST : {})
    network.run(600_000)
    expect(concentrator.eventsOf('closed')).toMatchObject([{ reason }])
    expect([concentrator.endpoint.size.established, concentrator.children.size, concentrator.pendingSpis]).toEqual([
      0, 0, 0,
    ])
  })

  test('a Delete of the Child SA meanwhile: STATE_NOT_FOUND', () => {
    const scene = promisedPair(rekeyChild)
    const { device, concentrator } = scene.pair
    const spi = new Uint8Array(4)
    new DataView(spi.buffer).setUint32(0, device.child.spiIn)
    forgedAnswers(scene, [{ kind: 'delete', protocolId: 3, spis: [spi] }], 4, EXCHANGE.INFORMATIONAL)
    const known = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, scene.link)
    expect(forgedAnswers(scene, [KE_768, known], 5)).toEqual([
      'con: IKE_FOLLOWUP_KE response 5, SK {N(STATE_NOT_FOUND)}',
    ])
    expect([concentrator.children.size, concentrator.pendingSpis]).toEqual([0, 0])
  })
})

test.each([rekeyIke, rekeyChild])('STATE_NOT_FOUND ends our negotiation, which starts anew later', (rekey) => {
  const impatient = { ...HYBRID, timing: { retransmit: { firstMs: 500, factor: 1, tries: 1 } } }
  const pair = attachedPair({ device: HYBRID, concentrator: impatient })
  const { device, network } = pair
  network.fate = (packet) => (matches(packet, { exchange: 'IKE_FOLLOWUP_KE' }) ? LOST : {})
  rekey(device)
  network.run(3_000)
  network.fate = () => ({})
  network.run(200_000)
  expect(pair.transcript.take()).toContain('con: IKE_FOLLOWUP_KE response 4, SK {N(STATE_NOT_FOUND)}')
  expect(device.eventsOf(rekey === rekeyIke ? 'ikeRekeyed' : 'childRekeyed')).toHaveLength(1)
  expectOneChild(pair)
  expectAlive(pair)
})

test.each([1, 2, 3, 4, 5, 6])('bad weather with ML-KEM at every rekey (seed %d)', (seed) => {
  const timing = { livenessMs: 20_000, retransmit: { firstMs: 500, factor: 1.6, tries: 7 } }
  const config = { ...HYBRID, timing, fragmentBytes: seed % 2 === 0 ? 1_280 : 500 }
  const pair = hybridPair(config, { seed })
  const { network, device, concentrator } = pair
  network.fate = () => {
    if (network.random.below(100) < 10) return LOST
    return { copies: network.random.below(100) < 10 ? 2 : 1, extraDelayMs: network.random.below(200) }
  }
  for (let round = 0; round < 12; round += 1) {
    for (const node of [device, concentrator]) {
      const [spiIn] = node.children.keys()
      if (spiIn === undefined || node.eventsOf('closed').length > 0) continue
      if (network.random.below(2) === 0) node.command({ kind: 'rekeyChild', key: node.key, spiIn })
      else node.command({ kind: 'rekeyIke', key: node.key })
    }
    network.run(network.random.below(3_000))
  }
  network.fate = () => ({})
  network.run(400_000)
  expectAgreement(pair)
})
