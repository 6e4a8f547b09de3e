/**
 * Big-endian writer that grows by doubling up to a limit.
 *
 * It writes what we send, so a value that does not fit its field, or output beyond `maxBytes`, is a bug of the caller and
 * throws `InvariantError`; nothing is ever truncated silently. Lengths that are known only later are patched in place.
 */
import { InvariantError } from './invariant.ts'

export interface ByteWriterOptions {
  /** Capacity allocated at first. */
  readonly initialBytes?: number
  /** Most octets this writer ever holds. */
  readonly maxBytes?: number
}

const DEFAULT_INITIAL_BYTES = 256
/** No UDP datagram and no IKE payload is longer. */
const DEFAULT_MAX_BYTES = 65_535

export class ByteWriter {
  readonly #maxBytes: number
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(options: ByteWriterOptions = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    this.#bytes = new Uint8Array(Math.min(options.initialBytes ?? DEFAULT_INITIAL_BYTES, this.#maxBytes))
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Octets written so far: the offset of the next one. */
  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    check(value, 0xff)
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
    return this
  }

  u16(value: number): this {
    check(value, 0xffff)
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
    return this
  }

  u24(value: number): this {
    check(value, 0xff_ffff)
    const at = this.#reserve(3)
    this.#view.setUint16(at, value >>> 8)
    this.#view.setUint8(at + 2, value & 0xff)
    return this
  }

  u32(value: number): this {
    check(value, 0xffff_ffff)
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
    return this
  }

  u64(value: bigint): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new InvariantError('value does not fit 64 bits')
    const at = this.#reserve(8)
    this.#view.setBigUint64(at, value)
    return this
  }

  bytes(value: Uint8Array): this {
    const at = this.#reserve(value.length)
    this.#bytes.set(value, at)
    return this
  }

  zeros(count: number): this {
    if (!Number.isInteger(count) || count < 0) throw new InvariantError('a count of octets must be a natural number')
    this.#reserve(count)
    return this
  }

  /** Overwrites the octet at `offset`, which must have been written already. */
  patchU8(offset: number, value: number): this {
    check(value, 0xff)
    this.#view.setUint8(this.#written(offset, 1), value)
    return this
  }

  /** Overwrites the two octets at `offset`, which must have been written already. */
  patchU16(offset: number, value: number): this {
    check(value, 0xffff)
    this.#view.setUint16(this.#written(offset, 2), value)
    return this
  }

  /** Overwrites the four octets at `offset`, which must have been written already. */
  patchU32(offset: number, value: number): this {
    check(value, 0xffff_ffff)
    this.#view.setUint32(this.#written(offset, 4), value)
    return this
  }

  /** @returns a copy of everything written, owned by the caller; the writer stays usable. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** Makes room for `count` more octets, all zero; replaces view and array when it grows. @returns the offset of the first. */
  #reserve(count: number): number {
    const at = this.#length
    const needed = at + count
    if (needed > this.#maxBytes) throw new InvariantError(`output exceeds its limit of ${this.#maxBytes} octets`)
    if (needed > this.#bytes.length) this.#grow(needed)
    this.#length = needed
    return at
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2), this.#maxBytes))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }

  #written(offset: number, count: number): number {
    if (!Number.isInteger(offset) || offset < 0 || offset + count > this.#length) {
      throw new InvariantError('patch outside of what was written')
    }
    return offset
  }
}

function check(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new InvariantError(`value outside 0..${max}`)
}
