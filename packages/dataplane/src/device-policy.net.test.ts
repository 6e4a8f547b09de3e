import { UNLIMITED_POLICY, type SubjectPolicy } from '@culvert/esp'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type DevicePeer, DevicePeers } from '../test/device-peers.ts'
import { Program } from '../test/forwarding-lab.ts'
import { buildPacket } from '../test/inner-packets.ts'

const IN_GROUP: SubjectPolicy = { ...UNLIMITED_POLICY, group: 7, mayReachGroup: true }
const A = 11
const B = 12

/** UDP from one address 10.128.0.x to another. */
function packetTo(source: number, destination: number, payloadBytes = 32, tos = 0): Uint8Array {
  const payload = new Uint8Array(payloadBytes).fill(destination)
  const [from, to] = [0x0a800000 + source, 0x0a800000 + destination]
  return buildPacket({ protocol: 'udp', payload }, { source: from, destination: to, tos, ttl: 64 })
}

/** The answer to an ICMP echo request in IPv4. */
function echoReply(request: Uint8Array): Uint8Array {
  const reply = request.slice()
  reply.set(request.subarray(12, 16), 16)
  reply.set(request.subarray(16, 20), 12)
  reply[20] = 0
  const sum = ((request[22]! << 8) | request[23]!) + 0x0800
  const folded = (sum & 0xffff) + (sum >>> 16)
  reply[22] = folded >>> 8
  reply[23] = folded & 0xff
  return reply
}

