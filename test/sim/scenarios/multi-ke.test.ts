/**
 * Rekeys and new Child SAs with an additional key exchange in IKE_FOLLOWUP_KE, message by message (RFC 9370 2.2.4). Every title
 * begins with the name of a scenario of docs/rfc/scenarios.json.
 *
 * In a collision no SA was made yet when it is decided: the one whose exchange holds the lowest nonce just does not go on.
 */
import { defaultEspSuites, defaultIkeSuites, KE, type ProposalPolicy, type Spi, type SuitePolicy } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { type Node, selectors } from '../node.ts'
import { DIAL } from '../pair.ts'
import {
  ByHand,
  CHILD,
  DELETE_CHILD,
  DELETE_IKE,
  EMPTY,
  INVALID_KE_PAYLOAD,
  REKEY_CHILD,
  REKEY_IKE,
  type Side,
  TEMPORARY_FAILURE,
} from './by-hand.ts'
import { aLoses, ask, LOWEST, LOWEST_OF_THREE, type Lowest } from './collide.ts'

const SIDES: readonly Side[] = ['device', 'concentrator']
const MORE_IKE = 'SK {SA, N, KE, N(ADDITIONAL_KEY_EXCHANGE)}'
const MORE_CHILD = 'SK {SA, N, KE, TSi, TSr, N(ADDITIONAL_KEY_EXCHANGE)}'
const NEXT = 'SK {KE, N(ADDITIONAL_KEY_EXCHANGE)}'
const LAST = 'SK {KE}'

/** What a rekey of the IKE SA and one of a Child SA have in common. */
interface Kind {
  readonly start: (node: Node) => void
  readonly request: string
  readonly response: string
  /** Of the old SA, and the answer to it. */
  readonly deletion: string
  readonly deleted: string
  readonly expectOf: (scene: ByHand, winner: Node) => void
}

const OF_IKE: Kind = {
  start: (node) => node.command({ kind: 'rekeyIke', key: node.key }),
  request: REKEY_IKE,
  response: MORE_IKE,
  deletion: DELETE_IKE,
  deleted: EMPTY,
  expectOf: ({ a, b }, winner) => {
    const [spis, others] = [a, b].map((node) => node.eventsOf('ikeRekeyed').at(-1)?.ike)
    expect([spis?.spiI, spis?.spiR]).toEqual([others?.spiI, others?.spiR])
    expect(Buffer.from(spis?.spiI.slice(0, 8) ?? '', 'hex').toString('latin1')).toContain(winner.name)
    expect(spis?.additionalKe.map(({ id }) => id)).toEqual([KE.ML_KEM_768])
  },
}

const OF_CHILD: Kind = {
  start: (node) => node.command({ kind: 'rekeyChild', key: node.key, spiIn: node.child.spiIn }),
  request: REKEY_CHILD,
  response: MORE_CHILD,
  deletion: DELETE_CHILD,
  deleted: DELETE_CHILD,
  expectOf: (_scene, winner) => expect(winner.child.replaces).not.toBeNull(),
}

function policy(groups: readonly number[], additional: readonly number[]): ProposalPolicy {
  const additionalKe = additional.length === 0 ? [] : [additional.map((id) => ({ type: 6, id, keyBits: null }))]
  const change = (suite: SuitePolicy): SuitePolicy => {
    const ke = groups.map((id) => suite.ke.find((transform) => transform.id === id))
    return { ...suite, ke: ke.filter((found) => found !== undefined), additionalKe }
  }
  return { ike: defaultIkeSuites.map(change), esp: defaultEspSuites.map(change) }
}

const HYBRID = policy([31, 20], [KE.ML_KEM_768, KE.NONE])

function hybrid(a: Side): ByHand {
  const config = { proposals: HYBRID, fragmentBytes: 4_000 }
  return new ByHand({ a, device: config, concentrator: config })
}

