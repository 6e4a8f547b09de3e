/**
 * Rekeying and deleting the IKE SA, message by message (RFC 7296 2.8, 2.8.2, 2.25.2). Every title begins with the name of a
 * scenario of docs/rfc/scenarios.json.
 */
import { defaultEspSuites, defaultIkeSuites, type ProposalPolicy } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import type { Node } from '../node.ts'
import { ByHand, DELETE_IKE, EMPTY, INVALID_KE_PAYLOAD, REKEY_IKE, type Side, TEMPORARY_FAILURE } from './by-hand.ts'
import { aLoses, ask, LOWEST, LOWEST_OF_THREE, type Lowest } from './collide.ts'

const SIDES: readonly Side[] = ['device', 'concentrator']
const REQUEST = `CREATE_CHILD_SA request 0, ${REKEY_IKE}`
const RESPONSE = `CREATE_CHILD_SA response 0, ${REKEY_IKE}`
const REFUSAL = `CREATE_CHILD_SA response 0, ${TEMPORARY_FAILURE}`
const DELETE = `INFORMATIONAL request 1, ${DELETE_IKE}`
const DELETED = `INFORMATIONAL response 1, ${EMPTY}`

function rekeyIke(node: Node): void {
  node.command({ kind: 'rekeyIke', key: node.key })
}

function deleteIke(node: Node): void {
  node.command({ kind: 'deleteIke', key: node.key, reason: 'shutdown' })
}

/** The IKE SA made by the rekey number `count` of this node. */
function sa(owner: Node, count = 1): string {
  // The first SPI went into the first IKE SA.
  return `${owner.name} ${count + 1}`
}

/** Both ends work on the IKE SA that `owner` made, with the same Child SA as ever; nothing else is left of the rekeys. */
function expectIkeSaOf(scene: ByHand, owner: Node): void {
  const { a, b, pair } = scene
  scene.checkEmpty()
  scene.letGo()
  pair.network.run(300_000)
  const [spis, others] = [a, b].map((node) => {
    const ike = node.eventsOf('ikeRekeyed').at(-1)?.ike
    return [ike?.spiI, ike?.spiR]
  })
  expect(spis).toEqual(others)
  expect(Buffer.from(spis?.[0]?.slice(0, 8) ?? '', 'hex').toString('latin1')).toContain(owner.name)
  expect([a, b].map((node) => node.eventsOf('ikeRekeyed').length)).toEqual([1, 1])
  expect([a, b].flatMap((node) => [...node.eventsOf('closed'), ...node.eventsOf('childClosed')])).toEqual([])
  expect([a.child.spiIn, b.child.spiIn]).toEqual([b.child.spiOut, a.child.spiOut])
  pair.transcript.take()
  for (const node of [a, b]) node.command({ kind: 'checkLiveness', key: node.key })
  pair.network.run(500)
  expect(pair.transcript.take()).toHaveLength(4)
  pair.network.run(600_000)
  expect([a.isIdle, b.isIdle]).toEqual([true, true])
}

function expectAllGone({ a, b, pair }: ByHand): void {
  pair.network.run(300_000)
  for (const node of [a, b]) {
    expect(node.endpoint.size).toEqual({ established: 0, halfOpen: 0 })
    expect([node.children.size, node.pendingSpis]).toEqual([0, 0])
    expect(node.eventsOf('closed')).toHaveLength(1)
  }
}

function withGroups(...groups: readonly number[]): ProposalPolicy {
  const [first] = defaultIkeSuites
  const ke = groups
    .map((id) => first?.ke.find((transform) => transform.id === id))
    .filter((found) => found !== undefined)
  return { ike: defaultIkeSuites.map((suite) => ({ ...suite, ke })), esp: defaultEspSuites }
}

