/**
 * Security association database (RFC 4301 4.4.2): inbound by SPI in a dense table, outbound by inner address.
 *
 * Inbound is one array read and an exact comparison of the SPI. Outbound is by longest prefix; among SAs of the same address the
 * one activated last wins, which is what moves traffic at a rekey: the new SA receives from `install` on, sends from
 * `activateOutbound` on, and the old one receives until `remove`. Neither cost depends on the number of SAs.
 */
import type { ChildSaDescription, Path, Spi } from '@culvert/ikev2'
import { ChildSa } from './child-sa.ts'
import { DropCode } from './drop-code.ts'
import { type HostMappings, isSynthetic } from './host-mappings.ts'
import type { InnerPacket } from './inner-packet.ts'
import { type LifetimeSettings, lifetimeOf, type SaLifetime } from './lifetime.ts'
import type { Placement } from './placement.ts'
import { setPathTrial } from './path-trial.ts'
import { ReplayWindow } from './replay-window.ts'
import { RouteTable } from './route-table.ts'
import { MAX_SELECTORS } from './selector-set.ts'
import { SPI_INDEX_COUNT, spiIndex, spiSlot } from './spi.ts'
import type { TransformPair } from './transform-pair.ts'
import { TransportMode } from './transport-mode.ts'

export interface SadOptions {
  readonly nodeSlot: number
  readonly maxSas: number
  readonly replayWindowPackets: number
  /** Subjects of placements are 1 to this; left out: any. */
  readonly maxSubjects?: number
  /**
   * `destination` for a concentrator: many peers, each with its own leased addresses, which a placement names. `source` for
   * simulated devices: many local addresses that all talk to the same place; there is no placement.
   */
  readonly outboundBy: 'source' | 'destination'
  /** Hosts on LANs behind the devices of a concentrator; left out: none is reached. */
  readonly hosts?: HostMappings
  /** Lower limits than those of the ciphers. */
  readonly lifetime?: LifetimeSettings | undefined
}

export type InstallError =
  | 'spiNotOurs'
  | 'spiInUse'
  | 'spiOutZero'
  | 'tooManySelectors'
  | 'noPlacement'
  /** Transforms of ESP for an SA of AH, or the other way round: a data plane without raw sockets has only those of ESP. */
  | 'wrongProtocol'
  /** Transport mode between anything but two hosts. */
  | 'transportSelectors'
  /** Transport mode with a host that another peer is in transport mode with: two behind one NAT (RFC 3948 5.2). */
  | 'transportConflict'

/** What is known about a peer where it is now. */
export interface MoveFindings {
  /** Only such a peer is followed without a word (C60). */
  readonly peerBehindNat: boolean
  /** The peer was heard to answer from there; until then three times what came from there may go back (RFC 7296 2.23). */
  readonly isConfirmed: boolean
  /** As in `ChildSaDescription`; left out: as before. */
  readonly udpEncap?: boolean
}

export class Sad {
  readonly #options: SadOptions
  readonly #bySpi: (ChildSa | undefined)[]
  readonly #routes = new RouteTable<ChildSa>()
  readonly #bySource: boolean
  readonly #lifetimes = new Map<string, SaLifetime>()
  /** Active SAs that reach a LAN, by subject, newest first. */
  readonly #toLans = new Map<number, ChildSa[]>()
  readonly hosts: HostMappings | null
  #size = 0

  constructor(options: SadOptions) {
    if (options.maxSas < 1 || options.maxSas > SPI_INDEX_COUNT) throw new RangeError('maxSas must be 1..131072')
    this.#options = options
    this.#bySource = options.outboundBy === 'source'
    this.hosts = options.hosts ?? null
    this.#bySpi = Array.from<undefined>({ length: options.maxSas })
  }

  get size(): number {
    return this.#size
  }

