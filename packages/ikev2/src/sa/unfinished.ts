/**
 * What the peer asked for in CREATE_CHILD_SA and we agreed to, while additional key exchanges are outstanding (RFC 9370 2.2.4).
 *
 * ```
 *   CREATE_CHILD_SA ─▶ unfinished ── IKE_FOLLOWUP_KE with its link, once for each method ──▶ the SA is made
 *                          └── it expires, the peer starts again, a collision is lost, the IKE SA ends ──▶ forgotten
 * ```
 *
 * It belongs to the IKE SA on which it was agreed. `link` names it in the next request and is drawn anew for each.
 */
import type { MonotonicMs } from '../endpoint/contract.ts'
import type { Transform } from '../message/model.ts'
import type { ChildInput, IkeInput } from './agreement.ts'
import type { Channel } from './channel.ts'

interface Outstanding {
  readonly channel: Channel
  readonly methods: readonly Transform[]
  readonly expiresAtMs: MonotonicMs
  link: Uint8Array
  /** Of the methods that are through. */
  secrets: readonly Uint8Array[]
}

export interface UnfinishedChild extends Outstanding {
  readonly kind: 'child'
  readonly input: ChildInput
}

export interface UnfinishedIke extends Outstanding {
  readonly kind: 'ike'
  readonly input: IkeInput
}

export type Unfinished = UnfinishedChild | UnfinishedIke

/** An attachment. */
interface Holder {
  readonly unfinished: readonly Unfinished[]
}

/** The method whose key exchange comes next, undefined after the last. */
export function nextMethod({ methods, secrets }: Pick<Outstanding, 'methods' | 'secrets'>): Transform | undefined {
  return methods[secrets.length]
}

/** The rekey of the IKE SA that the peer has under way. */
export function unfinishedIke({ unfinished }: Holder): UnfinishedIke | null {
  return unfinished.find((entry) => entry.kind === 'ike') ?? null
}

/** @param spiIn of the Child SA to come, or of the one it replaces. */
export function unfinishedChild(
  { unfinished }: Holder,
  name: 'spiIn' | 'replaces',
  spiIn: ChildInput['spiIn'],
): UnfinishedChild | null {
  return (
    unfinished.find((entry): entry is UnfinishedChild => entry.kind === 'child' && entry.input[name] === spiIn) ?? null
  )
}

export function unfinishedDueMs({ unfinished }: Holder): MonotonicMs {
  let dueMs = Infinity
  for (const { expiresAtMs } of unfinished) dueMs = Math.min(dueMs, expiresAtMs)
  return dueMs
}
