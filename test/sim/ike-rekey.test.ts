/**
 * Rekeying and deleting the IKE SA, from either end and from both at once (RFC 7296 1.3.2, 1.4.1, 2.8, 2.8.2, 2.25.2).
 */
import { defaultEspSuites, defaultIkeSuites, EXCHANGE, NOTIFY } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { forge, notify, sendForged } from './forge.ts'
import type { Node } from './node.ts'
import { lowestNonceSender, type NoncePlace } from './nonces.ts'
import { fateOfFirst, LOST, matches } from './packets.ts'
import { attachedPair, type Pair } from './pair.ts'

function rekeyIke(node: Node): void {
  node.command({ kind: 'rekeyIke', key: node.key })
}

function rekeyChild(node: Node): void {
  node.command({ kind: 'rekeyChild', key: node.key, spiIn: node.child.spiIn })
}

function lastIke(node: Node) {
  return node.eventsOf('ikeRekeyed').at(-1)?.ike
}

/** Both ends work on the same IKE SA, the Child SA was not touched, and everything old is gone after a while. */
function expectOneWorkingIkeSa(pair: Pair): void {
  const { device, concentrator, network, transcript } = pair
  expect(lastIke(device)).toMatchObject({ spiI: lastIke(concentrator)?.spiI, spiR: lastIke(concentrator)?.spiR })
  expect([device.children.size, concentrator.children.size]).toEqual([1, 1])
  network.run(200_000)
  transcript.take()
  for (const node of [device, concentrator]) node.command({ kind: 'checkLiveness', key: node.key })
  network.run(500)
  const lines = transcript.take()
  expect(lines).toHaveLength(4)
  expect(lines.filter((line) => line.includes('INFORMATIONAL response'))).toHaveLength(2)
  expect([...device.eventsOf('closed'), ...concentrator.eventsOf('closed')]).toEqual([])
}

