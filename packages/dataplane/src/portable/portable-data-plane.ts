/**
 * The portable rung: `dgram`, `node:crypto` and one packet at a time. The reference that the native rung must agree with, and what
 * runs where the native one cannot.
 *
 *   UDP ── classify ── decapsulate ── isolation ── MSS ── TUN
 *   TUN ── findOutbound ── isolation ── MSS ── sealInto ── UDP
 *
 * Everything happens on the thread that owns it. Queues are bounded: sends by `UdpPort`, packets out of the TUN by its kernel queue.
 */
import { randomBytes } from 'node:crypto'
import { closeSync } from 'node:fs'
import { InvariantError } from '@culvert/bytes'
import { opensslProvider } from '@culvert/crypto'
import {
  type ChildSa,
  classifyDatagram,
  clampMss,
  createDecapsulated,
  createEncapsulated,
  createTransformPair,
  DatagramKind,
  Direction,
  type Decapsulated,
  decapsulate,
  DeviceIsolation,
  DROP_CODE_COUNT,
  DROP_CODE_NAMES,
  DropCode,
  earnPathCredit,
  findOutbound,
  HostMappings,
  type InnerPacket,
  isSynthetic,
  NON_ESP_MARKER_BYTES,
  type MoveFindings,
  type PacketSlice,
  type Placement,
  RandomPool,
  routeBetweenDevices,
  Sad,
  sealInto,
  SubjectPolicies,
  type SubjectPolicy,
  subjectPolicyBytes,
  TRAILER_ROOM_BYTES,
  translateOutbound,
} from '@culvert/esp'
import type { ChildSaDescription, Path, SocketAddress, Spi } from '@culvert/ikev2'
import type {
  DataPlane,
  DataPlaneHandlers,
  DataPlaneOptions,
  MappedHost,
  NodeCounters,
  SaCounters,
} from '../contract.ts'
import { chooseLocal } from '../local-choice.ts'
import { dialAddressesOf } from '../dial-addresses.ts'
import { ip4Number } from '../ip4-number.ts'
import { openTun } from '../tun/open-tun.ts'
import { TunDevice } from '../tun/tun-device.ts'
import { SaNotices } from './sa-notices.ts'
import { UdpPort } from './udp-port.ts'

const MAX_FLOWS = 1 << 17
/** IV of AES-CBC, ICV of SHA2-512, padding and headers stay below this. */
const ESP_ROOM_BYTES = 128
const KEEPALIVE = Uint8Array.of(0xff)

/** @throws TunError, or the bind error of the system; nothing stays open then */
export async function openPortableDataPlane(
  options: DataPlaneOptions,
  handlers: DataPlaneHandlers,
  whyNotNative = 'asked for',
): Promise<DataPlane> {
  const plane = new PortableDataPlane(options, handlers, whyNotNative)
  await plane.open()
  return plane
}

class PortableDataPlane implements DataPlane {
  readonly rung = 'portable'
  readonly description: string
  readonly #options: DataPlaneOptions
  readonly #handlers: DataPlaneHandlers
  readonly #sad: Sad
  readonly #notices: SaNotices
  readonly #isolation: DeviceIsolation | null
  readonly #policies: SubjectPolicies | null
  readonly #random = new RandomPool((length) => randomBytes(length))
  readonly #drops = new Float64Array(DROP_CODE_COUNT)
  /** By name of DropCode. */
  readonly #saDrops = new WeakMap<ChildSa, Map<string, number>>()
  readonly #incoming = createDecapsulated()
  readonly #outgoing = createEncapsulated()
  readonly #slice: PacketSlice = { bytes: new Uint8Array(0), offset: 0, length: 0 }
  readonly #total = { packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0 }
  #udps: readonly UdpPort[] = []
  /** Where they are bound; before, where they shall be. */
  #locals: readonly SocketAddress[]
  #tun: TunDevice | undefined
  #tunLockFd: number | null = null
  #hasFailed = false

