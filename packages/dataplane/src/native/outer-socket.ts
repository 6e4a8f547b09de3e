/** One of the worker's sockets: where it is bound, what receives from it and what sends over it. */
import type { SocketAddress } from '@culvert/ikev2'
import type { UdpReceiver } from './udp-receiver.ts'
import type { UdpSender } from './udp-sender.ts'

export interface OuterSocket {
  readonly fd: number
  readonly local: SocketAddress
  readonly receiver: UdpReceiver
  readonly sender: UdpSender
  /** ESP directly in IP. */
  readonly isRaw: boolean
}
