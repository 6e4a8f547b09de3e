/**
 * One Child SA in the packet path: both directions, their counters and limits.
 *
 * Mutable on purpose: a packet changes counters and nothing else. Only `decapsulate`, `encapsulate` and `Sad` write here.
 */
import type { ChildSaDescription, Path, Spi } from '@culvert/ikev2'
import type { EspOpener, EspSealer } from './esp-transform.ts'
import { LeasedAddresses, type Placement } from './placement.ts'
import { prefixesOfRange, type Prefix } from './prefixes.ts'
import { OutboundSequence } from './outbound-sequence.ts'
import { ReplayWindow } from './replay-window.ts'
import { wordsOf } from './octets.ts'
import { SelectorSet } from './selector-set.ts'
import type { TransformPair } from './transform-pair.ts'

/** When the owner is told to rekey; the hard limits are the sequence number and the IV counter (CONFORMANCE C66). */
export interface SoftLimits {
  readonly sequenceNumbers: number
  /** Inner octets of one direction. */
  readonly bytes: number
}

/** Three quarters of the 32-bit numbers; 2^38 octets keeps AES-CBC far from its birthday bound of 2^68 octets. */
export const DEFAULT_SOFT_LIMITS: SoftLimits = { sequenceNumbers: 0xc0000000, bytes: 2 ** 38 }

export class ChildSa {
  readonly spiIn: Spi
  readonly spiOut: number
  readonly esn: boolean
  readonly udpEncap: boolean
  readonly opener: EspOpener
  readonly sealer: EspSealer
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
  path: Path
  /** As found at the last move: only such a peer is reported when it comes from elsewhere (C60). */
  peerBehindNat: boolean
  isOutboundActive = false
  readonly sequence: OutboundSequence
  packetsIn = 0
  bytesIn = 0
  packetsOut = 0
  bytesOut = 0
  hasReportedSoftLimit = false

  constructor(
    description: ChildSaDescription,
    transforms: TransformPair,
    replayWindow: ReplayWindow,
    placement: Placement | null,
  ) {
    this.spiIn = description.spiIn
    this.spiOut = description.spiOut
    this.esn = description.keys.esn
    this.sequence = new OutboundSequence(this.esn)
    this.udpEncap = description.udpEncap
    this.peerBehindNat = description.peerBehindNat
    this.opener = transforms.opener
    this.sealer = transforms.sealer
    this.replayWindow = replayWindow
    this.tsLocal = new SelectorSet(description.tsLocal)
    this.tsRemote = new SelectorSet(description.tsRemote)
    this.subject = placement?.subject ?? 0
    this.leased = placement && new LeasedAddresses(placement.addresses)
    this.reachesLan = this.leased !== null && this.leased.isExceededBy4(description.tsRemote)
    this.routes = this.leased?.routes ?? routesOf(description.tsLocal)
    this.path = description.path
  }

  /** The number this thread sent last. */
  get sequenceLow(): number {
    return this.sequence.low
  }

  get sequenceHigh(): number {
    return this.sequence.high
  }

  /** True once, when either direction passed a soft limit. */
  passesSoftLimit(limits: SoftLimits): boolean {
    if (this.hasReportedSoftLimit) return false
    const isPast =
      (!this.esn &&
        (this.sequenceLow >= limits.sequenceNumbers || this.replayWindow.topLow >= limits.sequenceNumbers)) ||
      this.bytesOut >= limits.bytes ||
      this.bytesIn >= limits.bytes
    if (isPast) this.hasReportedSoftLimit = true
    return isPast
  }

  destroy(): void {
    this.opener.destroy()
    this.sealer.destroy()
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
