/**
 * Traffic selectors as sets of packets (RFC 7296 3.13.1, RFC 4301 4.4.1.1): equality, containment, intersection, text.
 *
 * Ports: 0-65535 is ANY, which covers OPAQUE too; 65535-0 is OPAQUE, which is covered by nothing else. For ICMP the "port" is
 * type and code. Protocol 0 covers every protocol.
 */
import { cidrAround, cidrToRange, compareBytes, formatIp, type IpRange, parseIp } from '@culvert/bytes'
import type { TrafficSelector } from '../message/model.ts'
import { TS_TYPE } from '../message/numbers.ts'
import { readU8 } from '../message/octets.ts'

/** Every port: also what a protocol without ports has. */
const ANY_PORT: PortRange = { start: 0, end: 0xffff }
const OPAQUE_PORT: PortRange = { start: 0xffff, end: 0 }

interface PortRange {
  readonly start: number
  readonly end: number
}

export function sameSelector(a: TrafficSelector, b: TrafficSelector): boolean {
  return (
    a.type === b.type &&
    a.protocol === b.protocol &&
    a.startPort === b.startPort &&
    a.endPort === b.endPort &&
    compareBytes(a.startAddress, b.startAddress) === 0 &&
    compareBytes(a.endAddress, b.endAddress) === 0
  )
}

/** Same selectors in the same order. */
export function sameSelectors(a: readonly TrafficSelector[], b: readonly TrafficSelector[]): boolean {
  return a.length === b.length && a.every((selector, index) => sameSelectorOrNone(selector, b[index]))
}

function sameSelectorOrNone(a: TrafficSelector, b: TrafficSelector | undefined): boolean {
  return b !== undefined && sameSelector(a, b)
}

/** Whether every packet that `inner` describes is one that `outer` describes. */
export function contains(outer: TrafficSelector, inner: TrafficSelector): boolean {
  const shared = intersect(outer, inner)
  return shared !== null && sameSelector(shared, inner)
}

/** What two selectors have in common; null when that is nothing. Addresses alias the arguments. */
export function intersect(a: TrafficSelector, b: TrafficSelector): TrafficSelector | null {
  if (a.type !== b.type) return null
  const protocol = intersectProtocols(a.protocol, b.protocol)
  const ports = intersectPorts(portsOf(a), portsOf(b))
  if (protocol === null || ports === null) return null
  const startAddress = compareBytes(a.startAddress, b.startAddress) >= 0 ? a.startAddress : b.startAddress
  const endAddress = compareBytes(a.endAddress, b.endAddress) <= 0 ? a.endAddress : b.endAddress
  if (compareBytes(startAddress, endAddress) > 0) return null
  return { type: a.type, protocol, startPort: ports.start, endPort: ports.end, startAddress, endAddress }
}

function intersectProtocols(a: number, b: number): number | null {
  if (a === 0 || a === b) return b
  return b === 0 ? a : null
}

function portsOf(selector: TrafficSelector): PortRange {
  return { start: selector.startPort, end: selector.endPort }
}

function intersectPorts(a: PortRange, b: PortRange): PortRange | null {
  if (isRange(a, OPAQUE_PORT) || isRange(b, OPAQUE_PORT)) {
    const other = isRange(a, OPAQUE_PORT) ? b : a
    return isRange(other, OPAQUE_PORT) || isRange(other, ANY_PORT) ? OPAQUE_PORT : null
  }
  const start = Math.max(a.start, b.start)
  const end = Math.min(a.end, b.end)
  return start <= end ? { start, end } : null
}

function isRange(a: PortRange, b: PortRange): boolean {
  return a.start === b.start && a.end === b.end
}

/**
 * @param cidr an address with or without prefix length; host bits are cleared.
 * @returns any protocol, any port; null when the text is not one.
 */
export function fromCidr(cidr: string): TrafficSelector | null {
  const slash = cidr.indexOf('/')
  const address = parseIp(slash < 0 ? cidr : cidr.slice(0, slash))
  if (address === undefined) return null
  if (slash < 0) return selectorOf({ start: address, end: address })
  const prefixText = cidr.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(prefixText)) return null
  const prefix = cidrAround(address, Number(prefixText))
  return prefix === undefined ? null : selectorOf(cidrToRange(prefix))
}

function selectorOf({ start, end }: IpRange): TrafficSelector {
  return {
    type: start.length === 4 ? TS_TYPE.IPV4_ADDR_RANGE : TS_TYPE.IPV6_ADDR_RANGE,
    protocol: 0,
    startPort: ANY_PORT.start,
    endPort: ANY_PORT.end,
    startAddress: start,
    endAddress: end,
  }
}

/** For people: `10.0.0.0/24`, `10.0.0.1-10.0.0.9[6/80]`, `10.0.0.1/32[17/any]`. */
export function toText(selector: TrafficSelector): string {
  const addresses = addressText(selector)
  const ports = portText(portsOf(selector))
  return selector.protocol === 0 && ports === 'any' ? addresses : `${addresses}[${selector.protocol}/${ports}]`
}

function portText(ports: PortRange): string {
  if (isRange(ports, ANY_PORT)) return 'any'
  if (isRange(ports, OPAQUE_PORT)) return 'opaque'
  return ports.start === ports.end ? String(ports.start) : `${ports.start}-${ports.end}`
}

function addressText({ startAddress, endAddress }: TrafficSelector): string {
  const prefix = prefixLength({ startAddress, endAddress })
  const start = formatIp(startAddress)
  return prefix === null ? `${start}-${formatIp(endAddress)}` : `${start}/${prefix}`
}

/** The prefix length of a range of addresses that is exactly one prefix, else null. */
export function prefixLength({
  startAddress: start,
  endAddress: end,
}: Pick<TrafficSelector, 'startAddress' | 'endAddress'>): number | null {
  let at = 0
  while (at < start.length && start[at] === end[at]) at++
  if (at === start.length) return at * 8
  const [first, last] = [readU8(start, at), readU8(end, at)]
  const free = first ^ last
  const isPrefix = (free & (free + 1)) === 0 && (first & free) === 0 && (last & free) === free
  for (let rest = at + 1; rest < start.length; rest++) {
    if (readU8(start, rest) !== 0 || readU8(end, rest) !== 255) return null
  }
  return isPrefix ? at * 8 + Math.clz32(free) - 24 : null
}
