/**
 * Collects the fragments of one message (RFC 7383 2.6). Only authenticated fragments may be handed in.
 *
 * A larger total starts over (the peer lowered its fragment size), a smaller one is an old fragment and is dropped, a number
 * seen before is dropped. Bounded in fragments and octets (N10). Pure: a set never changes, adding returns the next one.
 */
import { concatBytes } from '@culvert/bytes'
import { MAX_FRAGMENTS, MAX_REASSEMBLED_BYTES } from './limits.ts'
import type { SealedPayload } from './model.ts'

export interface FragmentSet {
  readonly total: number
  readonly innerType: number
  readonly received: number
  readonly bytes: number
  /** By fragment number, from index 1. */
  readonly parts: readonly (Uint8Array | undefined)[]
}

export interface AddedFragment {
  /** Null when nothing is being collected (any more). */
  readonly set: FragmentSet | null
  /** The whole plaintext once the last missing fragment came. */
  readonly complete: { readonly innerType: number; readonly bytes: Uint8Array } | null
}

/** @param plaintext of the fragment, without padding; kept until the set completes, so the caller gives it up. @param maxBytes of the whole message. */
export function addFragment(
  set: FragmentSet | null,
  sealed: SealedPayload,
  plaintext: Uint8Array,
  maxBytes = MAX_REASSEMBLED_BYTES,
): AddedFragment {
  const { fragmentNumber, totalFragments } = sealed
  if (totalFragments > MAX_FRAGMENTS || fragmentNumber < 1 || fragmentNumber > totalFragments)
    return { set, complete: null }
  if (set !== null && totalFragments < set.total) return { set, complete: null }
  const current = set !== null && set.total === totalFragments ? set : emptySet(totalFragments)
  const bytes = current.bytes + plaintext.length
  if (current.parts[fragmentNumber] !== undefined || bytes > maxBytes) return { set: current, complete: null }
  const next: FragmentSet = {
    total: totalFragments,
    innerType: fragmentNumber === 1 ? sealed.innerType : current.innerType,
    received: current.received + 1,
    bytes,
    parts: current.parts.with(fragmentNumber, plaintext),
  }
  return next.received === totalFragments ? { set: null, complete: join(next) } : { set: next, complete: null }
}

function emptySet(total: number): FragmentSet {
  return { total, innerType: 0, received: 0, bytes: 0, parts: Array.from({ length: total + 1 }, () => undefined) }
}

function join(set: FragmentSet): { innerType: number; bytes: Uint8Array } {
  const parts = set.parts.filter((part) => part !== undefined)
  return { innerType: set.innerType, bytes: concatBytes(...parts) }
}
