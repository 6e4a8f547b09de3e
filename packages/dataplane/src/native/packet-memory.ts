/**
 * The packet memory of one thread: every buffer that JavaScript, WebAssembly, OpenSSL and the kernel share.
 *
 * One shared `WebAssembly.Memory` with initial = maximum, so that its address never changes and its views are never detached.
 * Blocks are handed out once at start and never freed. Offsets count from the start of the memory; a raw address is
 * made only here (`address`) and every block that is written into a kernel structure is checked when it is written.
 * Offset 0 is never handed out.
 */
import { WasmMemory } from './wasm.ts'

const PAGE_BYTES = 65_536

/** Where the first byte of a buffer lives in this process; handed in because only `syscalls.ts` may ask. */
export type AddressOf = (buffer: ArrayBufferLike) => number

// The address of a buffer does not keep it alive: what the kernel or OpenSSL may still write to must outlive everything.
const kept: PacketMemory[] = []

export class PacketMemory {
  readonly wasm: WasmMemory
  readonly size: number
  readonly bytes: Uint8Array
  readonly view: DataView
  /** 32-bit words in the byte order of the machine, for aligned fields. */
  readonly words: Int32Array
  readonly base: number
  #top = 64

  /** @param bytes rounded up to whole pages of 64 KiB */
  constructor(bytes: number, addressOf: AddressOf) {
    const pages = Math.ceil(bytes / PAGE_BYTES)
    this.wasm = new WasmMemory({ initial: pages, maximum: pages, shared: true })
    const buffer = this.wasm.buffer
    this.size = buffer.byteLength
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.words = new Int32Array(buffer)
    this.base = addressOf(buffer)
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

  /** Throws unless [offset, offset + length) lies inside: a wild address would end the process, or worse. */
  check(offset: number, length: number): void {
    if (!(offset > 0 && length >= 0 && offset + length <= this.size)) {
      throw new RangeError(`block ${offset}+${length} lies outside the packet memory of ${this.size} bytes`)
    }
  }

  /** Raw address of a checked block. */
  address(offset: number, length: number): number {
    this.check(offset, length)
    return this.base + offset
  }

  /** Writes the address of a block into a kernel structure at `at`. */
  writePointer(at: number, offset: number, length: number): void {
    this.writeNumber(at, this.address(offset, length))
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
