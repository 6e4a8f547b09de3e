import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

const FIXED = [
  ['u8', 1],
  ['u16', 2],
  ['u24', 3],
  ['u32', 4],
  ['u64', 8],
] as const

describe('ByteReader', () => {
  it.each(FIXED)('%s reads big-endian and steps over what it read', (method, length) => {
    const reader = new ByteReader(Uint8Array.of(0xf1, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08))
    const expected = BigInt('0xf102030405060708') >> BigInt(64 - 8 * length)
    const value = reader[method]()
    expect(value === undefined ? undefined : BigInt(value)).toBe(expected)
    expect(reader.offset).toBe(length)
    expect(reader.remaining).toBe(8 - length)
  })

  it.each(FIXED)('%s gives undefined and stays where it is when an octet is missing', (method, length) => {
    for (let have = 0; have < length; have++) {
      const reader = new ByteReader(new Uint8Array(have))
      expect(reader[method]()).toBeUndefined()
      expect(reader.offset).toBe(0)
    }
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 5])(
    'refuses to take, skip or nest %d of 4 octets',
    (length) => {
      const reader = new ByteReader(new Uint8Array(4))
      expect(reader.take(length)).toBeUndefined()
      expect(reader.nested(length)).toBeUndefined()
      expect(reader.skip(length)).toBe(false)
      expect(reader.offset).toBe(0)
    },
  )

  it('hands out views of the input, not copies', () => {
    const input = Uint8Array.of(1, 2, 3, 4)
    const reader = new ByteReader(input)
    const taken = reader.take(2)
    const rest = reader.rest()
    input.fill(9)
    expect(taken).toEqual(Uint8Array.of(9, 9))
    expect(rest).toEqual(Uint8Array.of(9, 9))
    expect(reader.rest()).toHaveLength(0)
  })

  it('reads a view at an offset of a larger buffer', () => {
    const reader = new ByteReader(Uint8Array.of(0xff, 0xff, 0x12, 0x34, 0xff).subarray(2, 4))
    expect(reader.u16()).toBe(0x1234)
    expect(reader.u8()).toBeUndefined()
  })

  it('confines a nested reader to its octets and continues behind them', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3))
    const nested = reader.nested(2)
    expect(nested?.u16()).toBe(0x0102)
    expect(nested?.u8()).toBeUndefined()
    expect(reader.u8()).toBe(3)
  })

  it('reads back whatever a writer wrote', () => {
    const field = fc.oneof(
      fc.record({ width: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
      fc.record({ width: fc.constant('u16' as const), value: fc.integer({ min: 0, max: 0xffff }) }),
      fc.record({ width: fc.constant('u24' as const), value: fc.integer({ min: 0, max: 0xff_ffff }) }),
      fc.record({ width: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
    )
    fc.assert(
      fc.property(
        fc.array(field),
        fc.uint8Array(),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (fields, tail, wide) => {
          const writer = new ByteWriter({ initialBytes: 1 })
          for (const { width, value } of fields) writer[width](value)
          const bytes = writer.u64(wide).bytes(tail).finish()
          const reader = new ByteReader(bytes)
          for (const { width, value } of fields) expect(reader[width]()).toBe(value)
          expect(reader.u64()).toBe(wide)
          expect(reader.rest()).toEqual(tail)
        },
      ),
    )
  })

  it('never passes the end, whatever is asked of it', () => {
    const step = fc.oneof(
      fc.constantFrom('u8' as const, 'u16' as const, 'u24' as const, 'u32' as const, 'u64' as const),
      fc.integer({ min: -2, max: 70 }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(step), (bytes, steps) => {
        const reader = new ByteReader(bytes)
        for (const next of steps) {
          const before = reader.offset
          const result = typeof next === 'number' ? reader.take(next) : reader[next]()
          expect(reader.offset === before || result !== undefined).toBe(true)
          expect(reader.offset).toBeLessThanOrEqual(bytes.length)
          expect(reader.offset + reader.remaining).toBe(bytes.length)
        }
      }),
    )
  })
})
