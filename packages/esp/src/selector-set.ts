/**
 * Traffic selectors of one side of a Child SA, compiled for the packet path (RFC 4301 4.4.1, RFC 7296 3.13.1, CONFORMANCE C63).
 *
 * A packet side matches when one selector holds its address, protocol and port. Protocol 0 is any. Ports 0..65535 are any;
 * 65535..0 is OPAQUE and holds only packets whose ports cannot be seen.
 */
import type { TrafficSelector } from '@culvert/ikev2'
import type { InnerPacket } from './inner-packet.ts'
import { readUint32, wordsOf } from './octets.ts'

export const MAX_SELECTORS = 64

const TS_IPV4 = 7
const TS_IPV6 = 8

/** One compiled selector; addresses are a number each for IPv4, which a fleet has thousands of, and four words for IPv6. */
interface CompiledSelector<Address> {
  readonly start: Address
  readonly end: Address
  readonly protocol: number
  readonly startPort: number
  readonly endPort: number
}

export class SelectorSet {
  readonly #ip4: readonly CompiledSelector<number>[]
  readonly #ip6: readonly CompiledSelector<Uint32Array>[]

  /** Copies what it needs. Selectors of a wrong length or with start above end match nothing. */
  constructor(selectors: readonly TrafficSelector[]) {
    const ip4: CompiledSelector<number>[] = []
    const ip6: CompiledSelector<Uint32Array>[] = []
    for (const selector of selectors.slice(0, MAX_SELECTORS)) {
      const bytes = selector.type === TS_IPV4 ? 4 : 16
      if (selector.startAddress.length !== bytes || selector.endAddress.length !== bytes) continue
      const { startAddress: start, endAddress: end, protocol, startPort, endPort } = selector
      const upperLayer = { protocol, startPort, endPort }
      if (selector.type === TS_IPV4) {
        ip4.push({ start: readUint32(start, 0), end: readUint32(end, 0), ...upperLayer })
      } else if (selector.type === TS_IPV6) {
        ip6.push({ start: wordsOf(start), end: wordsOf(end), ...upperLayer })
      }
    }
    this.#ip4 = exact(ip4)
    this.#ip6 = exact(ip6)
  }

  matchesSource(packet: InnerPacket): boolean {
    return packet.version === 4
      ? this.#matches4(packet.source4, packet.sourcePort, packet)
      : this.#matches6(packet.source6, packet.sourcePort, packet)
  }

  matchesDestination(packet: InnerPacket): boolean {
    return packet.version === 4
      ? this.#matches4(packet.destination4, packet.destinationPort, packet)
      : this.#matches6(packet.destination6, packet.destinationPort, packet)
  }

  /** Whether an IPv4 address lies in any selector, whatever the protocol. */
  holdsAddress4(address: number): boolean {
    for (const selector of this.#ip4) {
      if (address >= selector.start && address <= selector.end) return true
    }
    return false
  }

  /** As `holdsAddress4`. @param address four words */
  holdsAddress6(address: Uint32Array): boolean {
    for (const selector of this.#ip6) {
      if (compareWords(address, selector.start) >= 0 && compareWords(address, selector.end) <= 0) return true
    }
    return false
  }

  #matches4(address: number, port: number, packet: InnerPacket): boolean {
    for (let i = 0; i < this.#ip4.length; i++) {
      const selector = this.#ip4[i]!
      if (address < selector.start || address > selector.end) continue
      if (matchesUpperLayer(selector, port, packet)) return true
    }
    return false
  }

  #matches6(address: Uint32Array, port: number, packet: InnerPacket): boolean {
    for (let i = 0; i < this.#ip6.length; i++) {
      const selector = this.#ip6[i]!
      if (compareWords(address, selector.start) < 0 || compareWords(address, selector.end) > 0) continue
      if (matchesUpperLayer(selector, port, packet)) return true
    }
    return false
  }
}

const NONE: readonly never[] = []

/** Without the room that an array keeps that was pushed to: a fleet has thousands of these. */
function exact<T>(items: readonly T[]): readonly T[] {
  return items.length === 0 ? NONE : items.slice()
}

function matchesUpperLayer(selector: CompiledSelector<unknown>, port: number, packet: InnerPacket): boolean {
  if (selector.protocol !== 0 && selector.protocol !== packet.protocol) return false
  if (selector.startPort === 0 && selector.endPort === 0xffff) return true
  if (selector.startPort === 0xffff && selector.endPort === 0) return !packet.hasPorts
  return packet.hasPorts && port >= selector.startPort && port <= selector.endPort
}

function compareWords(a: Uint32Array, b: Uint32Array): number {
  for (let i = 0; i < 4; i++) {
    if (a[i]! !== b[i]!) return a[i]! < b[i]! ? -1 : 1
  }
  return 0
}
