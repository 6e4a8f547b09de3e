/**
 * Rekeying a Child SA, message by message (RFC 7296 2.8, 2.8.1, 2.25.1). Every title begins with the name of a scenario of
 * docs/rfc/scenarios.json. One file, as the thirty scenarios of one name there; each is written out, to be read beside the RFC.
 */
import { defaultEspSuites, defaultIkeSuites, EXCHANGE, NOTIFY, type ProposalPolicy, type Spi } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { forge, notify } from '../forge.ts'
import type { Node } from '../node.ts'
import {
  ByHand,
  CHILD,
  CHILD_SA_NOT_FOUND,
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
const REQUEST = `CREATE_CHILD_SA request 0, ${REKEY_CHILD}`
const RESPONSE = `CREATE_CHILD_SA response 0, ${CHILD}`
const REFUSAL = `CREATE_CHILD_SA response 0, ${TEMPORARY_FAILURE}`
const NOT_FOUND = `CREATE_CHILD_SA response 0, ${CHILD_SA_NOT_FOUND}`
const DELETE = `INFORMATIONAL request 1, ${DELETE_CHILD}`
const DELETED = `INFORMATIONAL response 1, ${DELETE_CHILD}`
const FIRST_DELETE = `INFORMATIONAL request 0, ${DELETE_CHILD}`
const FIRST_DELETED = `INFORMATIONAL response 0, ${DELETE_CHILD}`

function rekeyChild(node: Node): void {
  node.command({ kind: 'rekeyChild', key: node.key, spiIn: node.child.spiIn })
}

function deleteChild(node: Node, spiIn: Spi): void {
  node.command({ kind: 'deleteChild', key: node.key, spiIn })
}

/** One Child SA is left, the one made by the request of `owner` for `spiIn`, and nothing is under way. */
function expectChildOf(scene: ByHand, owner: Node, spiIn: Spi): void {
  const { a, b, pair } = scene
  scene.checkEmpty()
  scene.letGo()
  pair.network.run(600_000)
  expect(owner.child.spiIn).toBe(spiIn)
  expect([a.child.spiIn, b.child.spiIn]).toEqual([b.child.spiOut, a.child.spiOut])
  expect([a.child.outbound, b.child.outbound, a.pendingSpis, b.pendingSpis]).toEqual([true, true, 0, 0])
  expect([a.isIdle, b.isIdle]).toEqual([true, true])
  expect([...a.eventsOf('closed'), ...b.eventsOf('closed')]).toEqual([])
}

function expectNoChild(scene: ByHand): void {
  const { a, b, pair } = scene
  scene.checkEmpty()
  scene.letGo()
  pair.network.run(600_000)
  expect([a.children.size, b.children.size, a.pendingSpis, b.pendingSpis]).toEqual([0, 0, 0, 0])
  expect([a.endpoint.size.established, b.endpoint.size.established]).toEqual([1, 1])
  expect([a.isIdle, b.isIdle]).toEqual([true, true])
}

function withGroups(...groups: readonly number[]): ProposalPolicy {
  const [first] = defaultEspSuites
  const ke = groups
    .map((id) => first?.ke.find((transform) => transform.id === id))
    .filter((found) => found !== undefined)
  return { ike: defaultIkeSuites, esp: defaultEspSuites.map((suite) => ({ ...suite, ke })) }
}

/** Each end prefers a group the other one lacks, and both have P-384. */
function differGroups(scene: ByHand): void {
  scene.a.changeProposals(withGroups(19, 20))
  scene.b.changeProposals(withGroups(21, 20))
}

/** Patient enough to outlast the other end. */
const PATIENT = { timing: { retransmit: { firstMs: 1_000, factor: 2, tries: 8 } } }

describe.each(SIDES)('a is the %s', (a) => {
  test('child_rekey/regular: both receive on the new one, a sends on it at once, b after the Delete of the old one', () => {
    const scene = new ByHand({ a })
    const old = scene.b.child.spiIn
    rekeyChild(scene.a)
    const made = scene.a.newestSpi
    scene.pass(scene.a, REQUEST)
    expect([scene.b.children.size, scene.b.sender?.spiIn]).toEqual([2, old])
    scene.pass(scene.b, RESPONSE)
    expect([scene.a.children.size, scene.a.sender?.spiIn]).toEqual([2, made])
    scene.pass(scene.a, DELETE)
    expect([scene.b.children.size, scene.b.sender?.spiOut]).toEqual([1, made])
    scene.pass(scene.b, DELETED)
    expectChildOf(scene, scene.a, made)
  })

  test('child_rekey/regular_ke_invalid: INVALID_KE_PAYLOAD is followed by the group it names', () => {
    const scene = new ByHand({ a })
    differGroups(scene)
    rekeyChild(scene.a)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, `CREATE_CHILD_SA response 0, ${INVALID_KE_PAYLOAD}`)
    const made = scene.a.newestSpi
    scene.pass(scene.a, `CREATE_CHILD_SA request 1, ${REKEY_CHILD}`)
    scene.pass(scene.b, `CREATE_CHILD_SA response 1, ${CHILD}`)
    scene.pass(scene.a, `INFORMATIONAL request 2, ${DELETE_CHILD}`)
    scene.pass(scene.b, `INFORMATIONAL response 2, ${DELETE_CHILD}`)
    expectChildOf(scene, scene.a, made)
  })

  test('child_rekey/regular_responder_ignore_soft_expire: a limit of the old one starts nothing while its Delete is awaited', () => {
    const scene = new ByHand({ a })
    const old = scene.b.child.spiIn
    rekeyChild(scene.a)
    const made = scene.a.newestSpi
    scene.pass(scene.a, REQUEST)
    scene.b.command({ kind: 'childSoftLimit', key: scene.b.key, spiIn: old })
    scene.pass(scene.b, RESPONSE)
    scene.b.command({ kind: 'childSoftLimit', key: scene.b.key, spiIn: old })
    scene.pass(scene.a, DELETE)
    scene.pass(scene.b, DELETED)
    expectChildOf(scene, scene.a, made)
  })

  test('child_rekey/regular_responder_handle_hard_expire: b deletes the old one when a never does', () => {
    const scene = new ByHand({ a, [a]: PATIENT })
    rekeyChild(scene.a)
    const made = scene.a.newestSpi
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, RESPONSE)
    const late = scene.take(scene.a, DELETE)
    scene.wait(20_000)
    for (let repeats = 0; repeats < 4; repeats += 1) scene.take(scene.a, DELETE)
    scene.checkEmpty()
    scene.wait(11_500)
    scene.take(scene.a, DELETE)
    scene.pass(scene.b, FIRST_DELETE)
    scene.pass(scene.a, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.deliver(late)
    scene.pass(scene.b, `INFORMATIONAL response 1, ${EMPTY}`)
    expectChildOf(scene, scene.a, made)
  })

  test('child_rekey/regular_responder_delete: b deletes the new one before the old one is gone; both go', () => {
    const scene = new ByHand({ a })
    rekeyChild(scene.a)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, RESPONSE)
    deleteChild(scene.b, scene.b.newestSpi)
    // The Delete waits until b knows that a heard of the new one.
    scene.mindsTraffic = false
    scene.pass(scene.a, DELETE)
    scene.pass(scene.b, DELETED)
    scene.wait(1_000)
    scene.pass(scene.b, FIRST_DELETE)
    scene.pass(scene.a, FIRST_DELETED)
    expectNoChild(scene)
  })

  test('child_rekey/regular_responder_lost_sa: CHILD_SA_NOT_FOUND takes the Child SA away without a word', () => {
    const scene = new ByHand({ a })
    rekeyChild(scene.a)
    const request = scene.take(scene.a, REQUEST)
    const [bytes] = forge(scene.b, {
      exchangeType: EXCHANGE.CREATE_CHILD_SA,
      messageId: a === 'device' ? 2 : 0,
      isResponse: true,
      payloads: [notify(NOTIFY.CHILD_SA_NOT_FOUND)],
    })
    if (bytes === undefined) throw new Error('there is one')
    scene.a.receive({ from: request.packet.to, to: request.packet.from, bytes })
    expect([scene.a.children.size, scene.a.pendingSpis]).toEqual([0, 0])
    expect(scene.a.eventsOf('childClosed')).toHaveLength(1)
    expect(scene.a.endpoint.size.established).toBe(1)
    scene.checkEmpty()
  })

  test('child_rekey/regular_responder_incorrect_delete: a Delete of the old one before the response does no harm', () => {
    const scene = new ByHand({ a })
    rekeyChild(scene.a)
    const made = scene.a.newestSpi
    const old = scene.b.child.spiIn
    scene.pass(scene.a, REQUEST)
    const late = scene.take(scene.b, RESPONSE)
    scene.mindsTraffic = false
    deleteWrongly(scene, scene.b, old)
    scene.pass(scene.a, FIRST_DELETED)
    scene.deliver(late)
    expect(scene.a.sender?.spiIn).toBe(made)
    expect(scene.a.child.spiIn).toBe(made)
    scene.checkEmpty()
  })

  test('child_rekey/regular_delete_timeout: a Delete nobody answers ends the IKE SA with everything on it', () => {
    const scene = new ByHand({ a })
    rekeyChild(scene.a)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, RESPONSE)
    scene.wait(31_000)
    for (let sent = 0; sent < 5; sent += 1) scene.take(scene.a, DELETE)
    expect(scene.a.eventsOf('closed').map(({ reason }) => reason)).toEqual(['peerSilent'])
    expect([scene.a.children.size, scene.a.pendingSpis, scene.a.endpoint.size.established]).toEqual([0, 0, 0])
  })

  describe.each(LOWEST)('lowest nonce in the %s', (lowest) => {
    test('child_rekey/collision: three Child SAs for a moment, the one with the lowest nonce goes', () => {
      const { scene, made } = crossed(a, lowest)
      scene.pass(scene.b, RESPONSE)
      scene.pass(scene.a, RESPONSE)
      const [winner, loser] = ranks(scene, lowest)
      scene.pass(winner, DELETE)
      scene.pass(loser, DELETE)
      scene.pass(loser, DELETED)
      scene.pass(winner, DELETED)
      expectChildOf(scene, winner, made.get(winner)!)
    })

    test('child_rekey/collision_delayed_response: the Delete comes before the response', () => {
      const { scene, made } = crossed(a, lowest)
      const late = scene.take(scene.b, RESPONSE)
      scene.pass(scene.a, RESPONSE)
      scene.pass(scene.b, DELETE)
      scene.pass(scene.a, DELETED)
      scene.deliver(late)
      scene.pass(scene.a, DELETE)
      scene.pass(scene.b, `INFORMATIONAL response 1, ${DELETE_CHILD}`)
      const [winner] = ranks(scene, lowest)
      expectChildOf(scene, winner, made.get(winner)!)
    })

    test('child_rekey/collision_delayed_response_delete: the survivor is deleted before the response comes', () => {
      const { scene, made } = crossed(a, lowest)
      const late = scene.take(scene.b, RESPONSE)
      scene.pass(scene.a, RESPONSE)
      scene.mindsTraffic = false
      scene.pass(scene.b, DELETE)
      scene.pass(scene.a, DELETED)
      const ofA = [...scene.b.children.values()].find(({ spiOut }) => spiOut === made.get(scene.a))
      deleteChild(scene.b, aLoses(lowest) ? made.get(scene.b)! : ofA!.spiIn)
      scene.wait(500)
      if (aLoses(lowest)) {
        scene.pass(scene.b, `INFORMATIONAL request 2, ${DELETE_CHILD}`)
        scene.pass(scene.a, `INFORMATIONAL response 2, ${DELETE_CHILD}`)
      }
      // One that a has not heard of yet is not deleted before a can understand that.
      scene.checkEmpty()
      scene.deliver(late)
      scene.letGo()
      expectNoChild(scene)
    })

    test('child_rekey/collision_ke_invalid: both guess the group wrong, both ask again, then they collide', () => {
      const scene = new ByHand({ a })
      const made = bothGuessWrong(scene, lowest)
      scene.pass(scene.a, `CREATE_CHILD_SA request 1, ${REKEY_CHILD}`)
      scene.pass(scene.b, `CREATE_CHILD_SA request 1, ${REKEY_CHILD}`)
      scene.pass(scene.b, `CREATE_CHILD_SA response 1, ${CHILD}`)
      scene.pass(scene.a, `CREATE_CHILD_SA response 1, ${CHILD}`)
      const [winner, loser] = ranks(scene, lowest)
      scene.pass(winner, `INFORMATIONAL request 2, ${DELETE_CHILD}`)
      scene.pass(loser, `INFORMATIONAL request 2, ${DELETE_CHILD}`)
      scene.pass(loser, `INFORMATIONAL response 2, ${DELETE_CHILD}`)
      scene.pass(winner, `INFORMATIONAL response 2, ${DELETE_CHILD}`)
      expectChildOf(scene, winner, made.get(winner)!)
    })

    test('child_rekey/collision_responder_incorrect_delete: a Delete nobody asked for during a collision does no harm', () => {
      const { scene, made } = crossed(a, lowest)
      const [winner] = ranks(scene, lowest)
      const old = scene.b.sender!.spiIn
      const late = scene.take(scene.b, RESPONSE)
      scene.mindsTraffic = false
      deleteWrongly(scene, scene.b, old, 1)
      scene.take(scene.a, DELETED)
      scene.deliver(late)
      scene.pass(scene.a, RESPONSE)
      expect(scene.a.children.has(winner === scene.a ? made.get(scene.a)! : scene.a.sender!.spiIn)).toBe(true)
      expect(scene.a.sender?.spiIn).toBe(
        winner === scene.a ? made.get(scene.a) : scene.b.children.get(made.get(scene.b)!)?.spiOut,
      )
    })
  })

  describe.each(LOWEST_OF_THREE)('lowest nonce in the %s', (lowest) => {
    test('child_rekey/collision_delayed_request: a request for a Child SA that is being closed gets TEMPORARY_FAILURE', () => {
      const { scene, made } = askedBoth(a, lowest)
      const late = scene.take(scene.a, REQUEST)
      scene.pass(scene.b, REQUEST)
      scene.pass(scene.a, RESPONSE)
      scene.deliver(late)
      scene.pass(scene.b, REFUSAL)
      scene.pass(scene.b, DELETE)
      scene.pass(scene.a, DELETED)
      expectChildOf(scene, scene.b, made.get(scene.b)!)
    })

    test('child_rekey/collision_delayed_request_more: a request for a Child SA that is gone gets CHILD_SA_NOT_FOUND', () => {
      const { scene, made } = askedBoth(a, lowest)
      const late = scene.take(scene.a, REQUEST)
      scene.pass(scene.b, REQUEST)
      scene.pass(scene.a, RESPONSE)
      scene.pass(scene.b, DELETE)
      scene.pass(scene.a, DELETED)
      scene.deliver(late)
      scene.pass(scene.b, NOT_FOUND)
      expectChildOf(scene, scene.b, made.get(scene.b)!)
    })

    test('child_rekey/collision_delayed_request_more_delete: the survivor is deleted while the late request is under way', () => {
      const { scene, made } = askedBoth(a, lowest)
      const late = scene.take(scene.a, REQUEST)
      scene.pass(scene.b, REQUEST)
      scene.pass(scene.a, RESPONSE)
      scene.pass(scene.b, DELETE)
      scene.pass(scene.a, DELETED)
      scene.mindsTraffic = false
      deleteChild(scene.b, made.get(scene.b)!)
      scene.pass(scene.b, `INFORMATIONAL request 2, ${DELETE_CHILD}`)
      scene.pass(scene.a, `INFORMATIONAL response 2, ${DELETE_CHILD}`)
      scene.deliver(late)
      scene.pass(scene.b, NOT_FOUND)
      expectNoChild(scene)
    })

    test('child_rekey/collision_ke_invalid_delayed_retry: the second attempt of one comes too late', () => {
      const scene = new ByHand({ a })
      const made = bothGuessWrong(scene, lowest)
      const late = scene.take(scene.a, `CREATE_CHILD_SA request 1, ${REKEY_CHILD}`)
      scene.pass(scene.b, `CREATE_CHILD_SA request 1, ${REKEY_CHILD}`)
      scene.pass(scene.a, `CREATE_CHILD_SA response 1, ${CHILD}`)
      scene.deliver(late)
      scene.pass(scene.b, `CREATE_CHILD_SA response 1, ${TEMPORARY_FAILURE}`)
      scene.pass(scene.b, `INFORMATIONAL request 2, ${DELETE_CHILD}`)
      scene.pass(scene.a, `INFORMATIONAL response 2, ${DELETE_CHILD}`)
      expectChildOf(scene, scene.b, made.get(scene.b)!)
    })
  })

  test('child_rekey/collision_delete: a rekey that meets a Delete of the same Child SA is given up', () => {
    const scene = rekeyMeetsDelete(a)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, FIRST_DELETE)
    scene.pass(scene.b, REFUSAL)
    scene.pass(scene.a, FIRST_DELETED)
    expectNoChild(scene)
  })

  test('child_rekey/collision_delete_drop_delete: the Delete is lost at first, the rekey is refused meanwhile', () => {
    const scene = rekeyMeetsDelete(a)
    scene.take(scene.b, FIRST_DELETE)
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, REFUSAL)
    scene.wait(1_500)
    scene.pass(scene.b, FIRST_DELETE)
    scene.pass(scene.a, FIRST_DELETED)
    expectNoChild(scene)
  })

  test('child_rekey/collision_delete_drop_rekey: the rekey arrives when the Child SA is gone', () => {
    const scene = rekeyMeetsDelete(a)
    const late = scene.take(scene.a, REQUEST)
    scene.pass(scene.b, FIRST_DELETE)
    scene.pass(scene.a, FIRST_DELETED)
    scene.deliver(late)
    scene.pass(scene.b, NOT_FOUND)
    expectNoChild(scene)
  })

  test('child_rekey/collision_delete_delayed_response: the refusal is late and changes nothing', () => {
    const scene = rekeyMeetsDelete(a)
    scene.pass(scene.a, REQUEST)
    const late = scene.take(scene.b, REFUSAL)
    scene.pass(scene.b, FIRST_DELETE)
    scene.pass(scene.a, FIRST_DELETED)
    scene.deliver(late)
    expectNoChild(scene)
  })

  test('child_rekey/collision_ike_rekey: each refuses the other for now, and both are done later', () => {
    const scene = new ByHand({ a })
    rekeyChild(scene.a)
    scene.b.command({ kind: 'rekeyIke', key: scene.b.key })
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, `CREATE_CHILD_SA request 0, ${REKEY_IKE}`)
    scene.pass(scene.b, REFUSAL)
    scene.pass(scene.a, REFUSAL)
    scene.checkEmpty()
    scene.letGo()
    scene.pair.network.run(120_000)
    expect(scene.a.eventsOf('childRekeyed')).toHaveLength(1)
    expect(scene.b.eventsOf('ikeRekeyed')).toHaveLength(1)
    expect([scene.a.child.spiIn, scene.b.child.spiIn]).toEqual([scene.b.child.spiOut, scene.a.child.spiOut])
  })

  test('child_rekey/collision_ike_delete: a rekey that meets a Delete of the IKE SA ends with it', () => {
    const scene = new ByHand({ a })
    scene.mindsTraffic = false
    rekeyChild(scene.a)
    scene.b.command({ kind: 'deleteIke', key: scene.b.key, reason: 'shutdown' })
    scene.pass(scene.a, REQUEST)
    scene.pass(scene.b, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.b, REFUSAL)
    scene.pass(scene.a, `INFORMATIONAL response 0, ${EMPTY}`)
    scene.checkEmpty()
    scene.pair.network.run(600_000)
    for (const node of [scene.a, scene.b]) {
      expect([node.children.size, node.pendingSpis, node.endpoint.size.established]).toEqual([0, 0, 0])
      expect(node.isIdle).toBe(true)
    }
  })
})

