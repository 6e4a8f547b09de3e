/**
 * Translation between a host's address on its LAN and its synthetic address, for both directions of the packet path.
 *
 *   out: destination synthetic ──▶ host       quoted source synthetic ──▶ host (ICMP errors)
 *   in:  source host ──▶ synthetic            quoted destination host ──▶ synthetic (ICMP errors)
 *
 * The flow check of `DeviceIsolation` sees synthetic addresses on both ways: they are unique on the node, hosts are not. An error
 * about a mapped host may come from the router or from another address of its LAN, which then speaks as that host (RFC 5508 4.2).
 */
import {
  AddressField,
  quotedPacket,
  rewriteAddress,
  rewriteQuotedAddress,
  type TransportChecksum,
} from './address-rewrite.ts'
import { DropCode } from './drop-code.ts'
import type { HostMappings } from './host-mappings.ts'
import type { InnerPacket } from './inner-packet.ts'
import { readUint32 } from './octets.ts'

/**
 * Towards a device: after the flow check, before the packet is cut and sealed.
 *
 * @param bytes the packet `inner` was parsed from; its destination is a mapped synthetic address
 * @param host its address on the LAN, unsigned
 */
export function translateOutbound(
  bytes: Uint8Array,
  inner: InnerPacket,
  host: number,
  checksum: TransportChecksum = 'complete',
): void {
  const synthetic = inner.destination4
  rewriteAddress(bytes, inner, AddressField.destination, host, checksum)
  const quoted = quotedPacket(bytes, inner)
  if (quoted === -1 || readUint32(bytes, quoted + AddressField.source) !== synthetic) return
  rewriteQuotedAddress(bytes, inner, quoted, AddressField.source, host)
}

/**
 * From a device: after ICV and selectors, before the flow check.
 *
 * @param bytes the IPv4 packet `inner` was parsed from
 * @param subject of the device whose SA authenticated the packet
 * @param isLeased whether the source is an address of the device itself, which stays
 * @returns `none`, or `noHostMapping` when nobody asked for this host
 */
export function translateInbound(
  bytes: Uint8Array,
  inner: InnerPacket,
  mappings: HostMappings,
  subject: number,
  isLeased: boolean,
): DropCode {
  const quoted = quotedPacket(bytes, inner)
  const about = quoted === -1 ? 0 : mappings.syntheticOf(subject, readUint32(bytes, quoted + AddressField.destination))
  const synthetic = isLeased ? 0 : mappings.syntheticOf(subject, inner.source4) || about
  if (!isLeased && synthetic === 0) return DropCode.noHostMapping
  if (about !== 0) rewriteQuotedAddress(bytes, inner, quoted, AddressField.destination, about)
  if (!isLeased) rewriteAddress(bytes, inner, AddressField.source, synthetic)
  return DropCode.none
}
