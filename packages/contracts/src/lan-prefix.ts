/**
 * LANs behind devices: any unicast IPv4 prefix that cannot be mistaken for an address of the installation or of a host itself.
 * Devices may have the same LAN; only an address within one device is ever looked up in it. IPv6 LANs are unique by themselves
 * (RFC 4193, RFC 4291) and need no registration here yet.
 */

/** Most prefixes of one device. */
export const mostLanPrefixes = 16
const shortestBits = 8

/** Never a LAN: this host, loopback, link-local, our synthetic addresses, multicast and what is reserved beyond it (RFC 6890). */
const neverLans = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '198.18.0.0/15', '224.0.0.0/3']

/**
 * @param prefix canonical, as `canonicalCidr` gives it
 * @param taken canonical IPv4 prefixes of the installation: inner pools and service prefix
 * @returns what is wrong with it, for people; null when nothing is
 */
export function lanPrefixFault(prefix: string, taken: readonly string[]): string | null {
  const lan = parsePrefix(prefix)
  if (!lan) return 'must be an IPv4 prefix'
  if (lan.bits < shortestBits) return `must not be shorter than /${shortestBits}`
  const never = neverLans.find((other) => overlaps(lan, parsePrefix(other)))
  if (never !== undefined) return `must not overlap ${never}, which is no LAN`
  const own = taken.find((other) => overlaps(lan, parsePrefix(other)))
  return own === undefined ? null : `must not overlap ${own}, which this installation uses itself`
}

interface Prefix {
  readonly address: number
  readonly bits: number
}

function parsePrefix(text: string): Prefix | null {
  const [address = '', bits = ''] = text.split('/')
  const octets = address.split('.').map(Number)
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet))) return null
  return { address: octets.reduce((sum, octet) => sum * 256 + octet, 0), bits: Number(bits) }
}

function overlaps(a: Prefix, b: Prefix | null): boolean {
  if (b === null) return false
  const hosts = 2 ** (32 - Math.min(a.bits, b.bits))
  return Math.floor(a.address / hosts) === Math.floor(b.address / hosts)
}
