/**
 * Messages between the owner of the data plane and its workers.
 *
 * Keys never travel in a message: structured cloning would leave copies in buffers that nobody can wipe. They lie in a key arena
 * (`key-arena.ts`).
 */
import type { Path, SocketAddress, Spi } from '@culvert/ikev2'
import type { KnownFlow, MoveFindings } from '@culvert/esp'
import type { DataPlaneOptions } from '../../contract.ts'
import type { FlatChildSa } from './flat-child-sa.ts'
import type { IcmpSocket } from '../path-mtu/icmp-sockets.ts'
import type { Carrier } from '../sockets/outer-socket.ts'
import type { CommonBuffers, SharedBuffers } from '../shared-memory/shared-state.ts'
import type { TunOffload } from '../superpackets/tun-offload.ts'

/** The sockets of one worker for one address. */
export interface BoundSocket {
  /** One per lane; the first sends. */
  readonly fds: readonly number[]
  readonly local: SocketAddress
  /** Without UDP its port is 0. */
  readonly carrier: Carrier
}

export interface WorkerSetup {
  readonly options: Omit<DataPlaneOptions, 'rung'>
  /** Which of `threads` workers this is. */
  readonly thread: number
  readonly threads: number
  /** In the order of `bind`; then those directly in IP. */
  readonly sockets: readonly BoundSocket[]
  /** This worker's queues of the TUN, one per lane. */
  readonly tunFds: readonly number[]
  /** Empty: what this worker waits with. */
  readonly epollFd: number
  /** Event counters of all workers; one's own is that of `thread`. */
  readonly wakeFds: readonly number[]
  readonly offload: TunOffload
  /** OpenSSL is called by lists. */
  readonly callLists: boolean
  /** Where routers' errors are heard; null: the path MTU is not learned. */
  readonly icmp: readonly IcmpSocket[] | null
  readonly connections: readonly KnownFlow[]
  /** Of all workers; one's own is that of `thread`. */
  readonly shared: readonly SharedBuffers[]
  readonly common: CommonBuffers
}

/** A Child SA whose keys lie in the arena of its batch. */
export interface PostedChildSa {
  readonly flat: FlatChildSa
  readonly offset: number
  /** Byte lengths of the four keys, inbound, outbound, inbound and outbound integrity. */
  readonly lengths: readonly number[]
}

export type ToWorker =
  | { readonly kind: 'install'; readonly ticket: number; readonly child: PostedChildSa }
  | { readonly kind: 'activateOutbound' | 'remove'; readonly spiIn: Spi }
  /** Addresses unsigned. */
  | { readonly kind: 'mapHost'; readonly synthetic: number; readonly subject: number; readonly host: number }
  | { readonly kind: 'unmapHost'; readonly synthetic: number }
  | { readonly kind: 'move'; readonly spiIn: Spi; readonly path: Path; readonly findings: MoveFindings }

/** A datagram is five entries: its octets, then its path. */
export type ReceivedIke = readonly (Uint8Array | string | number)[]
export const IKE_ENTRIES = 5

export interface InstallAnswer {
  readonly ticket: number
  readonly error: string | null
}

export type FromWorker =
  | { readonly kind: 'ready' }
  /** A packet met a bug. */
  | { readonly kind: 'fault'; readonly error: Error }
  /** One for each SA of a batch; `error` null: the SA takes packets. */
  | { readonly kind: 'installed'; readonly answers: readonly InstallAnswer[] }
  /** `bytes`: octets of all `count` datagrams. */
  | { readonly kind: 'ike'; readonly received: ReceivedIke; readonly count: number; readonly bytes: number }
  | {
      readonly kind: 'notices'
      readonly traffic: readonly Spi[]
      readonly moved: readonly { readonly spiIn: Spi; readonly remote: SocketAddress }[]
      readonly softLimits: readonly Spi[]
      readonly hardLimits: readonly Spi[]
      /** Subjects whose quota stopped a packet. */
      readonly quotas: readonly number[]
    }

/** What is posted at once; the same to every worker. */
export interface PostedBatch {
  readonly commands: readonly ToWorker[]
  /** Keys of the SAs in it, null when there are none. */
  readonly arena: SharedArrayBuffer | null
}
