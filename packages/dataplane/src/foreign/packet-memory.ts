/**
 * The packet memory of one thread: every buffer that JavaScript, WebAssembly, OpenSSL and the kernel share.
 *
 * One shared `WebAssembly.Memory` with initial = maximum, so that its address never changes and its views are never detached.
 * Blocks are handed out once at start and never freed. Offsets count from the start of the memory and are all that anybody outside
 * this folder ever holds: addresses are made by `addressIn`, which the door does not hand out, after the block was checked.
 * Offset 0 is never handed out.
 */
import { addressOf } from './library.ts'
import { OutsideMemoryError } from './outside-memory-error.ts'
import { WasmMemory } from '../wasm.ts'

const PAGE_BYTES = 65_536

// The address of a buffer does not keep it alive: what the kernel or OpenSSL may still write to must outlive everything.
const kept: PacketMemory[] = []

let baseOf: (memory: PacketMemory) => number

export class PacketMemory {
  readonly wasm: WasmMemory
  readonly size: number
  readonly bytes: Uint8Array
  readonly view: DataView
  /** 32-bit words in the byte order of the machine, for aligned fields. */
  readonly words: Int32Array
  readonly #base: number
  #top = 64

  static {
    baseOf = (memory) => memory.#base
  }

  /** @param bytes rounded up to whole pages of 64 KiB. Throws `NativeUnavailableError`. */
  constructor(bytes: number) {
    const pages = Math.ceil(bytes / PAGE_BYTES)
    this.wasm = new WasmMemory({ initial: pages, maximum: pages, shared: true })
    const buffer = this.wasm.buffer
    this.size = buffer.byteLength
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.words = new Int32Array(buffer)
    this.#base = addressOf(buffer)
    kept.push(this)
  }

  get pages(): number {
    return this.size / PAGE_BYTES
  }

  /** @returns the offset of a fresh block of `length` zero bytes */
  allocate(length: number, alignment = 64): number {
    const offset = Math.ceil(this.#top / alignment) * alignment
    this.check(offset, length)
    this.#top = offset + length
    return offset
  }

  /** Throws `OutsideMemoryError` unless [offset, offset + length) lies inside: a wild address would end the process, or worse. */
  check(offset: number, length: number): void {
    // Whole numbers of 32 bits, which also no NaN and no text are.
    const isWhole = offset >>> 0 === offset && length >>> 0 === length
    if (!(isWhole && offset !== 0 && offset + length <= this.size)) refuse(offset, length, this.size)
  }

  /** The same of `count` entries of `each` bytes. @returns bytes */
  checkVector(offset: number, count: number, each: number): number {
    if (count >>> 0 !== count) refuse(offset, count * each, this.size)
    this.check(offset, count * each)
    return count * each
  }

  /** Writes a 64-bit little-endian number below 2^53. */
  writeNumber(at: number, value: number): void {
    this.view.setUint32(at, value >>> 0, true)
    this.view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
  }

  /** A copy that the caller owns and that no thread shares. */
  copyOut(offset: number, length: number): Uint8Array {
    return this.bytes.slice(offset, offset + length)
  }
}

/** Raw address of a checked block; for this folder alone. */
export function addressIn(memory: PacketMemory, offset: number, length: number): number {
  memory.check(offset, length)
  return baseOf(memory) + offset
}

/** What offsets of blocks are added to that were checked one by one; for this folder alone. */
export function baseAddress(memory: PacketMemory): number {
  return baseOf(memory)
}

function refuse(offset: number, length: number, size: number): never {
  throw new OutsideMemoryError(`block ${offset}+${length} lies outside the packet memory of ${size} bytes`)
}
