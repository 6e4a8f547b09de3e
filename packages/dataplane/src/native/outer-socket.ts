/** The worker's sockets of one address: where they are bound, what receives from them and what sends over the first. */
import type { SocketAddress } from '@culvert/ikev2'
import type { UdpReceiver } from './udp-receiver.ts'
import type { UdpSender } from './udp-sender.ts'

export interface OuterSocket {
  /** One per lane. */
  readonly fds: readonly number[]
  readonly local: SocketAddress
  readonly receiver: UdpReceiver
  readonly sender: UdpSender
  /** ESP directly in IP. */
  readonly isRaw: boolean
}
