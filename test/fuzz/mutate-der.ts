/**
 * Damages DER inside its structure: one element is changed, doubled, taken away or put somewhere else, and the lengths around it are
 * mended, so that what comes is read to its depths.
 */
import { concatBytes } from '@culvert/bytes'
import { tlv } from '../../packages/pki/src/testing/der-writer.ts'
import { mutate } from './mutate.ts'
import type { SeededRandom } from './random.ts'

const CONSTRUCTED = 0x20
const TAGS = [1, 2, 3, 4, 5, 6, 12, 19, 22, 23, 24, 30, 0x30, 0x31, 0x80, 0x82, 0x86, 0x87, 0xa0, 0xa1, 0xa3]
const MOST_DEPTH = 16

interface Element {
  tag: number
  content: Uint8Array | Element[]
}

/** @returns a fresh array; `bytes` stays as it is, and need not be DER. */
export function mutateDer(bytes: Uint8Array, random: SeededRandom, others: readonly Uint8Array[]): Uint8Array {
  const tree = parse(bytes, 0)
  if (tree === null) return mutate(bytes, random, others)
  const times = 1 + random.below(3)
  for (let count = 0; count < times; count++) damage(tree, random, others)
  return write(tree)
}

function damage(tree: Element[], random: SeededRandom, others: readonly Uint8Array[]): void {
  const lists = listsIn(tree)
  if (lists.length === 0) return // nothing is left
  const list = random.pick(lists)
  const at = random.below(list.length)
  const element = list[at]
  if (element === undefined) return
  switch (random.below(6)) {
    case 0:
      element.tag = random.pick(TAGS)
      break
    case 1:
      list.splice(at, 1)
      break
    case 2:
      list.splice(at, 0, copyOf(element))
      break
    case 3: {
      const from = random.pick(lists)
      list.splice(at, random.below(2), copyOf(from[random.below(from.length)] ?? element))
      break
    }
    case 4:
      element.content = random.bytes(random.pick([0, 1, 2, 8, 21, 128, 300]))
      break
    default:
      element.content = mutate(octetsOf(element), random, others)
  }
}

/** Every list of elements, the outermost first; none is left out for being empty. */
function listsIn(elements: Element[]): Element[][] {
  const inside = elements.flatMap(({ content }) => (Array.isArray(content) ? listsIn(content) : []))
  return elements.length === 0 ? inside : [elements, ...inside]
}

/** Nothing of it is shared, so that no element comes to stand inside itself. */
function copyOf(element: Element): Element {
  return { tag: element.tag, content: octetsOf(element) }
}

function octetsOf({ content }: Element): Uint8Array {
  return Array.isArray(content) ? write(content) : content
}

function write(elements: readonly Element[]): Uint8Array {
  return concatBytes(...elements.map((element) => tlv(element.tag, octetsOf(element))))
}

/** @returns null for what is not a row of whole elements. */
function parse(bytes: Uint8Array, depth: number): Element[] | null {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const [tag = 0, first = 0] = bytes.subarray(at, at + 2)
    const count = first < 0x80 ? 0 : first - 0x80
    const length =
      count === 0 ? first : bytes.subarray(at + 2, at + 2 + count).reduce((sum, octet) => sum * 256 + octet, 0)
    const start = at + 2 + count
    if (count > 3 || start + length > bytes.length) return null
    const content = bytes.slice(start, start + length)
    // Extensions are DER inside of octets.
    const mayHold = (tag & CONSTRUCTED) !== 0 || (tag === 4 && length > 1)
    const inside = mayHold && depth < MOST_DEPTH ? parse(content, depth + 1) : null
    elements.push({ tag, content: inside ?? content })
    at = start + length
  }
  return elements
}
