/**
 * The head of an EAP packet (RFC 3748 4): all that IKE looks at.
 *
 * ```
 *   code(1) | identifier(1) | length(2) | ...
 * ```
 */
import { readU16, readU8 } from '../../message/octets.ts'

export const EAP_CODE = { REQUEST: 1, RESPONSE: 2, SUCCESS: 3, FAILURE: 4 } as const

/** True for a packet of this code whose length is the one it states. */
export function isEapPacket(packet: Uint8Array, code: number): boolean {
  return packet.length >= 4 && readU8(packet, 0) === code && readU16(packet, 2) === packet.length
}

export function eapIdentifier(packet: Uint8Array): number {
  return readU8(packet, 1)
}

export function eapFailure(identifier: number): Uint8Array {
  return Uint8Array.of(EAP_CODE.FAILURE, identifier, 0, 4)
}
