/**
 * Fuzzes a whole IKEv2 endpoint that serves devices: damaged and random datagrams from anywhere, and messages sealed with the
 * true keys of a device whose inside is damaged or out of place.
 *
 * What must hold: nothing throws; every table stays within its bound; no inbound SPI leaks; a device that was left alone still
 * gets its answers; a new device can attach.
 */
import { decodeMessage, encodePayloads, EXCHANGE, peekHeader } from '@culvert/ikev2'
import { forgeRaw } from '../sim/forge.ts'
import { Network, type Packet } from '../sim/network.ts'
import { Node } from '../sim/node.ts'
import { grantEverything, initiatorConfig } from '../sim/pair.ts'
import { innerPayloads } from '../sim/transcript.ts'
import { mutate } from './mutate.ts'
import { seededRandom, type SeededRandom } from './random.ts'

const MAX_HALF_OPEN = 64
const MAX_IKE_SAS = 40
const MAX_CHILD_SAS = 32
const EXCHANGES = Object.values(EXCHANGE)

export interface EndpointTally {
  readonly inputs: number
  readonly answered: number
  readonly attachmentsMade: number
}

/** Octets inside SK, with the type of the first payload. */
interface Inside {
  readonly innerType: number
  readonly bytes: Uint8Array
}

interface Scene {
  readonly network: Network
  readonly concentrator: Node
  /** Left alone. */
  readonly witness: Node
  /** Its keys are used to forge. */
  readonly traitor: Node
  readonly random: SeededRandom
  readonly datagrams: readonly Uint8Array[]
  readonly insides: readonly Inside[]
}

/** @throws on the first input that breaks a rule. */
export function fuzzEndpoint(seed: number, rounds: number): EndpointTally {
  const scene = createScene(seed)
  let messageId = reattach(scene)
  for (let round = 0; round < rounds; round += 1) {
    receiveOuter(scene)
    messageId = receiveInner(scene, messageId)
    if (round % 50 === 0) {
      scene.network.run(scene.random.below(2_000))
      checkBounds(scene)
    }
  }
  scene.network.run(120_000)
  checkBounds(scene)
  checkService(scene)
  return {
    inputs: rounds * 2,
    answered: scene.concentrator.sent.length,
    attachmentsMade: scene.concentrator.eventsOf('established').length,
  }
}

function createScene(seed: number): Scene {
  const network = new Network(seed)
  const limits = { maxHalfOpen: MAX_HALF_OPEN, maxIkeSas: MAX_IKE_SAS, cookieThreshold: MAX_HALF_OPEN }
  const timing = { livenessMs: 15_000 }
  const concentrator = new Node(network, { name: 'con', address: '203.0.113.1', config: { ...limits, timing } })
  concentrator.answerTo = grantEverything
  const witness = new Node(network, { name: 'witness', address: '198.51.100.1' })
  const traitor = new Node(network, { name: 'traitor', address: '198.51.100.2' })
  for (const node of [witness, traitor]) attach(network, node, concentrator)
  exercise(network, traitor)
  const nodes = [witness, traitor, concentrator]
  const datagrams = nodes.flatMap(({ sent }) => sent.map(({ bytes }) => bytes.slice()))
  const insides = nodes.flatMap((node) => node.sent.flatMap((packet) => insideOf(node, packet)))
  return { network, concentrator, witness, traitor, random: seededRandom(seed), datagrams, insides }
}

function attach(network: Network, node: Node, concentrator: Node): void {
  node.command({ kind: 'initiate', peer: initiatorConfig(node, concentrator) })
  network.run(500)
}

/** Makes every kind of message once, as material. */
function exercise(network: Network, node: Node): void {
  const { key } = node
  node.command({ kind: 'rekeyChild', key, spiIn: node.child.spiIn })
  network.run(500)
  node.command({ kind: 'rekeyIke', key })
  network.run(500)
  node.command({ kind: 'checkLiveness', key })
  network.run(500)
}

function insideOf(node: Node, { bytes }: Packet): Inside[] {
  const message = decodeMessage(bytes)
  if (!message.ok || message.value.sealed === null) return []
  const { firstType, bytes: inside } = encodePayloads(innerPayloads(node.tap, message.value, bytes))
  return [{ innerType: firstType, bytes: inside }]
}

