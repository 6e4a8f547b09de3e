/**
 * Outer addresses of the demo: a /30 that nothing on this machine uses or routes, out of the networks reserved for examples first.
 *
 * Taking a network that is in use would cut the machine off from it, in the worst case from its default gateway.
 */
import { execFileSync } from 'node:child_process'
import { cidrAround, cidrsOverlap, parseCidr, parseIpv4, type Cidr } from '@culvert/bytes'

export interface DemoAddresses {
  readonly concentrator: string
  readonly device: string
  readonly prefixLength: 30
}

/** RFC 5737 first; then corners of private space that are rarely in use. */
const CANDIDATES = ['192.0.2.0', '203.0.113.0', '198.51.100.64', '172.31.255.252', '10.126.255.252', '192.168.254.252']

const COMMAND_TIMEOUT_MS = 5_000

interface Link {
  readonly ifname?: string
  readonly addr_info?: readonly { readonly family?: string; readonly local?: string; readonly prefixlen?: number }[]
}

interface Route {
  readonly dst?: string
  readonly dev?: string
}

/** @returns the first candidate that overlaps none of `used`, null when all do */
export function chooseAddresses(used: readonly Cidr[]): DemoAddresses | null {
  for (const candidate of CANDIDATES) {
    const network = parseCidr(`${candidate}/30`)
    if (!network || used.some((other) => cidrsOverlap(other, network))) continue
    const [a, b, c, d = 0] = network.network
    return { concentrator: `${a}.${b}.${c}.${d + 1}`, device: `${a}.${b}.${c}.${d + 2}`, prefixLength: 30 }
  }
  return null
}

/**
 * IPv4 prefixes of addresses and routes of this machine, without the default route.
 * @param links what `ip -json address` prints, parsed
 * @param routes what `ip -json route` prints, parsed
 * @param own interface of ours that a killed run may have left
 */
export function usedPrefixes(links: readonly Link[], routes: readonly Route[], own: string): Cidr[] {
  const fromLinks = links
    .filter(({ ifname }) => ifname !== own)
    .flatMap(({ addr_info: addresses = [] }) => addresses)
    .filter(({ family }) => family === 'inet')
    .map(({ local = '', prefixlen = 32 }) => prefixOf(local, prefixlen))
  const fromRoutes = routes
    .filter(({ dev, dst }) => dev !== own && dst !== 'default')
    .map(({ dst = '' }) => prefixOf(dst.split('/')[0] ?? '', Number(dst.split('/')[1] ?? 32)))
  return [...fromLinks, ...fromRoutes].filter((prefix) => prefix !== undefined)
}

/** What this machine uses now; nothing when `ip` cannot be asked, because then no network is built either. */
export function readUsedPrefixes(own: string): Cidr[] {
  const ask = (what: string): unknown =>
    JSON.parse(execFileSync('ip', ['-json', what, 'show'], { encoding: 'utf8', timeout: COMMAND_TIMEOUT_MS }) || '[]')
  try {
    return usedPrefixes(ask('address') as Link[], ask('route') as Route[], own)
  } catch {
    return []
  }
}

function prefixOf(address: string, length: number): Cidr | undefined {
  const bytes = parseIpv4(address)
  return bytes && cidrAround(bytes, length)
}
