/**
 * Making Child SAs on an IKE SA that stands, message by message (RFC 7296 1.3.1, 2.25.2; RFC 6023). Every title begins with the name
 * of a scenario of docs/rfc/scenarios.json. Only a device asks for a new Child SA, so `a` is one.
 */
import { describe, expect, test } from 'vitest'
import { selectors } from '../node.ts'
import { createPair, DIAL, initiate, type Pair } from '../pair.ts'
import { checkTraffic } from '../traffic.ts'
import { ByHand, CHILD, REKEY_IKE, TEMPORARY_FAILURE } from './by-hand.ts'

const HOUR = 3_600_000
const REQUEST = `CREATE_CHILD_SA request 0, ${CHILD}`
const RESPONSE = `CREATE_CHILD_SA response 0, ${CHILD}`

function createChild({ device }: Pair): void {
  const [tsLocal, tsRemote] = [selectors('10.128.0.5'), selectors(DIAL)]
  device.command({ kind: 'createChild', key: device.key, tsLocal, tsRemote })
}

test('child_create/duplicate: one equal to another stands beside it, each with keys of its own', () => {
  const scene = new ByHand()
  const { device, concentrator, network } = scene.pair
  createChild(scene.pair)
  // The concentrator sends on the newest one at once; what it sends before the response arrives is lost.
  scene.mindsTraffic = false
  scene.pass(device, REQUEST)
  scene.mindsTraffic = true
  scene.pass(concentrator, RESPONSE)
  scene.checkEmpty()
  expect([device.children.size, concentrator.children.size]).toEqual([2, 2])
  const keys = [...device.children.values()].map((child) => Buffer.from(child.keys.inboundKey).toString('hex'))
  expect(new Set(keys).size).toBe(2)
  network.run(HOUR)
  expect([device.isIdle, concentrator.isIdle]).toEqual([true, true])
})

test('child_create/collision_ike_rekey: each refuses the other for now, and both are done later', () => {
  const scene = new ByHand()
  const { device, concentrator, network } = scene.pair
  createChild(scene.pair)
  concentrator.command({ kind: 'rekeyIke', key: concentrator.key })
  scene.pass(device, REQUEST)
  scene.pass(concentrator, `CREATE_CHILD_SA request 0, ${REKEY_IKE}`)
  scene.pass(concentrator, `CREATE_CHILD_SA response 0, ${TEMPORARY_FAILURE}`)
  scene.pass(device, `CREATE_CHILD_SA response 0, ${TEMPORARY_FAILURE}`)
  scene.checkEmpty()
  expect([device.children.size, device.pendingSpis]).toEqual([1, 0])
  scene.letGo()
  network.run(HOUR)
  expect([device.children.size, concentrator.children.size]).toEqual([2, 2])
  expect(concentrator.eventsOf('ikeRekeyed')).toHaveLength(1)
  checkTraffic(scene.pair)
})

describe('RFC 6023', () => {
  const features = { childless: true }
  const both = { device: { features }, concentrator: { features } }

  function attachWithout(): Pair {
    const pair = createPair(both)
    initiate(pair, { childless: true })
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([
      expect.stringMatching(/^dev: IKE_SA_INIT request 0, /),
      expect.stringMatching(/^con: IKE_SA_INIT response 0, .*N\(CHILDLESS_IKEV2_SUPPORTED\)/),
      'dev: IKE_AUTH request 1, SK {IDi, IDr, AUTH, N(INITIAL_CONTACT), CP(REQUEST)}',
      'con: IKE_AUTH response 1, SK {IDr, AUTH, CP(REPLY)}',
    ])
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([0, 0])
    return pair
  }

  function expectFirstChild(pair: Pair): void {
    createChild(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take()).toEqual([
      `dev: CREATE_CHILD_SA request 2, ${CHILD}`,
      `con: CREATE_CHILD_SA response 2, ${CHILD}`,
    ])
    checkTraffic(pair)
  }

  test('childless/regular: the first Child SA comes in an exchange of its own, with a key exchange', () => {
    expectFirstChild(attachWithout())
  })

  test('childless/regular_manual: an IKE SA stands for hours before its first Child SA', () => {
    const pair = attachWithout()
    pair.network.run(3 * HOUR)
    expectFirstChild(pair)
  })

  test('childless/failure_init: a responder that does not do it is asked for a Child SA in IKE_AUTH', () => {
    const pair = createPair({ device: { features } })
    initiate(pair, { childless: true })
    pair.network.run(1_000)
    expect(pair.transcript.take()[1]).not.toContain('CHILDLESS')
    checkTraffic(pair)
  })

  test('childless/failure_resp: a responder never insists on it; who asks for a Child SA in IKE_AUTH gets one', () => {
    const pair = createPair({ concentrator: { features } })
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take()[1]).toContain('CHILDLESS')
    checkTraffic(pair)
  })
})
