/**
 * The Internet checksum (RFC 1071) over packet memory, in WebAssembly SIMD.
 *
 * The module is small enough to be emitted here instruction by instruction, so no toolchain is needed. It also carries a
 * block move, because a move inside a shared buffer is slow in JavaScript. Sums are kept in the byte order of memory
 * (little-endian lanes of 16 bits), which RFC 1071 2 (B) allows: load and store the result little-endian as well.
 */
import type { PacketMemory } from '../../foreign/index.ts'
import { WasmInstance, WasmModule } from '../../wasm.ts'

/** @returns the folded ones'-complement sum (not inverted) of `length` bytes at `offset`, continued from `initial` (below 2^17) */
export type SumFunction = (offset: number, length: number, initial: number) => number
/** Moves `length` bytes; the blocks may overlap. */
export type MoveFunction = (to: number, from: number, length: number) => void

export interface Checksum {
  readonly sum: SumFunction
  readonly move: MoveFunction
}

/** Turns a 16-bit number into the byte order of sums, and back. */
export function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff)
}

export function createChecksum(memory: PacketMemory): Checksum {
  const module = new WasmModule(emitModule(memory.pages))
  const { exports } = new WasmInstance(module, { env: { memory: memory.wasm } })
  return { sum: exports['sum'] as SumFunction, move: exports['move'] as MoveFunction }
}

type Code = readonly number[]

const I32 = 0x7f
const V128 = 0x7b
const NO_RESULT = 0x40
const END = 0x0b

const OFFSET = 0
const LENGTH = 1
const TOTAL = 2
const LANES_A = 3
const LANES_B = 4

function emitModule(pages: number): Uint8Array {
  const sumBody = code(vector([[2, V128]]), emitSum(), END)
  const moveBody = code(0, get(0), get(1), get(2), 0xfc, 0x0a, 0, 0, END)
  const types = vector([
    [0x60, 3, I32, I32, I32, 1, I32],
    [0x60, 3, I32, I32, I32, 0],
  ])
  const memory = code(text('env'), text('memory'), 2, 3, unsigned(pages), unsigned(pages))
  const bodies = [sumBody, moveBody].map((body) => code(unsigned(body.length), body))
  return Uint8Array.from(
    code(
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, types),
      section(2, vector([memory])),
      section(3, vector([[0], [1]])),
      section(7, vector([code(text('sum'), 0, 0), code(text('move'), 0, 1)])),
      section(10, vector(bodies)),
    ),
  )
}

/** Four accumulators of 32 bits per vector: each 64-byte round adds at most 4 * 0xffff to a lane, so 2^14 rounds are safe. */
function emitSum(): Code {
  const zero = simd(0x0c, ...Array<number>(16).fill(0))
  const addTo = (lanes: number, ...at: number[]): Code => {
    const adds = at.map((position) => code(get(OFFSET), simd(0x00, 0, position), simd(0x7f), simd(0xae)))
    return code(get(lanes), ...adds, set(lanes))
  }
  const lane = (index: number): Code => code(get(LANES_A), simd(0x1b, index), 0x6a)
  const addHalfWord = code(get(TOTAL), get(OFFSET), 0x2f, 0, 0, 0x6a, set(TOTAL))
  const addLastByte = code(get(TOTAL), get(OFFSET), 0x2d, 0, 0, 0x6a, set(TOTAL))
  const fold = code(get(TOTAL), constant(0xffff), 0x71, get(TOTAL), constant(16), 0x76, 0x6a, set(TOTAL))
  return code(
    code(zero, set(LANES_A), zero, set(LANES_B)),
    whileAtLeast(64, code(addTo(LANES_A, 0, 16), addTo(LANES_B, 32, 48))),
    whileAtLeast(16, addTo(LANES_A, 0)),
    code(get(LANES_A), get(LANES_B), simd(0xae), set(LANES_A)),
    code(get(TOTAL), lane(0), lane(1), lane(2), lane(3), set(TOTAL)),
    whileAtLeast(2, addHalfWord),
    code(get(LENGTH), 0x04, NO_RESULT, addLastByte, END),
    code(fold, fold, fold, get(TOTAL)),
  )
}

/** `while (length >= step) { body; offset += step; length -= step }` */
function whileAtLeast(step: number, body: Code): Code {
  return code(
    code(0x02, NO_RESULT, 0x03, NO_RESULT, get(LENGTH), constant(step), 0x49, 0x0d, 1),
    body,
    code(get(OFFSET), constant(step), 0x6a, set(OFFSET)),
    code(get(LENGTH), constant(step), 0x6b, set(LENGTH), 0x0c, 0, END, END),
  )
}

function code(...parts: readonly (number | Code)[]): Code {
  return parts.flat()
}

function get(local: number): Code {
  return [0x20, local]
}

function set(local: number): Code {
  return [0x21, local]
}

function constant(value: number): Code {
  return [0x41, ...signed(value)]
}

function simd(opcode: number, ...immediates: number[]): Code {
  return [0xfd, ...unsigned(opcode), ...immediates]
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

function text(value: string): Code {
  return [value.length, ...Array.from(value, (character) => character.charCodeAt(0))]
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** Signed LEB128 of a number that is not negative. */
function signed(value: number): Code {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]
}
