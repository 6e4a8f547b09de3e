/**
 * Traffic selectors made from the addresses a node knows: everything to and from a prefix or one host.
 */
import { InvariantError } from '@culvert/bytes'
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
