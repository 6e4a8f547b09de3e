/**
 * A packet of the tunnel as the simulation sends it: the SPI and a word in the clear, too short for IKE. What matters here is which
 * Child SA it goes through and whether it arrives.
 */
import type { Spi } from '@culvert/ikev2'

export interface Data {
  readonly spi: Spi
  readonly text: string
}

const MAX_BYTES = 27
const SPI_BYTES = 4
/** Behind the SPI: the sequence number of a real packet. */
const MARK = 0xda7a

export function sealData(spi: Spi, text: string): Uint8Array {
  const bytes = new Uint8Array(SPI_BYTES + 2 + text.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, spi)
  view.setUint16(SPI_BYTES, MARK)
  new TextEncoder().encodeInto(text, bytes.subarray(SPI_BYTES + 2))
  return bytes
}

/** @returns null for what is no packet of a tunnel. */
export function openData(bytes: Uint8Array): Data | null {
  if (bytes.length < SPI_BYTES + 2 || bytes.length > MAX_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (view.getUint16(SPI_BYTES) !== MARK) return null
  return { spi: view.getUint32(0) as Spi, text: new TextDecoder().decode(bytes.subarray(SPI_BYTES + 2)) }
}
