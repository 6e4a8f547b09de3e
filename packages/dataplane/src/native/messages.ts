/**
 * Messages between the owner of the data plane and its worker.
 *
 * Keys never travel in a message: structured cloning would leave copies in buffers that nobody can wipe. They lie in a shared
 * buffer of their own, which the worker zeroes as soon as the SA stands or was refused.
 */
import type { ChildKeys, ChildSaDescription, Path, SocketAddress, Spi } from '@culvert/ikev2'
import type { KnownFlow, MoveFindings, Placement } from '@culvert/esp'
import type { DataPlaneOptions } from '../contract.ts'
import type { IcmpSocket } from './icmp-sockets.ts'
import type { SharedBuffers } from './shared-state.ts'
import type { TunOffload } from './tun-offload.ts'

export interface BoundSocket {
  readonly fd: number
  readonly local: SocketAddress
}

export interface WorkerSetup {
  readonly options: Omit<DataPlaneOptions, 'rung'>
  /** In the order of `bind`. */
  readonly sockets: readonly BoundSocket[]
  readonly tunFd: number
  readonly wakeFd: number
  readonly offload: TunOffload
  /** Where routers' errors are heard; null: the path MTU is not learned. */
  readonly icmp: readonly IcmpSocket[] | null
  readonly connections: readonly KnownFlow[]
  readonly shared: SharedBuffers
}

/** Byte lengths of the four keys in `SealedAway`, in this order. */
const KEY_FIELDS = ['inboundKey', 'outboundKey', 'inboundIntegKey', 'outboundIntegKey'] as const

/** A Child SA whose keys lie in shared memory. */
export interface PostedChildSa {
  readonly description: Omit<ChildSaDescription, 'keys'>
  readonly keys: Omit<ChildKeys, (typeof KEY_FIELDS)[number]>
  readonly material: SharedArrayBuffer
  readonly lengths: readonly number[]
}

export type ToWorker =
  | {
      readonly kind: 'install'
      readonly ticket: number
      readonly child: PostedChildSa
      readonly placement: Placement | null
    }
  | { readonly kind: 'activateOutbound' | 'remove'; readonly spiIn: Spi }
  /** Addresses unsigned. */
  | { readonly kind: 'mapHost'; readonly synthetic: number; readonly subject: number; readonly host: number }
  | { readonly kind: 'unmapHost'; readonly synthetic: number }
  | { readonly kind: 'move'; readonly spiIn: Spi; readonly path: Path; readonly findings: MoveFindings }

export interface ReceivedIke {
  readonly bytes: Uint8Array
  readonly path: Path
}

export type FromWorker =
  | { readonly kind: 'ready' }
  /** `error` null: the SA takes packets. */
  | { readonly kind: 'installed'; readonly ticket: number; readonly error: string | null }
  /** `bytes`: octets of all datagrams. */
  | { readonly kind: 'ike'; readonly datagrams: readonly ReceivedIke[]; readonly bytes: number }
  | {
      readonly kind: 'notices'
      readonly traffic: readonly Spi[]
      readonly moved: readonly { readonly spiIn: Spi; readonly remote: SocketAddress }[]
      readonly softLimits: readonly Spi[]
      readonly hardLimits: readonly Spi[]
      /** Subjects whose quota stopped a packet. */
      readonly quotas: readonly number[]
    }

/** Moves the keys to shared memory and zeroes those of `child`. */
export function packChildSa(child: ChildSaDescription): PostedChildSa {
  const { keys, ...description } = child
  const { encr, integ, esn } = keys
  const lengths = KEY_FIELDS.map((field) => keys[field].length)
  const material = new SharedArrayBuffer(lengths.reduce((sum, length) => sum + length, 0))
  const bytes = new Uint8Array(material)
  let at = 0
  for (const field of KEY_FIELDS) {
    bytes.set(keys[field], at)
    at += keys[field].length
    keys[field].fill(0)
  }
  return { description, keys: { encr, integ, esn }, material, lengths }
}

/** Hands the Child SA to `use`; its keys are views of shared memory, and zero afterwards. */
export function withChildSa<T>(posted: PostedChildSa, use: (child: ChildSaDescription) => T): T {
  const bytes = new Uint8Array(posted.material)
  let at = 0
  const views = posted.lengths.map((length) => bytes.subarray(at, (at += length)))
  const [inboundKey, outboundKey, inboundIntegKey, outboundIntegKey] = views
  if (!inboundKey || !outboundKey || !inboundIntegKey || !outboundIntegKey) throw new Error('keys are missing')
  const keys = { ...posted.keys, inboundKey, outboundKey, inboundIntegKey, outboundIntegKey }
  try {
    return use({ ...posted.description, keys })
  } finally {
    bytes.fill(0)
  }
}
