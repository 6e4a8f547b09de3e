/**
 * How long an inner packet may be so that its ESP packet fits a path (RFC 4301 8.2.1: with the real overhead of its SA).
 */
import { ESP_HEADER_BYTES, type EspLayout } from './esp-transform.ts'

/**
 * @param roomBytes for the ESP packet: the path MTU without outer IP and UDP headers
 * @returns octets of the longest inner packet; 0 when there is no room for any
 */
export function largestInnerBytes(roomBytes: number, layout: EspLayout): number {
  const textBytes = roomBytes - ESP_HEADER_BYTES - layout.ivBytes - layout.icvBytes
  return Math.max(0, textBytes - (textBytes % layout.alignBytes) - 2)
}