describe.each(['device', 'concentrator'] as const)('started by the %s', (starter) => {
  test('C48 rekeys the IKE SA; message ids start at 0 again', () => {
    const pair = attachedPair()
    rekeyIke(pair[starter])
    pair.network.run(1_000)
    const [asker, answerer, id] = starter === 'device' ? ['dev', 'con', 2] : ['con', 'dev', 0]
    expect(pair.transcript.take()).toEqual([
      `${asker}: CREATE_CHILD_SA request ${id}, SK {SA, N, KE}`,
      `${answerer}: CREATE_CHILD_SA response ${id}, SK {SA, N, KE}`,
      `${asker}: INFORMATIONAL request ${id + 1}, SK {D(IKE)}`,
      `${answerer}: INFORMATIONAL response ${id + 1}, SK {}`,
    ])
    pair[starter].command({ kind: 'checkLiveness', key: pair[starter].key })
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([
      `${asker}: INFORMATIONAL request 0, SK {}`,
      `${answerer}: INFORMATIONAL response 0, SK {}`,
    ])
    expectOneWorkingIkeSa(pair)
  })

  test('C06 the one that rekeyed is the original initiator of the new IKE SA', () => {
    const pair = attachedPair()
    rekeyIke(pair[starter])
    pair.network.run(1_000)
    const prefix = Buffer.from(pair[starter].name).toString('hex')
    expect(lastIke(pair.device)?.spiI.startsWith(prefix)).toBe(true)
    rekeyIke(pair[starter === 'device' ? 'concentrator' : 'device'])
    pair.network.run(1_000)
    expectOneWorkingIkeSa(pair)
  })

  test.each(['request', 'response'] as const)('C46 a lost rekey %s is made up for', (lost) => {
    const pair = attachedPair()
    pair.network.fate = fateOfFirst({ exchange: 'CREATE_CHILD_SA', isResponse: lost === 'response' }, LOST)
    rekeyIke(pair[starter])
    pair.network.run(5_000)
    expect(pair.device.eventsOf('ikeRekeyed')).not.toEqual([])
    expectOneWorkingIkeSa(pair)
  })

  test('C59 the old IKE SA is answered until it is gone, and its last request is the Delete', () => {
    const pair = attachedPair()
    const peer = starter === 'device' ? pair.concentrator : pair.device
    const lost = { from: pair[starter].address, exchange: 'INFORMATIONAL', isResponse: false } as const
    pair.network.fate = (packet) => (matches(packet, lost) ? LOST : {})
    rekeyIke(pair[starter])
    pair.network.run(100)
    const [name, messageId, next] = starter === 'device' ? ['dev', 3, 0] : ['con', 1, 2]
    expect(pair.transcript.take().at(-1)).toBe(`${name}: INFORMATIONAL request ${messageId}, SK {D(IKE)}`)
    // The peer sealed its last message, the answer to the rekey, on the old IKE SA: what it says now is said there too.
    sendForged(peer, { exchangeType: EXCHANGE.INFORMATIONAL, messageId: next, payloads: [] })
    pair.network.run(100)
    expect(pair.transcript.take()).toEqual([`${name}: INFORMATIONAL response ${next}, SK {}`])
    pair[starter].command({ kind: 'checkLiveness', key: pair[starter].key })
    expect(pair.transcript.take()).toEqual([`${name}: INFORMATIONAL request 0, SK {}`])
  })

  test('C59 a Delete of the old IKE SA that never arrives: it is forgotten', () => {
    const pair = attachedPair()
    pair.network.fate = fateOfFirst({ exchange: 'INFORMATIONAL', isResponse: false }, LOST, 5)
    rekeyIke(pair[starter])
    pair.network.run(40_000)
    expect(pair.device.eventsOf('ikeRekeyed')).not.toEqual([])
    expectOneWorkingIkeSa(pair)
  })

  test('a Child SA can be rekeyed on the new IKE SA', () => {
    const pair = attachedPair()
    rekeyIke(pair[starter])
    pair.network.run(1_000)
    pair[starter].command({ kind: 'rekeyChild', key: pair[starter].key, spiIn: pair[starter].child.spiIn })
    pair.network.run(1_000)
    expect(pair.device.child.keys.inboundKey).toEqual(pair.concentrator.child.keys.outboundKey)
    expectOneWorkingIkeSa(pair)
  })

  test('an IKE SA is deleted, and its Child SAs with it', () => {
    const pair = attachedPair()
    pair[starter].command({ kind: 'deleteIke', key: pair[starter].key, reason: 'shutdown' })
    pair.network.run(1_000)
    const other = starter === 'device' ? pair.concentrator : pair.device
    expect(pair[starter].eventsOf('closed').map(({ reason }) => reason)).toEqual(['shutdown'])
    expect(other.eventsOf('closed').map(({ reason }) => reason)).toEqual(['deletedByPeer'])
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
    expect([pair.device.endpoint.size, pair.concentrator.endpoint.size]).toEqual([
      { established: 0, halfOpen: 0 },
      { established: 0, halfOpen: 0 },
    ])
  })

  test('C58 a lost answer to the Delete of an IKE SA is repeated', () => {
    const pair = attachedPair()
    pair.network.fate = fateOfFirst({ exchange: 'INFORMATIONAL', isResponse: true }, LOST)
    pair[starter].command({ kind: 'deleteIke', key: pair[starter].key, reason: 'shutdown' })
    pair.network.run(1_500)
    expect(pair[starter].eventsOf('closed')).toHaveLength(1)
    expect(pair.transcript.take().filter((line) => line.includes('again'))).toHaveLength(2)
  })
})

test('INVALID_KE_PAYLOAD at a rekey is followed by a request with the group named', () => {
  const pair = attachedPair()
  const onlyP384 = defaultIkeSuites.map((suite) => ({ ...suite, ke: suite.ke.filter(({ id }) => id === 20) }))
  const stubborn = attachedPair({
    device: { proposals: { ike: defaultIkeSuites, esp: defaultEspSuites } },
    concentrator: { proposals: { ike: onlyP384, esp: defaultEspSuites } },
  })
  rekeyIke(stubborn.device)
  rekeyIke(pair.device)
  stubborn.network.run(1_000)
  expect(lastIke(stubborn.device)?.ke.id).toBe(20)
  expectOneWorkingIkeSa(stubborn)
})

