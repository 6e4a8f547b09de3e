import { expect, it } from 'vitest'
import { createIkeSpiAllocator } from './ike-spi-allocator.ts'

const rng = (length: number): Uint8Array => new Uint8Array(length).fill(0xab)

it('puts slot, index and randomness where the layout says', () => {
  const allocator = createIkeSpiAllocator(7, rng)
  expect(allocator.allocate()).toBe('07000001abababab')
  expect(allocator.allocate()).toBe('07000002abababab')
})

it.each([0, 256, 1.5])('refuses slot %d', (slot) => {
  expect(() => createIkeSpiAllocator(slot, rng)).toThrow(RangeError)
})
