/**
 * Who may connect to a listener: networks in CIDR form, IPv4 and IPv6.
 *
 * Invariants: a client that reaches a dual-stack listener over IPv4 (`::ffff:a.b.c.d`) is judged by the IPv4 networks only; an
 * entry that is not a network allows nobody; an empty list allows nobody.
 */
import { BlockList, isIP } from 'node:net'

const MAPPED = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i
const MAPPED_BITS = 96

export class AllowList {
  // One list for each family: a single one would match an IPv4 client with ::/0.
  readonly #networks4 = new BlockList()
  readonly #networks6 = new BlockList()

  /** @param cidrs e.g. `203.0.113.0/24`, `2001:db8::/32`; an address without a prefix length stands for itself. */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) this.#add(cidr)
  }

  /** @param address the client's address as the socket gives it. */
  allows(address: string): boolean {
    const plain = plainAddress(address)
    const family = isIP(plain)
    return family === 4 ? this.#networks4.check(plain, 'ipv4') : family === 6 && this.#networks6.check(plain, 'ipv6')
  }

  #add(cidr: string): void {
    const [address = '', length] = cidr.split('/')
    if (length !== undefined && !/^\d{1,3}$/.test(length)) return
    const mapped = mappedAddress(address)
    const family = isIP(mapped ?? address)
    const most = family === 4 ? 32 : 128
    const bits = length === undefined ? most : Number(length) - (mapped === null ? 0 : MAPPED_BITS)
    if (family === 0 || bits < 0 || bits > most) return
    if (family === 4) this.#networks4.addSubnet(mapped ?? address, bits, 'ipv4')
    else this.#networks6.addSubnet(address, bits, 'ipv6')
  }
}

/** The address without its IPv6 zone, and as IPv4 when it is a mapped one. */
export function plainAddress(address: string): string {
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  return mappedAddress(bare) ?? bare
}

/** @returns the IPv4 address inside an IPv6 one (RFC 4291 2.5.5.2), written either way, else null */
function mappedAddress(address: string): string | null {
  const [, dotted, high = '', low = ''] = MAPPED.exec(address) ?? []
  if (dotted !== undefined) return dotted
  if (high === '') return null
  const [upper, lower] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [upper >> 8, upper & 0xff, lower >> 8, lower & 0xff].join('.')
}
