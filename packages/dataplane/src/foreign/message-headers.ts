/**
 * Message headers for `recvmmsg`, `sendmsg` and `sendmmsg`: which blocks of packet memory the kernel reads or fills.
 *
 *   mmsghdr (64): name:8 namelen:4 pad:4 iov:8 iovlen:8 control:8 controllen:8 flags:4 pad:4 | len:4 pad:4
 *   iovec (16):   base:8 len:8
 *
 * Headers and vectors lie in a structure that only this folder sees; every block is checked when it is put in. Each message is one
 * block of data, a name (socket address) and control messages.
 */
import { OutsideMemoryError } from './outside-memory-error.ts'
import type { PacketMemory } from './packet-memory.ts'
import { Structure } from './structure.ts'

const HEADER_BYTES = 64
const VECTOR_BYTES = 16
const NAME_LENGTH_AT = 8
const VECTOR_AT = 16
const VECTORS_AT = 24
const CONTROL_AT = 32
const CONTROL_LENGTH_AT = 40
const LENGTH_AT = 56

/** A block of packet memory. */
export interface Block {
  readonly offset: number
  readonly length: number
}

export class MessageHeaders {
  readonly #count: number
  readonly #structure: Structure
  readonly #vectors: number
  /** Octets of the blocks for name and control of each message: the kernel puts what it filled in their place. */
  readonly #room: Uint32Array
  #filled = 0

  constructor(memory: PacketMemory, count: number) {
    this.#count = count
    this.#structure = new Structure(memory, count * (HEADER_BYTES + VECTOR_BYTES))
    this.#vectors = count * HEADER_BYTES
    this.#room = new Uint32Array(2 * count)
    for (let index = 0; index < count; index++) {
      const header = HEADER_BYTES * index
      this.#structure.pointIn(header + VECTOR_AT, this.#vectors + VECTOR_BYTES * index, VECTOR_BYTES)
      this.#structure.writeNumber(header + VECTORS_AT, 1)
    }
  }

  setData(index: number, offset: number, length: number): void {
    const vector = this.#vectors + VECTOR_BYTES * this.#checked(index)
    this.#structure.pointOut(vector, offset, length)
    this.#structure.writeNumber(vector + 8, length)
  }

  setName(index: number, offset: number, length: number): void {
    const header = HEADER_BYTES * this.#checked(index)
    this.#structure.pointOut(header, offset, length)
    this.#structure.view.setUint32(header + NAME_LENGTH_AT, length, true)
    this.#room[2 * index] = length
  }

  /** @param length 0: none */
  setControl(index: number, offset: number, length: number): void {
    const header = HEADER_BYTES * this.#checked(index)
    if (length === 0) this.#structure.writeNumber(header + CONTROL_AT, 0)
    else this.#structure.pointOut(header + CONTROL_AT, offset, length)
    this.#structure.writeNumber(header + CONTROL_LENGTH_AT, length)
    this.#room[2 * index + 1] = length
  }

  /** Octets of data that the kernel put into a received message. */
  lengthOf(index: number): number {
    return this.#structure.view.getUint32(HEADER_BYTES * this.#checked(index) + LENGTH_AT, true)
  }

  /** Octets of control messages of a received message; never more than there is room for. */
  controlLengthOf(index: number): number {
    const length = this.#structure.view.getUint32(HEADER_BYTES * this.#checked(index) + CONTROL_LENGTH_AT, true)
    return Math.min(length, this.#room[2 * index + 1]!)
  }

  /** What a header says, for whoever stands in for the kernel in a test. */
  read(index: number): { readonly name: Block; readonly data: Block; readonly control: Block } {
    const header = HEADER_BYTES * this.#checked(index)
    const vector = this.#vectors + VECTOR_BYTES * index
    const block = (at: number, lengthAt: number): Block => {
      return { offset: this.#structure.offsetAt(at), length: this.#structure.view.getUint32(lengthAt, true) }
    }
    return {
      name: block(header, header + NAME_LENGTH_AT),
      data: block(vector, vector + 8),
      control: block(header + CONTROL_AT, header + CONTROL_LENGTH_AT),
    }
  }

  /** For `syscalls.ts`: the kernel filled so many, whose lengths say so from now on. */
  noteFilled(count: number): void {
    this.#filled = count
  }

  /** For `syscalls.ts`, before the kernel fills any again: those that were filled have all their room. */
  rearm(): void {
    const { view } = this.#structure
    for (let index = 0; index < this.#filled; index++) {
      const header = HEADER_BYTES * index
      view.setUint32(header + NAME_LENGTH_AT, this.#room[2 * index]!, true)
      view.setUint32(header + CONTROL_LENGTH_AT, this.#room[2 * index + 1]!, true)
    }
    this.#filled = 0
  }

  /** For `syscalls.ts`: where `count` headers from `from` on lie. Throws `OutsideMemoryError`. */
  address(from: number, count: number): number {
    return this.#structure.address(HEADER_BYTES * this.#checked(from, count), HEADER_BYTES * count)
  }

  #checked(index: number, count = 1): number {
    const isWhole = index >>> 0 === index && count >>> 0 === count
    if (isWhole && index + count <= this.#count) return index
    throw new OutsideMemoryError(`messages ${index}+${count} lie outside ${this.#count} headers`)
  }
}
