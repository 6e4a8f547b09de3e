/**
 * Where the peer is: NAT detection, the move to port 4500, rebinding, liveness, keepalives, fragments
 * (RFC 7296 2.4, 2.11, 2.23; RFC 7383).
 */
import { describe, expect, test } from 'vitest'
import { Nat } from './nat.ts'
import type { Network } from './network.ts'
import { Node, selectors } from './node.ts'
import { fateOfFirst, LOST } from './packets.ts'
import { attachedPair, createPair, grantEverything, initiate, initiatorConfig } from './pair.ts'

function behindNat(network: Network): Nat {
  return new Nat(network, '192.0.2.1')
}

describe('C17 NAT detection', () => {
  test('without NAT: nobody is behind one, the ports stay', () => {
    const { device, concentrator } = attachedPair()
    expect(device.eventsOf('established')[0]?.ike).toMatchObject({ peerBehindNat: false, localBehindNat: false })
    expect(concentrator.eventsOf('established')[0]?.ike).toMatchObject({ peerBehindNat: false, localBehindNat: false })
    expect(device.child.path.remote.port).toBe(500)
  })

  test('a device behind NAT: both ends know, and go on at port 4500', () => {
    const { device, concentrator } = attachedPair({ behindNat })
    expect(device.eventsOf('established')[0]?.ike).toMatchObject({ peerBehindNat: false, localBehindNat: true })
    expect(concentrator.eventsOf('established')[0]?.ike).toMatchObject({ peerBehindNat: true, localBehindNat: false })
    expect(device.child.path).toMatchObject({ local: { port: 4500 }, remote: { port: 4500 } })
    expect(concentrator.child.path).toMatchObject({ local: { port: 4500 }, remote: { address: '192.0.2.1' } })
    expect(concentrator.child).toMatchObject({ udpEncap: true, peerBehindNat: true })
  })

  test('C61 encapsulation can be forced where there is no NAT', () => {
    const pair = createPair({ concentrator: { forceUdpEncap: true } })
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.device.eventsOf('established')[0]?.ike.peerBehindNat).toBe(true)
    expect(pair.device.child.path.remote.port).toBe(4500)
  })

  const udp = (pair: ReturnType<typeof attachedPair>): boolean[] =>
    [pair.device, pair.concentrator].map(({ child }) => child.udpEncap)

  test('RFC 7296 2.23 ESP goes without UDP when no end forces it and no NAT is in the way, after a rekey too', () => {
    const pair = attachedPair()
    expect(udp(pair)).toEqual([false, false])
    const { spiIn } = pair.device.child
    pair.device.command({ kind: 'rekeyChild', key: pair.device.key, spiIn })
    pair.network.run(2_000)
    expect(pair.device.child.spiIn).not.toBe(spiIn)
    expect(udp(pair)).toEqual([false, false])
  })

  test.each([
    ['the device is behind a NAT', { behindNat }],
    ['the device forces it', { device: { forceUdpEncap: true } }],
    ['the concentrator forces it', { concentrator: { forceUdpEncap: true } }],
  ])('RFC 7296 2.23 both ends send ESP in UDP when %s', (_when, options) => {
    expect(udp(attachedPair(options))).toEqual([true, true])
  })

  test('two devices behind one NAT are told apart', () => {
    const pair = attachedPair({ behindNat })
    const nat = new Nat(pair.network, '192.0.2.2')
    const second = new Node(pair.network, { name: 'two', address: '192.168.1.8', nat })
    const third = new Node(pair.network, { name: 'tri', address: '192.168.1.9', nat })
    for (const node of [second, third]) {
      node.command({ kind: 'initiate', peer: initiatorConfig(node, pair.concentrator) })
    }
    pair.network.run(1_000)
    expect(pair.concentrator.children.size).toBe(3)
    const remotes = [...pair.concentrator.children.values()].map(
      ({ path }) => `${path.remote.address}/${path.remote.port}`,
    )
    expect(new Set(remotes).size).toBe(3)
  })
})

