/**
 * Selectors of a Child SA in transport mode: the two outer addresses, whatever the grant says of inner ones
 * (RFC 7296 1.3.1, 2.23.1; C41).
 *
 * ```
 *   TSi of a peer behind NAT, as it knows itself    192.168.1.7[17/4000]
 *   what we and the data plane see                  192.0.2.1[17/4000]        substituted
 *   TSi in our response                             192.168.1.7[17/4000]      and back
 * ```
 *
 * Substitution takes one address on each side. MOBIKE is for tunnel mode only (RFC 4555 1.2): with it, transport mode is declined.
 */
import type { OriginalAddresses, Path } from '../endpoint/contract.ts'
import type { TrafficSelector } from '../message/model.ts'
import { compareBytes } from '../message/octets.ts'
import type { Route } from '../sa/attachment.ts'
import { narrow } from '../traffic-selector/narrow.ts'
import { fromCidr } from '../traffic-selector/selector.ts'

export interface TransportSelectors {
  /** As the data plane sees them. */
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  /** As the peer sees them: for the response. */
  readonly tsI: readonly TrafficSelector[]
  readonly tsR: readonly TrafficSelector[]
  /** What the peer's checksums were made with; undefined without a NAT in the way. */
  readonly originalAddresses?: OriginalAddresses
}

/** @returns null when the offer is not about the two outer addresses: then it is tunnel mode or nothing. */
export function agreeTransport(
  { path, peerBehindNat, localBehindNat }: Pick<Route, 'path' | 'peerBehindNat' | 'localBehindNat'>,
  tsI: readonly TrafficSelector[],
  tsR: readonly TrafficSelector[],
): TransportSelectors | null {
  const remote = agreeSide(tsI, path.remote, peerBehindNat)
  const local = agreeSide(tsR, path.local, localBehindNat)
  if (remote === null || local === null) return null
  const selectors = { tsLocal: local.seen, tsRemote: remote.seen, tsI: remote.told, tsR: local.told }
  const [toldLocal, toldRemote] = [local.told[0], remote.told[0]]
  if (!(peerBehindNat || localBehindNat) || toldLocal === undefined || toldRemote === undefined) return selectors
  return { ...selectors, originalAddresses: { local: toldLocal.startAddress, remote: toldRemote.startAddress } }
}

/**
 * As initiator behind a NAT, or with a responder behind one: its addresses in the answer are ours as we told them, so what it makes
 * checksums with only it knows.
 */
export function originalAddressesOf(
  mode: 'tunnel' | 'transport',
  { peerBehindNat, localBehindNat }: Pick<Route, 'peerBehindNat' | 'localBehindNat'>,
): 'unknown' | undefined {
  return mode === 'transport' && (peerBehindNat || localBehindNat) ? 'unknown' : undefined
}

interface Side {
  readonly seen: readonly TrafficSelector[]
  readonly told: readonly TrafficSelector[]
}

function agreeSide(offered: readonly TrafficSelector[], { address }: Path['local'], isBehindNat: boolean): Side | null {
  const host = fromCidr(address)
  const original = isBehindNat ? onlyHost(offered) : host
  if (host === null || original === null) return null
  const seen = narrow(isBehindNat ? offered.map((selector) => at(selector, host)) : offered, [host])
  return seen === null ? null : { seen, told: seen.map((selector) => at(selector, original)) }
}

/** The one host all selectors are about; null when there is none. */
function onlyHost(selectors: readonly TrafficSelector[]): TrafficSelector | null {
  const [first] = selectors
  const isOne = selectors.every(({ startAddress, endAddress }) => {
    return first !== undefined && [startAddress, endAddress].every((end) => compareBytes(end, first.startAddress) === 0)
  })
  return isOne ? (first ?? null) : null
}

/** The same protocol and ports at another host. */
function at(selector: TrafficSelector, { type, startAddress }: TrafficSelector): TrafficSelector {
  return { ...selector, type, startAddress, endAddress: startAddress }
}
