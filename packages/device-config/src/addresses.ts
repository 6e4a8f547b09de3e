/** Addresses and prefixes in the ways targets write them. */
import { cidrToRange, formatIp, InvariantError, parseCidr, parseIpv4 } from '@culvert/bytes'

export function ofFamily(prefixes: readonly string[], family: 4 | 6): string[] {
  return prefixes.filter((prefix) => prefix.includes(':') === (family === 6))
}

/** For equipment that takes one address alone: the first that is IPv4 or a name, else the first. */
export function oneAddress(addresses: readonly string[]): string {
  return addresses.find((address) => !address.includes(':')) ?? addresses[0] ?? ''
}

export const isIpv4 = (text: string): boolean => parseIpv4(text) !== undefined

/** `10.127.0.0/24` as `10.127.0.0 255.255.255.0`. */
export function networkAndMask(prefix: string): string {
  const cidr = parseCidr(prefix)
  if (cidr === undefined) throw new InvariantError('not a prefix')
  const { start, end } = cidrToRange(cidr)
  const mask = end.map((octet, index) => 255 - (octet ^ (start[index] ?? 0)))
  return `${formatIp(start)} ${formatIp(mask)}`
}