describe('C60 NAT rebinding', () => {
  test('a fresh request from a new port moves the IKE SA and its Child SAs', () => {
    const { nat, pair } = natPair()
    nat.rebind()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(2_000)
    const [moved] = pair.concentrator.eventsOf('moved')
    expect(moved?.remote).toEqual(pair.concentrator.child.path.remote)
    expect(pair.concentrator.eventsOf('moved')).toHaveLength(1)
    pair.concentrator.command({ kind: 'rekeyChild', key: pair.concentrator.key, spiIn: pair.concentrator.child.spiIn })
    pair.network.run(2_000)
    expect(pair.device.eventsOf('childRekeyed')).toHaveLength(1)
  })

  test('a peer that is not behind NAT is not followed, but answered where it is', () => {
    const pair = attachedPair()
    pair.network.fate = fateOfFirst({ exchange: 'INFORMATIONAL' }, LOST)
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    const request = pair.device.sent.at(-1)
    if (request === undefined) throw new Error('there is one')
    const elsewhere = { address: '198.51.100.99', port: 4_500 }
    pair.concentrator.receive({ ...request, from: elsewhere })
    expect(pair.concentrator.eventsOf('moved')).toEqual([])
    expect(pair.concentrator.sent.at(-1)?.to).toEqual(elsewhere)
    expect(pair.concentrator.child.path.remote).toEqual(request.from)
  })

  test('a repeated request from a new address moves nothing', () => {
    const { pair } = natPair()
    pair.device.command({ kind: 'checkLiveness', key: pair.device.key })
    pair.network.run(1_000)
    const request = pair.device.sent.at(-1)
    if (request === undefined) throw new Error('there is one')
    pair.concentrator.receive({ ...request, from: { address: '198.51.100.99', port: 4_500 } })
    expect(pair.concentrator.eventsOf('moved')).toEqual([])
  })

  test('the data plane saw the peer move: Child SAs follow and the new path is probed', () => {
    const { pair } = natPair()
    const remote = { address: '192.0.2.77', port: 1_234 }
    pair.concentrator.command({ kind: 'peerMoved', key: pair.concentrator.key, remote })
    expect(pair.concentrator.child.path.remote).toEqual(remote)
    expect(pair.concentrator.eventsOf('moved')).toMatchObject([{ remote }])
    expect(pair.concentrator.sent.at(-1)?.to).toEqual(remote)
    expect(pair.transcript.take()).toEqual(['con: INFORMATIONAL request 0, SK {}'])
  })

  test('N27 moves are limited to one a second', () => {
    const { pair } = natPair()
    for (let port = 1; port <= 50; port += 1) {
      const remote = { address: '192.0.2.77', port }
      pair.concentrator.command({ kind: 'peerMoved', key: pair.concentrator.key, remote })
    }
    expect(pair.concentrator.eventsOf('moved')).toHaveLength(1)
  })

  function natPair(): { nat: Nat; pair: ReturnType<typeof attachedPair> } {
    const nats: Nat[] = []
    const pair = attachedPair({
      behindNat: (network) => {
        const nat = behindNat(network)
        nats.push(nat)
        return nat
      },
    })
    const [nat] = nats
    if (nat === undefined) throw new Error('there is one')
    pair.network.run(2_000)
    return { nat, pair }
  }
})

describe('liveness (2.4)', () => {
  const timing = { livenessMs: 10_000 }

  test('silence is ended by an empty INFORMATIONAL exchange, again and again', () => {
    const pair = attachedPair({ concentrator: { timing } })
    pair.network.run(35_000)
    expect(pair.transcript.take().filter((line) => line === 'con: INFORMATIONAL request 0, SK {}')).toHaveLength(1)
    expect(pair.concentrator.sent.length).toBeGreaterThanOrEqual(5)
    expect(pair.concentrator.eventsOf('closed')).toEqual([])
  })

  test('inbound traffic counts as life', () => {
    const pair = attachedPair({ concentrator: { timing } })
    for (let second = 0; second < 60; second += 1) {
      pair.network.run(1_000)
      pair.concentrator.command({ kind: 'inboundTraffic', key: pair.concentrator.key })
    }
    expect(pair.transcript.take()).toEqual([])
  })

  test('C46 a peer that is gone is given up after all transmissions, each the same octets, further and further apart', () => {
    const pair = attachedPair({ concentrator: { timing } })
    pair.network.detach(pair.device.address)
    const times: number[] = []
    pair.network.fate = (packet) => {
      if (packet.from.address === pair.concentrator.address) times.push(pair.network.nowMs)
      return {}
    }
    pair.network.run(60_000)
    expect(times.map((atMs) => atMs - (times[0] ?? 0))).toEqual([0, 1_000, 3_000, 7_000, 15_000])
    const octets = pair.concentrator.sent.slice(-5).map(({ bytes }) => Buffer.from(bytes).toString('hex'))
    expect(new Set(octets).size).toBe(1)
    expect(pair.concentrator.eventsOf('closed').map(({ reason }) => reason)).toEqual(['peerSilent'])
    expect(pair.concentrator.children.size).toBe(0)
  })
})

