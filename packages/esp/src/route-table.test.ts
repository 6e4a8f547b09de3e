import { describe, expect, it } from 'vitest'
import { maskWords, wordMask } from './prefixes.ts'
import { RouteTable } from './route-table.ts'

/** Numbers of 32 bits that are the same in every run (xorshift). */
function randomWords(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

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

  it('finds what leads to an address among 10 000 prefixes of every length, the longest first, as a search through all would', () => {
    const random = randomWords(7)
    const lengths = new Set<number>()
    const routes = Array.from({ length: 10_000 }, (_, index) => {
      const lengthBits = 8 + (random() % 25)
      lengths.add(lengthBits)
      // Under few first octets, so that prefixes lie in each other.
      const word = ((10 + (random() % 4)) << 24) | (random() & 0xff_ffff)
      return { words: maskWords(Uint32Array.of(word >>> 0), lengthBits), lengthBits, index }
    })
    const table = new RouteTable<number>()
    for (const { index, ...prefix } of routes) table.add(prefix, index)
    expect(table.levelCount4).toBe(lengths.size)
    const search = (address: number): number[] => {
      const leading = routes.filter(({ words, lengthBits }) => (address & wordMask(lengthBits)) >>> 0 === words[0])
      const longest = Math.max(...leading.map(({ lengthBits }) => lengthBits))
      return leading.filter(({ lengthBits }) => lengthBits === longest).map(({ index }) => index)
    }
    const find = (address: number): readonly number[] => {
      for (let level = 0; level < table.levelCount4; level++) {
        const found = table.find4(level, address)
        if (found !== undefined) return found
      }
      return []
    }
    const agree = (): void => {
      for (let i = 0; i < 500; i++) {
        const address = ((10 + (random() % 5)) << 24) | (random() & 0xff_ffff)
        expect(new Set(find(address))).toEqual(new Set(search(address)))
      }
    }
    agree()
    for (const { index, ...prefix } of routes.splice(0, 5000)) table.remove(prefix, index)
    agree()
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
