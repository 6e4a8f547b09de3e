/**
 * One Child SA in the packet path: both directions, their counters and limits.
 *
 * Mutable on purpose: a packet changes counters and nothing else. Only `decapsulate`, `encapsulate` and `Sad` write here.
 */
import type { ChildSaDescription, Path, Spi } from '@culvert/ikev2'
import type { EspOpener, EspSealer } from './esp-transform.ts'
import { LeasedAddresses, type Placement } from './placement.ts'
import { prefixesOfRange, type Prefix } from './prefixes.ts'
import { OutboundSequence, SEQUENCE_WORDS } from './outbound-sequence.ts'
import { PathCredit } from './path-credit.ts'
import type { SaLifetime } from './lifetime.ts'
import { ReplayWindow } from './replay-window.ts'
import { wordsOf } from './octets.ts'
import { SelectorSet } from './selector-set.ts'
import type { AhPair, TransformPair } from './transform-pair.ts'
import { TransportMode } from './transport-mode.ts'

/** What the owner of an SA has to hear now (CONFORMANCE C66). */
export const LifetimeNotice = { none: 0, soft: 1, hard: 2 } as const
export type LifetimeNotice = (typeof LifetimeNotice)[keyof typeof LifetimeNotice]

export interface ChildSaContext {
  readonly replayWindow: ReplayWindow
  /** Null in the device role. */
  readonly placement: Placement | null
  readonly lifetime: SaLifetime
}

/** Numbers, the credit of the path, and whether the SA is spent. */
export const SHARED_SA_WORDS: number = SEQUENCE_WORDS + 2
const CREDIT = SEQUENCE_WORDS
const SPENT = SEQUENCE_WORDS + 1

export class ChildSa {
  readonly spiIn: Spi
  readonly spiOut: number
  readonly esn: boolean
  readonly opener: EspOpener
  readonly sealer: EspSealer
  /** Null for ESP. With AH the opener and the sealer of ESP do nothing. */
  readonly ah: AhPair | null
  readonly replayWindow: ReplayWindow
  readonly tsLocal: SelectorSet
  readonly tsRemote: SelectorSet
  /** Of the device; 0 in the device role. */
  readonly subject: number
  /** Sources that are the peer's own; null in the device role, where selectors decide alone. */
  readonly leased: LeasedAddresses | null
  /** Whether tsRemote holds IPv4 addresses that are not leased: a LAN behind the device, whose hosts have synthetic addresses. */
  readonly reachesLan: boolean
  /** Where outbound lookups find this SA: the leased addresses, or prefixes of tsLocal in the device role. */
  readonly routes: readonly Prefix[]
  /** Null in tunnel mode. */
  readonly transport: TransportMode | null
  readonly lifetime: SaLifetime
  path: Path
  /** What is sent goes in UDP; what comes may come either way (RFC 7296 2.23). */
  udpEncap: boolean
  /** As found at the last move: only such a peer is reported when it comes from elsewhere (C60). */
  peerBehindNat: boolean
  isOutboundActive = false
  readonly sequence: OutboundSequence
  readonly pathCredit: PathCredit
  packetsIn = 0
  bytesIn = 0
  packetsOut = 0
  bytesOut = 0
  /** What other threads have sent on this SA, as far as this one has heard. */
  packetsOutElsewhere = 0
  bytesOutElsewhere = 0
  #hasReportedSoftLimit = false
  /** `SHARED_SA_WORDS`: those of the sequence, the credit of the path, 1 when the SA is spent. */
  #shared: Int32Array

  /** @throws RangeError for transport mode between anything but two hosts */
  constructor(description: ChildSaDescription, transforms: TransformPair, context: ChildSaContext) {
    const { replayWindow, placement, lifetime } = context
    this.spiIn = description.spiIn
    this.spiOut = description.spiOut
    this.esn = description.keys.esn
    this.#shared = new Int32Array(SHARED_SA_WORDS)
    this.sequence = new OutboundSequence(this.esn, this.#shared)
    this.pathCredit = new PathCredit(this.#shared, CREDIT)
    this.udpEncap = description.udpEncap
    this.peerBehindNat = description.peerBehindNat
    this.opener = transforms.opener
    this.sealer = transforms.sealer
    this.ah = transforms.ah ?? null
    this.replayWindow = replayWindow
    this.tsLocal = new SelectorSet(description.tsLocal)
    this.tsRemote = new SelectorSet(description.tsRemote)
    this.subject = placement?.subject ?? 0
    this.leased = placement && new LeasedAddresses(placement.addresses)
    this.reachesLan = this.leased !== null && this.leased.isExceededBy4(description.tsRemote)
    this.routes = this.leased?.routes ?? routesOf(description.tsLocal)
    this.path = description.path
    this.transport = description.mode === 'transport' ? TransportMode.of(description) : null
    if (description.mode === 'transport' && this.transport === null) {
      throw new RangeError('transport mode is between two hosts')
    }
    this.lifetime = lifetime
  }

  /**
   * What several threads must count together lies in `words` from now on: `SHARED_SA_WORDS`, zero for a new SA.
   */
  share(words: Int32Array): void {
    if (words.length !== SHARED_SA_WORDS) throw new RangeError('wrong memory size for the shared part of an SA')
    this.sequence.share(words)
    this.pathCredit.share(words, CREDIT)
    this.#shared = words
  }

  /** Past a hard limit: nothing is sent or accepted any more. Another thread may hear of it a packet later. */
  get isSpent(): boolean {
    return this.#shared[SPENT] !== 0
  }

  /** The number this thread sent last. */
  get sequenceLow(): number {
    return this.sequence.low
  }

  get sequenceHigh(): number {
    return this.sequence.high
  }

  /** After counting a packet: marks the SA as spent at a hard limit. @returns each notice once */
  checkLifetime(): LifetimeNotice {
    const { softBytes, softPackets } = this.lifetime
    if (!this.#isPast(softBytes, softPackets) || this.isSpent) return LifetimeNotice.none
    if (this.#isPast(this.lifetime.hardBytes, this.lifetime.hardPackets)) {
      Atomics.store(this.#shared, SPENT, 1)
      return LifetimeNotice.hard
    }
    if (this.#hasReportedSoftLimit) return LifetimeNotice.none
    this.#hasReportedSoftLimit = true
    return LifetimeNotice.soft
  }

  #isPast(bytes: number, packets: number): boolean {
    if (this.bytesIn >= bytes || this.bytesOut + this.bytesOutElsewhere >= bytes) return true
    if (this.packetsIn >= packets || this.packetsOut + this.packetsOutElsewhere >= packets) return true
    // Numbers are used up by packets that were lost, too.
    return !this.esn && (this.sequenceLow >= packets || this.replayWindow.topLow >= packets)
  }

  destroy(): void {
    this.opener.destroy()
    this.sealer.destroy()
    this.ah?.opener.destroy()
    this.ah?.sealer.destroy()
  }
}

function routesOf(selectors: ChildSaDescription['tsLocal']): Prefix[] {
  const routes: Prefix[] = []
  const seen = new Set<string>()
  for (const { startAddress, endAddress } of selectors) {
    if (startAddress.length !== endAddress.length || startAddress.length % 4 !== 0) continue
    for (const prefix of prefixesOfRange(wordsOf(startAddress), wordsOf(endAddress))) {
      const key = `${prefix.words.join(',')}/${prefix.lengthBits}`
      if (!seen.has(key)) routes.push(prefix)
      seen.add(key)
    }
  }
  return routes
}
