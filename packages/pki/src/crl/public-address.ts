/**
 * Which addresses a fetcher may connect to: those of the public internet.
 *
 * The lists are IANA's special-purpose registries. IPv6 is turned round: only global unicast without its special parts, so mapped,
 * translated and local addresses need no line of their own.
 */
import { cidrContains, parseCidr, parseIp, type Cidr } from '@culvert/bytes'

/** @param address textual. @param also prefixes that are fine too. @returns false for what is no address at all. */
export function isPublicAddress(address: string, also: readonly Cidr[] = []): boolean {
  const octets = parseIp(address)
  if (octets === undefined) return false
  const isIn = (list: readonly Cidr[]): boolean => list.some((each) => cidrContains(each, octets))
  if (isIn(also)) return true
  return octets.length === 4 ? !isIn(NOT_PUBLIC_4) : cidrContains(GLOBAL_6, octets) && !isIn(NOT_PUBLIC_6)
}

/** @throws TypeError for what is no prefix: it stands in the configuration. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  if (parsed === undefined) throw new TypeError(`no prefix: ${text}`)
  return parsed
}

const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.map(cidr)

const NOT_PUBLIC_4 = cidrs(
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
)
const GLOBAL_6 = cidr('2000::/3')
/** IETF protocols with Teredo, documentation, 6to4. */
const NOT_PUBLIC_6 = cidrs('2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20')