/** One Child SA that works, nothing under way, no SPI lost, no timer left. */
function expectRest(scene: ByHand): void {
  const { a, b, pair } = scene
  scene.checkEmpty()
  scene.letGo()
  pair.network.run(700_000)
  expect([a.child.spiIn, b.child.spiIn]).toEqual([b.child.spiOut, a.child.spiOut])
  expect([a.child.outbound, b.child.outbound, a.pendingSpis, b.pendingSpis]).toEqual([true, true, 0, 0])
  for (const { endpoint, isIdle } of [a, b]) {
    expect(endpoint.tableSizes).toMatchObject({ ikeSas: 1, attachments: 1, asks: 0 })
    expect(isIdle).toBe(true)
  }
  expect([...a.eventsOf('closed'), ...b.eventsOf('closed')]).toEqual([])
}

function ranks({ a, b }: ByHand, lowest: Lowest): readonly [winner: Node, loser: Node] {
  return aLoses(lowest) ? [b, a] : [a, b]
}

/** `id` requests of the winner came before. */
function finish(scene: ByHand, kind: Kind, winner: Node, id = 1): void {
  const loser = winner === scene.a ? scene.b : scene.a
  scene.pass(winner, `IKE_FOLLOWUP_KE request ${id}, ${NEXT}`)
  scene.pass(loser, `IKE_FOLLOWUP_KE response ${id}, ${LAST}`)
  scene.pass(winner, `INFORMATIONAL request ${id + 1}, ${kind.deletion}`)
  scene.pass(loser, `INFORMATIONAL response ${id + 1}, ${kind.deleted}`)
  expectRest(scene)
  kind.expectOf(scene, winner)
}

function expectRegular(a: Side, kind: Kind): void {
  const scene = hybrid(a)
  kind.start(scene.a)
  scene.pass(scene.a, `CREATE_CHILD_SA request 0, ${kind.request}`)
  scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${kind.response}`)
  finish(scene, kind, scene.a)
}

function expectWrongGuess(a: Side, kind: Kind): void {
  const scene = hybrid(a)
  scene.a.changeProposals(policy([19, 20], [KE.ML_KEM_768]))
  scene.b.changeProposals(policy([21, 20], [KE.ML_KEM_768]))
  kind.start(scene.a)
  scene.pass(scene.a, `CREATE_CHILD_SA request 0, ${kind.request}`)
  scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${INVALID_KE_PAYLOAD}`)
  scene.pass(scene.a, `CREATE_CHILD_SA request 1, ${kind.request}`)
  scene.pass(scene.b, `CREATE_CHILD_SA response 1, ${kind.response}`)
  finish(scene, kind, scene.a, 2)
}

function askedBoth(a: Side, kind: Kind, lowest: Lowest): ByHand {
  const scene = hybrid(a)
  ask(scene, lowest, scene.a, kind.start)
  ask(scene, lowest, scene.b, kind.start)
  return scene
}

function crossed(a: Side, kind: Kind, lowest: Lowest): ByHand {
  const scene = askedBoth(a, kind, lowest)
  scene.pass(scene.a, `CREATE_CHILD_SA request 0, ${kind.request}`)
  scene.pass(scene.b, `CREATE_CHILD_SA request 0, ${kind.request}`)
  return scene
}

function expectCollision(a: Side, kind: Kind, lowest: Lowest): void {
  const scene = crossed(a, kind, lowest)
  scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${kind.response}`)
  scene.pass(scene.a, `CREATE_CHILD_SA response 0, ${kind.response}`)
  finish(scene, kind, ranks(scene, lowest)[0])
}

function expectDelayedResponse(a: Side, kind: Kind, lowest: Lowest): void {
  const scene = crossed(a, kind, lowest)
  const late = scene.take(scene.b, `CREATE_CHILD_SA response 0, ${kind.response}`)
  scene.pass(scene.a, `CREATE_CHILD_SA response 0, ${kind.response}`)
  if (!aLoses(lowest)) {
    // b knows that it lost, and waits.
    scene.checkEmpty()
    scene.deliver(late)
    finish(scene, kind, scene.a)
    return
  }
  scene.pass(scene.b, `IKE_FOLLOWUP_KE request 1, ${NEXT}`)
  scene.pass(scene.a, `IKE_FOLLOWUP_KE response 1, ${LAST}`)
  scene.pass(scene.b, `INFORMATIONAL request 2, ${kind.deletion}`)
  scene.pass(scene.a, `INFORMATIONAL response 2, ${kind.deleted}`)
  scene.deliver(late)
  expectRest(scene)
  kind.expectOf(scene, scene.b)
}

function expectDelayedRequest(a: Side, kind: Kind, lowest: Lowest): void {
  const scene = askedBoth(a, kind, lowest)
  const late = scene.take(scene.a, `CREATE_CHILD_SA request 0, ${kind.request}`)
  scene.pass(scene.b, `CREATE_CHILD_SA request 0, ${kind.request}`)
  scene.pass(scene.a, `CREATE_CHILD_SA response 0, ${kind.response}`)
  scene.deliver(late)
  scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${TEMPORARY_FAILURE}`)
  finish(scene, kind, scene.b)
}

