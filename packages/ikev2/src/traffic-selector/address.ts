/**
 * IP addresses of payloads and selectors as text: those of `@culvert/bytes`, with `null` for what is no address.
 */
import { formatIp, parseIp } from '@culvert/bytes'

/** @returns 4 or 16 fresh octets; null when the text is no address. */
export function parseAddress(text: string): Uint8Array | null {
  return parseIp(text) ?? null
}

/** @param address 4 or 16 octets, anything else gives an empty string. @returns canonical text (RFC 5952). */
export function formatAddress(address: Uint8Array): string {
  return formatIp(address) ?? ''
}