describe.each(SIDES)('a is the %s', (a) => {
  test('ike_rekey/regular: the new IKE SA takes over, the one that asked deletes the old one', () => {
    const scene = new ByHand({ a })
    rekeyIke(scene.a)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, RESPONSE)
    scene.pass(scene.a, DELETE)
    scene.pass(scene.b, DELETED)
    expectIkeSaOf(scene, scene.a)
  })

  test('ike_rekey/regular_ke_invalid: INVALID_KE_PAYLOAD is followed by the group it names', () => {
    const scene = new ByHand({ a })
    differGroups(scene)
    rekeyIke(scene.a)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${INVALID_KE_PAYLOAD}`)
    scene.pass(scene.a, `CREATE_CHILD_SA request 1, ${REKEY_IKE}`)
    scene.pass(scene.b, `CREATE_CHILD_SA response 1, ${REKEY_IKE}`)
    scene.pass(scene.a, `INFORMATIONAL request 2, ${DELETE_IKE}`)
    scene.pass(scene.b, `INFORMATIONAL response 2, ${EMPTY}`)
    expectIkeSaOf(scene, scene.a)
  })

  describe.each(LOWEST)('lowest nonce in the %s', (lowest) => {
    test('ike_rekey/collision: three IKE SAs for a moment, the one with the lowest nonce goes', () => {
      const scene = crossed(new ByHand({ a }), lowest)
      scene.pass(scene.b, RESPONSE)
      scene.pass(scene.a, RESPONSE)
      expectCollisionEnds(scene, lowest)
    })

    test('ike_rekey/collision_delayed_response: the Delete comes before the response, which is then for nobody', () => {
      const scene = crossed(new ByHand({ a }), lowest)
      const [winner, loser] = aLoses(lowest) ? [scene.b, scene.a] : [scene.a, scene.b]
      const late = scene.take(winner, RESPONSE)
      scene.pass(loser, RESPONSE)
      scene.pass(winner, DELETE)
      scene.pass(loser, DELETED)
      scene.deliver(late)
      expectIkeSaOf(scene, winner)
    })

    test('ike_rekey/collision_ke_invalid: both guess the group wrong, both ask again, then they collide', () => {
      const scene = new ByHand({ a })
      differGroups(scene)
      bothGuessWrong(scene, lowest)
      scene.pass(scene.a, `CREATE_CHILD_SA request 1, ${REKEY_IKE}`)
      scene.pass(scene.b, `CREATE_CHILD_SA request 1, ${REKEY_IKE}`)
      scene.pass(scene.b, `CREATE_CHILD_SA response 1, ${REKEY_IKE}`)
      scene.pass(scene.a, `CREATE_CHILD_SA response 1, ${REKEY_IKE}`)
      expectCollisionEnds(scene, lowest, 2)
    })
  })

  describe.each(LOWEST_OF_THREE)('lowest nonce in the %s', (lowest) => {
    test('ike_rekey/collision_ke_invalid_delayed_retry: the second attempt of one comes too late', () => {
      const scene = new ByHand({ a })
      differGroups(scene)
      bothGuessWrong(scene, lowest)
      const late = scene.take(scene.a, `CREATE_CHILD_SA request 1, ${REKEY_IKE}`)
      scene.pass(scene.b, `CREATE_CHILD_SA request 1, ${REKEY_IKE}`)
      scene.pass(scene.a, `CREATE_CHILD_SA response 1, ${REKEY_IKE}`)
      scene.deliver(late)
      scene.pass(scene.b, `CREATE_CHILD_SA response 1, ${TEMPORARY_FAILURE}`)
      scene.pass(scene.b, `INFORMATIONAL request 2, ${DELETE_IKE}`)
      scene.pass(scene.a, `INFORMATIONAL response 2, ${EMPTY}`)
      expectIkeSaOf(scene, scene.b)
    })

    test('ike_rekey/collision_dropped_request: whose request is lost learns from the Delete that it came second', () => {
      const scene = new ByHand({ a })
      askBoth(scene, lowest)
      scene.take(scene.a, REQUEST)
      scene.pass(scene.b, REQUEST)
      scene.pass(scene.a, RESPONSE)
      scene.pass(scene.b, `INFORMATIONAL request 1, ${DELETE_IKE}`)
      scene.pass(scene.a, DELETED)
      expectIkeSaOf(scene, scene.b)
    })

    test('ike_rekey/collision_delayed_request: a request for an IKE SA that is being closed gets TEMPORARY_FAILURE', () => {
      const scene = new ByHand({ a })
      askBoth(scene, lowest)
      const late = scene.take(scene.a, REQUEST)
      scene.pass(scene.b, REQUEST)
      scene.pass(scene.a, RESPONSE)
      scene.deliver(late)
      scene.pass(scene.b, REFUSAL)
      scene.pass(scene.b, DELETE)
      scene.pass(scene.a, DELETED)
      expectIkeSaOf(scene, scene.b)
    })

    test('ike_rekey/collision_delayed_request_and_delete: the refusal is late as well, and finds nobody waiting', () => {
      const scene = new ByHand({ a })
      askBoth(scene, lowest)
      const late = scene.take(scene.a, REQUEST)
      scene.pass(scene.b, REQUEST)
      scene.pass(scene.a, RESPONSE)
      const deletion = scene.take(scene.b, DELETE)
      scene.deliver(late)
      const refusal = scene.take(scene.b, REFUSAL)
      scene.deliver(deletion)
      scene.pass(scene.a, DELETED)
      scene.deliver(refusal)
      expectIkeSaOf(scene, scene.b)
    })
  })

  test('ike_rekey/collision_delete: a rekey that meets a Delete ends with the IKE SA', () => {
    const scene = new ByHand({ a })
    scene.mindsTraffic = false
    rekeyIke(scene.a)
    deleteIke(scene.b)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.b, REFUSAL)
    scene.pass(scene.a, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.checkEmpty()
    expectAllGone(scene)
  })

  test('ike_rekey/collision_delete_drop_delete: the Delete is lost at first, the rekey is refused meanwhile', () => {
    const scene = new ByHand({ a })
    scene.mindsTraffic = false
    rekeyIke(scene.a)
    deleteIke(scene.b)
    scene.take(scene.b, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, REFUSAL)
    scene.wait(1_500)
    scene.pass(scene.b, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.a, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.checkEmpty()
    expectAllGone(scene)
  })

  test('ike_delete/regular: a Delete of the IKE SA is answered empty and ends all Child SAs', () => {
    const scene = new ByHand({ a })
    scene.mindsTraffic = false
    deleteIke(scene.a)
    scene.pass(scene.a, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.b, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.checkEmpty()
    expectAllGone(scene)
    expect(scene.b.eventsOf('closed')[0]?.reason).toBe('deletedByPeer')
  })

  test('ike_delete/collision: both delete it, both are answered, nothing more is said', () => {
    const scene = new ByHand({ a })
    scene.mindsTraffic = false
    deleteIke(scene.a)
    deleteIke(scene.b)
    scene.pass(scene.a, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.b, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.b, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.pass(scene.a, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.checkEmpty()
    expectAllGone(scene)
  })
})

function askBoth(scene: ByHand, lowest: Lowest): void {
  ask(scene, lowest, scene.a, rekeyIke)
  ask(scene, lowest, scene.b, rekeyIke)
}

/** Both requests arrive. */
function crossed(scene: ByHand, lowest: Lowest): ByHand {
  askBoth(scene, lowest)
  scene.pass(scene.a, REQUEST)
  scene.pass(scene.b, REQUEST)
  return scene
}

/** The winner deletes the first IKE SA, the loser the one it made. `used` requests were sent on the first one. */
function expectCollisionEnds(scene: ByHand, lowest: Lowest, used = 1): void {
  const [winner, loser] = aLoses(lowest) ? [scene.b, scene.a] : [scene.a, scene.b]
  scene.pass(winner, `INFORMATIONAL request ${used}, ${DELETE_IKE}`)
  scene.pass(loser, `INFORMATIONAL request 0, ${DELETE_IKE} (${sa(loser, used)})`)
  scene.pass(loser, `INFORMATIONAL response ${used}, ${EMPTY}`)
  scene.pass(winner, `INFORMATIONAL response 0, ${EMPTY} (${sa(loser, used)})`)
  expectIkeSaOf(scene, winner)
}

/** The group in use is good no more, each end prefers one the other lacks, and both have P-384. */
function differGroups(scene: ByHand): void {
  scene.a.changeProposals(withGroups(19, 20))
  scene.b.changeProposals(withGroups(21, 20))
}

function bothGuessWrong(scene: ByHand, lowest: Lowest): void {
  const { a, b } = scene
  differGroups(scene)
  askBoth(scene, lowest)
  scene.pass(a, REQUEST)
  scene.pass(b, REQUEST)
  ask(scene, lowest, a, () => scene.pass(b, `CREATE_CHILD_SA response 0, ${INVALID_KE_PAYLOAD}`))
  ask(scene, lowest, b, () => scene.pass(a, `CREATE_CHILD_SA response 0, ${INVALID_KE_PAYLOAD}`))
}