describe.each(SIDES)('a is the %s', (a) => {
  test('ike_rekey/regular_multi_ke: the new IKE SA stands after the last key exchange', () => expectRegular(a, OF_IKE))
  test('child_rekey/regular_multi_ke: the new Child SA stands after the last key exchange', () =>
    expectRegular(a, OF_CHILD))
  test('ike_rekey/regular_ke_invalid_multi_ke: a second attempt, then the additional key exchange', () =>
    expectWrongGuess(a, OF_IKE))
  test('child_rekey/regular_ke_invalid_multi_ke: a second attempt, then the additional key exchange', () =>
    expectWrongGuess(a, OF_CHILD))

  describe.each(LOWEST)('lowest nonce in the %s', (lowest) => {
    test('ike_rekey/collision_multi_ke: who lost does not go on', () => expectCollision(a, OF_IKE, lowest))
    test('child_rekey/collision_multi_ke: who lost does not go on', () => expectCollision(a, OF_CHILD, lowest))
    test('ike_rekey/collision_mixed: only a asks for more; who lost deletes what it made, or does not go on', () =>
      expectMixed(a, OF_IKE, lowest))
    test('child_rekey/collision_mixed: only a asks for more; who lost deletes what it made, or does not go on', () =>
      expectMixed(a, OF_CHILD, lowest))
    test('ike_rekey/collision_delayed_response_multi_ke: the winner goes on, the loser waits for its response', () =>
      expectDelayedResponse(a, OF_IKE, lowest))
    test('child_rekey/collision_delayed_response_multi_ke: the winner goes on, the loser waits for its response', () =>
      expectDelayedResponse(a, OF_CHILD, lowest))
  })

  describe.each(LOWEST_OF_THREE)('lowest nonce in the %s', (lowest) => {
    test('ike_rekey/collision_delayed_request_multi_ke: a request in the middle of the key exchanges gets TEMPORARY_FAILURE', () =>
      expectDelayedRequest(a, OF_IKE, lowest))
    test('child_rekey/collision_delayed_request_multi_ke: a request in the middle of the key exchanges gets TEMPORARY_FAILURE', () =>
      expectDelayedRequest(a, OF_CHILD, lowest))
  })

  test('ike_rekey/collision_delete_multi_ke: a Delete of the IKE SA in the middle of the key exchanges ends them', () => {
    const scene = hybrid(a)
    scene.mindsTraffic = false
    OF_IKE.start(scene.a)
    scene.pass(scene.a, `CREATE_CHILD_SA request 0, ${REKEY_IKE}`)
    scene.b.command({ kind: 'deleteIke', key: scene.b.key, reason: 'shutdown' })
    scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${MORE_IKE}`)
    scene.pass(scene.b, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.a, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.take(scene.a, `IKE_FOLLOWUP_KE request 1, ${NEXT}`)
    scene.checkEmpty()
    scene.pair.network.run(700_000)
    for (const { endpoint, children, pendingSpis } of [scene.a, scene.b]) {
      expect([endpoint.tableSizes.ikeSas, endpoint.size.established, children.size, pendingSpis]).toEqual([0, 0, 0, 0])
    }
  })

  test('child_rekey/collision_delete_multi_ke: a Delete of the Child SA in the middle of the key exchanges ends them', () => {
    const scene = hybrid(a)
    scene.mindsTraffic = false
    const old: Spi = scene.b.child.spiIn
    OF_CHILD.start(scene.a)
    scene.pass(scene.a, `CREATE_CHILD_SA request 0, ${REKEY_CHILD}`)
    scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${MORE_CHILD}`)
    scene.b.command({ kind: 'deleteChild', key: scene.b.key, spiIn: old })
    scene.pass(scene.b, `INFORMATIONAL request 0, ${DELETE_CHILD}`)
    scene.pass(scene.a, `INFORMATIONAL response 0, ${DELETE_CHILD}`)
    scene.pass(scene.a, `IKE_FOLLOWUP_KE request 1, ${NEXT}`)
    scene.pass(scene.b, 'IKE_FOLLOWUP_KE response 1, SK {N(STATE_NOT_FOUND)}')
    scene.checkEmpty()
    scene.pair.network.run(700_000)
    for (const { endpoint, children, pendingSpis } of [scene.a, scene.b]) {
      expect([endpoint.size.established, children.size, pendingSpis]).toEqual([1, 0, 0])
    }
  })
})

