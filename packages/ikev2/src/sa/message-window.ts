/**
 * Message ids of one IKE SA, one window per direction (RFC 7296 2.1-2.3), both of size 1.
 *
 * ```
 *   requests of the peer:   ... answered, answered, [expected] , too far ...
 *                                         ^ its response is kept; repeated byte for byte, never computed again
 *   our requests:           ... answered, [outstanding] , next ...
 * ```
 *
 * A request whose answer needs an outside decision stays `answering`; its repetitions are ignored meanwhile. Ids never wrap:
 * `takeMessageId` gives null when they are used up (2.2).
 */
import type { MessageId } from '../message/model.ts'

export const MESSAGE_ID_END = 0xffff_ffff
/** A rekey starts when this many ids are left. */
export const MESSAGE_ID_RESERVE = 0x1000
const REPEAT_INTERVAL_MS = 100

export interface ReceiveWindow {
  expected: number
  answering: boolean
  /** Datagrams of the response to `expected - 1`; null before the first and once forgotten. */
  response: readonly Uint8Array[] | null
  answeredAtMs: number
  /** When the last response was repeated last. */
  repeatedAtMs: number
}

export interface SendWindow {
  next: number
}

export type RequestVerdict = 'fresh' | 'answering' | 'repeated' | 'outside'

/** @param firstMessageId 0, or 1 where IKE_SA_INIT was request 0 (2.2). */
export function createReceiveWindow(firstMessageId: number): ReceiveWindow {
  return { expected: firstMessageId, answering: false, response: null, answeredAtMs: 0, repeatedAtMs: -Infinity }
}

export function createSendWindow(firstMessageId: number): SendWindow {
  return { next: firstMessageId }
}

/** Where a request of the peer stands; decides nothing about its authenticity. */
export function classifyRequest(window: ReceiveWindow, messageId: number): RequestVerdict {
  if (messageId === window.expected) return window.answering ? 'answering' : 'fresh'
  if (messageId === window.expected - 1 && window.response !== null) return 'repeated'
  return 'outside'
}

/** Commits the response to the request `expected` and opens the window for the next one. */
export function commitResponse(window: ReceiveWindow, datagrams: readonly Uint8Array[], nowMs: number): void {
  window.response = datagrams
  window.answeredAtMs = nowMs
  window.answering = false
  window.expected += 1
}

/**
 * Whether a response may be sent once more: no peer repeats its request this fast, and a response may be larger than what is
 * replayed, from any address, to get it.
 */
export function mayRepeat(window: ReceiveWindow, nowMs: number): boolean {
  if (nowMs < window.repeatedAtMs + REPEAT_INTERVAL_MS) return false
  window.repeatedAtMs = nowMs
  return true
}

/** The id for a new request of ours, null when none is left. */
export function takeMessageId(window: SendWindow): MessageId | null {
  if (window.next >= MESSAGE_ID_END) return null
  const messageId = window.next as MessageId
  window.next += 1
  return messageId
}

/** True when so few ids are left in either direction that the IKE SA should be rekeyed. */
export function messageIdsRunLow(received: ReceiveWindow, sent: SendWindow): boolean {
  return Math.max(received.expected, sent.next) >= MESSAGE_ID_END - MESSAGE_ID_RESERVE
}