  constructor(options: DataPlaneOptions, handlers: DataPlaneHandlers, whyNotNative: string) {
    const { maxSas, maxSubjects = maxSas, nodeSlot, replayWindowPackets, role, lifetime } = options
    this.description = `portable: dgram and node:crypto, one packet at a time (${whyNotNative})`
    this.#options = options
    this.#locals = options.bind
    this.#handlers = handlers
    const outboundBy = role.kind === 'device' ? 'source' : 'destination'
    const hashSeed = randomBytes(4).readInt32LE()
    const hosts = role.kind === 'device' ? null : new HostMappings(hashSeed)
    const window = { maxSas, replayWindowPackets, lifetime }
    this.#sad = new Sad({ nodeSlot, maxSubjects, outboundBy, ...window, ...(hosts && { hosts }) })
    this.#notices = new SaNotices(handlers, maxSas)
    this.#isolation =
      role.kind === 'device'
        ? null
        : new DeviceIsolation(dialAddressesOf(role), { maxFlows: MAX_FLOWS, hashSeed }, hosts)
    const policies = new ArrayBuffer(subjectPolicyBytes(maxSubjects))
    const tellQuota = (subject: number): void => handlers.onQuota?.(subject)
    this.#policies = this.#isolation && new SubjectPolicies(policies, tellQuota)
  }

  get local(): SocketAddress {
    const [first] = this.#locals
    if (first === undefined) throw new InvariantError('a data plane has at least one socket')
    return first
  }

  get locals(): readonly SocketAddress[] {
    return this.#locals
  }

