/**
 * CIDR prefixes: parse, print, contain, overlap, and as an address range.
 *
 * `network` always has its host bits clear. `parseCidr` refuses a text with host bits set ("10.0.0.1/8"): in an allow list
 * that is a mistake worth showing; `cidrAround` clears them where that is meant.
 */
import { compareBytes } from './octets.ts'
import { formatIp, ipFamily, parseIp } from './ip-address.ts'
import type { IpFamily } from './ip-address.ts'

export interface Cidr {
  readonly family: IpFamily
  /** 4 or 16 octets, host bits clear; not to be modified. */
  readonly network: Uint8Array
  /** 0..32 or 0..128. */
  readonly prefixLength: number
}

/** Both ends inclusive, 4 or 16 octets each. */
export interface IpRange {
  readonly start: Uint8Array
  readonly end: Uint8Array
}

/** Prefix in canonical text, made by `formatCidr` only. */
export type CidrText = string & { readonly __brand: 'CidrText' }

/** @returns `undefined` for anything but address, slash and a prefix length, and for host bits that are set. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseIp(text.slice(0, slash))
  const lengthText = text.slice(slash + 1)
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined
  const cidr = cidrAround(address, Number(lengthText))
  return cidr !== undefined && compareBytes(cidr.network, address) === 0 ? cidr : undefined
}

/** The prefix of that length which holds `address` (4 or 16 octets). @returns `undefined` when a length is impossible. */
export function cidrAround(address: Uint8Array, prefixLength: number): Cidr | undefined {
  const family = ipFamily(address)
  if (family === undefined || !Number.isInteger(prefixLength)) return undefined
  if (prefixLength < 0 || prefixLength > address.length * 8) return undefined
  return { family, network: address.map((octet, index) => octet & maskOctet(prefixLength, index)), prefixLength }
}

export function formatCidr(cidr: Cidr): CidrText {
  return `${formatIp(cidr.network)}/${cidr.prefixLength}` as CidrText
}

/** @returns false when the families differ. */
export function cidrContains(cidr: Cidr, address: Uint8Array): boolean {
  if (address.length !== cidr.network.length) return false
  return address.every((octet, index) => (octet & maskOctet(cidr.prefixLength, index)) === cidr.network[index])
}

export function cidrContainsCidr(outer: Cidr, inner: Cidr): boolean {
  return inner.prefixLength >= outer.prefixLength && cidrContains(outer, inner.network)
}

/** Two prefixes overlap exactly when one contains the other. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return cidrContainsCidr(a, b) || cidrContainsCidr(b, a)
}

/** @returns first and last address, both fresh; one and the same array for a single address. */
export function cidrToRange(cidr: Cidr): IpRange {
  if (cidr.prefixLength === cidr.network.length * 8) {
    const start = cidr.network.slice()
    return { start, end: start }
  }
  const end = cidr.network.map((octet, index) => octet | (0xff & ~maskOctet(cidr.prefixLength, index)))
  return { start: cidr.network.slice(), end }
}

/** Number of addresses in the prefix. */
export function cidrSize(cidr: Cidr): bigint {
  return 1n << BigInt(cidr.network.length * 8 - cidr.prefixLength)
}

/** The octet number `index` of a netmask. */
function maskOctet(prefixLength: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefixLength - 8 * index))
  return 0xff & (0xff << (8 - bits))
}
