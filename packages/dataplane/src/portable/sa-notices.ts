/**
 * What the owner of a data plane is told about an SA after a packet authenticated on it, and how often.
 *
 * Traffic at most once a second per SA; a new outer address at most once a second per SA, and only while the peer is behind a NAT
 * and the packet moved the top of the replay window (RFC 7296 2.23, CONFORMANCE C60); a soft and a hard limit once each.
 */
import { type ChildSa, type Decapsulated, LifetimeNotice, spiIndex } from '@culvert/esp'
import type { DataPlaneHandlers } from '../contract.ts'

const NOTICE_INTERVAL_MS = 1000

export class SaNotices {
  readonly #handlers: DataPlaneHandlers
  /** Milliseconds of the last notice, by index of the SPI. */
  readonly #lastTraffic: Float64Array
  readonly #lastMove: Float64Array

  constructor(handlers: DataPlaneHandlers, maxSas: number) {
    this.#handlers = handlers
    this.#lastTraffic = new Float64Array(maxSas).fill(-Infinity)
    this.#lastMove = new Float64Array(maxSas).fill(-Infinity)
  }

  /** A new SA took this place. */
  reset(sa: ChildSa): void {
    this.#lastTraffic[spiIndex(sa.spiIn)] = -Infinity
    this.#lastMove[spiIndex(sa.spiIn)] = -Infinity
  }

  /** @param packet authenticated: `packet.sa` is set */
  afterInbound(packet: Decapsulated, address: string, port: number, nowMs: number): void {
    const sa = packet.sa
    if (sa === null) return
    const index = spiIndex(sa.spiIn)
    if (packet.hasAdvanced && nowMs - this.#lastTraffic[index]! >= NOTICE_INTERVAL_MS) {
      this.#lastTraffic[index] = nowMs
      this.#handlers.onInboundTraffic(sa.spiIn)
    }
    const { remote } = sa.path
    const isMoved = packet.hasAdvanced && (remote.port !== port || remote.address !== address)
    if (isMoved && sa.peerBehindNat && nowMs - this.#lastMove[index]! >= NOTICE_INTERVAL_MS) {
      this.#lastMove[index] = nowMs
      this.#handlers.onPeerMoved(sa.spiIn, { address, port })
    }
    this.checkLimits(sa)
  }

  checkLimits(sa: ChildSa): void {
    const notice = sa.checkLifetime()
    if (notice === LifetimeNotice.soft) this.#handlers.onSoftLimit(sa.spiIn)
    else if (notice === LifetimeNotice.hard) this.#handlers.onHardLimit(sa.spiIn)
  }
}
