import { describe, expect, it } from 'vitest'
import { RouteTable } from './route-table.ts'

describe('route table', () => {
  it('tells IPv6 addresses apart whose hashes are equal', () => {
    // 150 000 routes and as many lookups meet about five equal 32-bit hashes.
    const table = new RouteTable<number>()
    const address = (i: number, low: number): Uint32Array => Uint32Array.of(0xfd000000, i * 7, i ^ 0x5bd1e995, low)
    for (let i = 0; i < 150_000; i++) table.add({ words: address(i, 1), lengthBits: 128 }, i)
    let found = 0
    for (let i = 0; i < 150_000; i++) if (table.find6(0, address(i, 2)) !== undefined) found++
    expect(found).toBe(0)
    expect(table.find6(0, address(149_999, 1))).toEqual([149_999])
  })

  it('looks only at prefix lengths in use', () => {
    const table = new RouteTable<string>()
    const prefix = (word: number, lengthBits: number) => ({ words: Uint32Array.of(word), lengthBits })
    table.add(prefix(0x0a000000, 8), 'a')
    table.add(prefix(0x0a000000, 8), 'b')
    table.add(prefix(0x0a010203, 32), 'c')
    expect([table.levelCount4, table.levelCount6]).toEqual([2, 0])
    expect([table.find4(0, 0x0a010203), table.find4(1, 0x0a010203)]).toEqual([['c'], ['b', 'a']])
    table.remove(prefix(0x0a010203, 32), 'c')
    table.remove(prefix(0x0a010203, 32), 'c')
    table.remove(prefix(0x0a000000, 8), 'nobody')
    expect([table.levelCount4, table.find4(0, 0x0a010203)]).toEqual([1, ['b', 'a']])
  })
})
