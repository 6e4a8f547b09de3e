/**
 * When a request that has no response yet is sent again (RFC 7296 2.1, 2.4): exponential back-off, the same octets each time.
 *
 * Only the exhaustion of all tries ends an IKE SA; unprotected notifies and ICMP never do.
 */
import type { EndpointTiming, MonotonicMs } from '../endpoint/contract.ts'

export interface Retransmission {
  readonly datagrams: readonly Uint8Array[]
  /** Transmissions after the first. */
  repeats: number
  dueMs: MonotonicMs
}

export function startRetransmission(
  datagrams: readonly Uint8Array[],
  nowMs: MonotonicMs,
  timing: EndpointTiming,
): Retransmission {
  return { datagrams, repeats: 0, dueMs: nowMs + timing.retransmit.firstMs }
}

/** What to do at `dueMs`: `repeat` has moved the schedule on, `exhausted` means that the peer is silent. */
export function retransmit(state: Retransmission, nowMs: MonotonicMs, timing: EndpointTiming): 'repeat' | 'exhausted' {
  const { firstMs, factor, tries } = timing.retransmit
  if (state.repeats >= tries) return 'exhausted'
  state.repeats += 1
  state.dueMs = nowMs + Math.round(firstMs * factor ** state.repeats)
  return 'repeat'
}

/** Time from the first transmission until `exhausted`: how long a peer may go on repeating a request. */
export function retransmissionSpanMs(timing: EndpointTiming): number {
  const { firstMs, factor, tries } = timing.retransmit
  let spanMs = 0
  for (let repeat = 0; repeat <= tries; repeat += 1) spanMs += firstMs * factor ** repeat
  return Math.round(spanMs)
}
