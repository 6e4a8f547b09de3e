import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes, concatBytes, constantTimeEqual, fromHex, toHex, zeroize } from './octets.ts'

describe('constantTimeEqual', () => {
  it('is true for equal content in different arrays', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(constantTimeEqual(bytes, bytes.slice())).toBe(true)
      }),
    )
    expect(constantTimeEqual(new Uint8Array(0), new Uint8Array(0))).toBe(true)
  })

  it('sees every single flipped bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 0, max: 7 }), (bytes, at, bit) => {
        const other = bytes.slice()
        const index = at % bytes.length
        other[index] = bytes[index]! ^ (1 << bit)
        expect(constantTimeEqual(bytes, other)).toBe(false)
      }),
    )
  })

  it('is false for a prefix, also when the rest is zero', () => {
    expect(constantTimeEqual(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false)
    expect(constantTimeEqual(Uint8Array.of(1, 0), Uint8Array.of(1))).toBe(false)
    expect(constantTimeEqual(new Uint8Array(0), Uint8Array.of(0))).toBe(false)
  })
})

describe('compareBytes', () => {
  it('orders like Buffer.compare', () => {
    const short = fc.uint8Array({ maxLength: 4, max: 3 })
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(compareBytes(a, b)).toBe(Buffer.compare(a, b))
      }),
    )
  })

  it('counts a proper prefix as the lower one', () => {
    expect(compareBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(-1)
    expect(compareBytes(Uint8Array.of(2), Uint8Array.of(1, 255))).toBe(1)
  })
})

describe('concatBytes', () => {
  it('joins in order into fresh memory', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        expect(concatBytes(...chunks)).toEqual(new Uint8Array(Buffer.concat(chunks)))
      }),
    )
    const only = Uint8Array.of(1)
    expect(concatBytes(only).buffer).not.toBe(only.buffer)
  })
})

describe('hexadecimal', () => {
  it('round-trips and agrees with Buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes)
      }),
    )
  })

  it.each(['0', 'abc', '0g', ' 00', '0x00', '00\n', '+1', '１２'])('refuses %j', (text) => {
    expect(fromHex(text)).toBeUndefined()
  })
})

describe('zeroize', () => {
  it('clears in place', () => {
    const secret = Uint8Array.of(1, 2)
    const other = Uint8Array.of(3)
    zeroize(secret, other)
    expect([...secret, ...other]).toEqual([0, 0, 0])
  })
})
