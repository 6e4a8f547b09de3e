import { describe, expect, it } from 'vitest'
import { ByteWriter } from './byte-writer.ts'
import { InvariantError } from './invariant.ts'

describe('ByteWriter', () => {
  it('writes big-endian in order', () => {
    const writer = new ByteWriter()
    writer.u8(1).u16(0x0203).u24(0x040506).u32(0x0708090a).bytes(Uint8Array.of(11, 12)).zeros(2)
    expect(writer.length).toBe(14)
    expect(writer.finish()).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0))
  })

  it('keeps what it holds while it grows', () => {
    const writer = new ByteWriter({ initialBytes: 0 })
    for (let i = 0; i < 300; i++) writer.u16(i)
    const bytes = writer.finish()
    expect(bytes).toHaveLength(600)
    expect([bytes[598], bytes[599]]).toEqual([1, 43])
  })

  it('takes exactly its limit and not one octet more', () => {
    const writer = new ByteWriter({ maxBytes: 5 }).u32(1).u8(2)
    expect(() => writer.u8(3)).toThrow(InvariantError)
    expect(() => writer.bytes(new Uint8Array(1))).toThrow(InvariantError)
    expect(() => writer.zeros(1)).toThrow(InvariantError)
    expect(writer.finish()).toEqual(Uint8Array.of(0, 0, 0, 1, 2))
  })

  it.each([
    ['u8', 256],
    ['u16', 65_536],
    ['u24', 2 ** 24],
    ['u32', 2 ** 32],
  ] as const)('%s refuses %d, negative numbers and fractions', (method, tooLarge) => {
    for (const value of [tooLarge, -1, 0.5, Number.NaN]) {
      const writer = new ByteWriter()
      expect(() => writer[method](value)).toThrow(InvariantError)
      expect(writer.length).toBe(0)
    }
  })

  it('refuses 64-bit values out of range and counts that are no natural number', () => {
    expect(() => new ByteWriter().u64(2n ** 64n)).toThrow(InvariantError)
    expect(() => new ByteWriter().u64(-1n)).toThrow(InvariantError)
    expect(() => new ByteWriter().zeros(-1)).toThrow(InvariantError)
  })

  it('patches lengths in place', () => {
    const writer = new ByteWriter().zeros(8).u8(0xee)
    writer.patchU8(0, 1).patchU16(1, 0x0203).patchU32(3, 0x04050607)
    expect(writer.finish()).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0, 0xee))
  })

  it('refuses to patch what was not written', () => {
    const writer = new ByteWriter().u16(0)
    expect(() => writer.patchU16(1, 0)).toThrow(InvariantError)
    expect(() => writer.patchU8(-1, 0)).toThrow(InvariantError)
    expect(() => writer.patchU32(0, 0)).toThrow(InvariantError)
    expect(() => writer.patchU8(0, 256)).toThrow(InvariantError)
  })

  it('returns copies that later writing does not change', () => {
    const writer = new ByteWriter().u8(1)
    const first = writer.finish()
    writer.patchU8(0, 2)
    expect(first).toEqual(Uint8Array.of(1))
  })
})
