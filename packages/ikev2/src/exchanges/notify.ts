/**
 * Notify payloads we send (RFC 7296 3.10).
 */
import type { Payload, Spi } from '../message/model.ts'
import { NOTIFY, PROTOCOL } from '../message/numbers.ts'
import { EMPTY, writeU16, writeU32 } from '../message/octets.ts'

/** A notify about the IKE SA or the request itself: no protocol, no SPI. */
export function notify(type: number, data: Uint8Array = EMPTY): Payload {
  return { kind: 'notify', protocolId: PROTOCOL.NONE, spi: EMPTY, type, data }
}

/** A notify about a Child SA, named by the SPI on which the sender of the notify receives. */
export function childNotify(type: number, spi: Spi): Payload {
  return { kind: 'notify', protocolId: PROTOCOL.ESP, spi: spiBytes(spi), type, data: EMPTY }
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
