/** An SA as the worker knows it. */
import type { ChildSa } from '@culvert/esp'
import type { OuterSocket } from '../sockets/outer-socket.ts'
import type { NativeOpener, NativeSealer } from './packet-transform.ts'

export interface NativeSa {
  readonly sa: ChildSa
  readonly opener: NativeOpener
  readonly sealer: NativeSealer
  /** Offset of the peer's socket address. */
  readonly destination: number
  /** Over which socket it sends. */
  socket: OuterSocket
  /** First field of its line of shared counters. */
  readonly line: number
  /** When the owner was last told about traffic and about a move; milliseconds of the worker's clock. */
  trafficNoticeMs: number
  moveNoticeMs: number
  /** When a sender was last told that its packet was too big. */
  tooBigNoticeMs: number
}
