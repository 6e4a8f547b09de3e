/** IPv4 addresses as the packet path takes them. */
import { InvariantError, parseIpv4 } from '@culvert/bytes'

/** @returns unsigned @throws InvariantError: the owner made the address */
export function ip4Number(text: string): number {
  const octets = parseIpv4(text)
  if (octets === undefined) throw new InvariantError(`"${text}" is not an IPv4 address`)
  return new DataView(octets.buffer).getUint32(octets.byteOffset)
}
