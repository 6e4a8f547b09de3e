/** The worker's sockets of one address and carrier: where they are bound, what receives from them and what sends over the first. */
import type { SocketAddress } from '@culvert/ikev2'
import type { UdpReceiver } from './udp-receiver.ts'
import type { UdpSender } from './udp-sender.ts'

/** ESP in UDP, ESP directly in IP, AH. */
export type Carrier = 'udp' | 'esp' | 'ah'

export interface OuterSocket {
  /** One per lane. */
  readonly fds: readonly number[]
  readonly local: SocketAddress
  readonly receiver: UdpReceiver
  readonly sender: UdpSender
  readonly carrier: Carrier
}
