/** What one datagram does in the whole inbound path, against the portable decapsulation over the same scene: so it is one file. */
import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { opensslProvider } from '@culvert/crypto'
import {
  composeSpi,
  createAhPair,
  createDecapsulated,
  createEncapsulated,
  createTransformPair,
  decapsulate,
  DeviceIsolation,
  DROP_CODE_NAMES,
  DropCode,
  findOutbound,
  HostMappings,
  paddedBytes,
  type Placement,
  parseInnerPacket,
  RandomPool,
  Sad,
  sealAhInto,
  type SadOptions,
  SubjectPolicies,
  SYNTHETIC_BLOCK,
  writeTrailer,
} from '@culvert/esp'
import type { ChildSaDescription, TrafficSelector } from '@culvert/ikev2'
import { buildPacket, fromFrame } from '../../../test/inner-packets.ts'
import { createChecksum } from '../superpackets/checksum.ts'
import { Coalescer } from '../superpackets/coalescer.ts'
import { Openssl, PacketMemory } from '../../foreign/index.ts'
import { Faults } from './faults.ts'
import { Hairpin } from './hairpin.ts'
import { Handoff } from '../lanes/handoff.ts'
import { Inbound } from './inbound.ts'
import type { FromWorker } from '../messages/messages.ts'
import { NativeSad } from '../sa/native-sad.ts'
import { Notices } from './notices.ts'
import type { OuterSocket } from '../sockets/outer-socket.ts'
import type { Portion } from '../lanes/portion.ts'
import { PathMtus } from '../path-mtu/path-mtus.ts'
import { createCommonBuffers, NodeField, SaField, SharedState } from '../shared-memory/shared-state.ts'
import { encodeSocketAddress, SOCKADDR_BYTES } from '../sockets/socket-address.ts'
import { TransformFactory } from '../sa/transform-factory.ts'
import type { ReceivedBuffer, UdpReceiver } from '../sockets/udp-receiver.ts'
import type { UdpSender } from '../sockets/udp-sender.ts'

const DIAL = 0x0a7f0001
const DEVICE = 0x0a800005
const PEER = { address: '192.0.2.7', port: 4500 }
const LOCAL = { address: '192.0.2.1', port: 4500 }
const AH_LOCAL = { address: 'fd00::a7f:1', port: 0 }
const AH_PEER = { address: 'fd00::a80:5', port: 0 }
const SAD_OPTIONS = { nodeSlot: 1, maxSas: 8, replayWindowPackets: 64, outboundBy: 'destination' } as const
const WITH_HOSTS = (): SadOptions => ({ ...SAD_OPTIONS, hosts: HOSTS })
const KEY_BYTES = 20
/** On the LANs behind both devices; each has its own synthetic address. */
const LAN_HOST = 0xc0a80114
const LAN_STRANGER = 0xc0a80115
const HOSTS = new HostMappings(1)
for (const index of [0, 1]) HOSTS.set(SYNTHETIC_BLOCK + 10 + index, index + 1, LAN_HOST)

