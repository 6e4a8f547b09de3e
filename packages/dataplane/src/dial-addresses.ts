/**
 * The addresses from which gateways dial, as the packet policy takes them.
 */
import { InvariantError, parseIp } from '@culvert/bytes'
import type { ConcentratorRole } from './contract.ts'

/** @returns 4 or 16 octets each. @throws InvariantError: the configuration was checked before */
export function dialAddressesOf(role: ConcentratorRole): Uint8Array[] {
  return role.dialAddresses.map((text) => {
    const octets = parseIp(text)
    if (octets === undefined) throw new InvariantError(`"${text}" is not an IP address`)
    return octets
  })
}
