/**
 * Structures of the kernel and of OpenSSL that hold addresses: message headers, programs, parameters.
 *
 * They lie in memory of their own that only this folder sees. Packet memory is everybody's: an address in it could be changed by any
 * mistake, after it was checked. Made once by what lives as long as the thread, and never freed, like packet memory.
 */
import { addressOf } from './library.ts'
import { OutsideMemoryError } from './outside-memory-error.ts'
import { addressIn, type PacketMemory } from './packet-memory.ts'

const kept: ArrayBuffer[] = []

export class Structure {
  readonly view: DataView
  readonly bytes: Uint8Array
  readonly #memory: PacketMemory
  readonly #base: number

  /** @param memory what its addresses point into */
  constructor(memory: PacketMemory, length: number) {
    const buffer = new ArrayBuffer(length)
    kept.push(buffer)
    this.view = new DataView(buffer)
    this.bytes = new Uint8Array(buffer)
    this.#memory = memory
    this.#base = addressOf(buffer)
  }

  /** Address of a checked part of it. */
  address(at: number, length: number): number {
    const isWhole = at >>> 0 === at && length >>> 0 === length
    if (!(isWhole && at + length <= this.bytes.length)) {
      throw new OutsideMemoryError(`block ${at}+${length} lies outside a structure of ${this.bytes.length} bytes`)
    }
    return this.#base + at
  }

  /** Writes at `at` the address of a block of packet memory. */
  pointOut(at: number, offset: number, length: number): void {
    this.writeNumber(at, addressIn(this.#memory, offset, length))
  }

  /** Writes at `at` the address of a part of this structure itself. */
  pointIn(at: number, target: number, length: number): void {
    this.writeNumber(at, this.address(target, length))
  }

  /** The offset in packet memory that the address at `at` stands for; 0 for none. */
  offsetAt(at: number): number {
    const address = this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 0x1_0000_0000
    return address === 0 ? 0 : address - (addressIn(this.#memory, 1, 0) - 1)
  }

  /** Writes a 64-bit little-endian number below 2^53. */
  writeNumber(at: number, value: number): void {
    this.view.setUint32(at, value >>> 0, true)
    this.view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
  }
}
