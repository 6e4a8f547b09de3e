/**
 * Damages octet strings the way bugs in parsers are found: single bits, boundary values in 8- and 16-bit fields, cuts, repeats,
 * and pieces of other inputs.
 */
import { concatBytes } from '@culvert/bytes'
import type { SeededRandom } from './random.ts'

const BOUNDARIES = [0, 1, 2, 3, 4, 7, 8, 9, 0x0f, 0x10, 0x1f, 0x20, 0x7f, 0x80, 0xfe, 0xff]

type Mutator = (bytes: Uint8Array, random: SeededRandom, others: readonly Uint8Array[]) => Uint8Array

const mutators: readonly Mutator[] = [
  (bytes, random) => patched(bytes, random.below(bytes.length), (octet) => octet ^ (1 << random.below(8))),
  (bytes, random) => patched(bytes, random.below(bytes.length), () => random.pick(BOUNDARIES)),
  (bytes, random) => patched(bytes, random.below(bytes.length), (octet) => octet + random.pick([-4, -1, 1, 4, 8])),
  (bytes, random) => {
    const at = random.below(bytes.length - 1)
    const value = random.pick([0, 1, 3, 4, 8, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, bytes.length, bytes.length - at])
    return patched(
      patched(bytes, at, () => value >>> 8),
      at + 1,
      () => value,
    )
  },
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => concatBytes(bytes, random.bytes(random.below(12))),
  (bytes, random) => {
    const [start, end] = range(bytes, random)
    return concatBytes(bytes.subarray(0, start), bytes.subarray(end))
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random)
    return concatBytes(bytes.subarray(0, end), bytes.subarray(start))
  },
  (bytes, random, others) => {
    const other = random.pick(others)
    const [start, end] = range(other, random)
    const at = random.below(bytes.length + 1)
    return concatBytes(bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(at))
  },
]

/** @returns a fresh array; `bytes` stays as it is. */
export function mutate(bytes: Uint8Array, random: SeededRandom, others: readonly Uint8Array[]): Uint8Array {
  let mutated: Uint8Array = bytes.slice()
  const times = 1 + random.below(4)
  for (let count = 0; count < times; count++) mutated = random.pick(mutators)(mutated, random, others)
  return mutated
}

function patched(bytes: Uint8Array, at: number, change: (octet: number) => number): Uint8Array {
  const copy = bytes.slice()
  const octet = copy[at]
  if (octet !== undefined) copy[at] = change(octet)
  return copy
}

function range(bytes: Uint8Array, random: SeededRandom): readonly [start: number, end: number] {
  const start = random.below(bytes.length + 1)
  return [start, start + random.below(Math.min(64, bytes.length - start) + 1)]
}
