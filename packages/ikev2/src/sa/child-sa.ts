/**
 * One Child SA as the IKE engine knows it; keys and counters live in the data plane.
 *
 * ```
 *   installed ── the peer replaces it ──▶ replaced ── its Delete comes, or we lose patience ──▶ (removed)
 *       └────────── our Delete is queued or sent ──▶ deleting ── answered ──▶ (removed)
 * ```
 *
 * The inbound half works from installation to removal. The outbound half is apart: what answered a rekey keeps sending on the
 * old SA until the old one is deleted (RFC 7296 2.8), so `outboundActive` starts as false there.
 */
import type { ChildProtocol, MonotonicMs } from '../endpoint/contract.ts'
import type { Spi, TrafficSelector, Transform } from '../message/model.ts'
import type { Channel } from './channel.ts'

export type ChildSaState =
  | { readonly kind: 'installed' }
  | { readonly kind: 'replaced'; readonly successor: Spi; readonly expiresAtMs: MonotonicMs }
  | { readonly kind: 'deleting' }

export interface ChildSa {
  readonly spiIn: Spi
  readonly spiOut: Spi
  readonly protocol: ChildProtocol
  /** ENCR_NULL with AH. */
  readonly encr: Transform
  readonly integ: Transform | null
  readonly esn: boolean
  /** Method of the key exchange that went into its keys, NONE without (PFS). */
  readonly group: number
  /** Whether additional key exchanges followed it (RFC 9370). */
  readonly additionalKe: boolean
  readonly mode: 'tunnel' | 'transport'
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  /** Inbound SPI of the Child SA it took over from, null for a new one. */
  readonly replaces: Spi | null
  outboundActive: boolean
  /**
   * The peer's request that made it, until we know that our response arrived. Before, the peer does not know this Child SA, and
   * a rekey or Delete of ours would find nothing.
   */
  unconfirmed: { readonly channel: Channel; readonly messageId: number; readonly untilMs: MonotonicMs } | null
  state: ChildSaState
  /** When we start a rekey, Infinity for never; moved on after a failed attempt. */
  rekeyAtMs: MonotonicMs
  /** When it is deleted although no rekey succeeded (RFC 7296 2.8). */
  readonly expiresAtMs: MonotonicMs
}

const INSTALLED: ChildSaState = { kind: 'installed' }
const DELETING: ChildSaState = { kind: 'deleting' }

export type ChildSaParameters = Omit<ChildSa, 'state' | 'unconfirmed'>

export function createChildSa(parameters: ChildSaParameters): ChildSa {
  return { ...parameters, unconfirmed: null, state: INSTALLED }
}

export function replaceChildSa(child: ChildSa, successor: Spi, expiresAtMs: MonotonicMs): void {
  child.state = { kind: 'replaced', successor, expiresAtMs }
}

export function startDeletion(child: ChildSa): void {
  child.state = DELETING
}

/**
 * True once the peer knows this Child SA: with a window of 1, its next request says that our response arrived. At the latest when
 * a peer that does not know it would have given up the IKE SA.
 *
 * @param channel of the current IKE SA; a later one was made after that response.
 */
export function isConfirmed(child: ChildSa, channel: Channel, nowMs: MonotonicMs): boolean {
  const { unconfirmed } = child
  if (unconfirmed === null) return true
  const isPossible = unconfirmed.channel === channel && nowMs < unconfirmed.untilMs
  if (isPossible && channel.received.expected <= unconfirmed.messageId + 1) return false
  child.unconfirmed = null
  return true
}

/** The next time at which something is due on this Child SA alone. */
export function childSaDueMs(child: ChildSa): MonotonicMs {
  switch (child.state.kind) {
    case 'installed':
      return Math.min(child.rekeyAtMs, child.expiresAtMs)
    case 'replaced':
      return child.state.expiresAtMs
    case 'deleting':
      return Infinity
  }
}