describe.each(['native', 'portable'] as const)('%s data plane and its devices', (rung) => {
  const namespace = `cvp${rung[0]}-${process.pid}`
  let peers: DevicePeers
  let a: DevicePeer
  let b: DevicePeer
  beforeAll(async () => {
    peers = await DevicePeers.open(namespace, rung)
    a = await peers.add(A)
    b = await peers.add(B)
  })
  afterAll(() => peers.close())
  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 30_000, interval: 10 })

  async function expectDrop(name: Parameters<DevicePeers['drops']>[0], send: () => void): Promise<void> {
    const [before, came] = [await peers.drops(name), b.received.length]
    send()
    await until(async () => expect(await peers.drops(name)).toBe(before + 1))
    expect(b.received).toHaveLength(came)
  }

  async function expectArrival(send: () => void, at = b): Promise<Uint8Array> {
    const before = at.received.length
    send()
    await until(() => expect(at.received).toHaveLength(before + 1))
    return at.received.at(-1)!
  }

  it('keeps devices apart unless their group says otherwise', async () => {
    await expectDrop('notToDialAddress', () => a.send(packetTo(A, B)))
    peers.plane.setSubject(A, IN_GROUP)
    await expectDrop('notToDialAddress', () => a.send(packetTo(A, B)))
    peers.plane.setSubject(B, { ...IN_GROUP, group: 8 })
    await expectDrop('notToDialAddress', () => a.send(packetTo(A, B)))
  })

  it('forwards from device to device of one group, both ways, one hop shorter, and counts it', async () => {
    for (const subject of [A, B]) peers.plane.setSubject(subject, IN_GROUP)
    const before = await peers.plane.readCounters()
    const sent = packetTo(A, B)
    const came = await expectArrival(() => a.send(sent))
    expect([came.length, came[8]]).toEqual([sent.length, 63])
    expect(came.subarray(12)).toEqual(sent.subarray(12))
    await expectArrival(() => b.send(packetTo(B, A)), a)
    const after = await peers.plane.readCounters()
    expect([after.packetsIn - before.packetsIn, after.packetsOut - before.packetsOut]).toEqual([2, 2])
    const [ofA, ofB] = await peers.plane.readSaCounters([a.spiIn, b.spiIn])
    expect([ofA?.packetsOut, ofB?.packetsOut]).toEqual([1, 1])
  })

  it('carries packets of any size and number, and the congestion marks of the inner header (C65)', async () => {
    const sizes = [1, 2, 3, 17, 500, 1372]
    const before = b.received.length
    for (const size of sizes) a.send(packetTo(A, B, size))
    await until(() => expect(b.received).toHaveLength(before + sizes.length))
    expect(b.received.slice(before).map(({ length }) => length - 28)).toEqual(sizes)
    const marked = await expectArrival(() => a.send(packetTo(A, B, 9, 3)))
    expect(marked[1]).toBe(3)
    await expectDrop('tooBig', () => a.send(packetTo(A, B, 1373)))
  })

  it('C63 lets no device speak for another, nor for a host behind it', async () => {
    await expectDrop('selectorMismatch', () => a.send(packetTo(13, B)))
    const lan = packetTo(A, B)
    lan.set([192, 168, 1, 7], 12)
    await expectDrop('noHostMapping', () => a.send(lan))
  })

  it('gives no device itself back', async () => {
    await expectDrop('notToDialAddress', () => a.send(packetTo(A, A)))
  })

  it('stops at once when the group is closed, and goes on when it opens', async () => {
    peers.plane.setSubject(B, { ...IN_GROUP, mayReachGroup: false })
    await expectDrop('notToDialAddress', () => a.send(packetTo(A, B)))
    peers.plane.setSubject(B, IN_GROUP)
    await expectArrival(() => a.send(packetTo(A, B)))
  })

  it('holds a live SA to a rate of each direction', async () => {
    const one = { bytes: null, packets: { perSec: 1e-6, burst: 1 } }
    peers.plane.setSubject(A, { ...IN_GROUP, rateIn: one })
    await expectArrival(() => a.send(packetTo(A, B)))
    await expectDrop('rateLimited', () => a.send(packetTo(A, B)))
    peers.plane.setSubject(A, IN_GROUP)
    peers.plane.setSubject(B, { ...IN_GROUP, rateOut: one })
    await expectArrival(() => a.send(packetTo(A, B)))
    await expectDrop('rateLimited', () => a.send(packetTo(A, B)))
    peers.plane.setSubject(B, IN_GROUP)
    await expectArrival(() => a.send(packetTo(A, B)))
  })

  it('stops a device whose quota is used up, says so, and goes on with a new one', async () => {
    const [used = 0] = await peers.plane.readSubjects([A])
    peers.plane.setSubject(A, { ...IN_GROUP, quotaBytes: 100 })
    await expectArrival(() => a.send(packetTo(A, B)))
    await expectDrop('quotaExceeded', () => a.send(packetTo(A, B)))
    await until(() => expect(peers.quotas).toEqual([A]))
    expect(await peers.plane.readSubjects([A])).toEqual([used + 60])
    peers.plane.setSubject(A, { ...IN_GROUP, quotaBytes: 100 })
    await expectArrival(() => a.send(packetTo(A, B)))
    peers.plane.setSubject(A, IN_GROUP)
  })

  it('holds what gateways dial to the same limits', async () => {
    peers.plane.setSubject(A, { ...IN_GROUP, rateOut: { bytes: null, packets: { perSec: 1e-6, burst: 1 } } })
    const before = await peers.drops('rateLimited')
    const received = a.received.length
    const program = ping(a.address)
    await until(() => expect(a.received).toHaveLength(received + 1))
    const request = a.received.at(-1)!
    const second = ping(a.address)
    await until(async () => expect(await peers.drops('rateLimited')).toBe(before + 1))
    await second.end()
    peers.plane.setSubject(A, { ...IN_GROUP, rateIn: { bytes: null, packets: { perSec: 1e-6, burst: 1 } } })
    const reply = echoReply(request)
    for (let i = 0; i < 2; i++) a.send(reply)
    await program.hears('reply')
    await until(async () => expect(await peers.drops('rateLimited')).toBe(before + 2))
    peers.plane.setSubject(A, IN_GROUP)
    await program.end()
  })

  it('RFC 7296 2.23 sends at most three times what came from an unconfirmed address', async () => {
    await b.rebind()
    const path = { local: peers.plane.local, remote: b.remote }
    peers.plane.move(b.spiIn, path, { peerBehindNat: true, isConfirmed: false })
    await expectDrop('pathUnconfirmed', () => a.send(packetTo(A, B)))
    b.receivedEspBytes = 0
    const earned = b.send(packetTo(B, A))
    await until(() => expect(a.received.at(-1)?.[28]).toBe(A))
    const before = await peers.drops('pathUnconfirmed')
    for (let i = 0; i < 6; i++) a.send(packetTo(A, B))
    await until(async () => expect(await peers.drops('pathUnconfirmed')).toBe(before + 3))
    await until(() => expect(b.receivedEspBytes).toBe(3 * earned))
    await expectDrop('pathUnconfirmed', () => a.send(packetTo(A, B)))
    expect(b.receivedEspBytes).toBe(3 * earned)
    peers.plane.move(b.spiIn, path, { peerBehindNat: true, isConfirmed: true })
    await expectArrival(() => a.send(packetTo(A, B)))
  })

  it('forgets what held for a device when its number is free', async () => {
    peers.plane.removeSubject(A)
    expect(await peers.plane.readSubjects([A])).toEqual([0])
    await expectDrop('notToDialAddress', () => a.send(packetTo(A, B)))
  })

  it('takes no SA of nobody, and none of a subject it has no room for', async () => {
    const description = b.describe('concentrator')
    await expect(peers.plane.install(description, null)).rejects.toThrow(/spiInUse|noPlacement/)
    const other = { ...b.describe('concentrator'), spiIn: a.spiIn }
    peers.plane.remove(a.spiIn)
    await expect(peers.plane.install(other, { subject: 17, addresses: [] })).rejects.toThrow('noPlacement')
    await expect(
      peers.plane.install({ ...other, ...b.describe('concentrator'), spiIn: a.spiIn }, null),
    ).rejects.toThrow('noPlacement')
  })

  /** Whoever waits for it, waits long. */
  function ping(address: string): Program {
    return new Program(namespace, 'ping', [address, '8', '30'])
  }
})