function ranks(scene: ByHand, lowest: Lowest): readonly [winner: Node, loser: Node] {
  return aLoses(lowest) ? [scene.b, scene.a] : [scene.a, scene.b]
}

interface Asked {
  readonly scene: ByHand
  /** Inbound SPI of the Child SA that each end asks for. */
  readonly made: ReadonlyMap<Node, Spi>
}

function askedBoth(a: Side, lowest: Lowest): Asked {
  const scene = new ByHand({ a })
  ask(scene, lowest, scene.a, rekeyChild)
  ask(scene, lowest, scene.b, rekeyChild)
  const made = new Map([scene.a, scene.b].map((node) => [node, node.newestSpi]))
  return { scene, made }
}

/** Both requests arrive. */
function crossed(a: Side, lowest: Lowest): Asked {
  const asked = askedBoth(a, lowest)
  asked.scene.pass(asked.scene.a, REQUEST)
  asked.scene.pass(asked.scene.b, REQUEST)
  return asked
}

/** @returns the inbound SPIs that both ask for the second time */
function bothGuessWrong(scene: ByHand, lowest: Lowest): ReadonlyMap<Node, Spi> {
  const { a, b } = scene
  differGroups(scene)
  ask(scene, lowest, a, rekeyChild)
  ask(scene, lowest, b, rekeyChild)
  scene.pass(a, REQUEST)
  scene.pass(b, REQUEST)
  ask(scene, lowest, a, () => scene.pass(b, `CREATE_CHILD_SA response 0, ${INVALID_KE_PAYLOAD}`))
  ask(scene, lowest, b, () => scene.pass(a, `CREATE_CHILD_SA response 0, ${INVALID_KE_PAYLOAD}`))
  return new Map([a, b].map((node) => [node, node.newestSpi]))
}

function rekeyMeetsDelete(a: Side): ByHand {
  const scene = new ByHand({ a })
  scene.mindsTraffic = false
  rekeyChild(scene.a)
  deleteChild(scene.b, scene.b.child.spiIn)
  return scene
}

/** A peer that deletes what the other end is about to delete. */
function deleteWrongly(scene: ByHand, from: Node, spiIn: Spi, request = 0): void {
  const spi = new Uint8Array(4)
  new DataView(spi.buffer).setUint32(0, spiIn)
  const payloads = [{ kind: 'delete', protocolId: 3, spis: [spi] }] as const
  const messageId = request + (from === scene.pair.device ? 2 : 0)
  const [bytes] = forge(from, { exchangeType: EXCHANGE.INFORMATIONAL, messageId, payloads })
  const last = from.sent.at(-1)
  if (bytes === undefined || last === undefined) throw new Error('there is one')
  from.inject(last.from, last.to, bytes)
  scene.pass(from, `INFORMATIONAL request ${request}, ${EMPTY}`)
}