/** A damaged or random datagram from anywhere. */
function receiveOuter({ concentrator, random, datagrams }: Scene): void {
  const bytes = random.oneIn(10) ? random.bytes(random.below(200)) : mutate(random.pick(datagrams), random, datagrams)
  const from = { address: `192.0.2.${random.below(256)}`, port: random.below(65_536) }
  concentrator.receive({ from, to: { address: concentrator.address, port: random.pick([500, 4_500]) }, bytes })
}

/** A message of the traitor. @returns the message id its next request needs. */
function receiveInner(scene: Scene, messageId: number): number {
  const { concentrator, traitor, random, insides } = scene
  const inside = random.pick(insides)
  const isDamaged = !random.oneIn(8)
  const others = insides.map(({ bytes }) => bytes)
  const plaintext = isDamaged ? mutate(inside.bytes, random, others) : inside.bytes
  const place = {
    exchangeType: random.oneIn(5) ? random.pick(EXCHANGES) : random.pick([36, 37]),
    messageId: random.oneIn(10) ? random.below(6) : messageId,
    isResponse: random.oneIn(10),
  }
  const innerType = random.oneIn(20) ? random.below(256) : inside.innerType
  const bytes = forgeRaw(traitor, place, innerType, plaintext)
  const before = concentrator.sent.length
  concentrator.receive({
    from: { address: traitor.address, port: 500 },
    to: { address: concentrator.address, port: 500 },
    bytes,
  })
  const isAnswered = concentrator.sent.slice(before).some((packet) => answers(packet, place.messageId))
  const next = isAnswered && place.messageId === messageId && !place.isResponse ? messageId + 1 : messageId
  return isAttached(scene, next) ? next : reattach(scene)
}

function answers({ bytes }: Packet, messageId: number): boolean {
  const header = peekHeader(bytes)
  return header.ok && header.value.isResponse && header.value.messageId === messageId
}

/** Asks with an empty INFORMATIONAL whether the concentrator still knows the traitor's IKE SA; costs no message id. */
function isAttached({ concentrator, traitor }: Scene, messageId: number): boolean {
  const header = peekHeader(traitor.sent.at(-1)?.bytes ?? new Uint8Array(0))
  if (!header.ok || messageId > 4_000) return false
  const mine = header.value.spiR
  const established = concentrator
    .eventsOf('established')
    .filter(({ ike }) => ike.spiR === mine)
    .at(-1)
  if (established === undefined) return false
  const isClosed = concentrator.eventsOf('closed').some(({ key }) => key === established.key)
  return !isClosed && !concentrator.eventsOf('ikeRekeyed').some(({ key }) => key === established.key)
}

/** The traitor starts over. @returns the message id of its next request. */
function reattach({ network, traitor, concentrator }: Scene): number {
  for (const established of concentrator.eventsOf('established')) {
    if (established.ike.path.remote.address !== traitor.address) continue
    concentrator.command({ kind: 'deleteIke', key: established.key, reason: 'superseded' })
  }
  network.detach(traitor.address)
  network.run(40_000)
  network.attach(traitor)
  concentrator.events.splice(0)
  concentrator.sent.splice(0)
  traitor.sent.splice(0)
  attach(network, traitor, concentrator)
  return 2
}

function checkBounds({ concentrator }: Scene): void {
  const { established, halfOpen } = concentrator.endpoint.size
  if (established > MAX_IKE_SAS) throw new Error(`${established} attachments`)
  if (halfOpen > MAX_HALF_OPEN) throw new Error(`${halfOpen} half-open SAs`)
  if (concentrator.children.size > established * MAX_CHILD_SAS)
    throw new Error(`${concentrator.children.size} Child SAs`)
}

/** The witness is answered, and a newcomer gets in; every SPI is in use or was given back. */
function checkService({ network, concentrator, witness }: Scene): void {
  const sent = witness.sent.length
  witness.command({ kind: 'checkLiveness', key: witness.key })
  network.run(500)
  if (witness.sent.length !== sent + 1) throw new Error('the witness had to repeat itself')
  const newcomer = new Node(network, { name: 'newcomer', address: '198.51.100.3' })
  attach(network, newcomer, concentrator)
  if (newcomer.children.size !== 1) throw new Error('a newcomer could not attach')
  if (concentrator.pendingSpis !== 0) throw new Error(`${concentrator.pendingSpis} SPIs leaked`)
}
