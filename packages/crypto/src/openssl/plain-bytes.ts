/**
 * Node hands out `Buffer`, whose `slice` aliases where that of a `Uint8Array` copies; callers of a provider get the latter.
 */

/** @returns the same memory as a plain Uint8Array. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** @returns the same memory as a Buffer, which is what the types of node:crypto ask for. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
