/**
 * Where a datagram comes from, as far as budgets go: an IPv4 /24 or an IPv6 /48. One household, or the addresses of one carrier
 * behind which thousands of devices stand; nobody gets more budget by changing the last octets.
 */
import type { SocketAddress } from './contract.ts'
import { toHex } from '../message/octets.ts'
import { parseAddress } from '../traffic-selector/address.ts'

const IPV6_PREFIX_BYTES = 6
const IPV6_HOST_BYTES = 8
const LONGEST_DOTTED = 15

/** @param address textual, as sockets write it. @returns a name of bounded length; the text itself when it is no address. */
export function sourceName(address: string): string {
  if (isDotted(address)) return address.slice(0, address.lastIndexOf('.'))
  const bytes = parseAddress(address)
  if (bytes === null) return address
  return toHex(bytes.subarray(0, IPV6_PREFIX_BYTES))
}

/** IPv4 without more ado: every datagram asks, and sockets write it in one way. */
function isDotted(address: string): boolean {
  return address.length <= LONGEST_DOTTED && address.includes('.') && !address.includes(':')
}

/** One host: an IPv4 address, or an IPv6 /64, in which a host changes its address as it likes. @param address textual. */
export function hostName(address: string): string {
  if (isDotted(address)) return `=${address}`
  const bytes = parseAddress(address)
  return bytes === null ? address : `=${toHex(bytes.subarray(0, IPV6_HOST_BYTES))}`
}

/** One device behind a host: a port of an IPv4 address, which a carrier shares among many; of IPv6 the host itself. */
export function portName(remote: SocketAddress): string {
  return sharedPortName(remote) ?? hostName(remote.address)
}

/** @returns null where nobody has to share a host, and who has one has all its ports: in IPv6 */
export function sharedPortName({ address, port }: SocketAddress): string | null {
  return isDotted(address) ? `${hostName(address)}:${port}` : null
}