  async open(): Promise<void> {
    const { tun: tunOptions } = this.#options
    const tun = openTun(tunOptions, { vnetHeader: false })
    this.#isolation?.advanceTo(nowSec(performance.now()))
    this.#isolation?.adopt(tun.connections)
    const fail = (error: Error): void => this.#fail(error)
    this.#tunLockFd = tun.lockFd
    this.#tun = new TunDevice(tun.fd, { onPacket: (bytes, length) => this.#fromTun(bytes, length), onFailure: fail })
    try {
      for (const [index, bind] of this.#options.bind.entries()) {
        const udp = await UdpPort.open(bind, tunOptions.mtuBytes + ESP_ROOM_BYTES, {
          onDatagram: (bytes, address, port) => this.#fromUdp(index, bytes, { address, port }),
          onSendFailed: () => this.#drop(DropCode.sendFailed),
          onFailure: fail,
        })
        this.#udps = [...this.#udps, udp]
      }
      this.#locals = this.#udps.map(({ local }) => local)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  // eslint-disable-next-line typescript/require-await -- the contract: other rungs wait for their worker
  async install(child: ChildSaDescription, placement: Placement | null): Promise<void> {
    const { keys } = child
    const { incarnation } = this.#options
    const made = createTransformPair(keys, { provider: opensslProvider, incarnation, random: this.#random })
    for (const key of [keys.inboundKey, keys.outboundKey, keys.inboundIntegKey, keys.outboundIntegKey]) key.fill(0)
    if (!made.ok) throw new InvariantError(`the Child SA cannot be installed: ${made.error}`)
    const installed = child.udpEncap ? this.#sad.install(child, made.value, placement) : 'noUdpEncapsulation'
    if (typeof installed === 'string') {
      made.value.opener.destroy()
      made.value.sealer.destroy()
      throw new InvariantError(`the Child SA cannot be installed: ${installed}`)
    }
    this.#notices.reset(installed)
  }

  activateOutbound(spiIn: Spi): void {
    this.#sad.activateOutbound(spiIn)
  }

  move(spiIn: Spi, path: Path, findings: MoveFindings): void {
    this.#sad.move(spiIn, path, findings)
  }

  setSubject(subject: number, policy: SubjectPolicy): void {
    this.#policies?.set(subject, policy)
  }

  removeSubject(subject: number): void {
    this.#policies?.remove(subject)
  }

  // eslint-disable-next-line typescript/require-await -- the contract
  async readSubjects(subjects: readonly number[]): Promise<readonly number[]> {
    return subjects.map((subject) => this.#policies?.usedBytes(subject) ?? 0)
  }

  remove(spiIn: Spi): void {
    this.#sad.remove(spiIn)
  }

  mapHost({ synthetic, subject, host }: MappedHost): void {
    this.#sad.hosts?.set(ip4Number(synthetic), subject, ip4Number(host))
  }

  unmapHost(synthetic: string): void {
    this.#sad.hosts?.delete(ip4Number(synthetic))
  }

  sendIke(bytes: Uint8Array, remote: SocketAddress, local?: SocketAddress): void {
    const udp = this.#udpFor(remote, local)
    if (udp?.acquire() == null) return this.#drop(DropCode.queueFull)
    const datagram = new Uint8Array(NON_ESP_MARKER_BYTES + bytes.length)
    datagram.set(bytes, NON_ESP_MARKER_BYTES)
    udp.send(datagram, datagram.length, remote)
  }

  sendKeepalive(remote: SocketAddress, local?: SocketAddress): void {
    this.#udpFor(remote, local)?.send(KEEPALIVE, 1, remote)
  }

  // eslint-disable-next-line typescript/require-await -- the contract
  async readSaCounters(spis: readonly Spi[]): Promise<readonly SaCounters[]> {
    return spis.flatMap((spiIn) => {
      const sa = this.#sad.inbound(spiIn)
      if (sa === undefined) return []
      const { packetsIn, bytesIn, packetsOut, bytesOut } = sa
      return [
        { spiIn, packetsIn, bytesIn, packetsOut, bytesOut, drops: Object.fromEntries(this.#saDrops.get(sa) ?? []) },
      ]
    })
  }

  // eslint-disable-next-line typescript/require-await -- the contract
  async readCounters(): Promise<NodeCounters> {
    const drops: Record<string, number> = {}
    for (let code = DropCode.none + 1; code < DROP_CODE_COUNT; code++) {
      drops[DROP_CODE_NAMES[code]!] = this.#drops[code]!
    }
    return { ...this.#total, drops }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#udps.map((udp) => udp.close()), this.#tun?.close()])
    if (this.#tunLockFd !== null) closeSync(this.#tunLockFd)
    this.#tunLockFd = null
    this.#sad.clear()
  }

  #udpFor(remote: SocketAddress, local: SocketAddress | undefined): UdpPort | undefined {
    return this.#udps[chooseLocal(this.#locals, remote, local)]
  }

  /** @param index of the socket */
  #fromUdp(index: number, datagram: Uint8Array, remote: SocketAddress): void {
    switch (classifyDatagram(datagram, 0, datagram.length)) {
      case DatagramKind.esp:
        return this.#fromPeer(datagram, remote.address, remote.port)
      case DatagramKind.ike: {
        const path: Path = { local: this.#locals[index] ?? this.local, remote }
        return this.#handlers.onIke(datagram.subarray(NON_ESP_MARKER_BYTES), path)
      }
      case DatagramKind.keepalive:
        return
      case DatagramKind.runt:
        return this.#drop(DropCode.runt)
    }
  }

  #fromPeer(datagram: Uint8Array, address: string, port: number): void {
    const packet = this.#incoming
    const nowMs = performance.now()
    if (this.#policies !== null) this.#policies.nowMs = nowMs
    let code = this.#accept(datagram, packet, nowMs)
    if (packet.sa !== null) earnFrom(packet.sa, datagram.length, address, port)
    if (code === DropCode.none) this.#toTun(packet)
    else if (code === DropCode.notToDialAddress) code = this.#toOtherDevice(packet)
    if (code !== DropCode.none) this.#drop(code, this.#sad.inbound(spiOf(datagram)))
    this.#notices.afterInbound(packet, address, port, nowMs)
  }

  #accept(datagram: Uint8Array, packet: Decapsulated, nowMs: number): DropCode {
    try {
      const code = decapsulate(this.#sad, datagram, packet)
      if (code !== DropCode.none || packet.sa === null || this.#isolation === null) return code
      this.#isolation.advanceTo(nowSec(nowMs))
      const admitted = this.#isolation.admitInbound(packet.buffer, packet.inner, packet.sa)
      return admitted === DropCode.none ? this.#admit(packet.sa, Direction.in, packet.length) : admitted
    } catch {
      return DropCode.cryptoFailed // a bug in the way of one packet must not take the node down
    }
  }

  #toTun({ buffer, offset, length }: Decapsulated): void {
    clampMss(buffer, this.#incoming.inner, this.#options.tun.mtuBytes)
    if (this.#tun?.write(buffer.subarray(offset, offset + length)) !== true) return this.#drop(DropCode.tunWriteFailed)
    this.#total.packetsIn++
    this.#total.bytesIn += length
  }

  /** As the native rung does in `hairpin.ts`. */
  #toOtherDevice({ buffer, inner, sa: from }: Decapsulated): DropCode {
    if (from === null || this.#policies?.mayReachGroup(from.subject) !== true) return DropCode.notToDialAddress
    const to = this.#sad.outbound(inner)
    if (typeof to === 'number' || !this.#policies.mayPair(from.subject, to.subject)) return DropCode.notToDialAddress
    const routed = routeBetweenDevices(buffer, inner, { from, to, mtuBytes: this.#options.tun.mtuBytes })
    const code = routed === DropCode.none ? this.#admit(from, Direction.in, inner.totalBytes) : routed
    if (code !== DropCode.none) return code
    const slice = this.#slice
    slice.bytes = new Uint8Array(inner.totalBytes + TRAILER_ROOM_BYTES)
    slice.bytes.set(buffer.subarray(inner.packetOffset, inner.packetOffset + inner.totalBytes))
    slice.length = inner.totalBytes
    const found = findOutbound(this.#sad, slice, this.#outgoing)
    const sealed = found === DropCode.none ? this.#sealAndSend(slice) : found
    if (sealed !== DropCode.none) return sealed
    this.#total.packetsIn++
    this.#total.bytesIn += inner.totalBytes
    return DropCode.none
  }

  #admit({ subject }: ChildSa, direction: Direction, bytes: number): DropCode {
    return this.#policies?.admit(subject, direction, bytes) ?? DropCode.none
  }

  #fromTun(bytes: Uint8Array, length: number): void {
    let code: DropCode
    try {
      code = this.#forwardOut(bytes, length)
    } catch {
      code = DropCode.cryptoFailed
    }
    if (code !== DropCode.none) this.#drop(code, this.#outgoing.sa)
  }

  #forwardOut(bytes: Uint8Array, length: number): DropCode {
    const slice = this.#slice
    const out = this.#outgoing
    slice.bytes = bytes
    slice.length = length
    const found = findOutbound(this.#sad, slice, out)
    if (found !== DropCode.none) return found
    if (this.#isolation !== null) {
      this.#isolation.advanceTo(nowSec(performance.now()))
      const admitted = this.#isolation.admitOutbound(bytes, out.inner)
      if (admitted !== DropCode.none) return admitted
    }
    this.#toHost(bytes, out.inner)
    clampMss(bytes, out.inner, this.#options.tun.mtuBytes)
    if (this.#policies !== null) this.#policies.nowMs = performance.now()
    return this.#sealAndSend(slice)
  }

  /** @param slice what `findOutbound` read */
  #sealAndSend(slice: PacketSlice): DropCode {
    const out = this.#outgoing
    const udp = out.sa === null ? undefined : this.#udpFor(out.sa.path.remote, out.sa.path.local)
    const buffer = udp?.acquire() ?? null
    if (udp === undefined || buffer === null || out.sa === null) return DropCode.queueFull
    out.buffer = buffer
    const admitted = this.#admit(out.sa, Direction.out, out.inner.totalBytes)
    const sealed = admitted === DropCode.none ? sealInto(slice, out) : admitted
    if (sealed === DropCode.none) {
      udp.send(buffer, out.length, out.sa.path.remote)
      this.#total.packetsOut++
      this.#total.bytesOut += out.inner.totalBytes
    }
    this.#notices.checkLimits(out.sa)
    return sealed
  }

  #toHost(bytes: Uint8Array, inner: InnerPacket): void {
    const { hosts } = this.#sad
    if (hosts !== null && isSynthetic(inner.destination4))
      translateOutbound(bytes, inner, hosts.hostOf(inner.destination4))
  }

  /** @param sa whose packet it was, as far as that is known */
  #drop(code: DropCode, sa: ChildSa | null | undefined = null): void {
    this.#drops[code] = this.#drops[code]! + 1
    if (!sa) return
    const drops = this.#saDrops.get(sa) ?? new Map<string, number>()
    const name = DROP_CODE_NAMES[code]!
    this.#saDrops.set(sa, drops.set(name, (drops.get(name) ?? 0) + 1))
  }

  #fail(error: Error): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#handlers.onFailure(error)
  }
}

/** What came from where the SA sends to is answered threefold while that place is on trial. */
function earnFrom(sa: ChildSa, bytes: number, address: string, port: number): void {
  const { remote } = sa.path
  const isOnTrial = sa.pathCredit.bytes !== Infinity
  if (isOnTrial && remote.port === port && remote.address === address) earnPathCredit(sa, bytes)
}

function spiOf(datagram: Uint8Array): number {
  return new DataView(datagram.buffer, datagram.byteOffset).getUint32(0)
}

function nowSec(nowMs: number): number {
  return Math.floor(nowMs / 1000)
}
