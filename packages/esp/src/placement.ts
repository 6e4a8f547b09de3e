/**
 * Whose Child SA it is, as the owner of a data plane knows it: the device and the inner addresses it was leased.
 *
 * Selectors say what a peer may claim, and a router may claim a LAN that thousands of others have too. So only leased addresses,
 * which are unique in an installation, lead to an SA of a concentrator, and only they are sources behind one (CONFORMANCE C63).
 */
import { InvariantError, parseIp } from '@culvert/bytes'
import type { TrafficSelector } from '@culvert/ikev2'
import type { InnerPacket } from './inner-packet.ts'
import { readUint32, wordsOf } from './octets.ts'
import type { Prefix } from './prefixes.ts'

export interface Placement {
  /** Positive integer that stands for one device on this node, the same for all its SAs; small, for it indexes tables. */
  readonly subject: number
  /** Leased inner addresses of the device, textual, IPv4 and IPv6; no other device has them. */
  readonly addresses: readonly string[]
}

/** The addresses of a placement, compiled for the packet path. */
export class LeasedAddresses {
  readonly #ip4: readonly number[]
  readonly #ip6: readonly Uint32Array[]

  /** @throws InvariantError for what is no address: the owner made it */
  constructor(addresses: readonly string[]) {
    const ip4: number[] = []
    const ip6: Uint32Array[] = []
    for (const text of addresses) {
      const octets = parseIp(text)
      if (octets === undefined) throw new InvariantError(`"${text}" is not an address`)
      if (octets.length === 4) ip4.push(readUint32(octets, 0))
      else ip6.push(wordsOf(octets))
    }
    this.#ip4 = ip4.slice() // without the room that an array keeps that was pushed to
    this.#ip6 = ip6.slice()
  }

  /** One host route each. */
  get routes(): readonly Prefix[] {
    const routes4 = this.#ip4.map((address): Prefix => ({ words: Uint32Array.of(address), lengthBits: 32 }))
    return routes4.concat(this.#ip6.map((words) => ({ words, lengthBits: 128 })))
  }

  /** Whether any IPv4 selector holds an address that is not one of these. */
  isExceededBy4(selectors: readonly TrafficSelector[]): boolean {
    return selectors.some(({ startAddress: start, endAddress: end }) => {
      if (start.length !== 4 || end.length !== 4) return false
      return readUint32(start, 0) !== readUint32(end, 0) || !this.holds4(readUint32(start, 0))
    })
  }

  holdsSource(packet: InnerPacket): boolean {
    return packet.version === 4 ? this.holds4(packet.source4) : this.holds6(packet.source6)
  }

  holdsDestination(packet: InnerPacket): boolean {
    return packet.version === 4 ? this.holds4(packet.destination4) : this.holds6(packet.destination6)
  }

  /** @param address unsigned */
  holds4(address: number): boolean {
    for (let i = 0; i < this.#ip4.length; i++) if (this.#ip4[i] === address) return true
    return false
  }

  /** @param address four words, unsigned */
  holds6(address: Uint32Array): boolean {
    for (let i = 0; i < this.#ip6.length; i++) {
      const leased = this.#ip6[i]!
      if (
        leased[0] === address[0] &&
        leased[1] === address[1] &&
        leased[2] === address[2] &&
        leased[3] === address[3]
      ) {
        return true
      }
    }
    return false
  }
}
