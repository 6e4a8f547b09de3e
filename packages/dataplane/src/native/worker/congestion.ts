/**
 * Explicit congestion notification across the tunnel (RFC 6040 3.2, 4.2): the outer header leaves with the inner bits, and what
 * the network marked on the way is combined into the inner header.
 */
import { DropCode, updatedChecksum } from '@culvert/esp'

const NOT_ECT = 0
const ECT_1 = 1
const CE = 3

/** TOS of an inner IPv4 header, traffic class of an IPv6 one: six bits of DSCP, two of ECN. */
export function innerTos(bytes: Uint8Array, packet: number): number {
  const second = bytes[packet + 1]!
  return bytes[packet]! >>> 4 === 4 ? second : ((bytes[packet]! & 15) << 4) | (second >>> 4)
}

/**
 * @param outer congestion bits of the outer header, not zero
 * @returns `none`, or `badCongestionMark`: the flow would never learn of it, so the packet must go
 */
export function applyOuterCongestion(bytes: Uint8Array, packet: number, outer: number): DropCode {
  const inner = innerTos(bytes, packet) & 3
  if (inner === NOT_ECT) return outer === CE ? DropCode.badCongestionMark : DropCode.none
  if (inner === CE || (outer !== CE && outer !== ECT_1)) return DropCode.none
  setInnerCongestion(bytes, packet, outer)
  return DropCode.none
}

/** In transport mode there is one header, and what the network marked is in it (RFC 3168 9.1.1). */
export function setInnerCongestion(bytes: Uint8Array, packet: number, value: number): void {
  if (bytes[packet]! >>> 4 === 6) {
    bytes[packet + 1] = (bytes[packet + 1]! & 0xcf) | (value << 4)
    return
  }
  const before = (bytes[packet]! << 8) | bytes[packet + 1]!
  bytes[packet + 1] = (bytes[packet + 1]! & 0xfc) | value
  const after = (bytes[packet]! << 8) | bytes[packet + 1]!
  const checksum = updatedChecksum((bytes[packet + 10]! << 8) | bytes[packet + 11]!, before, after)
  bytes[packet + 10] = checksum >>> 8
  bytes[packet + 11] = checksum
}
