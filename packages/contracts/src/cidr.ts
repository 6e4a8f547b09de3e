/**
 * Address prefixes as customers write them (RFC 4632, RFC 4291 2.3): `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/48`.
 * A prefix inside ::ffff:0:0/96 is the IPv4 one that it holds, because clients over IPv4 are judged by IPv4 prefixes only.
 * A prefix with bits set beyond its length is refused, because it is unclear whether one host or the whole network is meant.
 */
import { isIPv4, isIPv6 } from 'node:net'

/** @returns the canonical prefix, always with its length, or null when the text is not one */
export function canonicalCidr(text: string): string | null {
  const [address = '', length, ...rest] = text.split('/')
  if (rest.length > 0 || (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length))) return null
  const bytes = parseAddress(address)
  if (!bytes) return null
  const bits = length === undefined ? bytes.length * 8 : Number(length)
  if (bits > bytes.length * 8 || hasBitsBeyond(bytes, bits)) return null
  if (bits >= mappedBits && isMapped(bytes)) return `${bytes.slice(12).join('.')}/${bits - mappedBits}`
  return `${canonicalAddress(address)}/${bits}`
}

const mappedBits = 96

/** RFC 4291 2.5.5.2, however it is written. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.every((byte, index) => index > 11 || byte === (index < 10 ? 0 : 0xff))
}

/** @returns the prefix of this one address; an IPv4 address inside IPv6 (`::ffff:203.0.113.7`) counts as IPv4 */
export function hostCidr(address: string): string | null {
  const plain = address.replace(/%.*$/, '')
  return plain.includes('/') ? null : canonicalCidr(plain)
}

function parseAddress(address: string): Uint8Array | null {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number)
  if (!isIPv6(address) || address.includes('%')) return null
  const groups = expandIp6(canonicalAddress(address))
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

/** The URL parser writes an IPv6 address as RFC 5952 wants it. */
function canonicalAddress(address: string): string {
  return isIPv4(address) ? address : new URL(`http://[${address}]`).hostname.slice(1, -1)
}

function expandIp6(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const [before, after] = [read(head), read(tail ?? '')]
  return [
    ...before,
    ...Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => 0),
    ...after,
  ]
}

function hasBitsBeyond(bytes: Uint8Array, bits: number): boolean {
  return bytes.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8))
    return (byte & (0xff >> kept)) !== 0
  })
}
