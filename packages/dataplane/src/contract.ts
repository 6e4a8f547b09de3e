/**
 * What a data plane is to the process that owns it: Child SAs go in, IKE datagrams and notices come out.
 *
 * Two implementations stand behind it: the portable one (`dgram` and `node:crypto`, the reference) and the native one (a worker
 * thread on koffi with batched I/O). `openDataPlane` probes and picks. The data plane owns the UDP 4500 socket and the TUN.
 */
import type { LifetimeSettings, MoveFindings, Placement, SubjectPolicy } from '@culvert/esp'
import type { ChildSaDescription, Path, SocketAddress, Spi } from '@culvert/ikev2'

export interface DataPlaneOptions {
  /**
   * Addresses and ports (4500, or another in tests and device-sim) of the sockets for ESP in UDP and IKE with the non-ESP marker,
   * one each; at least one. An SA sends over the socket of its local address, else over the first of its peer's family.
   */
  readonly bind: readonly SocketAddress[]
  readonly tun: TunOptions
  readonly role: ConcentratorRole | DeviceRole
  /** 24 bits; upper part of every ESP IV (DESIGN 8). */
  readonly incarnation: number
  /** Inbound SPIs are made by `packages/esp` spi layout with this slot. */
  readonly nodeSlot: number
  readonly maxSas: number
  /** Subjects of placements are 1 to this; as `maxSas` when left out. */
  readonly maxSubjects?: number
  readonly replayWindowPackets: number
  /** Octets and packets after which an SA is rekeyed or dead; left out: the bounds of its cipher, which these only lower. */
  readonly lifetime?: LifetimeSettings
  readonly outer?: OuterHeaderOptions
  /**
   * True: Child SAs without UDP encapsulation can be installed, too (IP protocol 50). Needs the native rung and CAP_NET_RAW; without
   * either nothing is opened (NativeEspError).
   */
  readonly nativeEsp?: boolean
  /** True: Child SAs of AH can be installed, too (IP protocol 51). Needs what `nativeEsp` needs. */
  readonly ah?: boolean
  /** Left out: everything the kernel gives. */
  readonly offload?: OffloadLimits
  /** Threads of the native rung that forward, 1 to 16; one when left out. An interface made for one queue takes one. */
  readonly dataThreads?: number
  /** Leave out to take the fastest rung that passes its self-test. */
  readonly rung?: Rung
}

/** What the native rung leaves unused although it could be had: one step down the ladder each, to rule a fault out. */
export interface OffloadLimits {
  /** False: runs of datagrams are not cut by the kernel (UDP_SEGMENT) but sent as a batch (sendmmsg). */
  readonly udpSegment?: boolean
  /** False: the kernel joins no received datagrams (UDP_GRO). */
  readonly udpGro?: boolean
  /** `tso`: TCP superpackets only; `none`: single packets. */
  readonly tun?: 'uso' | 'tso' | 'none'
  /** False: OpenSSL is called function by function for a packet, not by a list. */
  readonly callLists?: boolean
}

/** What the outer header says (RFC 4301 5.1.2, 8.1). The portable rung leaves all of it to the system. */
export interface OuterHeaderOptions {
  /**
   * `discover` (default): DF is set, and what does not fit the path is cut or answered before it is encrypted. `fragment`: DF is
   * clear and routers cut, for networks that swallow ICMP.
   */
  readonly pathMtu?: 'discover' | 'fragment'
  /** `none` (default): 0 outside, so that nobody on the way learns classes of traffic. `copy`: as inside. Inside it never changes. */
  readonly dscp?: 'none' | 'copy'
}

/** `native`: koffi with GSO/GRO and TUN offload as far as the kernel gives them. `portable`: dgram and node:crypto. */
export type Rung = 'native' | 'portable'

export interface TunOptions {
  /** Interface name, at most 15 characters. */
  readonly name: string
  /** Name of the network namespace (under /run/netns) the TUN is created in; null for the one this process is in. */
  readonly namespace: string | null
  readonly mtuBytes: number
}

/** Packets from devices must go to a dial address as part of a flow that was opened from there. */
export interface ConcentratorRole {
  readonly kind: 'concentrator'
  /** IPv4 and IPv6 addresses (textual) from which gateways dial. */
  readonly dialAddresses: readonly string[]
}

/** One or many simulated devices: no flow check, selectors only. */
export interface DeviceRole {
  readonly kind: 'device'
}

