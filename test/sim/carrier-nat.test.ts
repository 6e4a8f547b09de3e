/** Many devices behind the one address of a carrier, of which one is hostile. */
import { decodeMessage, encodeMessage, type ResumptionTicket } from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import { granting } from './grants.ts'
import { Nat } from './nat.ts'
import { Network } from './network.ts'
import { fqdn, Node } from './node.ts'
import { matches } from './packets.ts'
import { initiatorConfig } from './pair.ts'
import { Vault } from './vault.ts'

const DEVICES = 50
const LOST_PERCENT = 10
const features = { resumption: true }
const CARRIER = '100.64.0.1'

interface Scene {
  readonly network: Network
  readonly concentrator: Node
  readonly devices: readonly Node[]
  readonly hostile: Node
  /** As it leaves the address of the carrier. */
  readonly begin: (device: Node, resume?: ResumptionTicket) => void
}

/** Room for fewer than come; whoever fills it has shown that it is there. */
function scene(seed = 1): Scene {
  const network = new Network(seed)
  const nat = new Nat(network, CARRIER)
  const concentrator = new Node(network, {
    name: 'con',
    address: '203.0.113.1',
    config: { features, cookieThreshold: 2, maxHalfOpen: 80 },
  })
  concentrator.vault = new Vault(network)
  concentrator.answerTo = (question) =>
    question.kind === 'resume'
      ? { kind: 'resume', isAllowed: true }
      : granting({ ticketLifetimeMs: 86_400_000 })(question)
  const node = (name: string, address: string): Node => new Node(network, { name, address, nat, config: { features } })
  const devices = Array.from({ length: DEVICES }, (_, index) => node(`d${index}`, `10.0.0.${index + 1}`))
  const begin = (device: Node, resume?: ResumptionTicket): void =>
    device.command({
      kind: 'initiate',
      peer: initiatorConfig(device, concentrator, {
        localId: fqdn(`${device.name}.test`),
        requestTicket: true,
        ...(resume && { resume }),
      }),
    })
  return { network, concentrator, devices, hostile: node('bad', '10.0.1.1'), begin }
}

const isAttached = (device: Node): boolean => device.eventsOf('established').length > 0

/** Loses some of all packets; what the hostile one would send to go on never leaves it. */
function letItRain({ network, hostile }: Scene): void {
  network.fate = (packet) => {
    const isIdle = matches(packet, { from: CARRIER, exchange: 'IKE_AUTH' }) && isOf(hostile, packet.bytes)
    return isIdle || network.random.below(100) < LOST_PERCENT ? { copies: 0 } : {}
  }
}

/** The core of the tests names SPIs after the node that drew them. */
function isOf(node: Node, bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 3)).toString() === node.name
}

function flood({ network, hostile, begin }: Scene, durationMs: number): void {
  for (let atMs = 0; atMs < durationMs; atMs += 10) network.at(network.nowMs + atMs, () => begin(hostile))
}

function comeOneAfterTheOther({ network, devices, begin }: Scene): void {
  for (const [index, device] of devices.entries()) network.at(network.nowMs + index * 100, () => begin(device))
}

describe('N19 behind the address of a carrier', () => {
  test('one device that takes places with good cookies and never goes on keeps none of fifty out', () => {
    const one = scene()
    letItRain(one)
    flood(one, 20_000)
    one.network.run(2_000)
    expect(one.concentrator.endpoint.size.halfOpen).toBe(20)
    comeOneAfterTheOther(one)
    one.network.run(18_000)
    expect(one.devices.filter(isAttached)).toHaveLength(DEVICES)
  })

  test('one device that has us compute with public values that are worth nothing keeps none of fifty out', () => {
    const one = scene()
    letItRain(one)
    const { network, hostile, devices, concentrator } = one
    spoil(network, hostile)
    flood(one, 20_000)
    network.run(2_000)
    comeOneAfterTheOther(one)
    network.run(18_000)
    expect(devices.filter(isAttached)).toHaveLength(DEVICES)
    expect(concentrator.tap.keyExchanges).toBeLessThan(DEVICES * 2 + 30)
  })

  test('RFC 5723 devices with a ticket come back at once, however many ports flood', () => {
    const one = scene()
    const { network, devices, concentrator } = one
    for (const device of devices) {
      one.begin(device)
      network.run(200)
    }
    const tickets = devices.map((device) => device.eventsOf('ticket')[0]?.ticket)
    const nat = devices[0]?.route
    // Everybody comes from new ports, and the places are taken by strangers from as many others.
    nat?.rebind()
    const strangers = Array.from({ length: 30 }, (_, index) => stranger(one, index))
    network.fate = (packet) =>
      strangers.some((node) => matches(packet, { from: CARRIER, exchange: 'IKE_AUTH' }) && isOf(node, packet.bytes))
        ? { copies: 0 }
        : {}
    for (let atMs = 0; atMs < 5_000; atMs += 100) {
      network.at(network.nowMs + atMs, () => {
        for (const node of strangers) one.begin(node)
      })
    }
    network.run(1_000)
    for (const [index, device] of devices.entries()) {
      network.at(network.nowMs + index * 20, () => one.begin(device, tickets[index]))
    }
    network.run(2_500)
    expect(concentrator.eventsOf('established').filter(({ proof }) => proof === 'ticket')).toHaveLength(DEVICES)
  })

  test('RFC 5723 a device that gathered tickets has no more of the reserve than one that has a single one', () => {
    const one = scene()
    const { network, hostile, concentrator } = one
    for (let count = 0; count < 6; count += 1) {
      one.begin(hostile)
      network.run(2_000)
    }
    const tickets = hostile.eventsOf('ticket').map(({ ticket }) => ticket)
    expect(tickets.length).toBeGreaterThan(3)
    hostile.route?.rebind()
    const strangers = Array.from({ length: 30 }, (_, index) => stranger(one, index))
    network.fate = (packet) => (matches(packet, { from: CARRIER, exchange: 'IKE_AUTH' }) ? { copies: 0 } : {})
    for (const node of strangers) one.begin(node)
    network.run(200)
    const crowd = concentrator.endpoint.size.halfOpen
    for (const ticket of tickets) one.begin(hostile, ticket)
    network.run(200)
    expect(concentrator.endpoint.size.halfOpen).toBe(crowd + 2)
  })
})

function stranger({ network, hostile }: Scene, index: number): Node {
  const nat = hostile.route
  if (nat === null) throw new Error('it is behind the NAT')
  return new Node(network, { name: `s${String(index).padStart(2, '0')}`, address: `10.0.2.${index + 1}`, nat })
}

/** From now on every public value of this node is a point of small order. */
function spoil(network: Network, node: Node): void {
  const { fate } = network
  network.fate = (packet) => {
    const wanted = fate(packet)
    if (!isOf(node, packet.bytes) || !matches(packet, { from: CARRIER, exchange: 'IKE_SA_INIT' })) return wanted
    const decoded = decodeMessage(packet.bytes)
    if (!decoded.ok) throw new Error('our own message')
    const payloads = decoded.value.payloads.map((payload) =>
      payload.kind === 'ke' ? { ...payload, data: payload.data.slice().fill(0) } : payload,
    )
    return { ...wanted, bytes: encodeMessage(decoded.value.header, payloads) }
  }
}