test('only a device behind NAT sends keepalives, and only when it sent nothing else', () => {
  const timing = { natKeepaliveMs: 20_000 }
  const hidden = attachedPair({ behindNat, device: { timing }, concentrator: { timing } })
  const open = attachedPair({ device: { timing }, concentrator: { timing } })
  for (const { network } of [hidden, open]) network.run(90_000)
  expect([hidden.device.keepalives, hidden.concentrator.keepalives]).toEqual([4, 0])
  expect([open.device.keepalives, open.concentrator.keepalives]).toEqual([0, 0])
})

describe('fragments (RFC 7383)', () => {
  const small = { device: { fragmentBytes: 200 }, concentrator: { fragmentBytes: 200 } }

  test('IKE_AUTH travels in fragments no larger than the limit', () => {
    const pair = createPair(small)
    initiate(pair)
    pair.network.run(1_000)
    expect(pair.transcript.take().filter((line) => line.includes('SKF(1/'))).toHaveLength(2)
    for (const { bytes } of [...pair.device.sent.slice(1), ...pair.concentrator.sent.slice(1)]) {
      expect(bytes.length).toBeLessThanOrEqual(200)
    }
    expect(pair.device.eventsOf('established')).toHaveLength(1)
  })

  test.each([false, true])('one lost fragment (response: %s) is made up for', (isResponse) => {
    const pair = createPair(small)
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH', isResponse }, LOST)
    initiate(pair)
    pair.network.run(3_000)
    expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([1, 1])
  })

  test('doubled and reordered fragments are put together once', () => {
    const pair = createPair(small)
    pair.network.fate = () => ({ copies: 2, extraDelayMs: pair.network.random.below(200) })
    initiate(pair)
    pair.network.run(5_000)
    expect(pair.device.eventsOf('established')).toHaveLength(1)
    expect(pair.concentrator.eventsOf('established')).toHaveLength(1)
  })

  test('a repeated request in fragments gets one response, for its first fragment', () => {
    const pair = createPair(small)
    pair.network.fate = fateOfFirst({ exchange: 'IKE_AUTH', isResponse: true }, LOST, 10)
    initiate(pair)
    pair.network.runUntil(() => pair.concentrator.eventsOf('established').length === 1)
    const responseFragments = pair.concentrator.sent.length - 1
    pair.network.run(1_050)
    expect(pair.concentrator.sent).toHaveLength(1 + 2 * responseFragments)
  })

  test('an incomplete message is forgotten after a while', () => {
    const pair = attachedPair(small)
    pair.network.fate = fateOfFirst({ exchange: 'CREATE_CHILD_SA', isResponse: false }, LOST, 100)
    pair.device.command({ kind: 'rekeyChild', key: pair.device.key, spiIn: pair.device.child.spiIn })
    pair.network.run(90_000)
    expect(pair.device.eventsOf('closed').map(({ reason }) => reason)).toEqual(['peerSilent'])
  })
})

test('a node that grants nothing but its own address still answers a wide offer narrowly', () => {
  const pair = createPair()
  pair.concentrator.answerTo = grantEverything
  initiate(pair, { tsLocal: selectors('10.0.0.0/8', '192.168.0.0/16'), tsRemote: selectors('0.0.0.0/0') })
  pair.network.run(1_000)
  expect(pair.concentrator.child.tsRemote).toEqual(selectors('10.128.0.5'))
})