describe('C56 both ends rekey the IKE SA at once', () => {
  test.each(['device request', 'device response', 'concentrator request', 'concentrator response'] as const)(
    'lowest nonce in the %s: its exchange loses, the other IKE SA inherits',
    (lowest) => {
      const pair = collide(lowest)
      pair.network.run(2_000)
      const deviceLoses = lowest === 'device request' || lowest === 'concentrator response'
      const winner = deviceLoses ? pair.concentrator : pair.device
      expect(lastIke(pair.device)?.spiI.startsWith(Buffer.from(winner.name).toString('hex'))).toBe(true)
      expectOneWorkingIkeSa(pair)
    },
  )

  test.each(['device', 'concentrator'] as const)('a response to the %s that is late changes nothing', (slow) => {
    const pair = attachedPair()
    const answerer = slow === 'device' ? pair.concentrator : pair.device
    const late = { from: answerer.address, exchange: 'CREATE_CHILD_SA', isResponse: true } as const
    pair.network.fate = fateOfFirst(late, { extraDelayMs: 300 })
    rekeyIke(pair.device)
    rekeyIke(pair.concentrator)
    pair.network.run(5_000)
    expect(pair.device.eventsOf('ikeRekeyed')).not.toEqual([])
    expectOneWorkingIkeSa(pair)
  })

  test.each(['device', 'concentrator'] as const)(
    'the %s, whose request was lost, gives up its own rekey when the old IKE SA is deleted',
    (unlucky) => {
      const pair = attachedPair()
      const lost = { from: pair[unlucky].address, exchange: 'CREATE_CHILD_SA', isResponse: false } as const
      pair.network.fate = fateOfFirst(lost, LOST)
      rekeyIke(pair.device)
      rekeyIke(pair.concentrator)
      pair.network.run(5_000)
      const winner = unlucky === 'device' ? 'con' : 'dev'
      expect(lastIke(pair.device)?.spiI.startsWith(Buffer.from(winner).toString('hex'))).toBe(true)
      expectOneWorkingIkeSa(pair)
    },
  )

  test.each(['device', 'concentrator'] as const)(
    'a late request of the %s for the IKE SA being closed gets TEMPORARY_FAILURE',
    (slow) => {
      const pair = attachedPair()
      const late = { from: pair[slow].address, exchange: 'CREATE_CHILD_SA', isResponse: false } as const
      pair.network.fate = fateOfFirst(late, { extraDelayMs: 15 })
      rekeyIke(pair.device)
      rekeyIke(pair.concentrator)
      pair.network.run(5_000)
      expect(pair.transcript.take().some((line) => line.includes('N(TEMPORARY_FAILURE)'))).toBe(true)
      expectOneWorkingIkeSa(pair)
    },
  )

  test.each(['device', 'concentrator'] as const)('the %s deletes the IKE SA while both rekey it', (deleter) => {
    const pair = attachedPair()
    rekeyIke(pair.device)
    rekeyIke(pair.concentrator)
    pair[deleter].command({ kind: 'deleteIke', key: pair[deleter].key, reason: 'shutdown' })
    pair.network.run(200_000)
    expect([pair.device.endpoint.size.established, pair.concentrator.endpoint.size.established]).toEqual([0, 0])
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
  })
})

describe('C57 other requests that cross a rekey of the IKE SA', () => {
  test('a rekey of a Child SA during a rekey of the IKE SA gets TEMPORARY_FAILURE and is done later', () => {
    const pair = attachedPair()
    rekeyIke(pair.device)
    const { concentrator } = pair
    concentrator.command({ kind: 'rekeyChild', key: concentrator.key, spiIn: concentrator.child.spiIn })
    pair.network.run(500)
    const lines = pair.transcript.take()
    expect(lines).toContain('dev: CREATE_CHILD_SA response 0, SK {N(TEMPORARY_FAILURE)}')
    expect(lines).toContain('con: CREATE_CHILD_SA response 2, SK {N(TEMPORARY_FAILURE)}')
    pair.network.run(120_000)
    expect(concentrator.eventsOf('childRekeyed')).toHaveLength(1)
    expect(lastIke(pair.device)).toBeDefined()
    expectOneWorkingIkeSa(pair)
  })

  test('a Delete of a Child SA during a rekey of the IKE SA is answered as usual', () => {
    const pair = attachedPair()
    rekeyIke(pair.device)
    const { concentrator } = pair
    concentrator.command({ kind: 'deleteChild', key: concentrator.key, spiIn: concentrator.child.spiIn })
    pair.network.run(500)
    const lines = pair.transcript.take()
    expect(lines).toContain('dev: INFORMATIONAL response 0, SK {D(1 ESP)}')
    expect(lines).toContain('con: CREATE_CHILD_SA response 2, SK {N(TEMPORARY_FAILURE)}')
    pair.network.run(60_000)
    expect(lastIke(pair.device)).toBeDefined()
    expect(pair.device.children.size).toBe(0)
  })

  test('a rekey of the IKE SA that meets its Delete: the Delete goes through', () => {
    const pair = attachedPair()
    rekeyIke(pair.device)
    pair.concentrator.command({ kind: 'deleteIke', key: pair.concentrator.key, reason: 'shutdown' })
    pair.network.run(60_000)
    expect(pair.device.eventsOf('closed').map(({ reason }) => reason)).toEqual(['deletedByPeer'])
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['shutdown'])
  })

  test('both delete the IKE SA at once: both are done', () => {
    const pair = attachedPair()
    for (const node of [pair.device, pair.concentrator]) {
      node.command({ kind: 'deleteIke', key: node.key, reason: 'shutdown' })
    }
    pair.network.run(1_000)
    for (const node of [pair.device, pair.concentrator]) {
      expect(node.eventsOf('closed').map(({ reason }) => reason)).toEqual(['shutdown'])
    }
  })
})