/** A host on a LAN behind a device, and the address of this node under which it is reached. */
export interface MappedHost {
  /** Out of 198.18.0.0/15. */
  readonly synthetic: string
  /** Of the device, as in `Placement`. */
  readonly subject: number
  /** IPv4 address on the LAN. */
  readonly host: string
}

export interface DataPlaneHandlers {
  /** An IKE datagram arrived on the ESP port; `bytes` is without the non-ESP marker and owned by the handler. */
  onIke(bytes: Uint8Array, path: Path): void
  /** Fresh authenticated traffic came in on this SA (at most once a second per SA). */
  onInboundTraffic(spiIn: Spi): void
  /** A packet that authenticated and advanced the window came from another address (rate-limited). */
  onPeerMoved(spiIn: Spi, remote: SocketAddress): void
  /** A quota stopped a packet of this subject (at most once a minute for each). */
  onQuota?(subject: number): void
  /** Bytes, packets or sequence numbers reached the soft limit. */
  onSoftLimit(spiIn: Spi): void
  /** Bytes or packets reached the hard limit: this SA neither sends nor accepts any more. Told once. */
  onHardLimit(spiIn: Spi): void
  /** A packet met a bug and was dropped (`internalFault`); what repeats ends the data plane. */
  onFault?(error: Error): void
  /** The data plane died and forwards nothing any more; the node must fail over. */
  onFailure(error: Error): void
}

export interface SaCounters {
  readonly spiIn: Spi
  readonly packetsIn: number
  readonly bytesIn: number
  readonly packetsOut: number
  readonly bytesOut: number
  /** By name of DropCode: packets of this SA, or with its SPI, that went no further. Only causes that were met. */
  readonly drops: Readonly<Record<string, number>>
}

export interface NodeCounters {
  readonly packetsIn: number
  readonly bytesIn: number
  readonly packetsOut: number
  readonly bytesOut: number
  /** By name of DropCode. */
  readonly drops: Readonly<Record<string, number>>
}

export interface DataPlane {
  readonly rung: Rung
  /** What is in use and why not more, one line for people. */
  readonly description: string
  /** Where the first socket is bound; the real port when its `bind` had 0. */
  readonly local: SocketAddress
  /** Where each socket is bound, in the order of `bind`. */
  readonly locals: readonly SocketAddress[]
  /**
   * Resolves once packets of this SA are accepted. Copies and zeroes the keys in `child`.
   *
   * @param placement whose SA it is; null in the device role, and only there. Its addresses alone are outbound routes and inbound
   *   sources of a concentrator, whatever the selectors hold.
   */
  install(child: ChildSaDescription, placement: Placement | null): Promise<void>
  activateOutbound(spiIn: Spi): void
  move(spiIn: Spi, path: Path, findings: MoveFindings): void
  remove(spiIn: Spi): void
  /**
   * From now on packets between this host and the dial addresses pass, with its synthetic address on our side. Replaces what
   * either address was mapped to. The device needs an SA whose tsRemote holds the host. IPv6 LANs need none of this: their
   * prefixes are unique.
   */
  mapHost(mapping: MappedHost): void
  unmapHost(synthetic: string): void
  /** What holds for a device, whatever its SAs: acts on the next packet. Without it nothing is limited, and nobody reached. */
  setSubject(subject: number, policy: SubjectPolicy): void
  /** The subject has no SA any more and may become another device. */
  removeSubject(subject: number): void
  /** Inner octets of both directions that passed since `removeSubject`, in the order asked. */
  readSubjects(subjects: readonly number[]): Promise<readonly number[]>
  /** Sends an IKE message from the ESP port with the non-ESP marker in front; drops it when the socket is full. `local` as for SAs. */
  sendIke(bytes: Uint8Array, remote: SocketAddress, local?: SocketAddress): void
  /** One-byte NAT keepalive (RFC 3948 2.3). */
  sendKeepalive(remote: SocketAddress, local?: SocketAddress): void
  readSaCounters(spis: readonly Spi[]): Promise<readonly SaCounters[]>
  readCounters(): Promise<NodeCounters>
  close(): Promise<void>
}

/** The socket of port 500 for one address. */
export interface IkePort {
  readonly local: SocketAddress
  /** Drops what the kernel has no room for. */
  send(bytes: Uint8Array, remote: SocketAddress): void
  close(): Promise<void>
}
