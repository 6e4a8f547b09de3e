/**
 * Which Child SAs lead to an inner address: longest prefix first, newest SA first among equals.
 *
 * One hash map per prefix length in use, so a lookup costs a few hash reads whatever the number of tunnels (a fleet of single
 * addresses uses one length). IPv4 keys are the masked address as a signed integer (a small integer to the engine); IPv6 keys are
 * a hash of four words, compared in full.
 */
import { maskWords, type Prefix, wordMask } from './prefixes.ts'

interface Route<T> {
  /** Masked address: one word (IPv4) or four (IPv6). */
  readonly words: Uint32Array
  /** Newest first. */
  readonly targets: T[]
}

interface Level<T> {
  readonly lengthBits: number
  /** Routes whose masked address has this key; more than one only in IPv6. */
  readonly routes: Map<number, Route<T>[]>
}

export class RouteTable<T> {
  /** Longest first. */
  readonly #levels4: Level<T>[] = []
  readonly #levels6: Level<T>[] = []

  /** Puts `target` in front; a target that is there already moves to the front. */
  add(prefix: Prefix, target: T): void {
    const route = this.#routeFor(prefix)
    const at = route.targets.indexOf(target)
    if (at !== -1) route.targets.splice(at, 1)
    route.targets.unshift(target)
  }

  remove(prefix: Prefix, target: T): void {
    const levels = this.#levelsOf(prefix)
    const level = levels.find((candidate) => candidate.lengthBits === prefix.lengthBits)
    if (level === undefined) return
    const words = maskWords(prefix.words, prefix.lengthBits)
    const key = keyOf(words)
    const routes = level.routes.get(key)
    const route = routes?.find((candidate) => sameWords(candidate.words, words))
    if (routes === undefined || route === undefined) return
    const at = route.targets.indexOf(target)
    if (at !== -1) route.targets.splice(at, 1)
    if (route.targets.length > 0) return
    routes.splice(routes.indexOf(route), 1)
    if (routes.length === 0) level.routes.delete(key)
    if (level.routes.size === 0) levels.splice(levels.indexOf(level), 1)
  }

  get levelCount4(): number {
    return this.#levels4.length
  }

  get levelCount6(): number {
    return this.#levels6.length
  }

  /** @param level 0 is the longest prefix length in use @returns targets, newest first; borrowed */
  find4(level: number, address: number): readonly T[] | undefined {
    const { lengthBits, routes } = this.#levels4[level]!
    return routes.get(address & wordMask(lengthBits))?.[0]?.targets
  }

  find6(level: number, address: Uint32Array): readonly T[] | undefined {
    const { lengthBits, routes } = this.#levels6[level]!
    const candidates = routes.get(maskedKey6(address, lengthBits))
    if (candidates === undefined) return undefined
    for (const route of candidates) {
      if (matches6(route.words, address, lengthBits)) return route.targets
    }
    return undefined
  }

  #levelsOf(prefix: Prefix): Level<T>[] {
    return prefix.words.length === 1 ? this.#levels4 : this.#levels6
  }

  #routeFor(prefix: Prefix): Route<T> {
    const levels = this.#levelsOf(prefix)
    let level = levels.find((candidate) => candidate.lengthBits === prefix.lengthBits)
    if (level === undefined) {
      level = { lengthBits: prefix.lengthBits, routes: new Map() }
      levels.push(level)
      levels.sort((a, b) => b.lengthBits - a.lengthBits)
    }
    const words = maskWords(prefix.words, prefix.lengthBits)
    const key = keyOf(words)
    let routes = level.routes.get(key)
    if (routes === undefined) level.routes.set(key, (routes = []))
    let route = routes.find((candidate) => sameWords(candidate.words, words))
    if (route === undefined) routes.push((route = { words, targets: [] }))
    return route
  }
}

function keyOf(words: Uint32Array): number {
  return words.length === 1 ? words[0]! | 0 : maskedKey6(words, 128)
}

function maskedKey6(words: Uint32Array, lengthBits: number): number {
  let key = 0x811c9dc5
  for (let i = 0; i < 4; i++) {
    key = Math.imul(key ^ (words[i]! & wordMask(lengthBits - 32 * i)), 0x01000193)
    key ^= key >>> 15
  }
  return key | 0
}

function matches6(masked: Uint32Array, address: Uint32Array, lengthBits: number): boolean {
  for (let i = 0; i < 4; i++) {
    if ((address[i]! & wordMask(lengthBits - 32 * i)) >>> 0 !== masked[i]!) return false
  }
  return true
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a.every((word, i) => word === b[i])
}
