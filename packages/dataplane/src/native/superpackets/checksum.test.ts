import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { onesSum } from '../../../test/inner-packets.ts'
import { createChecksum, swap16 } from './checksum.ts'
import { PacketMemory } from '../../foreign/index.ts'

const memory = new PacketMemory(1 << 18)
const { sum, move } = createChecksum(memory)

describe('checksum', () => {
  it('agrees with the plain sum for every length and alignment', () => {
    const blocks = fc.tuple(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 0, max: 15 }))
    fc.assert(
      fc.property(blocks, ([block, shift]) => {
        memory.bytes.set(block, 1024 + shift)
        expect(swap16(sum(1024 + shift, block.length, 0))).toBe(onesSum(block))
      }),
    )
  })

  it('continues a sum and survives the largest block of ones', () => {
    memory.bytes.fill(0xff, 64, 64 + 65_535)
    expect(sum(64, 65_535, 0)).toBe(swap16(onesSum(memory.bytes.subarray(64, 64 + 65_535))))
    expect(sum(64, 4, sum(64, 6, 0x1fffe))).toBe(0xffff)
  })

  it('moves overlapping blocks in both directions', () => {
    const text = Uint8Array.from({ length: 500 }, (_, i) => i & 0xff)
    for (const shift of [-40, 40]) {
      memory.bytes.set(text, 4096)
      move(4096 + shift, 4096, text.length)
      expect(memory.copyOut(4096 + shift, text.length)).toEqual(text)
    }
  })
})
