/**
 * Big-endian reads and writes at an offset, for the packet path.
 *
 * Unchecked on purpose: every caller has compared lengths before. Values are unsigned 32-bit numbers (`>>> 0` after shifting).
 * Cold codecs use the checked reader of `@culvert/bytes`.
 */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0
}

export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value
}

export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

/** @returns a fresh array of the 32-bit words of an address of 4 or 16 octets */
export function wordsOf(address: Uint8Array): Uint32Array {
  return Uint32Array.from({ length: address.length / 4 }, (_, i) => readUint32(address, 4 * i))
}

/** Copies without making a view; faster than `set(subarray())` for the few octets of a header. */
export function copyOctets(
  from: Uint8Array,
  fromOffset: number,
  to: Uint8Array,
  toOffset: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) to[toOffset + i] = from[fromOffset + i]!
}
