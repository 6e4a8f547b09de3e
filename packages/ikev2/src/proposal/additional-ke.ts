/**
 * Chooses the additional key exchanges of a proposal (RFC 9370 2.2.1).
 *
 * ```
 *   KE      x25519, ecp256            one of each type offered, and no method twice, NONE apart
 *   ADDKE1  ml-kem-768, NONE
 *   ADDKE2  ml-kem-1024
 * ```
 *
 * A real method goes before NONE, otherwise the peer's order decides. What cannot be followed by a whole choice is taken back,
 * within the few methods a policy names.
 */
import type { SuitePolicy } from '../endpoint/contract.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { KE } from '../message/numbers.ts'
import { ADDITIONAL_KE_TYPES, type KePolicy } from './transform.ts'

/**
 * @param method of the first key exchange; null when there is none, or when no other can follow it.
 * @returns one transform for each type the peer offers, NONE included; null when that cannot be.
 */
export function chooseAdditionalKe(
  proposal: Proposal,
  suite: SuitePolicy,
  method: number | null,
  kePolicy: KePolicy,
): readonly Transform[] | null {
  const slots: (readonly Transform[])[] = []
  const isDemanded = kePolicy === 'required' || method !== null
  for (const [index, type] of ADDITIONAL_KE_TYPES.entries()) {
    const offered = proposal.transforms.filter((transform) => transform.type === type)
    const allowed = suite.additionalKe?.[index] ?? []
    const isOptional = allowed.length === 0 || allowed.some(({ id }) => id === KE.NONE)
    if (offered.length > 0) slots.push(candidates(offered, allowed, isOptional || !isDemanded, method !== null))
    else if (!isOptional && isDemanded) return null
  }
  if (kePolicy === 'absent') return slots.flatMap((slot) => slot.find(({ id }) => id === KE.NONE) ?? [])
  return assign(slots, method === null ? [] : [method])
}

/** What may be chosen of one type: each method once, real ones first. */
function candidates(
  offered: readonly Transform[],
  allowed: readonly Transform[],
  isNoneAllowed: boolean,
  isRealAllowed: boolean,
): readonly Transform[] {
  const usable = offered.filter(({ keyBits, unknownAttribute }) => keyBits === null && unknownAttribute === undefined)
  const real = isRealAllowed
    ? allowed.flatMap(({ id }) => (id === KE.NONE ? [] : (usable.find((transform) => transform.id === id) ?? [])))
    : []
  const none = isNoneAllowed ? usable.filter(({ id }) => id === KE.NONE).slice(0, 1) : []
  return [...real.toSorted((a, b) => usable.indexOf(a) - usable.indexOf(b)), ...none]
}

/** The first way to take one of each so that no method comes twice. */
function assign(slots: readonly (readonly Transform[])[], taken: readonly number[]): readonly Transform[] | null {
  const [slot, ...others] = slots
  if (slot === undefined) return []
  for (const transform of slot) {
    if (transform.id !== KE.NONE && taken.includes(transform.id)) continue
    const rest = assign(others, [...taken, transform.id])
    if (rest !== null) return [transform, ...rest]
  }
  return null
}
