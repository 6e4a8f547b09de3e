/**
 * Socket addresses in the kernel's form (sockaddr_in, sockaddr_in6), in blocks of 32 bytes so that tables of them stay aligned.
 *
 *   IPv4 (16): family:16le port:16be address:4 zero:8        IPv6 (28): family:16le port:16be flow:4 address:16 scope:4
 */
import { isIPv4, isIPv6, SocketAddress as Canonical } from 'node:net'
import type { SocketAddress } from '@culvert/ikev2'
import { AF_INET, AF_INET6, type PacketMemory } from '../../foreign/index.ts'

export const SOCKADDR_BYTES = 32
const DOT = 0x2e
const ZERO = 0x30

export function familyOf(address: string): number {
  if (isIPv4(address)) return AF_INET
  if (isIPv6(address)) return AF_INET6
  throw new RangeError(`not an IP address: ${address}`)
}

/** Fills a whole block of `SOCKADDR_BYTES`. Link-local scopes are not supported. */
export function encodeSocketAddress({ address, port }: SocketAddress, into: Uint8Array, offset: number): void {
  into.fill(0, offset, offset + SOCKADDR_BYTES)
  into[offset + 2] = port >>> 8
  into[offset + 3] = port
  const isDotted = writeDotted(address, into, offset + 4)
  const family = isDotted ? AF_INET : familyOf(address)
  into[offset] = family
  if (family === AF_INET6) into.set(parseIpv6(address), offset + 8)
}

/** Every message that leaves asks: without a list of parts. @returns false for what is no IPv4 address; 4 octets are spoilt then */
function writeDotted(address: string, into: Uint8Array, offset: number): boolean {
  let [at, octet, digits] = [offset, 0, 0]
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index)
    if (code === DOT && digits > 0 && at < offset + 3) {
      into[at++] = octet
      octet = 0
      digits = 0
    } else if (code >= ZERO && code < ZERO + 10 && (digits === 0 || octet > 0)) {
      octet = octet * 10 + code - ZERO
      digits++
      if (octet > 255) return false
    } else return false
  }
  into[at] = octet
  return digits > 0 && at === offset + 3
}

export function sockaddrLength(memory: PacketMemory, offset: number): number {
  return memory.bytes[offset] === AF_INET6 ? 28 : 16
}

export function decodeSocketAddress(bytes: Uint8Array, offset: number): SocketAddress {
  const port = (bytes[offset + 2]! << 8) | bytes[offset + 3]!
  const family = bytes[offset]!
  return { address: formatAddress(bytes, offset + (family === AF_INET ? 4 : 8), family), port }
}

/** Canonical text of the 4 or 16 bytes of an address. */
export function formatAddress(bytes: Uint8Array, offset: number, family: number): string {
  if (family === AF_INET) return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`
  const groups = Array.from({ length: 8 }, (_, i) => {
    const at = offset + 2 * i
    return ((bytes[at]! << 8) | bytes[at + 1]!).toString(16)
  })
  return new Canonical({ address: groups.join(':'), family: 'ipv6' }).address
}

/** Compares family, port and address of two blocks. */
export function sameSocketAddress(memory: PacketMemory, a: number, b: number): boolean {
  const { words } = memory
  const wordA = a >>> 2
  const wordB = b >>> 2
  if (words[wordA] !== words[wordB] || words[wordA + 1] !== words[wordB + 1]) return false
  if (memory.bytes[a] === AF_INET) return true
  return (
    words[wordA + 2] === words[wordB + 2] &&
    words[wordA + 3] === words[wordB + 3] &&
    words[wordA + 4] === words[wordB + 4] &&
    words[wordA + 5] === words[wordB + 5]
  )
}

function parseIpv6(address: string): Uint8Array {
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const hex = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16)
  const text = embedded
    ? `${embedded[1]}${hex(embedded[2]!, embedded[3]!)}:${hex(embedded[4]!, embedded[5]!)}`
    : address
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  const groups = [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]))
}
