/**
 * Which of its addresses a device gets for this attachment: those of the families it asks for in its configuration request (RFC 7296
 * 2.19). One that asks for none knows its addresses, and has both.
 */
import type { CachedDevice } from '@culvert/concentrator-core'
import type { AttachGrant, RequestedAddresses, TrafficSelector } from '@culvert/ikev2'

export interface Lease {
  readonly address4: string | null
  readonly address6: string | null
}

/** Everything to and from the dial addresses of a family; null: this node has no IPv6 inside. */
export interface ServicePrefixes {
  readonly ip4: TrafficSelector
  readonly ip6: TrafficSelector | null
}

export function leaseOf(
  { address4, address6 }: Pick<CachedDevice, 'address4' | 'address6'>,
  requested: RequestedAddresses,
  { ip6 }: ServicePrefixes,
): Lease {
  const asksForNone = !requested.ip4 && !requested.ip6
  return {
    address4: requested.ip4 || asksForNone ? address4 : null,
    address6: ip6 !== null && (requested.ip6 || asksForNone) ? address6 : null,
  }
}

/** @returns the leased addresses, as a data plane takes them */
export function addressesOf({ address4, address6 }: Lease): string[] {
  if (address4 === null) return address6 === null ? [] : [address6]
  return address6 === null ? [address4] : [address4, address6]
}

/** What a device may speak for and reach besides its own and the dial addresses. */
export interface Reach {
  /** LANs behind it, IPv4 prefixes. */
  readonly lanPrefixes: readonly string[]
  /** Pools of its network, prefixes of both families; empty where devices may not reach each other. */
  readonly neighbours: readonly string[]
}

const NO_NEIGHBOURS: readonly string[] = []
const isIp6 = (text: string): boolean => text.includes(':')

/** @returns the pools themselves where all of them are of leased families */
export function neighboursOf(
  { address4, address6 }: Lease,
  { pools, limits }: Pick<CachedDevice, 'pools' | 'limits'>,
): readonly string[] {
  if (!limits.deviceToDevice) return NO_NEIGHBOURS
  const isLeased = (pool: string): boolean => (isIp6(pool) ? address6 : address4) !== null
  return pools.every(isLeased) ? pools : pools.filter(isLeased)
}

/**
 * The selectors of both sides; nothing of a family that is not leased.
 *
 * @param hostSelector for an address or a prefix
 */
export function selectorsOfLease(
  { address4, address6 }: Lease,
  servicePrefixes: ServicePrefixes,
  { lanPrefixes, neighbours }: Reach,
  hostSelector: (address: string) => TrafficSelector,
): Pick<AttachGrant, 'tsLocal' | 'tsRemote'> {
  return {
    tsLocal: [
      ...(address4 === null ? [] : [servicePrefixes.ip4]),
      ...(address6 === null || servicePrefixes.ip6 === null ? [] : [servicePrefixes.ip6]),
      ...neighbours.map(hostSelector),
    ],
    tsRemote: [...addressesOf({ address4, address6 }), ...(address4 === null ? [] : lanPrefixes)].map(hostSelector),
  }
}

/**
 * Addresses, resolvers that they can reach, and the selectors of both sides, registered LANs among them; nothing of a family that is not leased. Our side holds the
 * pools of the network where devices may reach each other.
 *
 * @param hostSelector for an address or a prefix
 */
export function grantOfLease(
  lease: Lease,
  servicePrefixes: ServicePrefixes,
  device: Pick<CachedDevice, 'dnsServers' | 'dnsDomains' | 'lanPrefixes' | 'pools' | 'limits'>,
  hostSelector: (address: string) => TrafficSelector,
): Pick<AttachGrant, 'ip4' | 'ip6' | 'dns4' | 'dns6' | 'dnsDomains' | 'tsLocal' | 'tsRemote'> {
  const { address4, address6 } = lease
  const { dnsServers, dnsDomains, lanPrefixes } = device
  const reach = { lanPrefixes, neighbours: neighboursOf(lease, device) }
  return {
    ip4: address4,
    ip6: address6,
    dns4: address4 === null ? [] : dnsServers.filter((server) => !isIp6(server)),
    dns6: address6 === null ? [] : dnsServers.filter(isIp6),
    dnsDomains,
    ...selectorsOfLease(lease, servicePrefixes, reach, hostSelector),
  }
}