function octets(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

function selector(start: number, end: number): TrafficSelector {
  return {
    type: 7,
    protocol: 0,
    startPort: 0,
    endPort: 0xffff,
    startAddress: octets(start),
    endAddress: octets(end),
  }
}

/** fd00:: with this as the last 32 bits, as `buildPacket` has it. */
function octets6(value: number): Uint8Array {
  return Uint8Array.of(0xfd, ...new Uint8Array(11), ...octets(value))
}

function selector6(start: number, end: number): TrafficSelector {
  return { ...selector(start, end), type: 8, startAddress: octets6(start), endAddress: octets6(end) }
}

function describeSa(index: number): ChildSaDescription {
  const key = (): Uint8Array => new Uint8Array(KEY_BYTES).fill(index + 1)
  return {
    spiIn: composeSpi(1, index, 1),
    spiOut: composeSpi(2, index, 1),
    keys: {
      encr: { type: 1, id: 20, keyBits: 128 },
      integ: null,
      esn: false,
      inboundKey: key(),
      outboundKey: key(),
      inboundIntegKey: new Uint8Array(0),
      outboundIntegKey: new Uint8Array(0),
    },
    path: { local: LOCAL, remote: PEER },
    udpEncap: true,
    peerBehindNat: index === 0,
    mode: 'tunnel',
    tsLocal: [selector(0x0a7f0000, 0x0a7f00ff), selector6(0x0a7f0000, 0x0a7f00ff)],
    tsRemote: [
      selector(DEVICE + index, DEVICE + index),
      selector6(DEVICE + index, DEVICE + index),
      selector(0xc0a80100, 0xc0a801ff),
    ],
    outbound: true,
    replaces: null,
  }
}

function placementOf(index: number): Placement {
  return { subject: index + 1, addresses: [`10.128.0.${5 + index}`, `fd00::a80:${5 + index}`] }
}

const random = new RandomPool((length) => randomBytes(length))
const transformContext = { provider: opensslProvider, incarnation: 1, random }

function pairOf(
  description: ChildSaDescription,
): Extract<ReturnType<typeof createTransformPair>, { ok: true }>['value'] {
  const pair = createTransformPair(description.keys, transformContext)
  if (!pair.ok) throw new Error(pair.error)
  return pair.value
}

/** For what a test is built on, not what it is about. */
function must(condition: boolean): void {
  if (!condition) throw new Error('the test is set up wrongly')
}

/** An isolation that knows the flows from port 100 of the dial address to port 200 of both devices, TCP and UDP, IPv4 and IPv6. */
function createIsolation(): DeviceIsolation {
  const isolation = new DeviceIsolation([octets(DIAL), octets6(DIAL)], { maxFlows: 64, hashSeed: 1 }, HOSTS)
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const destination of [DEVICE, DEVICE + 1, SYNTHETIC_BLOCK + 10, SYNTHETIC_BLOCK + 11]) {
      const ports = { sourcePort: 100, destinationPort: 200 }
      for (const version of [4, 6] as const) {
        const network = { source: DIAL, destination, version }
        const opening = buildPacket({ protocol, ...ports, payload: new Uint8Array(4) }, network)
        const inner = createDecapsulated().inner
        must(parseInnerPacket(opening, 0, opening.length, inner) === DropCode.none)
        must(isolation.admitOutbound(opening, inner) === DropCode.none)
      }
    }
  }
  return isolation
}

const ALONE: Portion = { buffers: 16, frames: 64, bytes: 262_144 }

/** The worker's inbound half with datagrams from arrays. */
class Harness {
  readonly memory = new PacketMemory(1 << 20)
  readonly shared = SharedState.create(SAD_OPTIONS.maxSas)
  readonly sads: NativeSad
  readonly posted: FromWorker[] = []
  readonly notices = new Notices(this.shared, (message) => this.posted.push(message))
  readonly faults: string[] = []
  delivered: Uint8Array[] = []
  /** Buffers in the socket, and how many each call asked for. */
  waiting = 0
  readonly asked: number[] = []
  readonly policies: SubjectPolicies
  readonly #inbound: Inbound
  readonly #socket: OuterSocket
  readonly #ahSocket: OuterSocket
  readonly #buffer: ReceivedBuffer

