/**
 * Binary trie of prefixes with compressed paths: all that hold an address, in as many steps as prefixes lie in each other, with the
 * branches between them. Never more than the address has bits, whatever the number of prefixes.
 *
 * ```
 *            10.0.0.0/8 (a)
 *           ┌──────┴───────┐
 *      10.1.0.0/16 (b)   10.128.0.0/15 (branch)
 *                        ┌──────┴──────┐
 *               10.128.0.0/20 (c)   10.129.0.0/16 (d)
 * ```
 *
 * A node is a prefix that something was put under, or a branch with two children.
 */
import { maskWords, type Prefix, wordMask } from './prefixes.ts'

interface Node<V> {
  /** Masked. */
  readonly words: Uint32Array
  readonly lengthBits: number
  value: V | null
  /** By the first bit behind the prefix. */
  zero: Node<V> | null
  one: Node<V> | null
}

export class PrefixTrie<V> {
  #root: Node<V> | null = null

  get isEmpty(): boolean {
    return this.#root === null
  }

  get({ words, lengthBits }: Prefix): V | null {
    let node = this.#root
    while (node !== null && node.lengthBits < lengthBits && holds(node, words)) node = childFor(node, words)
    return node !== null && node.lengthBits === lengthBits && holds(node, words) ? node.value : null
  }

  set(prefix: Prefix, value: V): void {
    const words = maskWords(prefix.words, prefix.lengthBits)
    this.#root = inserted(this.#root, { words, lengthBits: prefix.lengthBits, value, zero: null, one: null })
  }

  delete(prefix: Prefix): void {
    this.#root = without(this.#root, prefix)
  }

  /**
   * @param address words, as many as those of the prefixes
   * @param found takes the values of all prefixes that hold it, the shortest first; from index 0
   * @returns how many there are
   */
  match(address: Uint32Array, found: V[]): number {
    let count = 0
    let node = this.#root
    while (node !== null && holds(node, address)) {
      if (node.value !== null) found[count++] = node.value
      node = childFor(node, address)
    }
    return count
  }
}

function inserted<V>(node: Node<V> | null, added: Node<V>): Node<V> {
  if (node === null) return added
  const common = commonBits(node, added)
  if (common === node.lengthBits && common === added.lengthBits) {
    node.value = added.value
    return node
  }
  if (common === node.lengthBits) {
    if (bitAt(added.words, common) === 0) node.zero = inserted(node.zero, added)
    else node.one = inserted(node.one, added)
    return node
  }
  if (common === added.lengthBits) return withChild(added, node)
  const branch: Node<V> = {
    words: maskWords(added.words, common),
    lengthBits: common,
    value: null,
    zero: null,
    one: null,
  }
  return withChild(withChild(branch, node), added)
}

function withChild<V>(parent: Node<V>, child: Node<V>): Node<V> {
  if (bitAt(child.words, parent.lengthBits) === 0) parent.zero = child
  else parent.one = child
  return parent
}

/** A branch with one child left gives its place to it. */
function without<V>(node: Node<V> | null, prefix: Prefix): Node<V> | null {
  if (node === null || node.lengthBits > prefix.lengthBits || !holds(node, prefix.words)) return node
  if (node.lengthBits === prefix.lengthBits) node.value = null
  else if (bitAt(prefix.words, node.lengthBits) === 0) node.zero = without(node.zero, prefix)
  else node.one = without(node.one, prefix)
  if (node.value !== null || (node.zero !== null && node.one !== null)) return node
  return node.zero ?? node.one
}

function childFor<V>(node: Node<V>, address: Uint32Array): Node<V> | null {
  if (node.lengthBits === 32 * address.length) return null
  return bitAt(address, node.lengthBits) === 0 ? node.zero : node.one
}

function bitAt(words: Uint32Array, bit: number): number {
  return (words[bit >>> 5]! >>> (31 - (bit & 31))) & 1
}

function holds<V>({ words, lengthBits }: Node<V>, address: Uint32Array): boolean {
  for (let word = 0, bits = lengthBits; bits > 0; word++, bits -= 32) {
    if (((words[word]! ^ address[word]!) & wordMask(bits)) !== 0) return false
  }
  return true
}

/** How many leading bits both prefixes have in common. */
function commonBits<V>(a: Node<V>, b: Node<V>): number {
  const most = Math.min(a.lengthBits, b.lengthBits)
  for (let word = 0; 32 * word < most; word++) {
    const different = a.words[word]! ^ b.words[word]!
    if (different !== 0) return Math.min(most, 32 * word + Math.clz32(different))
  }
  return most
}
