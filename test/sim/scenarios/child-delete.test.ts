/**
 * Deleting a Child SA, message by message (RFC 7296 1.4.1, 2.25.1, 2.25.2). Every title begins with the name of a scenario of
 * docs/rfc/scenarios.json.
 */
import { describe, expect, test } from 'vitest'
import type { Node } from '../node.ts'
import { ByHand, DELETE_CHILD, DELETE_IKE, EMPTY, REKEY_IKE, type Side, TEMPORARY_FAILURE } from './by-hand.ts'

const SIDES: readonly Side[] = ['device', 'concentrator']
const DELETE = `INFORMATIONAL request 0, ${DELETE_CHILD}`
const DELETED = `INFORMATIONAL response 0, ${DELETE_CHILD}`
const NOTHING_LEFT = `INFORMATIONAL response 0, ${EMPTY}`

describe.each(SIDES)('a is the %s', (a) => {
  test('child_delete/regular: the answer to a Delete is a Delete of the other half', () => {
    const scene = begin(a)
    deleteChild(scene.a)
    scene.pass(scene.a, DELETE)
    expect(scene.b.children.size).toBe(0)
    scene.pass(scene.b, DELETED)
    expectNoChild(scene)
  })

  test('child_delete/collision: crossing Deletes are answered without Delete', () => {
    const scene = begin(a)
    deleteChild(scene.a)
    deleteChild(scene.b)
    scene.pass(scene.a, DELETE)
    scene.pass(scene.b, DELETE)
    scene.pass(scene.b, NOTHING_LEFT)
    scene.pass(scene.a, NOTHING_LEFT)
    expectNoChild(scene)
  })

  test('child_delete/collision_drop: a Delete that comes late finds nothing and is answered all the same', () => {
    const scene = begin(a)
    deleteChild(scene.a)
    deleteChild(scene.b)
    const late = scene.take(scene.b, DELETE)
    scene.pass(scene.a, DELETE)
    scene.pass(scene.b, NOTHING_LEFT)
    scene.deliver(late)
    scene.pass(scene.a, NOTHING_LEFT)
    expectNoChild(scene)
  })

  test('child_delete/collision_ike_rekey: the Delete is answered, the rekey of the IKE SA has to wait', () => {
    const scene = begin(a)
    deleteChild(scene.a)
    scene.b.command({ kind: 'rekeyIke', key: scene.b.key })
    scene.pass(scene.a, DELETE)
    scene.pass(scene.b, `CREATE_CHILD_SA request 0, ${REKEY_IKE}`)
    scene.pass(scene.b, DELETED)
    scene.pass(scene.a, `CREATE_CHILD_SA response 0, ${TEMPORARY_FAILURE}`)
    expectNoChild(scene)
    expect(scene.a.eventsOf('ikeRekeyed')).toHaveLength(1)
    expect(scene.b.eventsOf('ikeRekeyed')).toHaveLength(1)
  })

  test('child_delete/collision_ike_delete: both Deletes are answered, the IKE SA ends', () => {
    const scene = begin(a)
    deleteChild(scene.a)
    scene.b.command({ kind: 'deleteIke', key: scene.b.key, reason: 'shutdown' })
    scene.pass(scene.a, DELETE)
    scene.pass(scene.b, `INFORMATIONAL request 0, ${DELETE_IKE}`)
    scene.pass(scene.b, DELETED)
    scene.pass(scene.a, NOTHING_LEFT)
    scene.checkEmpty()
    scene.pair.network.run(600_000)
    for (const node of [scene.a, scene.b]) {
      expect([node.children.size, node.pendingSpis, node.endpoint.size.established]).toEqual([0, 0, 0])
      expect(node.eventsOf('closed')).toHaveLength(1)
      expect(node.isIdle).toBe(true)
    }
  })
})

function begin(a: Side): ByHand {
  const scene = new ByHand({ a })
  scene.mindsTraffic = false
  return scene
}

function deleteChild(node: Node): void {
  node.command({ kind: 'deleteChild', key: node.key, spiIn: node.child.spiIn })
}

function expectNoChild(scene: ByHand): void {
  const { a, b, pair } = scene
  scene.checkEmpty()
  scene.letGo()
  pair.network.run(600_000)
  for (const node of [a, b]) {
    expect([node.children.size, node.pendingSpis, node.endpoint.size.established]).toEqual([0, 0, 1])
    expect(node.eventsOf('childClosed')).toHaveLength(1)
    expect(node.isIdle).toBe(true)
  }
}
