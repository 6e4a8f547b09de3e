import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskWords, type Prefix, wordMask } from './prefixes.ts'
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

/** What leads to an address: targets of each prefix that holds it, the longest first. */
function find(table: RouteTable<number>, address: Uint32Array): (readonly number[])[] {
  const count = address.length === 1 ? table.find4(address[0]!) : table.find6(address)
  return Array.from({ length: count }, (_, index) => [...table.targetsAt(index)])
}

/** The same by looking at everything. */
class NaiveTable {
  readonly routes: { readonly prefix: Prefix; readonly targets: number[] }[] = []

  add(prefix: Prefix, target: number): void {
    const targets = this.#at(prefix)?.targets
    if (targets === undefined) this.routes.push({ prefix, targets: [target] })
    else targets.splice(0, targets.length, target, ...targets.filter((other) => other !== target))
  }

  remove(prefix: Prefix, target: number): void {
    const route = this.#at(prefix)
    route?.targets.splice(0, route.targets.length, ...route.targets.filter((other) => other !== target))
  }

  find(address: Uint32Array): (readonly number[])[] {
    return this.routes
      .filter(({ prefix, targets }) => targets.length > 0 && isHeld(prefix, address))
      .toSorted((a, b) => b.prefix.lengthBits - a.prefix.lengthBits)
      .map(({ targets }) => targets)
  }

  #at({ words, lengthBits }: Prefix): { readonly targets: number[] } | undefined {
    return this.routes.find(({ prefix }) => prefix.lengthBits === lengthBits && prefix.words.join() === words.join())
  }
}

function isHeld({ words, lengthBits }: Prefix, address: Uint32Array): boolean {
  return address.length === words.length && maskWords(address, lengthBits).join() === words.join()
}

/** Few bits differ, so that prefixes lie in each other and share branches; the words may be unmasked behind the prefix. */
const address = (words: 1 | 4): fc.Arbitrary<Uint32Array> =>
  fc
    .array(fc.constantFrom(0, 1, 3, 0x80000000, 0xc0000000, 0xffffffff, 0x00010000), {
      minLength: words,
      maxLength: words,
    })
    .map((all) => Uint32Array.from(all))
const prefix = (words: 1 | 4): fc.Arbitrary<Prefix> =>
  fc.record({ words: address(words), lengthBits: fc.integer({ min: 0, max: 32 * words }) })
const change = fc
  .oneof(prefix(1), prefix(4))
  .chain((one) =>
    fc.record({ prefix: fc.constant(one), target: fc.integer({ min: 0, max: 3 }), isAdded: fc.boolean() }),
  )

describe('route table', () => {
  it('has all prefixes that hold an address, the longest first, after any additions and removals', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(fc.oneof(address(1), address(4)), { maxLength: 20 }),
        (changes, addresses) => {
          const [table, naive] = [new RouteTable<number>(), new NaiveTable()]
          for (const { prefix: one, target, isAdded } of changes) {
            const masked = { ...one, words: maskWords(one.words, one.lengthBits) }
            const verb = isAdded ? 'add' : 'remove'
            table[verb](one, target)
            naive[verb](masked, target)
          }
          const asked = [...addresses, ...changes.map((made) => made.prefix.words)]
          for (const one of asked) expect(find(table, one)).toEqual(naive.find(one))
          for (const {
            prefix: { words, lengthBits },
            targets,
          } of naive.routes) {
            for (const target of targets) table.remove({ words, lengthBits }, target)
          }
          for (const one of asked) expect(find(table, one)).toEqual([])
        },
      ),
      { numRuns: 400 },
    )
  })

  it('tells IPv6 addresses apart whose hashes are equal', () => {
    // 150 000 routes and as many lookups meet about five equal 32-bit hashes.
    const table = new RouteTable<number>()
    const at = (i: number, low: number): Uint32Array => Uint32Array.of(0xfd000000, i * 7, i ^ 0x5bd1e995, low)
    for (let i = 0; i < 150_000; i++) table.add({ words: at(i, 1), lengthBits: 128 }, i)
    let found = 0
    for (let i = 0; i < 150_000; i++) found += table.find6(at(i, 2))
    expect(found).toBe(0)
    expect(find(table, at(149_999, 1))).toEqual([[149_999]])
    for (let i = 0; i < 150_000; i++) table.remove({ words: at(i, 1), lengthBits: 128 }, i)
    for (let i = 0; i < 150_000; i++) found += table.find6(at(i, 1))
    expect(found).toBe(0)
  })

  it('finds what leads to an address among 10 000 prefixes of every length, the longest first, as a search through all would', () => {
    const random = randomWords(7)
    const routes = Array.from({ length: 10_000 }, (_, index) => {
      const lengthBits = 8 + (random() % 25)
      // Under few first octets, so that prefixes lie in each other.
      const word = ((10 + (random() % 4)) << 24) | (random() & 0xff_ffff)
      return { words: maskWords(Uint32Array.of(word >>> 0), lengthBits), lengthBits, index }
    })
    const table = new RouteTable<number>()
    for (const { index, ...one } of routes) table.add(one, index)
    const search = (word: number): number[] => {
      const leading = routes.filter(({ words, lengthBits }) => (word & wordMask(lengthBits)) >>> 0 === words[0])
      const longest = Math.max(...leading.map(({ lengthBits }) => lengthBits))
      return leading.filter(({ lengthBits }) => lengthBits === longest).map(({ index }) => index)
    }
    const agree = (): void => {
      for (let i = 0; i < 500; i++) {
        const word = (((10 + (random() % 5)) << 24) | (random() & 0xff_ffff)) >>> 0
        expect(new Set(find(table, Uint32Array.of(word))[0])).toEqual(new Set(search(word)))
      }
    }
    agree()
    for (const { index, ...one } of routes.splice(0, 5000)) table.remove(one, index)
    agree()
  })
})