  constructor() {
    const { memory, shared, notices } = this
    const checksum = createChecksum(memory)
    const { rings, ...common } = createCommonBuffers({
      ...SAD_OPTIONS,
      maxSubjects: 8,
      threads: 1,
      hasFlows: false,
      flowHashSeed: 1,
    })
    const handoff = new Handoff({ memory, thread: 0, threads: 1, rings, controls: [shared.control], wake: () => {} })
    const openssl = new Openssl(memory)
    const transforms = new TransformFactory({ ...transformContext, ...SAD_OPTIONS, memory, checksum, openssl })
    const source = memory.allocate(SOCKADDR_BYTES)
    encodeSocketAddress(PEER, memory.bytes, source)
    this.#buffer = { data: memory.allocate(65_536), length: 0, segmentBytes: 0, source, ecn: 0, local: 0 }
    const buffers = Array.from({ length: 16 }, () => this.#buffer)
    const receive = (_fd: number, most: number): number => {
      const count = Math.min(most, this.waiting)
      this.asked.push(most)
      this.waiting -= count
      return count
    }
    const receiver = { buffers, receive } as unknown as UdpReceiver
    const sender = {} as unknown as UdpSender // nothing is sent here
    const socket: OuterSocket = { fds: [-1], local: LOCAL, receiver, sender, carrier: 'udp' }
    const sockets = [socket, { ...socket, local: AH_LOCAL, carrier: 'ah' as const }]
    this.#socket = socket
    this.#ahSocket = sockets[1]!
    const paths = new PathMtus({ memory, shared, routeMtu: () => 0, locals: [LOCAL] })
    this.sads = new NativeSad({ memory, shared, transforms, sockets, paths, sharedSas: common.sharedSas }, WITH_HOSTS())
    for (const index of [0, 1]) must(this.sads.install(describeSa(index), placementOf(index)) === null)
    const sink = {
      write: (frame: number, length: number): void =>
        void this.delivered.push(...fromFrame(memory.copyOut(frame, length))),
    }
    const coalescer = new Coalescer(memory, checksum, sink, { tcp: true, udp: true })
    const isolation = createIsolation()
    const policies = new SubjectPolicies(common.subjects)
    this.policies = policies
    const faults = new Faults(notices, ({ message }) => this.faults.push(message))
    const local = { memory, checksum, sads: this.sads, shared, notices, handoff, others: [], faults }
    const site = { ...local, isolation, policies, tunMtuBytes: 1400, paths, tosMask: 3, dontFragment: true }
    const hairpin = new Hairpin(site, { sealPacket: () => DropCode.none })
    this.#inbound = new Inbound(site, sockets, coalescer, hairpin)
  }

  /** Datagrams of equal length but for a shorter last one. @returns what was delivered */
  receive(datagrams: readonly Uint8Array[], from = PEER, ecn = 0): Uint8Array[] {
    encodeSocketAddress(from, this.memory.bytes, this.#buffer.source)
    this.memory.bytes.set(Buffer.concat(datagrams), this.#buffer.data)
    this.#buffer.length = datagrams.reduce((sum, { length }) => sum + length, 0)
    this.#buffer.segmentBytes = datagrams[0]?.length ?? 0
    this.#buffer.ecn = ecn
    this.delivered = []
    this.waiting = 1
    this.visit(ALONE)
    return this.delivered
  }

  /** @returns buffers taken of those that wait, all with what came last */
  visit(portion: Portion): number {
    this.asked.length = 0
    return this.#inbound.receive(this.#socket, -1, portion)
  }

  /** What a raw socket gives of an IPv6 packet: from the authentication header on. @returns what was delivered */
  receiveAh(packet: Uint8Array, ecn: number): Uint8Array[] {
    encodeSocketAddress(AH_PEER, this.memory.bytes, this.#buffer.source)
    this.memory.bytes.set(packet.subarray(40), this.#buffer.data)
    this.#buffer.length = packet.length - 40
    this.#buffer.ecn = ecn
    this.delivered = []
    this.waiting = 1
    this.#inbound.receive(this.#ahSocket, -1, ALONE)
    return this.delivered
  }

  get drops(): Record<string, number> {
    const entries = DROP_CODE_NAMES.map((name, code) => [name, this.shared.node[NodeField.drops + code]!] as const)
    return Object.fromEntries(entries.filter(([, count]) => count > 0))
  }
}

/** AH in transport mode between a dial address and the first device, over IPv6; index 2. @param isDevice whose end */
function describeAh(isDevice: boolean): ChildSaDescription {
  const [own, other] = [composeSpi(1, 2, 1), composeSpi(2, 2, 1)]
  const [dial, device] = [selector6(DIAL, DIAL), selector6(DEVICE, DEVICE)]
  const key = (): Uint8Array => new Uint8Array(32).fill(7)
  const none = new Uint8Array(0)
  return {
    ...describeSa(2),
    spiIn: isDevice ? other : own,
    spiOut: isDevice ? own : other,
    keys: {
      encr: { type: 1, id: 11, keyBits: null },
      integ: { type: 3, id: 12, keyBits: null },
      esn: false,
      inboundKey: none,
      outboundKey: none,
      inboundIntegKey: key(),
      outboundIntegKey: key(),
    },
    protocol: 'ah',
    mode: 'transport',
    udpEncap: false,
    path: isDevice ? { local: AH_PEER, remote: AH_LOCAL } : { local: AH_LOCAL, remote: AH_PEER },
    tsLocal: [isDevice ? device : dial],
    tsRemote: [isDevice ? dial : device],
  }
}

/** As the first device would. */
function sealAh(inner: Uint8Array): Uint8Array {
  const description = describeAh(true)
  const sad = new Sad({ ...SAD_OPTIONS, nodeSlot: 2, outboundBy: 'source' })
  const pair = createAhPair(description.keys, transformContext)
  if (!pair.ok) throw new Error(pair.error)
  must(typeof sad.install(description, pair.value, null) !== 'string')
  const out = createEncapsulated()
  out.buffer = new Uint8Array(2000)
  const slice = { bytes: inner, offset: 0, length: inner.length }
  must(findOutbound(sad, slice, out) === DropCode.none)
  must(sealAhInto(slice, out) === DropCode.none)
  return out.buffer.slice(0, out.length)
}

/** Seals as the device would. */
class Device {
  readonly #sealers = [0, 1].map((index) => pairOf(describeSa(index)).sealer)
  #sequence = 0

  seal(inner: Uint8Array, options: SealOptions = {}): Uint8Array {
    const { sa = 0, sequence = ++this.#sequence, nextHeader, padLength } = options
    const sealer = this.#sealers[sa]!
    const textBytes = paddedBytes(inner.length, sealer)
    const plaintext = new Uint8Array(textBytes)
    plaintext.set(inner)
    writeTrailer(plaintext, inner.length, textBytes, (inner[0] ?? 0) >>> 4 === 6 ? 41 : 4)
    if (padLength !== undefined) plaintext[textBytes - 2] = padLength
    if (nextHeader !== undefined) plaintext[textBytes - 1] = nextHeader
    const packet = new Uint8Array(8 + sealer.ivBytes + textBytes + sealer.icvBytes)
    const view = new DataView(packet.buffer)
    view.setUint32(0, composeSpi(1, sa, 1))
    view.setUint32(4, sequence)
    must(sealer.seal(plaintext, packet, 0, 0))
    return packet
  }
}

interface SealOptions {
  readonly sa?: number
  readonly sequence?: number
  readonly nextHeader?: number
  readonly padLength?: number
}

const answer = (sequence: number, bytes = 500, version: 4 | 6 = 4): Uint8Array =>
  buildPacket(
    { protocol: 'tcp', sourcePort: 200, destinationPort: 100, sequence, payload: new Uint8Array(bytes).fill(sequence) },
    { source: DEVICE, destination: DIAL, version },
  )

const USUAL = {
  inner: {
    version: 4,
    protocol: 'tcp',
    sourcePort: 200,
    destinationPort: 100,
    source: DEVICE,
    destination: DIAL,
    flags: 0x10,
    fragment: 0x4000,
    payloadBytes: 100,
    change: null,
    cut: 0,
  },
  sa: 0,
  nextHeader: undefined,
  padLength: undefined,
  repeat: false,
  damage: null,
  sequence: undefined,
} as const

/** Joining gives up the IPv4 identification. */
const withoutIdentification = (packet: Uint8Array): Uint8Array =>
  packet[0]! >>> 4 === 6 ? packet : packet.slice().fill(0, 4, 6).fill(0, 10, 12)

/** Neighbours of equal length, as the kernel joins them. */
function inRuns(datagrams: readonly Uint8Array[]): Uint8Array[][] {
  const runs: Uint8Array[][] = []
  for (const datagram of datagrams) {
    const last = runs.at(-1)
    if (last?.[0]?.length === datagram.length) last.push(datagram)
    else runs.push([datagram])
  }
  return runs
}

describe('inbound', () => {
  it('delivers and drops exactly what packages/esp would, whatever an authenticated peer sends', () => {
    const anyInner = fc.record({
      version: fc.constantFrom(4 as const, 6 as const),
      protocol: fc.constantFrom('tcp' as const, 'tcp' as const, 'udp' as const),
      sourcePort: fc.constantFrom(200, 200, 200, 200, 201),
      destinationPort: fc.constantFrom(100, 100, 100, 101),
      source: fc.constantFrom(DEVICE, DEVICE, LAN_HOST, LAN_HOST, DEVICE + 1, LAN_STRANGER),
      destination: fc.constantFrom(DIAL, DIAL, DIAL, DIAL + 1, 0x0a800006),
      flags: fc.constantFrom(0x10, 0x10, 0x10, 0x18, 0x11, 0x02, 0x12, 0x14),
      fragment: fc.constantFrom(0x4000, 0x4000, 0x4000, 0x2000, 3),
      payloadBytes: fc.constantFrom(0, 1, 100, 100),
      /** One octet of the inner packet overwritten, or none. */
      change: fc.option(fc.tuple(fc.nat(65), fc.nat(255)), { freq: 5 }),
      cut: fc.constantFrom(0, 0, 0, 0, 1, 30),
    })
    const hostile = fc.record({
      inner: anyInner,
      sa: fc.constantFrom(0, 0, 0, 1),
      nextHeader: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 4, 41, 59, 6),
      padLength: fc.constantFrom(undefined, undefined, undefined, undefined, 255, 100),
      repeat: fc.constantFrom(false, false, false, true),
      damage: fc.option(fc.nat(60), { freq: 6 }),
      sequence: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 1, 200),
    })
    /** Runs of one flow with a stranger in between: what the shortcut for known flows sees. */
    const nearlyUsual = fc
      .record({
        version: fc.constantFrom(4 as const, 4 as const, 6 as const, 6 as const, 6 as const),
        source: fc.constantFrom(DEVICE, DEVICE, LAN_HOST, LAN_HOST),
        sourcePort: fc.constantFrom(200, 200, 200, 201),
        flags: fc.constantFrom(0x10, 0x10, 0x02, 0x14),
        sa: fc.constantFrom(0, 0, 0, 1),
        padLength: fc.constantFrom(undefined, undefined, undefined, 60),
        nextHeader: fc.constantFrom(undefined, undefined, undefined, 4, 41),
      })
      .map(({ version, source, sourcePort, flags, ...trailer }) => ({
        ...USUAL,
        ...trailer,
        inner: { ...USUAL.inner, version, source, sourcePort, flags },
      }))
    const anyDatagram = fc.oneof(
      { weight: 3, arbitrary: nearlyUsual },
      { weight: 2, arbitrary: fc.constant(USUAL) },
      { weight: 2, arbitrary: fc.constant({ ...USUAL, inner: { ...USUAL.inner, version: 6 as const } }) },
      { weight: 2, arbitrary: hostile },
    )
    fc.assert(
      fc.property(fc.array(anyDatagram, { maxLength: 60 }), (recipe) => {
        const harness = new Harness()
        const device = new Device()
        const reference = new Sad(WITH_HOSTS())
        for (const index of [0, 1]) reference.install(describeSa(index), pairOf(describeSa(index)), placementOf(index))
        const isolation = createIsolation()
        const out = createDecapsulated()
        const expected: Uint8Array[] = []
        const drops: Record<string, number> = {}
        const datagrams: Uint8Array[] = []
        for (const each of recipe) {
          const whole = buildPacket({ ...each.inner, payload: new Uint8Array(each.inner.payloadBytes) }, each.inner)
          if (each.inner.change && each.inner.change[0] < whole.length)
            whole[each.inner.change[0]] = each.inner.change[1]
          const { sa, nextHeader, padLength, sequence } = each
          const options = {
            sa,
            ...(nextHeader === undefined ? {} : { nextHeader }),
            ...(padLength === undefined ? {} : { padLength }),
            ...(sequence === undefined ? {} : { sequence }),
          }
          const datagram = device.seal(whole.subarray(0, whole.length - each.inner.cut), options)
          if (each.damage !== null) datagram[each.damage]! ^= 4
          for (const copy of each.repeat ? [datagram, datagram] : [datagram]) {
            let code = decapsulate(reference, copy, out)
            if (code === DropCode.none) code = isolation.admitInbound(out.buffer, out.inner, out.sa!)
            if (code === DropCode.none) expected.push(out.buffer.slice(out.offset, out.offset + out.length))
            else drops[DROP_CODE_NAMES[code]!] = (drops[DROP_CODE_NAMES[code]!] ?? 0) + 1
            datagrams.push(copy)
          }
        }
        const delivered = inRuns(datagrams).flatMap((run) => harness.receive(run))
        expect(delivered.map(withoutIdentification)).toEqual(expected.map(withoutIdentification))
        expect(harness.drops).toEqual(drops)
        harness.sads.clear()
      }),
      { numRuns: 200 },
    )
  })

  it('shows every packet of a host on a LAN with its synthetic address, the same host of another device with another', () => {
    const device = new Device()
    const harness = new Harness()
    const from = (source: number, sequence: number): Uint8Array =>
      buildPacket(
        { protocol: 'tcp', sourcePort: 200, destinationPort: 100, sequence, payload: new Uint8Array(500).fill(7) },
        { source, destination: DIAL },
      )
    const sealed = [0, 0, 0, 1, 1].map((sa, i) => device.seal(from(LAN_HOST, 1000 + 500 * i), { sa }))
    const delivered = harness.receive(sealed)
    const expected = [0, 0, 0, 1, 1].map((sa, i) => from(SYNTHETIC_BLOCK + 10 + sa, 1000 + 500 * i))
    expect(delivered.map(withoutIdentification)).toEqual(expected.map(withoutIdentification))
    expect(harness.receive([device.seal(from(LAN_STRANGER, 9000))])).toEqual([])
    expect(harness.drops).toEqual({ noHostMapping: 1 })
  })

  it('drops the packet that meets a bug, tells it and goes on with the next', () => {
    const device = new Device()
    const harness = new Harness()
    const admit = vi.spyOn(harness.policies, 'admit')
    admit.mockImplementationOnce(() => DropCode.none)
    admit.mockImplementationOnce(() => {
      throw new RangeError('a block outside')
    })
    const packets = [1000, 1500, 2000, 2500].map((sequence) => answer(sequence))
    const delivered = harness.receive(packets.map((packet) => device.seal(packet)))
    // What was to be joined with it goes too: its state is not to be trusted.
    expect(delivered.map(withoutIdentification)).toEqual(packets.slice(2).map(withoutIdentification))
    expect(harness.drops).toEqual({ internalFault: 1 })
    expect(harness.faults).toEqual(['a block outside'])
  })

  it.each([4, 6] as const)('gives packets of one batch the same answers as one by one (IPv%i)', (version) => {
    const device = new Device()
    const harness = new Harness()
    const stray = buildPacket(
      { protocol: 'tcp', sourcePort: 201, destinationPort: 100, payload: new Uint8Array(500) },
      { source: DEVICE, destination: DIAL, version },
    )
    const flags = version === 4 ? 33 : 53
    const [first, second, third] = [1000, 1500, 2000].map((sequence) => answer(sequence, 500, version))
    const reset = answer(2500, 500, version)
    reset[flags] = 0x14
    const opening = answer(3000, 500, version)
    opening[flags] = 0x02
    const packets = [first!, second!, stray, third!, reset, opening]
    const delivered = harness.receive(packets.map((packet) => device.seal(packet)))
    const passing = [packets[0]!, packets[1]!, packets[3]!, reset]
    expect(delivered.map(withoutIdentification)).toEqual(passing.map(withoutIdentification))
    expect(harness.drops).toEqual({ noFlow: 2 })
  })

  it.each([4, 6] as const)(
    'C63 lets no packet of one SA pass because another just sent the same flow (IPv%i)',
    (version) => {
      const harness = new Harness()
      const device = new Device()
      const [first, second] = [answer(1, 500, version), answer(501, 500, version)]
      const delivered = harness.receive([device.seal(first), device.seal(second, { sa: 1 })])
      expect(delivered).toHaveLength(1)
      expect(harness.drops).toEqual({ selectorMismatch: 1 })
    },
  )

  it('counts per SA and per node what it delivered', () => {
    const harness = new Harness()
    const device = new Device()
    harness.receive([device.seal(answer(1)), device.seal(answer(501)), device.seal(answer(1001, 100))])
    const { node, sas } = harness.shared
    expect([node[NodeField.packetsIn], node[NodeField.bytesIn]]).toEqual([3, 1220])
    expect([sas[SaField.spi], sas[SaField.packetsIn], sas[SaField.bytesIn]]).toEqual([composeSpi(1, 0, 1), 3, 1220])
  })

  it.each([
    ['few long runs', 60_000, ALONE, [4, 4]],
    ['many small datagrams', 100, ALONE, [4, 12]],
    ['some of each', 20_000, ALONE, [4, 4, 4, 4]],
    ['four buffers where other lanes have some', 60_000, { ...ALONE, buffers: 4 }, [4]],
  ])('takes no more of a lane than its portion: %s', (_name, bytes, portion, asked) => {
    const harness = new Harness()
    harness.receive([new Uint8Array(bytes).fill(0x55)])
    harness.waiting = 100
    const taken = asked.reduce((sum, most) => sum + most, 0)
    expect([harness.visit(portion), harness.asked]).toEqual([taken, asked])
    harness.waiting = 2
    expect([harness.visit(portion), harness.asked]).toEqual([2, [4]])
  })

  it('RFC 3168 9.1.1 keeps what the network marked in AH of transport mode over IPv6, whose header is made anew', () => {
    for (const [ecn, second] of [
      [0, 0x00],
      [3, 0x30],
    ] as const) {
      const harness = new Harness()
      must(harness.sads.install(describeAh(false), placementOf(0)) === null)
      const inner = answer(1, 500, 6)
      const [opened] = harness.receiveAh(sealAh(inner), ecn)
      expect([harness.drops, opened?.[1]]).toEqual([{}, second])
      expect(opened?.subarray(8)).toEqual(inner.subarray(8))
    }
  })

  it('drops runts, empty buffers and unknown SPIs, and swallows keepalives', () => {
    const harness = new Harness()
    harness.receive([])
    harness.receive([Uint8Array.of(0xff)])
    harness.receive([Uint8Array.of(1, 2, 3, 4)])
    harness.receive([Uint8Array.of(1, 2, 3, 4, 5)])
    harness.receive([new Device().seal(answer(1)).fill(0x55, 0, 4)])
    expect(harness.drops).toEqual({ runt: 3, unknownSpi: 1 })
  })

  it('hands IKE to the owner without the marker, until too much waits', () => {
    const harness = new Harness()
    const message = Uint8Array.from({ length: 34 }, (_, i) => (i < 4 ? 0 : i))
    harness.receive([message])
    harness.notices.flush()
    const path = { local: LOCAL, remote: PEER }
    const { local, remote } = path
    const received = [message.slice(4), local.address, local.port, remote.address, remote.port]
    expect(harness.posted).toEqual([{ kind: 'ike', received, count: 1, bytes: 30 }])
    for (let i = 0; i < 5000; i++) harness.receive([message])
    expect(harness.drops).toEqual({ queueFull: 905 }) // 4096 may wait, one of them was posted before
  })

  it('lets no more than 4 MiB of IKE wait, for a forged datagram may be of any length', () => {
    const harness = new Harness()
    const message = new Uint8Array(65_507)
    for (let i = 0; i < 100; i++) harness.receive([message])
    expect(harness.drops).toEqual({ queueFull: 36 })
    harness.notices.flush()
    for (let i = 0; i < 10; i++) harness.receive([message])
    expect(harness.drops).toEqual({ queueFull: 46 })
  })

  it('drops what comes from port 0, authentic or not: nobody could be answered or followed there', () => {
    const harness = new Harness()
    const nowhere = { address: '192.0.2.8', port: 0 }
    expect(harness.receive([new Device().seal(answer(1))], nowhere)).toEqual([])
    harness.receive([new Uint8Array(40)], nowhere)
    harness.notices.flush()
    expect([harness.posted, harness.drops]).toEqual([[], { runt: 2 }])
  })

  it('tells of traffic at most once a second per SA', () => {
    const harness = new Harness()
    const device = new Device()
    for (const nowMs of [5000, 5001, 5999, 6001, 6002]) {
      harness.notices.nowMs = nowMs
      harness.receive([device.seal(answer(1))])
      harness.notices.flush()
    }
    const traffic = harness.posted.map((message) => message.kind === 'notices' && message.traffic)
    expect(traffic).toEqual([[composeSpi(1, 0, 1)], [composeSpi(1, 0, 1)]])
  })

  it('tells of a move only for fresh, authentic packets that advance the window, and not too often (C60)', () => {
    const harness = new Harness()
    const device = new Device()
    const elsewhere = { address: '192.0.2.8', port: 999 }
    const first = device.seal(answer(1))
    const late = device.seal(answer(2))
    const next = device.seal(answer(3))
    const forged = device.seal(answer(4))
    forged[20]! ^= 1
    harness.receive([first])
    harness.receive([next])
    for (const packet of [first, late, forged]) harness.receive([packet], elsewhere)
    harness.notices.flush()
    expect(harness.posted).toHaveLength(1)
    expect(harness.posted[0]).toMatchObject({ traffic: [composeSpi(1, 0, 1)], moved: [] })
    for (let i = 0; i < 3; i++) {
      harness.notices.nowMs += 30
      harness.receive([device.seal(answer(5))], elsewhere)
      harness.notices.flush()
    }
    expect(harness.posted.slice(1)).toEqual([
      {
        kind: 'notices',
        traffic: [],
        moved: [{ spiIn: composeSpi(1, 0, 1), remote: elsewhere }],
        softLimits: [],
        hardLimits: [],
        quotas: [],
      },
    ])
  })

  it('says nothing of moves of a peer that is not behind a NAT (C60)', () => {
    const harness = new Harness()
    const device = new Device()
    harness.receive([device.seal(answer(1), { sa: 1 })], { address: '192.0.2.8', port: 999 })
    harness.notices.flush()
    expect(harness.posted).toEqual([
      { kind: 'notices', traffic: [composeSpi(1, 1, 1)], moved: [], softLimits: [], hardLimits: [], quotas: [] },
    ])
  })

  it('C65 carries congestion marks inwards and refuses those that nobody would learn of', () => {
    const harness = new Harness()
    const device = new Device()
    const capable = answer(1)
    capable[1] = 2
    const [marked] = harness.receive([device.seal(capable)], PEER, 3)
    expect(marked![1]! & 3).toBe(3)
    harness.receive([device.seal(answer(2))], PEER, 3)
    expect(harness.drops).toEqual({ badCongestionMark: 1 })
  })
})
