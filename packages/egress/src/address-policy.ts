/**
 * Decides whether an address may be connected to. Three lists, the first that matches decides:
 *
 * 1. installation: prefixes of tunnels and inner addresses; nothing ever opens them, because another organization's device
 *    lives there. The machine's own addresses are refused likewise, unless a setting names them.
 * 2. allowed: prefixes that the operator opened, such as the network of receivers of his own.
 * 3. special-purpose addresses (see special-prefixes.ts).
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import os from 'node:os'
import { globalIp6, nat64, refusedIp4, refusedIp6 } from './special-prefixes.ts'

export interface AddressPolicyOptions {
  /** Prefixes of tunnels, pools and whatever else must never be reached (`10.128.0.0/9`, `fd00::/8`). */
  readonly refusedPrefixes?: readonly string[]
  /** Special-purpose prefixes that may be reached all the same. */
  readonly allowedPrefixes?: readonly string[]
  /** The machine's own addresses now; read from its interfaces when left out. */
  readonly ownAddresses?: () => readonly string[]
}

export class AddressPolicy {
  readonly #installation: BlockList
  readonly #allowed: BlockList
  readonly #special: BlockList
  readonly #global: BlockList
  readonly #ownAddresses: () => readonly string[]

  /** @throws PrefixError for a text that is not a prefix */
  constructor({ refusedPrefixes = [], allowedPrefixes = [], ownAddresses = interfaceAddresses }: AddressPolicyOptions) {
    this.#installation = blockList(refusedPrefixes)
    this.#allowed = plainBlockList(allowedPrefixes)
    this.#special = blockList([...refusedIp4, ...refusedIp6])
    this.#global = plainBlockList(['0.0.0.0/0', globalIp6, `${nat64.prefix}/${nat64.bits}`])
    this.#ownAddresses = ownAddresses
  }

  /** @param address as `net.isIP` takes it; anything else, a zone index too, is refused */
  allows(address: string): boolean {
    const family = familyOf(address)
    if (!family || (family === 'ipv6' && embedsIp4(address))) return false
    if (this.#installation.check(address, family)) return false
    if (this.#allowed.check(address, family)) return true
    if (!this.#global.check(address, family) || this.#special.check(address, family)) return false
    return !this.#isOwn(address, family)
  }

  #isOwn(address: string, family: 'ipv4' | 'ipv6'): boolean {
    const own = blockList(this.#ownAddresses())
    return own.check(address, family)
  }
}

/** A prefix in a setting is wrong; the message names it. */
export class PrefixError extends Error {
  override readonly name = 'PrefixError'
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  if (isIPv4(address)) return 'ipv4'
  return isIPv6(address) && !address.includes('%') ? 'ipv6' : null
}

/** ::ffff:0:0/96 and ::/96 (RFC 4291 2.5.5), of which node:net would take the first for IPv4. */
function embedsIp4(address: string): boolean {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  return /^::(ffff:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}$/.test(canonical)
}

/** Prefixes, and for each of IPv4 the NAT64 prefix that leads there. */
function blockList(prefixes: readonly string[]): BlockList {
  const list = plainBlockList(prefixes)
  for (const prefix of prefixes) {
    const { address, bits, family } = parsePrefix(prefix)
    if (family === 'ipv4') list.addSubnet(`${nat64.prefix}${address}`, nat64.bits + bits, 'ipv6')
  }
  return list
}

function plainBlockList(prefixes: readonly string[]): BlockList {
  const list = new BlockList()
  for (const prefix of prefixes) {
    const { address, bits, family } = parsePrefix(prefix)
    list.addSubnet(address, bits, family)
  }
  return list
}

function parsePrefix(prefix: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } {
  const [address = '', length, ...rest] = prefix.split('/')
  const family = familyOf(address)
  const most = family === 'ipv4' ? 32 : 128
  const bits = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  if (!family || rest.length > 0 || !(bits <= most)) throw new PrefixError(`"${prefix}" is not a prefix of addresses.`)
  return { address, bits, family }
}

function interfaceAddresses(): string[] {
  return Object.values(os.networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address.replace(/%.*$/, '')),
  )
}
