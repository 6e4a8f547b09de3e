/**
 * One packet of the TUN into AH (RFC 4302): a whole IP packet for a raw socket that takes its header as it is.
 *
 * AH is for rules, never for speed: it runs on the crypto provider and allocates. What does not fit the interface is refused by the
 * kernel, which fragments no packet whose header it did not write.
 */
import {
  ahPacketBytes,
  createEncapsulated,
  Direction,
  DropCode,
  type PacketSlice,
  parseInnerPacket,
  sealAhInto,
  spendPathCredit,
} from '@culvert/esp'
import type { ForwardingSite } from './forwarding-site.ts'
import type { NativeSa } from '../sa/native-sa.ts'
import { LARGEST_DATAGRAM, MAY_FRAGMENT } from '../sockets/udp-sender.ts'

export class AhSealer {
  readonly #site: ForwardingSite
  readonly #out = createEncapsulated()
  readonly #slice: PacketSlice

  constructor(site: ForwardingSite) {
    this.#site = site
    this.#slice = { bytes: site.memory.bytes, offset: 0, length: 0 }
  }

  /**
   * Counts the packet for its SA, and leaves it with the sender of its socket.
   *
   * @param offset, length of the packet, which has a header of its own
   * @returns `none`, or a reason as `Outbound` has it
   */
  seal({ sa, socket, destination }: NativeSa, offset: number, length: number, marks: number): DropCode {
    const { memory, policies, tosMask, dontFragment } = this.#site
    const out = this.#out
    const malformed = parseInnerPacket(memory.bytes, offset, length, out.inner)
    if (malformed !== DropCode.none) return malformed
    if (sa.isSpent) return DropCode.lifetimeOver
    const packetBytes = ahPacketBytes(sa, out.inner)
    if (packetBytes > LARGEST_DATAGRAM) return DropCode.tooBig
    if (!spendPathCredit(sa, packetBytes)) return DropCode.pathUnconfirmed
    const refused = policies?.admit(sa.subject, Direction.out, length) ?? DropCode.none
    if (refused !== DropCode.none) return refused
    const mayFragment = marks & MAY_FRAGMENT
    out.sa = sa
    out.buffer = memory.bytes
    out.offset = socket.sender.reserve(destination, packetBytes, mayFragment)
    this.#slice.offset = offset
    this.#slice.length = length
    const code = sealAhInto(this.#slice, out, { tosMask, dontFragment: dontFragment && mayFragment === 0 })
    if (code === DropCode.none) socket.sender.commit(out.length)
    return code
  }
}