test('N27 a rekey of the IKE SA every second is slowed down with TEMPORARY_FAILURE', () => {
  const pair = attachedPair()
  for (let count = 0; count < 80; count += 1) {
    rekeyIke(pair.device)
    pair.network.run(1_000)
  }
  expect(pair.transcript.take().some((line) => line.includes('N(TEMPORARY_FAILURE)'))).toBe(true)
  pair.network.run(60_000)
  expectOneWorkingIkeSa(pair)
})

test('C51 TEMPORARY_FAILURE again and again ends the IKE SA after minutes, not before', () => {
  const pair = attachedPair()
  const { device, concentrator, network } = pair
  concentrator.freeChildSpis = 0
  network.fate = (packet) => {
    if (!matches(packet, { from: concentrator.address, exchange: 'CREATE_CHILD_SA', isResponse: true })) return {}
    const messageId = new DataView(packet.bytes.buffer, packet.bytes.byteOffset).getUint32(20)
    const payloads = [notify(NOTIFY.TEMPORARY_FAILURE)]
    const [bytes] = forge(concentrator, {
      exchangeType: EXCHANGE.CREATE_CHILD_SA,
      messageId,
      isResponse: true,
      payloads,
    })
    return bytes === undefined ? {} : { bytes }
  }
  rekeyChild(device)
  network.run(120_000)
  expect(device.eventsOf('closed')).toEqual([])
  network.run(600_000)
  expect(device.eventsOf('closed').map(({ reason }) => reason)).toEqual(['expired'])
})

test('a revoked credential ends traffic at once, also while a rekey is under way and the peer is away', () => {
  const pair = attachedPair()
  const { device, concentrator, network } = pair
  rekeyChild(concentrator)
  network.run(5)
  network.fate = () => LOST
  concentrator.command({ kind: 'deleteIke', key: concentrator.key, reason: 'revoked' })
  expect(concentrator.children.size).toBe(0)
  rekeyChild(device)
  network.run(5_000)
  network.fate = () => ({})
  network.run(60_000)
  expect(concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['revoked'])
  expect([device.children.size, concentrator.children.size]).toEqual([0, 0])
  expect([device.pendingSpis, concentrator.pendingSpis]).toEqual([0, 0])
})

test('C52 the IKE SA is rekeyed before its lifetime ends, and again', () => {
  const timing = { ikeRekeyMs: 100_000 }
  const pair = attachedPair({ device: { timing }, concentrator: { timing } })
  pair.network.run(250_000)
  expect(pair.device.eventsOf('ikeRekeyed').length).toBeGreaterThanOrEqual(2)
  expect(lastIke(pair.device)?.spiI).toBe(lastIke(pair.concentrator)?.spiI)
})

function collide(lowest: NoncePlace): Pair {
  for (let seed = 1; seed < 200; seed += 1) {
    const pair = attachedPair({ seed })
    rekeyIke(pair.device)
    rekeyIke(pair.concentrator)
    pair.network.runUntil(() => [pair.device, pair.concentrator].every((node) => answersOf(node) >= 1))
    if (lowestNonceSender(pair) === lowest) return pair
  }
  throw new Error(`no seed puts the lowest nonce into the ${lowest}`)
}

/** Own SPIs drawn: attach, own rekey, answer to the peer's rekey. */
function answersOf(node: Node): number {
  return node.sent.filter((packet) => packet.bytes[18] === 36 && ((packet.bytes[19] ?? 0) & 0x20) !== 0).length
}
