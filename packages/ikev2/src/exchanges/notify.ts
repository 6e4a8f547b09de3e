/**
 * Notify payloads we send (RFC 7296 3.10).
 */
import type { ChildProtocol } from '../endpoint/contract.ts'
import type { Payload, Spi } from '../message/model.ts'
import { NOTIFY, PROTOCOL } from '../message/numbers.ts'
import { EMPTY, writeU16, writeU32 } from '../message/octets.ts'

/** A notify about the IKE SA or the request itself: no protocol, no SPI. */
export function notify(type: number, data: Uint8Array = EMPTY): Payload {
  return { kind: 'notify', protocolId: PROTOCOL.NONE, spi: EMPTY, type, data }
}

/** @returns the protocol id of proposals, notifies and Deletes (RFC 7296 3.3.1). */
export function protocolIdOf(protocol: ChildProtocol): number {
  return protocol === 'ah' ? PROTOCOL.AH : PROTOCOL.ESP
}

/** A notify about a Child SA, named by the SPI on which the sender of the notify receives. */
export function childNotify(type: number, protocol: ChildProtocol, spi: Spi): Payload {
  return { kind: 'notify', protocolId: protocolIdOf(protocol), spi: spiBytes(spi), type, data: EMPTY }
}

/** INVALID_KE_PAYLOAD names the group we would take (1.3). */
export function invalidKePayload(group: number): Payload {
  const data = new Uint8Array(2)
  writeU16(data, 0, group)
  return notify(NOTIFY.INVALID_KE_PAYLOAD, data)
}

/** @returns the 4 octets of an ESP SPI. */
export function spiBytes(spi: Spi): Uint8Array {
  const bytes = new Uint8Array(4)
  writeU32(bytes, 0, spi)
  return bytes
}
