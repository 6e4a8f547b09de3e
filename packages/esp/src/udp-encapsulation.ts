/**
 * Tells apart what arrives on UDP port 4500 (RFC 3948 2, RFC 7296 2.23, CONFORMANCE C02).
 *
 *   ESP        SPI (not zero) ...
 *   IKE        0x00000000, then the IKE message, whose header has 28 octets
 *   keepalive  one octet 0xFF, no sign of life
 */
export const DatagramKind = { runt: 0, esp: 1, ike: 2, keepalive: 3 } as const
export type DatagramKind = (typeof DatagramKind)[keyof typeof DatagramKind]

export const NON_ESP_MARKER_BYTES = 4
const SHORTEST_IKE_BYTES = NON_ESP_MARKER_BYTES + 28

/** @param offset, length where the UDP payload lies in `bytes` */
export function classifyDatagram(bytes: Uint8Array, offset: number, length: number): DatagramKind {
  if (length === 1 && bytes[offset] === 0xff) return DatagramKind.keepalive
  if (length <= NON_ESP_MARKER_BYTES) return DatagramKind.runt
  const isMarker = (bytes[offset]! | bytes[offset + 1]! | bytes[offset + 2]! | bytes[offset + 3]!) === 0
  if (!isMarker) return DatagramKind.esp
  return length < SHORTEST_IKE_BYTES ? DatagramKind.runt : DatagramKind.ike
}
