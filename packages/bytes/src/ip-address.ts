/**
 * IPv4 and IPv6 addresses as text and as 4 or 16 octets.
 *
 * Parsing is strict: four decimal numbers without leading zeros, or RFC 4291 2.2 without a zone. Printing is canonical
 * (RFC 5952, with the dotted form for IPv4-mapped addresses), so equal addresses have equal texts and the text can be a
 * map key.
 */

/** Address in canonical text, made by `formatIp` or `canonicalIp` only. */
export type IpText = string & { readonly __brand: 'IpText' }
export type IpFamily = 4 | 6

const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39

/** @returns 4 or 16 octets, or `undefined` when the text is no address. */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

export function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4)
  let part = 0
  let digits = 0
  let value = 0
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? DOT : text.charCodeAt(index)
    if (code === DOT) {
      if (digits === 0 || part === 4) return undefined
      bytes[part++] = value
      digits = 0
      value = 0
      continue
    }
    const isLeadingZero = digits > 0 && value === 0
    value = value * 10 + code - ZERO
    if (code < ZERO || code > NINE || isLeadingZero || value > 255) return undefined
    digits++
  }
  return part === 4 ? bytes : undefined
}

export function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [headText = '', tailText] = halves
  const head = parseGroups(headText, tailText === undefined)
  const tail = tailText === undefined ? [] : parseGroups(tailText, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  // "::" stands for at least one group of zeros (RFC 5952 4.2.2 forbids writing it for one, RFC 4291 allows reading it)
  if (tailText === undefined ? missing !== 0 : missing < 2) return undefined
  const bytes = new Uint8Array(16)
  bytes.set(head, 0)
  bytes.set(tail, 16 - tail.length)
  return bytes
}

/** @param bytes 4 or 16 octets. @returns `undefined` for any other length. */
export function formatIp(bytes: Uint8Array): IpText | undefined {
  if (bytes.length === 4) return bytes.join('.') as IpText
  return bytes.length === 16 ? (formatIpv6(bytes) as IpText) : undefined
}

/** @returns the canonical spelling of an address, or `undefined` when the text is none. */
export function canonicalIp(text: string): IpText | undefined {
  const bytes = parseIp(text)
  return bytes === undefined ? undefined : formatIp(bytes)
}

/** @returns the family of 4 or 16 octets, `undefined` for any other length. */
export function ipFamily(bytes: Uint8Array): IpFamily | undefined {
  if (bytes.length === 4) return 4
  return bytes.length === 16 ? 6 : undefined
}

/** Octets of colon-separated groups; a dotted IPv4 tail is allowed where the text ends. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return []
  const octets: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (endsAddress && index === groups.length - 1 && group.includes('.')) {
      const dotted = parseIpv4(group)
      if (dotted === undefined) return undefined
      octets.push(...dotted)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      octets.push(value >>> 8, value & 0xff)
    }
  }
  return octets.length <= 16 ? octets : undefined
}

function formatIpv6(bytes: Uint8Array): string {
  if (isIpv4Mapped(bytes)) return `::ffff:${bytes.subarray(12).join('.')}`
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  const zeros = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  if (zeros.length < 2) return hex.join(':')
  return `${hex.slice(0, zeros.start).join(':')}::${hex.slice(zeros.start + zeros.length).join(':')}`
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((octet) => octet === 0) && bytes[10] === 0xff && bytes[11] === 0xff
}

/** The first of the longest runs (RFC 5952 4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let run = { start: 0, length: 0 }
  for (const [index, group] of groups.entries()) {
    run =
      group === 0 ? { start: run.length === 0 ? index : run.start, length: run.length + 1 } : { start: 0, length: 0 }
    if (run.length > best.length) best = run
  }
  return best
}
