/**
 * The protected part of one IKE SA: keys, windows, IVs, fragments and the one request under way. Made by IKE_SA_INIT or a rekey.
 *
 * Everything in here dies with the IKE SA; nothing in it is shared with another one.
 */
import type { EndpointTiming, MonotonicMs } from '../endpoint/contract.ts'
import type { FragmentSet } from '../message/reassembly.ts'
import type { SkKeys } from '../message/seal.ts'
import type { IkeTransforms } from './ike-transforms.ts'
import { createIvSource, type IvSource } from './iv-source.ts'
import { createReceiveWindow, createSendWindow, type ReceiveWindow, type SendWindow } from './message-window.ts'
import type { PendingRequest } from './request.ts'

/** Fragments of the message now coming in, of one direction; dropped when none came for a while (RFC 7383 2.6). */
export interface Reassembly {
  readonly messageId: number
  readonly set: FragmentSet
  /** IKE header and generic header of the first fragment; empty until that came. */
  readonly head: Uint8Array
  readonly expiresAtMs: MonotonicMs
}

export interface Channel {
  readonly transforms: IkeTransforms
  readonly skD: Uint8Array
  readonly sending: SkKeys
  readonly receiving: SkKeys
  /** Before the last additional key exchange: the peer may repeat its request sealed with these; null otherwise (RFC 9370 2.2.2). */
  formerReceiving: SkKeys | null
  /** Both ends sent IKEV2_FRAGMENTATION_SUPPORTED. */
  readonly fragmentation: boolean
  readonly iv: IvSource
  readonly received: ReceiveWindow
  readonly sent: SendWindow
  pending: PendingRequest | null
  requestFragments: Reassembly | null
  responseFragments: Reassembly | null
}

export interface ChannelParameters {
  readonly transforms: IkeTransforms
  readonly skD: Uint8Array
  readonly sending: SkKeys
  readonly receiving: SkKeys
  readonly fragmentation: boolean
  /** Id of our first request: 1 for the initiator of IKE_SA_INIT, which was request 0; else 0 (RFC 7296 2.2). */
  readonly firstSent: number
  /** Id of the peer's first request, likewise. */
  readonly firstReceived: number
}

/** How long the response to the peer's last request is kept for repetitions (RFC 7296 2.1: several minutes). */
const RESPONSE_KEPT_MS = 300_000
export const REASSEMBLY_MS = 30_000

export function createChannel(parameters: ChannelParameters): Channel {
  const { transforms, skD, sending, receiving, fragmentation, firstSent, firstReceived } = parameters
  return {
    transforms,
    skD,
    sending,
    receiving,
    fragmentation,
    formerReceiving: null,
    iv: createIvSource(),
    received: createReceiveWindow(firstReceived),
    sent: createSendWindow(firstSent),
    pending: null,
    requestFragments: null,
    responseFragments: null,
  }
}

/** The peer's next request says that it has our response: nothing comes under the former keys any more. */
export function forgetFormerKeys(channel: Channel): void {
  channel.formerReceiving?.encrKey.fill(0)
  channel.formerReceiving?.integKey.fill(0)
  channel.formerReceiving = null
}

/** The next time at which something is due on the channel alone: a retransmission, or something to forget. */
export function channelDueMs(channel: Channel): MonotonicMs {
  const { pending, received, requestFragments, responseFragments } = channel
  return Math.min(
    pending === null ? Infinity : pending.retransmission.dueMs,
    received.response === null ? Infinity : received.answeredAtMs + RESPONSE_KEPT_MS,
    requestFragments === null ? Infinity : requestFragments.expiresAtMs,
    responseFragments === null ? Infinity : responseFragments.expiresAtMs,
  )
}

/** Drops what was kept long enough. */
export function forgetExpired(channel: Channel, nowMs: MonotonicMs): void {
  const { received, requestFragments, responseFragments } = channel
  if (received.response !== null && nowMs >= received.answeredAtMs + RESPONSE_KEPT_MS) received.response = null
  if (requestFragments !== null && nowMs >= requestFragments.expiresAtMs) channel.requestFragments = null
  if (responseFragments !== null && nowMs >= responseFragments.expiresAtMs) channel.responseFragments = null
}

/** Takes up to 10 percent off a lifetime, so that the two ends do not rekey at the same moment. 0 stays "never". */
export function jitteredLifetimeMs(lifetimeMs: number, random: Uint8Array): number {
  if (lifetimeMs === 0) return Infinity
  const fraction = (((random[0] ?? 0) << 8) | (random[1] ?? 0)) / 65_536
  return Math.round(lifetimeMs * (1 - fraction / 10))
}

/** When an SA ends although no rekey succeeded; Infinity when rekeying is off. */
export function hardLifetimeMs(lifetimeMs: number, timing: EndpointTiming): number {
  if (lifetimeMs === 0) return Infinity
  const graceMs = timing.retransmit.firstMs * timing.retransmit.factor ** (timing.retransmit.tries + 2)
  return Math.round(lifetimeMs + Math.max(lifetimeMs / 4, graceMs))
}