  /**
   * Takes over `transforms`. Sends nothing with it unless `description.outbound`.
   *
   * @param placement null where outbound lookups go by source
   */
  install(
    description: ChildSaDescription,
    transforms: TransformPair,
    placement: Placement | null,
  ): ChildSa | InstallError {
    const index = spiIndex(description.spiIn)
    if (spiSlot(description.spiIn) !== this.#options.nodeSlot || index >= this.#bySpi.length) return 'spiNotOurs'
    if (this.#bySpi[index] !== undefined) return 'spiInUse'
    if (description.spiOut === 0) return 'spiOutZero'
    if ((description.protocol === 'ah') !== (transforms.ah !== undefined)) return 'wrongProtocol'
    if (Math.max(description.tsLocal.length, description.tsRemote.length) > MAX_SELECTORS) return 'tooManySelectors'
    if (!this.#isPlacedRightly(placement)) return 'noPlacement'
    const refused = description.mode === 'transport' ? this.#refuseTransport(description) : null
    if (refused !== null) return refused
    const lifetime = this.#lifetimeOf(description.keys)
    const replayWindow = new ReplayWindow(this.#options.replayWindowPackets)
    const sa = new ChildSa(description, transforms, { replayWindow, placement, lifetime })
    this.#bySpi[index] = sa
    this.#size++
    if (description.outbound) this.activateOutbound(sa.spiIn)
    return sa
  }

  /** One object for all SAs of a suite. @throws RangeError for settings that are no limits */
  #lifetimeOf(keys: ChildSaDescription['keys']): SaLifetime {
    const suite = `${keys.encr.id} ${keys.esn}`
    const lifetime = this.#lifetimes.get(suite) ?? lifetimeOf(keys, this.#options.lifetime)
    this.#lifetimes.set(suite, lifetime)
    return lifetime
  }

  /** A peer that is nobody's would not be held to anything. */
  #isPlacedRightly(placement: Placement | null): boolean {
    if (this.#bySource || placement === null) return this.#bySource && placement === null
    const { subject } = placement
    return Number.isSafeInteger(subject) && subject > 0 && subject <= (this.#options.maxSubjects ?? Infinity)
  }

  /** Looks at every SA; transport mode is refused before this is reached wherever it is not wanted. */
  #refuseTransport(description: ChildSaDescription): InstallError | null {
    if (TransportMode.of(description) === null) return 'transportSelectors'
    const { remote } = description.path
    const host = description.tsRemote[0]!.startAddress
    const isTaken = this.#bySpi.some(
      (sa) =>
        sa !== undefined &&
        sa.transport?.isWith(host) === true &&
        (sa.path.remote.address !== remote.address || sa.path.remote.port !== remote.port),
    )
    return isTaken ? 'transportConflict' : null
  }

  /** From now on packets for its addresses leave through this SA. Unknown SPIs are ignored. */
  activateOutbound(spiIn: Spi): void {
    const sa = this.inbound(spiIn)
    if (sa === undefined) return
    sa.isOutboundActive = true
    for (const prefix of sa.routes) this.#routes.add(prefix, sa)
    if (sa.reachesLan) this.#toLans.set(sa.subject, [sa, ...this.#othersToLan(sa)])
  }

  move(spiIn: Spi, path: Path, { peerBehindNat, isConfirmed, udpEncap }: MoveFindings): void {
    const sa = this.inbound(spiIn)
    if (sa === undefined) return
    const { remote } = sa.path
    setPathTrial(sa, remote.address !== path.remote.address || remote.port !== path.remote.port, isConfirmed)
    sa.path = path
    sa.peerBehindNat = peerBehindNat
    sa.udpEncap = udpEncap ?? sa.udpEncap
  }

  /** Forgets the SA and zeroes its keys; traffic falls back to an older active SA of the same addresses, if there is one. */
  remove(spiIn: Spi): void {
    const sa = this.inbound(spiIn)
    if (sa === undefined) return
    for (const prefix of sa.routes) this.#routes.remove(prefix, sa)
    if (sa.reachesLan) this.#leaveLan(sa)
    this.#bySpi[spiIndex(spiIn)] = undefined
    this.#size--
    sa.destroy()
  }

  /** The SA with exactly this SPI. */
  inbound(spi: number): ChildSa | undefined {
    const sa = this.#bySpi[spiIndex(spi)]
    return sa !== undefined && sa.spiIn === spi ? sa : undefined
  }

  #othersToLan(sa: ChildSa): ChildSa[] {
    return (this.#toLans.get(sa.subject) ?? []).filter((other) => other !== sa)
  }

  #leaveLan(sa: ChildSa): void {
    const others = this.#othersToLan(sa)
    if (others.length > 0) this.#toLans.set(sa.subject, others)
    else this.#toLans.delete(sa.subject)
  }

  /**
   * A packet to a synthetic address leaves through an SA of its device that carries the host's LAN; it is not changed here.
   *
   * @returns the SA, or the drop code that says why there is none (`noOutboundSa`, `outboundSelectorMismatch`)
   */
  outbound(packet: InnerPacket): ChildSa | DropCode {
    const isIp4 = packet.version === 4
    if (this.hosts !== null && isIp4 && isSynthetic(packet.destination4))
      return this.#outboundToHost(packet, this.hosts)
    const address4 = this.#bySource ? packet.source4 : packet.destination4
    const address6 = this.#bySource ? packet.source6 : packet.destination6
    const routes = isIp4 ? this.#routes.find4(address4) : this.#routes.find6(address6)
    let code: DropCode = DropCode.noOutboundSa
    for (let route = 0; route < routes; route++) {
      const candidates = this.#routes.targetsAt(route)
      for (let i = 0; i < candidates.length; i++) {
        const sa = candidates[i]!
        if (sa.tsLocal.matchesSource(packet) && sa.tsRemote.matchesDestination(packet)) return sa
      }
      code = DropCode.outboundSelectorMismatch
    }
    return code
  }

  #outboundToHost(packet: InnerPacket, hosts: HostMappings): ChildSa | DropCode {
    const synthetic = packet.destination4
    const candidates = this.#toLans.get(hosts.subjectOf(synthetic))
    if (candidates === undefined) return DropCode.noOutboundSa
    let found: ChildSa | DropCode = DropCode.outboundSelectorMismatch
    packet.destination4 = hosts.hostOf(synthetic) // selectors know the host as its LAN does
    for (let i = 0; i < candidates.length && typeof found === 'number'; i++) {
      const sa = candidates[i]!
      if (sa.tsLocal.matchesSource(packet) && sa.tsRemote.matchesDestination(packet)) found = sa
    }
    packet.destination4 = synthetic
    return found
  }

  /** Removes every SA and zeroes all keys. */
  clear(): void {
    for (const sa of this.#bySpi) if (sa !== undefined) this.remove(sa.spiIn)
  }
}