/** `a` asks for an additional key exchange; `b` takes it and asks for none. */
function expectMixed(a: Side, kind: Kind, lowest: Lowest): void {
  const scene = hybrid(a)
  ask(scene, lowest, scene.a, kind.start)
  scene.b.changeProposals(policy([31, 20], []))
  ask(scene, lowest, scene.b, kind.start)
  scene.b.changeProposals(HYBRID)
  const alone = kind.response.replace(', N(ADDITIONAL_KEY_EXCHANGE)', '')
  scene.pass(scene.a, `CREATE_CHILD_SA request 0, ${kind.request}`)
  scene.pass(scene.b, `CREATE_CHILD_SA request 0, ${kind.request}`)
  scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${kind.response}`)
  scene.pass(scene.a, `CREATE_CHILD_SA response 0, ${alone}`)
  if (aLoses(lowest)) {
    scene.pass(scene.b, `INFORMATIONAL request 1, ${kind.deletion}`)
    scene.pass(scene.a, `INFORMATIONAL response 1, ${kind.deleted}`)
  } else {
    // What b made stood at once, so that it has to be deleted.
    const name = kind === OF_IKE ? ` (${scene.b.name} 2)` : ''
    const id = kind === OF_IKE ? 0 : 1
    scene.pass(scene.a, `IKE_FOLLOWUP_KE request 1, ${NEXT}`)
    scene.pass(scene.b, `INFORMATIONAL request ${id}, ${kind.deletion}${name}`)
    scene.pass(scene.b, `IKE_FOLLOWUP_KE response 1, ${LAST}`)
    scene.pass(scene.a, `INFORMATIONAL response ${id}, ${kind.deleted}${name}`)
    scene.pass(scene.a, `INFORMATIONAL request 2, ${kind.deletion}`)
    scene.pass(scene.b, `INFORMATIONAL response 2, ${kind.deleted}`)
  }
  expectRest(scene)
}

test('child_create/multi_ke: a new Child SA stands after the last key exchange', () => {
  const scene = hybrid('device')
  const { device, concentrator } = scene.pair
  const [tsLocal, tsRemote] = [selectors('10.128.0.5'), selectors(DIAL)]
  device.command({ kind: 'createChild', key: device.key, tsLocal, tsRemote })
  scene.pass(device, `CREATE_CHILD_SA request 0, ${CHILD}`)
  scene.pass(concentrator, `CREATE_CHILD_SA response 0, ${MORE_CHILD}`)
  expect([device.children.size, concentrator.children.size]).toEqual([1, 1])
  scene.mindsTraffic = false
  scene.pass(device, `IKE_FOLLOWUP_KE request 1, ${NEXT}`)
  scene.mindsTraffic = true
  scene.pass(concentrator, `IKE_FOLLOWUP_KE response 1, ${LAST}`)
  scene.checkEmpty()
  expect([device.children.size, concentrator.children.size]).toEqual([2, 2])
  expect([device.pendingSpis, concentrator.pendingSpis]).toEqual([0, 0])
})
