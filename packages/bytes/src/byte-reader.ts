/**
 * Checked big-endian reader over a Uint8Array it does not own.
 *
 * Every read that would pass the end returns `undefined` and leaves the position where it was; nothing here throws on the
 * content or the length of the input. Byte ranges are views: whoever keeps one longer than the datagram copies it.
 */

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  /** @param bytes is aliased, not copied. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Octets consumed so far. */
  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  u8(): number | undefined {
    return this.remaining < 1 ? undefined : this.#view.getUint8(this.#advance(1))
  }

  u16(): number | undefined {
    return this.remaining < 2 ? undefined : this.#view.getUint16(this.#advance(2))
  }

  u24(): number | undefined {
    if (this.remaining < 3) return undefined
    const at = this.#advance(3)
    return this.#view.getUint16(at) * 256 + this.#view.getUint8(at + 2)
  }

  u32(): number | undefined {
    return this.remaining < 4 ? undefined : this.#view.getUint32(this.#advance(4))
  }

  u64(): bigint | undefined {
    return this.remaining < 8 ? undefined : this.#view.getBigUint64(this.#advance(8))
  }

  /** @returns a view of the next `length` octets; `undefined` also for a length that is negative or no integer. */
  take(length: number): Uint8Array | undefined {
    if (!this.#has(length)) return undefined
    const at = this.#advance(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** @returns a reader of the next `length` octets, which this one steps over. */
  nested(length: number): ByteReader | undefined {
    const range = this.take(length)
    return range === undefined ? undefined : new ByteReader(range)
  }

  /** @returns whether there were that many octets to step over. */
  skip(length: number): boolean {
    if (!this.#has(length)) return false
    this.#advance(length)
    return true
  }

  /** @returns a view of everything that is left, possibly empty. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#advance(this.remaining))
  }

  #has(length: number): boolean {
    return Number.isInteger(length) && length >= 0 && length <= this.remaining
  }

  #advance(length: number): number {
    const at = this.#offset
    this.#offset += length
    return at
  }
}
