/**
 * Shared memory in which the keys of Child SAs travel from the owner to its workers.
 *
 * The owner copies the keys of a batch of SAs in and zeroes its own; each worker copies them out and says that it has; the last
 * one zeroes the arena, which the owner then uses again. Making one for every SA would cost more than all the rest of an install.
 *
 *   workers that have not read it yet, and one more until it is zero:4 | zero:12 | keys
 */
import type { Placement } from '@culvert/esp'
import type { ChildKeys, ChildSaDescription } from '@culvert/ikev2'
import { flattenChildSa, restoreChildSa } from './flat-child-sa.ts'
import type { PostedChildSa } from './messages.ts'

const ARENA_BYTES = 8192
const READERS = 0
const FREE = 0
const LAST_READER = 2
const KEYS_AT = 16
const KEY_FIELDS = ['inboundKey', 'outboundKey', 'inboundIntegKey', 'outboundIntegKey'] as const
const MOST_KEY_BYTES = ARENA_BYTES - KEYS_AT

/** The owner's side: packs one batch at a time. */
export class KeyArenas {
  readonly #arenas: SharedArrayBuffer[] = []
  #current: SharedArrayBuffer | null = null
  #used = KEYS_AT

  /** Whether the keys fit into the batch that is being packed. @throws RangeError for keys that fit into none */
  hasRoomFor(keys: ChildKeys): boolean {
    const length = keyBytes(keys)
    if (length > MOST_KEY_BYTES) throw new RangeError('the keys of a Child SA are too long')
    return this.#used + length <= ARENA_BYTES
  }

  /** Moves the keys of `child` into the arena and zeroes them. */
  pack(child: ChildSaDescription, placement: Placement | null): PostedChildSa {
    const { keys } = child
    this.#current ??= this.#takeFree()
    const bytes = new Uint8Array(this.#current)
    const offset = this.#used
    for (const field of KEY_FIELDS) {
      bytes.set(keys[field], this.#used)
      this.#used += keys[field].length
      keys[field].fill(0)
    }
    const flat = flattenChildSa({ description: child, keys, placement })
    return { flat, offset, lengths: KEY_FIELDS.map((field) => keys[field].length) }
  }

  /** The batch is complete. @returns its arena, null when it has no keys */
  seal(workers: number): SharedArrayBuffer | null {
    const arena = this.#current
    if (arena !== null) Atomics.store(new Int32Array(arena), READERS, workers + 1)
    this.#current = null
    this.#used = KEYS_AT
    return arena
  }

  /** Zeroes what no worker will read any more. */
  clear(): void {
    for (const arena of this.#arenas) new Uint8Array(arena).fill(0)
  }

  #takeFree(): SharedArrayBuffer {
    const free = this.#arenas.find((arena) => Atomics.load(new Int32Array(arena), READERS) === FREE)
    if (free !== undefined) return free
    const arena = new SharedArrayBuffer(ARENA_BYTES)
    this.#arenas.push(arena)
    return arena
  }
}

/** Hands the Child SA to `use`; its keys are views of the arena. */
export function withChildSa<T>(
  posted: PostedChildSa,
  arena: SharedArrayBuffer | null,
  use: (child: ChildSaDescription, placement: Placement | null) => T,
): T {
  const bytes = new Uint8Array(arena ?? new SharedArrayBuffer(0))
  let at = posted.offset
  const views = posted.lengths.map((length) => bytes.subarray(at, (at += length)))
  const [inboundKey, outboundKey, inboundIntegKey, outboundIntegKey] = views
  if (!inboundKey || !outboundKey || !inboundIntegKey || !outboundIntegKey) throw new Error('keys are missing')
  const { description, keys: transforms, placement } = restoreChildSa(posted.flat)
  const keys = { ...transforms, inboundKey, outboundKey, inboundIntegKey, outboundIntegKey }
  return use({ ...description, keys }, placement)
}

/** The worker has read every SA of a batch; the last one zeroes the keys. */
export function finishArena(arena: SharedArrayBuffer | null): void {
  if (arena === null) return
  const words = new Int32Array(arena)
  if (Atomics.sub(words, READERS, 1) !== LAST_READER) return
  new Uint8Array(arena).fill(0, KEYS_AT)
  Atomics.store(words, READERS, FREE)
}

function keyBytes(keys: ChildKeys): number {
  return KEY_FIELDS.reduce((sum, field) => sum + keys[field].length, 0)
}
