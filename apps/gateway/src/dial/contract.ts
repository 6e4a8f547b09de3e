/**
 * What the gateway asks of a dialer, and the messages between the gateway and its dialer processes.
 *
 * A dialer opens TCP connections to devices. The socket it gives has been read by nobody: whatever the device sends right after
 * the handshake (an SSH banner, say) is still in the kernel.
 */
import type { Socket } from 'node:net'

export interface DialTarget {
  /** Network namespace to dial from; empty: the namespace of the gateway itself. */
  readonly namespace: string
  /** Source address; empty: the kernel's choice. */
  readonly localAddress: string
  /** The device's inner address. */
  readonly host: string
  readonly port: number
}

/** `refused`: the device answered with a reset. `device_unreachable`: anything else. */
export type DialFailure = 'device_unreachable' | 'refused'

export type DialOutcome =
  | { readonly ok: true; readonly socket: Socket }
  | { readonly ok: false; readonly reason: DialFailure; readonly detail: string }

export interface Dialer {
  /** Never rejects. The socket is paused and half-open capable, and belongs to the caller. */
  dial(target: DialTarget): Promise<DialOutcome>
  /** Makes ready for dials from `namespace`, and notices when the namespace was made anew. */
  prepare(namespace: string): void
  /** Ends the dialer processes; dials under way fail. */
  stop(): void
}

/** The first message of a dialer process, once it is inside. */
export interface DialerGreeting {
  /** Of the network namespace that it entered. */
  readonly namespaceInode: number
}

/** Gateway to dialer process. */
export interface DialRequest {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly localAddress: string
  readonly timeoutMs: number
}

/** Dialer process to gateway; the socket travels with the message when `code` is null. */
export interface DialReply {
  readonly id: number
  /** Why there is no socket: an errno name. */
  readonly code: string | null
}

/** The code of a dial that took longer than its limit. */
export const TIMED_OUT = 'ETIMEDOUT'

/** @param code an errno name. */
export function dialFailure(code: string): DialOutcome & { ok: false } {
  const refused = code === 'ECONNREFUSED' || code === 'ECONNRESET'
  return { ok: false, reason: refused ? 'refused' : 'device_unreachable', detail: code }
}
