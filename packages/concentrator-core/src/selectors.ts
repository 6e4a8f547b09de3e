/**
 * Traffic selectors made from the addresses a node knows: everything to and from a prefix or one host.
 */
import { InvariantError, parseIpv4 } from '@culvert/bytes'
import { fromCidr, type TrafficSelector } from '@culvert/ikev2'

/**
 * Any protocol and port of a prefix or a single address.
 * @param text CIDR or address from our own configuration or database; a malformed one is a bug and throws.
 */
export function selectorOf(text: string): TrafficSelector {
  const selector = fromCidr(text)
  if (!selector) throw new InvariantError(`not an address or prefix: ${text}`)
  return selector
}

/** Whether any selector holds this IPv4 address, for any protocol and port. @param host textual */
export function selectorsHold(selectors: readonly TrafficSelector[], host: string): boolean {
  const address = parseIpv4(host)
  if (!address) return false
  return selectors.some(
    ({ startAddress, endAddress }) =>
      startAddress.length === 4 && compare(startAddress, address) <= 0 && compare(address, endAddress) <= 0,
  )
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return numberOf(a) - numberOf(b)
}

function numberOf(octets: Uint8Array): number {
  return octets.reduce((sum, octet) => sum * 256 + octet, 0)
}
