/**
 * DER (X.690 10) read from front to back: definite lengths in their shortest form, tags of one octet, nothing left over.
 *
 * BER is not taken: what has two encodings has two readers that disagree. There is no recursion; whoever reads knows the
 * structure. Everything handed out is a view of the input. Wrong octets throw `Malformed`, which `readDer` turns into a fault
 * at the door of each format; nothing else may throw.
 */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  NUMERIC_STRING: 0x12,
  PRINTABLE_STRING: 0x13,
  TELETEX_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/** Tag of a context-specific element, primitive or constructed. */
export const primitive = (number: number): number => 0x80 | number
export const constructed = (number: number): number => 0xa0 | number

export class Malformed extends Error {}

/** Thrown as it is: a stack for each bad octet of a stranger would be work for nothing. */
const MALFORMED = new Malformed('not the DER that was expected')

/** @throws Malformed */
export function malformed(): never {
  throw MALFORMED
}

/** @returns what `read` makes of the whole input, or null when that is malformed. */
export function readDer<T>(bytes: Uint8Array, read: (reader: DerReader) => T): T | null {
  try {
    const reader = new DerReader(bytes)
    const value = read(reader)
    reader.end()
    return value
  } catch (error) {
    if (error instanceof Malformed) return null
    throw error
  }
}

export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  /** Of the next element; 0, which no element has, at the end. */
  get tag(): number {
    return this.#bytes[this.#offset] ?? 0
  }

  /** What an element with this tag holds. */
  content(tag: number): Uint8Array {
    if (this.tag !== tag || this.isAtEnd) malformed()
    const start = this.#contentStart()
    const content = this.#bytes.subarray(start.offset, start.offset + start.length)
    this.#offset = start.offset + start.length
    return content
  }

  /** The next element as a whole, whatever it is. */
  element(): Uint8Array {
    const from = this.#offset
    if (this.isAtEnd) malformed()
    const { offset, length } = this.#contentStart()
    this.#offset = offset + length
    return this.#bytes.subarray(from, this.#offset)
  }

  /** The next element as a whole, which must have this tag. */
  elementOf(tag: number): Uint8Array {
    return this.tag === tag ? this.element() : malformed()
  }

  inside(tag: number): DerReader {
    return new DerReader(this.content(tag))
  }

  insideIf(tag: number): DerReader | null {
    return this.tag === tag && !this.isAtEnd ? this.inside(tag) : null
  }

  /** @throws Malformed when something is left over. */
  end(): void {
    if (!this.isAtEnd) malformed()
  }

  /** The content of every element up to the end; `limit` bounds their number. */
  *all(tag: number, limit: number): Generator<Uint8Array, void> {
    for (let count = 0; !this.isAtEnd; count++) {
      if (count === limit) malformed()
      yield this.content(tag)
    }
  }

  /** Two's complement in its shortest form. */
  integer(tag: number = TAG.INTEGER): Uint8Array {
    const octets = this.content(tag)
    const [first, second] = octets
    if (first === undefined) malformed()
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) malformed()
    return octets
  }

  /** A number from 0 to 2^31 - 1. */
  smallInteger(tag: number = TAG.INTEGER): number {
    const octets = this.integer(tag)
    if (octets.length > 4 || (octets[0] ?? 0x80) >= 0x80) malformed()
    return octets.reduce((value, octet) => value * 256 + octet, 0)
  }

  boolean(): boolean {
    const octets = this.content(TAG.BOOLEAN)
    const [value] = octets
    if (octets.length !== 1 || (value !== 0 && value !== 0xff)) malformed()
    return value === 0xff
  }

  /** A string of whole octets. */
  bitString(): Uint8Array {
    const octets = this.content(TAG.BIT_STRING)
    return octets[0] === 0 ? octets.subarray(1) : malformed()
  }

  /** Bits by number, the first one is 0; only for the first 16 of them. */
  namedBits(): number {
    const octets = this.content(TAG.BIT_STRING)
    const [unused = 8, first = 0, second = 0] = octets
    if (unused > 7 || octets.length > 3 || (octets.length === 1 && unused !== 0)) malformed()
    let bits = 0
    for (let bit = 0; bit < 16; bit++) {
      const octet = bit < 8 ? first : second
      if ((octet & (0x80 >> (bit % 8))) !== 0) bits |= 1 << bit
    }
    return bits
  }

  #contentStart(): { readonly offset: number; readonly length: number } {
    const bytes = this.#bytes
    if ((this.tag & 0x1f) === 0x1f) malformed()
    const first = bytes[this.#offset + 1] ?? malformed()
    let offset = this.#offset + 2
    let length = first
    if (first >= 0x80) {
      const count = first - 0x80
      if (count === 0 || count > 3) malformed()
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[offset + i] ?? malformed())
      if (length < 0x80 || (count > 1 && length < 2 ** (8 * (count - 1)))) malformed()
      offset += count
    }
    if (length > bytes.length - offset) malformed()
    return { offset, length }
  }
}
