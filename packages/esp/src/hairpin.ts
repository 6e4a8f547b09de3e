/**
 * From one device to another of its group without leaving the data plane: what a router does to a packet on the way.
 *
 * Both SAs were found and paired before. The packet is in the clear in memory of the caller: both its addresses must be leased (hosts
 * on a LAN behind a device are nobody here), it must fit the tunnel as it is, and it lives one hop shorter. Nobody is told when it does
 * not: devices behind a tunnel learn the MSS from their SYN, which is clamped.
 */
import type { ChildSa } from './child-sa.ts'
import { DropCode } from './drop-code.ts'
import type { InnerPacket } from './inner-packet.ts'
import { clampMss, updatedChecksum } from './mss-clamp.ts'
import { readUint16 } from './octets.ts'

/**
 * @param bytes holds the packet that `inner` was parsed from; hop limit, checksum and MSS are changed in place
 * @param from the SA that authenticated it
 * @param to the SA that leads on
 * @param mtuBytes of the tunnel
 * @returns `none`, `sourceNotLeased`, `noOutboundSa`, `innerFragment`, `tooBig` or `hopLimitExceeded`
 */
export function routeBetweenDevices(
  bytes: Uint8Array,
  inner: InnerPacket,
  { from, to, mtuBytes }: { readonly from: ChildSa; readonly to: ChildSa; readonly mtuBytes: number },
): DropCode {
  if (from.leased === null || !from.leased.holdsSource(inner)) return DropCode.sourceNotLeased
  if (to.leased === null || !to.leased.holdsDestination(inner)) return DropCode.noOutboundSa
  if (inner.isFragment) return DropCode.innerFragment
  if (inner.totalBytes > mtuBytes) return DropCode.tooBig
  if (!spendHop(bytes, inner)) return DropCode.hopLimitExceeded
  clampMss(bytes, inner, mtuBytes)
  return DropCode.none
}

/** @returns false when the packet may go no further (RFC 791, RFC 8200 3) */
function spendHop(bytes: Uint8Array, { version, packetOffset: at }: InnerPacket): boolean {
  const field = version === 4 ? at + 8 : at + 7
  if (bytes[field]! <= 1) return false
  const before = readUint16(bytes, at + 8)
  bytes[field]!--
  if (version === 6) return true
  const checksum = updatedChecksum(readUint16(bytes, at + 10), before, readUint16(bytes, at + 8))
  bytes[at + 10] = checksum >>> 8
  bytes[at + 11] = checksum
  return true
}
