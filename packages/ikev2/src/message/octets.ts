/**
 * Big-endian reads and writes of the codec, and IKE SPIs as text and octets.
 *
 * Reads return 0 beyond the end: every decoder checks bounds first, so that is never seen, and no read can throw.
 */
import { toHex } from '@culvert/bytes'
import type { IkeSpi } from './model.ts'

/** Those of `@culvert/bytes`, so that a module of this package has one place for octets. */
export { compareBytes, concatBytes, constantTimeEqual, toHex } from '@culvert/bytes'

/** Octets one piece after the other: what goes through a PRF need not be put together. */
export type Pieces = readonly Uint8Array[]

export const EMPTY = new Uint8Array(0)
export const IKE_SPI_BYTES = 8

export function readU8(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0
}

export function readU16(bytes: Uint8Array, offset: number): number {
  return (readU8(bytes, offset) << 8) | readU8(bytes, offset + 1)
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return ((readU16(bytes, offset) << 16) | readU16(bytes, offset + 2)) >>> 0
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  writeU16(bytes, offset, value >>> 16)
  writeU16(bytes, offset + 2, value & 0xffff)
}

/** The 8 octets at `offset` as an IKE SPI. */
export function readIkeSpi(bytes: Uint8Array, offset: number): IkeSpi {
  return toHex(bytes.subarray(offset, offset + 8)) as IkeSpi
}

/** @returns 8 octets. */
export function ikeSpiBytes(spi: IkeSpi): Uint8Array {
  const bytes = new Uint8Array(IKE_SPI_BYTES)
  writeIkeSpi(bytes, 0, spi)
  return bytes
}

export function writeIkeSpi(bytes: Uint8Array, offset: number, spi: IkeSpi): void {
  for (let index = 0; index < IKE_SPI_BYTES; index++) {
    const high = DIGITS[spi.charCodeAt(2 * index)] ?? 0
    bytes[offset + index] = (high << 4) | (DIGITS[spi.charCodeAt(2 * index + 1)] ?? 0)
  }
}

/** Values of lower-case hexadecimal digits by character code. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, '0123456789abcdef'.indexOf(String.fromCharCode(code))),
)
