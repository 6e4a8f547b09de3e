/**
 * Which Child SAs lead to an inner address: longest prefix first, newest SA first among equals.
 *
 * Single addresses, which is all that a concentrator has, are one read of a hash map whatever the number of tunnels; IPv4 keys are the
 * address as a signed integer (a small integer to the engine), IPv6 keys a hash of four words, compared in full. Shorter prefixes lie in a
 * trie (`prefix-trie.ts`), which costs nothing while it is empty. Both change between packets, a few nodes at a time.
 */
import { PrefixTrie } from './prefix-trie.ts'
import type { Prefix } from './prefixes.ts'

/** Newest first. */
type Targets<T> = T[]

interface Route6<T> {
  readonly words: Uint32Array
  readonly targets: Targets<T>
}

export class RouteTable<T> {
  readonly #hosts4 = new Map<number, Targets<T>>()
  /** More than one with the same hash, rarely. */
  readonly #hosts6 = new Map<number, Route6<T>[]>()
  readonly #prefixes4 = new PrefixTrie<Targets<T>>()
  readonly #prefixes6 = new PrefixTrie<Targets<T>>()
  readonly #address4 = new Uint32Array(1)
  /** What the last search found, the longest prefix last; entries beyond its count are stale. */
  readonly #found: Targets<T>[] = []
  #count = 0

  /** Puts `target` in front; a target that is there already moves to the front. */
  add(prefix: Prefix, target: T): void {
    const targets = this.#targetsOf(prefix) ?? this.#create(prefix)
    const at = targets.indexOf(target)
    if (at !== -1) targets.splice(at, 1)
    targets.unshift(target)
  }

  remove(prefix: Prefix, target: T): void {
    const targets = this.#targetsOf(prefix)
    const at = targets?.indexOf(target) ?? -1
    if (targets === undefined || at === -1) return
    targets.splice(at, 1)
    if (targets.length === 0) this.#delete(prefix)
  }

  /** @returns how many prefixes hold the address; `targetsAt` has them until the next search */
  find4(address: number): number {
    let count = 0
    if (!this.#prefixes4.isEmpty) {
      this.#address4[0] = address
      count = this.#prefixes4.match(this.#address4, this.#found)
    }
    return this.#conclude(count, this.#hosts4.get(address | 0))
  }

  /** As `find4`. @param address four words */
  find6(address: Uint32Array): number {
    const count = this.#prefixes6.isEmpty ? 0 : this.#prefixes6.match(address, this.#found)
    return this.#conclude(count, this.#host6(address))
  }

  /** @param index 0 is the longest prefix that the last search found @returns targets, newest first; borrowed */
  targetsAt(index: number): readonly T[] {
    return this.#found[this.#count - 1 - index]!
  }

  #conclude(prefixes: number, host: Targets<T> | undefined): number {
    this.#count = prefixes
    if (host !== undefined) this.#found[this.#count++] = host
    return this.#count
  }

  #targetsOf(prefix: Prefix): Targets<T> | undefined {
    const { words, lengthBits } = prefix
    if (lengthBits === 32 * words.length)
      return words.length === 1 ? this.#hosts4.get(words[0]! | 0) : this.#host6(words)
    return this.#trieOf(prefix).get(prefix) ?? undefined
  }

  #host6(words: Uint32Array): Targets<T> | undefined {
    const routes = this.#hosts6.get(keyOf6(words))
    if (routes === undefined) return undefined
    for (let i = 0; i < routes.length; i++) if (sameWords(routes[i]!.words, words)) return routes[i]!.targets
    return undefined
  }

  #create(prefix: Prefix): Targets<T> {
    const { words, lengthBits } = prefix
    const targets: Targets<T> = []
    if (lengthBits < 32 * words.length) this.#trieOf(prefix).set(prefix, targets)
    else if (words.length === 1) this.#hosts4.set(words[0]! | 0, targets)
    else {
      const key = keyOf6(words)
      const route = { words: words.slice(), targets }
      this.#hosts6.set(key, [...(this.#hosts6.get(key) ?? []), route])
    }
    return targets
  }

  #delete(prefix: Prefix): void {
    const { words, lengthBits } = prefix
    if (lengthBits < 32 * words.length) this.#trieOf(prefix).delete(prefix)
    else if (words.length === 1) this.#hosts4.delete(words[0]! | 0)
    else {
      const key = keyOf6(words)
      const others = (this.#hosts6.get(key) ?? []).filter((route) => !sameWords(route.words, words))
      if (others.length === 0) this.#hosts6.delete(key)
      else this.#hosts6.set(key, others)
    }
  }

  #trieOf({ words }: Prefix): PrefixTrie<Targets<T>> {
    return words.length === 1 ? this.#prefixes4 : this.#prefixes6
  }
}

function keyOf6(words: Uint32Array): number {
  let key = 0x811c9dc5
  for (let i = 0; i < 4; i++) {
    key = Math.imul(key ^ words[i]!, 0x01000193)
    key ^= key >>> 15
  }
  return key | 0
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]
}
